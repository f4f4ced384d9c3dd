"""A new user tries the studio with images that it draws."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage
from rest_framework.test import APIClient

from datasets import samples
from datasets.labels import PALETTE
from datasets.models import Annotation, Dataset, Image, Label, Origin
from jobs import services as jobs
from jobs import work
from jobs.errors import LeaseLost
from jobs.models import Job, Queue, WorkState
from mlstudio.counts import correct_counts
from projects.models import Project, Task
from tests.conftest import client_of
from tests.test_typed_schema import fits
from vision.imaging.drawing import NAMES, draw, paint, plan_scene
from vision.imaging.hashing import perceptual_hash
from vision.imaging.near_duplicates import near_duplicate_groups

PATH = "/api/v1/projects/samples/"
TASKS = ("classification", "detection")


def refused(answer, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code), answer.content
    assert not Project.objects.exists() and not Dataset.objects.exists() and not Job.objects.exists()


def drawn(owner, task: str, images: int) -> samples.StartedSamples:
    started = samples.start_samples(user=owner, task=Task(task), images=images)
    jobs.run_job(str(started.job.pk))
    return started


def contents() -> list[tuple]:
    """Of each image in the order of its name: the file and what is on it."""
    rows = Image.objects.select_related("blob").prefetch_related("annotations__label").order_by("filename")
    return [
        (row.filename, row.blob.sha256, sorted((one.label.name, one.box) for one in row.annotations.all()))
        for row in rows
    ]


@pytest.mark.django_db
class TestRequest:
    @pytest.mark.parametrize(
        ("task", "name", "images"), [("classification", "Sample: shapes", 300), ("detection", "Sample: boxes", 240)]
    )
    def test_a_project_is_made_and_a_job_will_draw(self, api, task, name, images):
        answer = api.post(PATH, {"task": task})
        assert answer.status_code == 201, answer.content
        made = answer.json()
        fits(made, "StartedSamples")
        assert answer["Location"] == f"/api/v1/projects/{made['project']}/"
        project = api.get(answer["Location"]).json()
        assert (project["name"], project["task"], project["role"]) == (name, task, "owner")
        assert project["dataset_count"] == 1
        dataset = api.get(f"/api/v1/datasets/{made['dataset']}/").json()
        assert (dataset["name"], dataset["project"]) == ("Images", made["project"])
        job = api.get(f"/api/v1/jobs/{made['job']}/").json()
        assert (job["kind"], job["state"]) == ("samples", "queued")
        row = Job.objects.get()
        assert (row.queue, row.parameters["images"]) == (Queue.QUICK, images)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "required"),
            ({"task": "segmentation"}, "invalid_choice"),
            ({"task": None}, "null"),
            ({"task": "detection", "images": 3}, "unknown_field"),
        ],
    )
    def test_an_invalid_body_makes_nothing(self, api, body, code):
        refused(api.post(PATH, body), 400, code)

    def test_a_stranger_is_refused(self, db):
        refused(APIClient().post(PATH, {"task": "detection"}), 401, "not_authenticated")

    def test_others_do_not_see_the_project(self, api, outsider):
        made = api.post(PATH, {"task": "detection"}).json()
        for path in (f"projects/{made['project']}", f"datasets/{made['dataset']}", f"jobs/{made['job']}"):
            assert client_of(outsider).get(f"/api/v1/{path}/").status_code == 404

    def test_a_repeated_request_with_its_key_makes_one_project(self, api):
        first, second = (api.post(PATH, {"task": "detection"}, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2))
        assert first.json() == second.json() and second["Idempotency-Replayed"] == "true"
        assert Project.objects.count() == Job.objects.count() == 1

    def test_a_second_one_may_have_the_same_name(self, api):
        first, second = (api.post(PATH, {"task": "detection"}).json() for _ in range(2))
        assert first["project"] != second["project"] and Project.objects.count() == 2

    @pytest.mark.parametrize("setting", ["MAX_USER_IMAGES", "MAX_PROJECT_IMAGES"])
    def test_nothing_is_made_where_the_images_would_be_too_many(self, api, settings, setting):
        setattr(settings, setting, 239)
        code = {"MAX_USER_IMAGES": "too_many_images", "MAX_PROJECT_IMAGES": "too_many_images_in_project"}[setting]
        refused(api.post(PATH, {"task": "detection"}), 403, code)

    @pytest.mark.parametrize(
        ("setting", "status", "code"),
        [("MAX_PROJECTS", 403, "too_many_projects"), ("MAX_QUEUED_JOBS", 429, "too_many_queued_jobs")],
    )
    def test_nothing_is_made_beyond_the_limits_of_a_user(self, api, settings, setting, status, code):
        setattr(settings, setting, 1)
        assert api.post(PATH, {"task": "detection"}).status_code == 201
        answer = api.post(PATH, {"task": "detection"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)
        assert Project.objects.count() == Dataset.objects.count() == Job.objects.count() == 1


@pytest.mark.django_db
class TestJob:
    def test_images_of_shapes_carry_one_label_each(self, api, owner):
        started = drawn(owner, "classification", 30)
        job = api.get(f"/api/v1/jobs/{started.job.pk}/").json()
        fits(job, "Job")
        assert job["state"] == "succeeded" and job["progress"]["done"] == job["progress"]["total"] == 30
        assert {name: job["result"][name] for name in ("kind", "images", "labelled")} == {
            "kind": "samples",
            "images": 30,
            "labelled": 27,
        }
        assert [(label.name, label.color) for label in Label.objects.all()] == list(
            zip(NAMES, PALETTE[:3], strict=True)
        )
        assert Counter(Annotation.objects.values_list("label__name", flat=True)) == dict.fromkeys(NAMES, 9)
        assert not Annotation.objects.exclude(origin=Origin.IMPORTED, confirmed=True, x_min=None).exists()
        assert Image.objects.filter(annotations=None, reviewed=False).count() == 3
        assert set(Image.objects.values_list("source", "width", "height")) == {("samples", 320, 240)}
        assert correct_counts() == 0
        listed = api.get(f"/api/v1/images/?dataset={started.dataset.pk}&annotated=false").json()["results"]
        assert len(listed) == 3

    def test_images_with_boxes_carry_those_of_their_shapes(self, owner):
        drawn(owner, "detection", 16)
        for number, (filename, _, marks) in enumerate(contents()):
            shapes = plan_scene(number, most_shapes=4).shapes
            expected = sorted((shape.name, list(shape.box)) for shape in shapes) if (number + 1) % 8 else []
            assert (filename, marks) == (f"sample-{number + 1:03d}.jpg", expected)

    @pytest.mark.parametrize("task", TASKS)
    @pytest.mark.any_database("drawing")
    def test_the_same_images_are_drawn_each_time(self, owner, task):
        drawn(owner, task, 6)
        first = contents()
        Project.objects.all().delete()
        drawn(owner, task, 6)
        assert contents() == first and len({sha256 for _, sha256, _ in first}) == 6

    @pytest.mark.parametrize("task", TASKS)
    def test_a_killed_job_goes_on_and_draws_no_image_twice(self, owner, monkeypatch, task):
        monkeypatch.setattr(samples, "BATCH", 4)
        started = samples.start_samples(user=owner, task=Task(task), images=10)
        real, calls = work.renew, []

        def dies_in_the_second_batch(item, **changes):
            calls.append(1)
            if len(calls) == 3:
                raise LeaseLost(str(item.pk))
            real(item, **changes)

        monkeypatch.setattr("jobs.services.work.renew", dies_in_the_second_batch)
        jobs.run_job(str(started.job.pk))
        assert Image.objects.count() == 4 and Job.objects.get().state == WorkState.RUNNING
        monkeypatch.setattr("jobs.services.work.renew", real)
        Job.objects.update(lease_expires_at="2020-01-01T00:00:00Z")
        images = draws(monkeypatch)
        jobs.run_job(str(started.job.pk))
        assert Job.objects.get().state == WorkState.SUCCEEDED and len(images) == 6
        names = [name for name, _, _ in contents()]
        assert names == [f"sample-{number:03d}.jpg" for number in range(1, 11)] and correct_counts() == 0

    def test_a_job_that_was_asked_to_stop_for_a_restart_goes_on(self, owner, monkeypatch):
        monkeypatch.setattr(samples, "BATCH", 4)
        started = samples.start_samples(user=owner, task=Task.DETECTION, images=8)
        work.shutting_down.set()
        try:
            jobs.run_job(str(started.job.pk))
        finally:
            work.shutting_down.clear()
        assert Job.objects.get().state == WorkState.QUEUED
        jobs.run_job(str(started.job.pk))
        assert Job.objects.get().state == WorkState.SUCCEEDED and Image.objects.count() == 8

    def test_a_cancelled_job_keeps_what_it_had_and_its_repetition_doubles_nothing(self, api, owner, monkeypatch):
        monkeypatch.setattr(samples, "BATCH", 4)
        started = samples.start_samples(user=owner, task=Task.DETECTION, images=12)
        path = f"/api/v1/jobs/{started.job.pk}/"
        real, calls = work.renew, []

        def cancels_after_the_first_batch(item, **changes):
            real(item, **changes)
            calls.append(1)
            if len(calls) == 2:
                assert api.post(f"{path}cancel/").status_code == 200

        monkeypatch.setattr("jobs.services.work.renew", cancels_after_the_first_batch)
        jobs.run_job(str(started.job.pk))
        assert api.get(path).json()["state"] == "cancelled" and Image.objects.count() == 4
        again = api.post(f"{path}retry/").json()["id"]
        jobs.run_job(again)
        assert Job.objects.get(pk=again).state == WorkState.SUCCEEDED
        assert Image.objects.count() == 12 and correct_counts() == 0

    def test_a_deleted_dataset_ends_the_job_with_a_code(self, api, owner):
        started = samples.start_samples(user=owner, task=Task.DETECTION, images=8)
        Dataset.objects.all().delete()
        jobs.run_job(str(started.job.pk))
        assert api.get(f"/api/v1/jobs/{started.job.pk}/").json()["error"]["code"] == "dataset_deleted"

    def test_a_dataset_that_is_deleted_meanwhile_ends_the_job_with_the_same(self, owner, monkeypatch):
        started = samples.start_samples(user=owner, task=Task.DETECTION, images=8)
        real = samples.ensure_labels

        def is_slower_than_somebody_else(**options):
            Dataset.objects.all().delete()
            return real(**options)

        monkeypatch.setattr(samples, "ensure_labels", is_slower_than_somebody_else)
        jobs.run_job(str(started.job.pk))
        assert Job.objects.get().error_code == "dataset_deleted"

    @pytest.mark.parametrize("task", TASKS)
    @pytest.mark.any_database("an estimate")
    def test_a_training_can_be_estimated_on_them(self, api, owner, task):
        started = drawn(owner, task, 40)
        answer = api.post("/api/v1/trainings/preflight/", {"project": str(started.project.pk)})
        assert answer.status_code == 202, answer.content
        snapshot = api.get(f"/api/v1/snapshots/?project={started.project.pk}").json()["results"][0]
        assert snapshot["counts"]["images"] == len([row for row in contents() if row[2]])
        assert snapshot["counts"]["groups"] == 0 and all(snapshot["counts"]["splits"].values())


def draws(monkeypatch) -> list:
    """One for each image that is drawn from now on."""
    made: list = []

    def counted(scene) -> bytes:
        made.append(scene)
        return draw(scene)

    monkeypatch.setattr(samples, "draw", counted)
    return made


class TestDrawing:
    @pytest.mark.parametrize("most", [1, 4])
    @pytest.mark.parametrize("number", range(12))
    def test_boxes_lie_exactly_around_the_painted_pixels(self, number, most):
        scene = plan_scene(number, most_shapes=most)
        empty = np.asarray(paint(replace(scene, shapes=())))
        for shape in scene.shapes:
            changed = (np.asarray(paint(replace(scene, shapes=(shape,)))) != empty).any(axis=-1)
            rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
            assert shape.box == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)

    def test_the_edges_of_a_circle_are_where_its_box_says_in_the_file(self):
        scene = plan_scene(0)
        (shape,) = scene.shapes
        assert shape.name == "circle"
        pixels = np.asarray(PillowImage.open(io.BytesIO(draw(scene))).convert("RGB"), dtype=float)
        empty = np.asarray(PillowImage.open(io.BytesIO(draw(replace(scene, shapes=())))).convert("RGB"), dtype=float)
        row = np.abs(pixels - empty).sum(axis=-1)[round(shape.y)]
        inside = np.flatnonzero(row > row.max() / 2)
        assert abs(inside[0] - shape.box[0]) <= 1 and abs(inside[-1] + 1 - shape.box[2]) <= 1

    def test_shapes_stand_apart_and_wholly_on_the_image(self):
        for number in range(60):
            shapes = plan_scene(number, most_shapes=4).shapes
            assert 1 <= len(shapes) <= 4
            assert not np.any(sum(np.asarray(shape.mask()) // 255 for shape in shapes) > 1)
            for x_min, y_min, x_max, y_max in (shape.box for shape in shapes):
                assert x_min > 0 and y_min > 0 and x_max < 320 and y_max < 240

    @pytest.mark.parametrize(
        ("task", "count"),
        [
            ("classification", 40),
            ("detection", 40),
            pytest.param("classification", 300, marks=pytest.mark.slow),
            pytest.param("detection", 240, marks=pytest.mark.slow),
        ],
    )
    def test_no_image_is_a_near_duplicate_of_another(self, task, count):
        most = samples.SETS[Task(task)].most_shapes
        files = [draw(plan_scene(number, most_shapes=most)) for number in range(count)]
        hashes = [perceptual_hash(PillowImage.open(io.BytesIO(content))) for content in files]
        assert len(set(near_duplicate_groups(hashes).tolist())) == count
