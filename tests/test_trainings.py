"""Starting trainings over HTTP: defaults, refusals, promises; and the supervisor with a real training process."""

from __future__ import annotations

import uuid

import pytest

from inference.models import Model
from jobs import services as jobs
from jobs import work
from jobs.models import WorkState
from tests.conftest import client_of, upload
from tests.pictures import shape_jpeg
from training import services
from training.engine_folder import work_folder
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
TINY = {
    "architecture": "small_cnn",
    "image_size": 32,
    "epochs": 2,
    "batch_size": 8,
    "early_stopping": 0,
    "augmentation": "none",
}


@pytest.fixture
def shapes(api, dataset, labels) -> dict:
    for label, kind in (("good", "disc"), ("bad", "cross")):
        files = [(f"{kind}{n}.jpg", shape_jpeg(n, kind)) for n in range(16)]
        upload(api, dataset, files, label=label)
    return dataset


def start(api, project, **body):
    return api.post("/api/v1/trainings/", {"project": str(project.pk), **body})


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def test_only_the_project_is_needed(api, project, shapes):
    answer = start(api, project)
    assert answer.status_code == 201, answer.content
    run = answer.json()
    assert run["state"] == "queued" and answer["Location"] == f"/api/v1/trainings/{run['id']}/"
    assert run["configuration"]["architecture"] == "small_cnn" and run["configuration"]["epochs"] > 1
    assert api.get(answer["Location"]).json()["history"] == []
    assert [one["id"] for one in api.get(f"/api/v1/trainings/?project={project.pk}").json()["results"]] == [run["id"]]


def test_an_unchanged_dataset_is_not_frozen_twice(api, project, shapes):
    first, second = start(api, project).json(), start(api, project, dataset=shapes["id"]).json()
    assert first["snapshot"] == second["snapshot"]
    upload(api, shapes, [("new.jpg", shape_jpeg(99, "disc"))], label="good")
    assert start(api, project).json()["snapshot"] != first["snapshot"]


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"epochs": 0}, "epochs"),
        ({"image_size": 10}, "image_size"),
        ({"architecture": "x"}, "architecture"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"epoch": 3}, "epoch"),
        ({"snapshot": "x"}, "snapshot"),
        ({"snapshot": str(uuid.uuid4())}, "snapshot"),
        ({"seed": -1}, "seed"),
        ({"dropout": "nan"}, "dropout"),
    ],
)
@pytest.mark.any_database("what a request may ask for")
def test_wrong_settings_are_named(api, project, shapes, body, attr):
    answer = start(api, project, **body)
    assert answer.status_code == 400 and attr in [error["attr"].split(".")[0] for error in answer.json()["errors"]]


def test_data_that_cannot_be_trained_on_is_refused_at_once(api, project, dataset, labels):
    assert code_of(start(api, project)) == "no_labelled_images"
    upload(api, dataset, [(f"{n}.jpg", shape_jpeg(n, "disc")) for n in range(16)], label="good")
    assert code_of(start(api, project)) == "too_few_labels"
    upload(api, dataset, [("c.jpg", shape_jpeg(1, "cross"))], label="bad")
    assert code_of(start(api, project)) == "too_few_images"
    assert not TrainingRun.objects.exists()


def test_missing_weights_are_refused_at_once(api, project, shapes):
    answer = start(api, project, architecture="resnet50", weights="imagenet")
    assert (answer.status_code, code_of(answer)) == (400, "weights_not_available")


def test_a_project_without_a_dataset_and_one_for_boxes(api, project):
    assert code_of(start(api, project)) == "no_dataset"
    boxes = api.post("/api/v1/projects/", {"name": "b", "task": "detection"}).json()
    assert code_of(api.post("/api/v1/trainings/", {"project": boxes["id"]})) == "no_dataset"


def test_viewers_do_not_train(project, shapes, viewer, outsider):
    assert start(client_of(viewer), project).status_code == 403
    assert start(client_of(outsider), project).status_code == 400  # to him there is no such project


def test_architectures_say_what_is_here(api):
    rows = {row["name"]: row for row in api.get("/api/v1/architectures/?task=classification").json()}
    assert {"small_cnn", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_v2_b0", "resnet50", "resnet101"} <= set(
        rows
    )
    assert rows["small_cnn"]["is_default"] and not rows["mobilenet_v2"]["weights_available"]
    assert rows["mobilenet_v2"]["weights_file"].endswith("_no_top.h5")
    detectors = {row["name"]: row for row in api.get("/api/v1/architectures/?task=detection").json()}
    assert "small_cnn" not in detectors and detectors["retinanet_resnet18"]["is_default"]
    assert api.get("/api/v1/architectures/?task=x").status_code == 400


def test_a_waiting_training_is_cancelled_at_once(api, project, shapes):
    run = start(api, project).json()
    assert api.delete(f"/api/v1/trainings/{run['id']}/").status_code == 409
    assert api.post(f"/api/v1/trainings/{run['id']}/cancel/").json()["state"] == "cancelled"
    services.run_training(run["id"])
    assert api.get(f"/api/v1/trainings/{run['id']}/").json()["state"] == "cancelled"
    assert api.post(f"/api/v1/trainings/{run['id']}/cancel/").status_code == 409
    assert api.delete(f"/api/v1/trainings/{run['id']}/").status_code == 204


