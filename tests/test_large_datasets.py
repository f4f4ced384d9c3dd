"""Large datasets are frozen outside of the request."""

from __future__ import annotations

import io

import pytest
from PIL import Image as pillow

from datasets import snapshots
from jobs.services import run_job
from tests.conftest import upload
from tests.pictures import jpeg, pixels, shape_jpeg
from training.models import Search, TrainingRun

pytestmark = pytest.mark.django_db
TINY = {"architecture": "small_cnn", "image_size": 32, "epochs": 1}


@pytest.fixture
def shapes(api, dataset, labels, settings):
    for label, kind in (("good", "disc"), ("bad", "cross")):
        upload(api, dataset, [(f"{kind}{n}.jpg", shape_jpeg(n, kind)) for n in range(16)], label=label)
    settings.SNAPSHOT_REQUEST_IMAGES = 20
    return dataset


@pytest.fixture
def no_grouping(monkeypatch):
    def grouped(*args, **kwargs):
        raise AssertionError("images were grouped within the request")

    real = snapshots.assign_splits
    monkeypatch.setattr(snapshots, "assign_splits", grouped)
    return lambda: monkeypatch.setattr(snapshots, "assign_splits", real)


def done(api, answer) -> dict:
    assert answer.status_code == 202, answer.content
    assert answer.headers["Location"].endswith(f"/jobs/{answer.json()['id']}/")
    run_job(answer.json()["id"])
    return api.get(f"/api/v1/jobs/{answer.json()['id']}/").json()


def test_a_snapshot_is_a_job(api, shapes, no_grouping):
    answer = api.post(f"/api/v1/datasets/{shapes['id']}/snapshots/", {"train": 0.5, "validation": 0.25, "test": 0.25})
    no_grouping()
    job = done(api, answer)
    assert job["state"] == "succeeded" and job["result"]["number"] == 1 and job["result"]["images"] == 32
    snapshot = api.get(f"/api/v1/snapshots/{job['result']['snapshot']}/").json()
    assert snapshot["counts"]["splits"] == {"train": 16, "validation": 8, "test": 8}


def test_a_snapshot_without_labels_fails_with_its_code(api, dataset, settings):
    upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(3)])
    settings.SNAPSHOT_REQUEST_IMAGES = 2
    job = done(api, api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}))
    assert (job["state"], job["error"]["code"]) == ("failed", "no_labelled_images")


def test_a_training_starts_after_its_snapshot(api, project, shapes, no_grouping):
    answer = api.post("/api/v1/trainings/", {"project": str(project.pk), "name": "first", **TINY})
    no_grouping()
    job = done(api, answer)
    run = TrainingRun.objects.get()
    assert job["result"]["training"] == str(run.pk) and str(run.snapshot_id) == job["result"]["snapshot"]
    assert (run.name, run.configuration["epochs"]) == ("first", 1)
    named = api.post("/api/v1/trainings/", {"project": str(project.pk), "snapshot": str(run.snapshot_id), **TINY})
    assert named.status_code == 201


def test_a_training_that_cannot_be_fails_in_its_job(api, project, shapes):
    upload(api, shapes, [("rare.jpg", jpeg(1))], label="bad", split="test")
    ids = [one["id"] for one in api.get("/api/v1/images/?label=bad").json()["results"]]
    api.post("/api/v1/images/bulk/", {"action": "split", "images": ids, "split": "test"})
    job = done(api, api.post("/api/v1/trainings/", {"project": str(project.pk), **TINY}))
    assert (job["state"], job["error"]["code"]) == ("failed", "label_without_images")
    assert not TrainingRun.objects.exists()


def test_a_search_starts_after_its_snapshot(api, project, shapes, no_grouping):
    answer = api.post("/api/v1/searches/", {"project": str(project.pk), "max_runs": 3, **TINY})
    no_grouping()
    job = done(api, answer)
    assert job["result"]["search"] == str(Search.objects.get().pk)


def test_a_preflight_takes_the_snapshot_itself(api, project, shapes, no_grouping, monkeypatch):
    from training import estimates

    answer = api.post("/api/v1/trainings/preflight/", {"project": str(project.pk), **TINY})
    no_grouping()
    monkeypatch.setattr(estimates, "EngineProcess", lambda folder: type("Process", (), {"kill": lambda self: None})())
    estimate = {"seconds": 1.0, "memory_bytes": 1, "disk_bytes": 1, "pixels": "memory", "warnings": ["a"]}
    monkeypatch.setattr(estimates, "result_of", lambda *args: estimate)
    job = done(api, answer)
    assert job["state"] == "succeeded" and job["result"]["configuration"]["epochs"] == 1
    assert job["result"]["warnings"][0] == "a"


def test_a_label_without_test_images_is_named_before_a_training(api, project, dataset, labels):
    from datasets.models import Dataset
    from datasets.snapshots import take_snapshot
    from training.data_warnings import data_warnings

    upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(20)], label="good")
    upload(api, dataset, [(f"bad{n}.jpg", jpeg(100 + n)) for n in range(2)], label="bad", split="train")
    snapshot = take_snapshot(dataset=Dataset.objects.get(pk=dataset["id"]), user=None)
    warnings = data_warnings(snapshot)
    assert any("No test images with the label bad" in line for line in warnings)


def test_an_empty_split_says_that_images_look_alike(api, project, dataset, labels):
    """Too few to be parted: they stay together, and the refusal says why and what to do."""

    def content(number: int) -> bytes:
        target = io.BytesIO()
        plate = pillow.fromarray(pixels(1, (64, 64)))
        plate.putpixel((number, 3), (number, 0, 0))
        plate.save(target, "PNG")
        return target.getvalue()

    for label, start in (("good", 0), ("bad", 9)):
        upload(api, dataset, [(f"{n}.png", content(n)) for n in range(start, start + 9)], label=label)
    answer = api.post("/api/v1/trainings/", {"project": str(project.pk), **TINY})
    assert answer.status_code == 400, answer.content
    error = answer.json()["errors"][0]
    assert error["code"] == "empty_split" and "look nearly the same" in error["detail"]
    assert "near_duplicates" in error["detail"]
    assert api.patch(f"/api/v1/datasets/{dataset['id']}/", {"near_duplicates": "off"}).status_code == 200
    assert api.post("/api/v1/trainings/", {"project": str(project.pk), **TINY}).status_code == 201