@pytest.mark.slow
class TestSupervisor:
    @pytest.mark.long
    def test_a_training_becomes_a_model_with_all_its_files(self, api, project, shapes):
        run = start(api, project, name="Shapes", **TINY).json()
        services.run_training(run["id"])
        run = api.get(f"/api/v1/trainings/{run['id']}/").json()
        assert run["state"] == "succeeded", run["error"]
        assert len(run["history"]) == 2 and run["estimate"]["seconds"] > 0 and run["actual"]["memory_bytes"] > 0
        model = api.get(f"/api/v1/models/{run['model']}/").json()
        assert (model["name"], model["version"], model["class_names"]) == ("Shapes", 1, ["bad", "good"])
        assert {file["kind"] for file in model["files"]} == {
            "keras",
            "litert-float32",
            "labels",
            "labels_json",
            "model_card",
            "model_card_json",
        }
        assert model["metrics"]["count"] == 5 and len(model["metrics"]["accuracy_interval"]) == 2
        card = b"".join(api.get(f"/api/v1/models/{model['id']}/files/model_card/").streaming_content).decode()
        assert "Confusion matrix" in card and "small_cnn" in card and "confidence" in card
        (evaluation,) = api.get(f"/api/v1/models/{model['id']}/evaluations/").json()["results"]
        assert evaluation["split"] == "test" and evaluation["has_outcomes"] and evaluation["curves"]["per_class"]
        behind = api.get(f"/api/v1/evaluations/{evaluation['id']}/images/").json()
        assert behind["count"] == 5 and all(api.get(one["thumbnail"]).status_code == 200 for one in behind["results"])
        right = api.get(f"/api/v1/evaluations/{evaluation['id']}/images/?outcome=right").json()["count"]
        assert right == round(5 * model["metrics"]["accuracy"])
        log = api.get(f"/api/v1/trainings/{run['id']}/log/").content.decode()
        assert "Expected: about" in log and "LiteRT file agrees" in log
        assert not work_folder(run["id"]).exists()
        services.run_training(run["id"])  # the message comes again: nothing happens
        assert Model.objects.count() == 1

    @pytest.mark.usefixtures("engine_in_process", "no_timing")
    def test_a_training_that_another_process_took_over_leaves_no_model(self, api, project, shapes, monkeypatch):
        run = start(api, project, **TINY).json()
        real = work.finish

        def taken_over(item, *args, **changes):
            TrainingRun.objects.filter(pk=item.pk).update(lease=uuid.uuid4())
            real(item, *args, **changes)

        monkeypatch.setattr("training.supervisor.work.finish", taken_over)
        services.run_training(run["id"])
        assert not Model.objects.exists()
        assert TrainingRun.objects.get().state == WorkState.RUNNING

    def test_a_process_that_keeps_dying_ends_with_a_reason(self, api, project, shapes, monkeypatch):
        import sys

        run = start(api, project, **TINY).json()
        monkeypatch.setattr(sys, "executable", "/bin/false")
        services.run_training(run["id"])
        run = api.get(f"/api/v1/trainings/{run['id']}/").json()
        assert (run["state"], run["error"]["code"]) == ("failed", "training_process_died")

    def test_a_training_waits_for_a_store_that_is_away(self, api, project, shapes, monkeypatch):
        from storage.errors import BlobMissing

        def away(*arguments, **options):
            raise BlobMissing("The store does not answer.", code="store_unavailable")

        monkeypatch.setattr("training.supervisor.prepare_folder", away)
        run = start(api, project, **TINY).json()
        services.run_training(run["id"])
        run = api.get(f"/api/v1/trainings/{run['id']}/").json()
        assert (run["state"], run["error"]) == ("queued", None)
        assert run["waiting"]["code"] == "store_unavailable"

    @pytest.mark.usefixtures("engine_in_process", "no_timing")
    def test_lost_files_end_the_training_with_a_code(self, api, project, shapes):
        from storage.services import local_cache

        run = start(api, project, **TINY).json()
        for image in api.get("/api/v1/images/?page_size=500").json()["results"]:
            local_cache().path(image["sha256"]).write_bytes(b"damaged")
        services.run_training(run["id"])
        run = api.get(f"/api/v1/trainings/{run['id']}/").json()
        assert (run["state"], run["error"]["code"]) == ("failed", "corrupted_files")

    @pytest.mark.usefixtures("engine_in_process")
    def test_a_preflight_tells_minutes_memory_and_disk(self, api, project, shapes):
        answer = api.post("/api/v1/trainings/preflight/", {"project": str(project.pk), **TINY})
        assert answer.status_code == 202 and answer["Location"].startswith("/api/v1/jobs/")
        jobs.run_job(answer.json()["id"])
        job = api.get(answer["Location"]).json()
        assert job["state"] == "succeeded", job
        assert (
            job["result"]["seconds"] > 0 and job["result"]["memory_bytes"] > 10**8 and job["result"]["disk_bytes"] > 0
        )
        assert not Model.objects.exists()
