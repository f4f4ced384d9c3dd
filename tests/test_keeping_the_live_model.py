"""The live model becomes a model of the project: measured on images that it has not learned from, with all files."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.models import Dataset
from inference.embeddings import embedders
from inference.live_model import upkeep
from tests.conftest import client_of, upload
from tests.pictures import shape_jpeg
from training import services
from training.engine_folder import prepare_folder
from training.models import TrainingRun
from vision.engine_requests import read_request
from vision.training.architectures import ARCHITECTURES

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("networks")]


@pytest.fixture(autouse=True)
def folders(settings, tmp_path, monkeypatch):
    settings.FEATURES_DIR = tmp_path / "features"
    settings.LIVE_MODEL_SECONDS = 0
    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "no-weights"))
    monkeypatch.setattr("vision.training.architectures.OWN_FOLDERS", [])
    monkeypatch.setattr(upkeep, "_upkeep", upkeep.Upkeep())


@pytest.fixture
def live(api, project, classifier) -> dict:
    """A live model on the features of a model of the project."""
    upkeep.look_after_live_models()
    state = api.get(f"/api/v1/projects/{project.pk}/live-model/").json()
    assert state["version"] > 0 and state["labelled"] == 120, state
    return state


def keep(api, project, **body):
    return api.post(f"/api/v1/projects/{project.pk}/live-model/keep/", body)


@pytest.mark.slow
@pytest.mark.usefixtures("engine_in_process", "no_timing")
def test_it_becomes_a_model_that_answers(api, project, classifier, live):
    answer = keep(api, project)
    assert answer.status_code == 201, answer.content
    run = answer.json()
    assert answer["Location"] == f"/api/v1/trainings/{run['id']}/"
    services.run_training(run["id"])
    run = api.get(answer["Location"]).json()
    assert run["state"] == "succeeded", run["error"]
    assert run["base_model"] == str(classifier.pk) and {row["phase"] for row in run["history"]} == {"head"}
    model = api.get(f"/api/v1/models/{run['model']}/").json()
    assert model["name"] == "Live model of 120 labelled images" and model["snapshot"] == run["snapshot"]
    counts = api.get(f"/api/v1/snapshots/{run['snapshot']}/").json()["counts"]["splits"]
    assert model["metrics"]["count"] == counts["test"] > 0
    kinds = {file["kind"] for file in model["files"]}
    assert {"keras", "litert-float32", "labels", "model_card", "model_card_json"} <= kinds
    card = b"".join(api.get(f"/api/v1/models/{model['id']}/files/model_card/").streaming_content).decode()
    assert "confidence is as the network gives it: The validation split has" in card
    assert "reason" in model["metrics"]["temperature_scaling"]
    image = SimpleUploadedFile("x.jpg", shape_jpeg(7000, "disc"), "image/jpeg")
    said = api.post(f"/api/v1/models/{model['id']}/predict/", {"files": image}, format="multipart").json()
    assert said["predictions"][0]["labels"][0]["label"] == "disc"


def test_its_name_and_its_dataset_can_be_chosen(api, project, live):
    other = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "few"}).json()
    for label, kind in (("cross", "cross"), ("disc", "disc")):
        upload(api, other, [(f"{kind}{n}.jpg", shape_jpeg(8000 + n, kind)) for n in range(12)], label=label)
    largest, named = keep(api, project).json(), keep(api, project, dataset=other["id"], name="Mine").json()
    assert largest["dataset"] != other["id"] == named["dataset"] and named["name"] == "Mine"
    assert TrainingRun.objects.get(pk=named["id"]).configuration["fine_tune"] is False


def test_a_large_dataset_becomes_a_snapshot_first(api, project, live, settings):
    settings.SNAPSHOT_REQUEST_IMAGES = 1
    answer = keep(api, project)
    assert answer.status_code == 202 and answer.json()["kind"] == "snapshot_and_training"


def test_what_cannot_be_kept_is_refused_with_a_reason(api, project, dataset, viewer, outsider):
    answer = keep(api, project)
    assert answer.status_code == 409 and answer.json()["errors"][0]["code"] == "no_live_model"
    assert "Add images" in answer.json()["errors"][0]["detail"]
    assert keep(client_of(viewer), project).status_code == 403
    assert keep(client_of(outsider), project).status_code == 404
    assert keep(api, project, images=3).status_code == 400
    assert api.get(f"/api/v1/projects/{project.pk}/live-model/keep/").status_code == 405


def test_a_dataset_of_another_project_is_none(api, project, outsider):
    theirs = client_of(outsider).post("/api/v1/projects/", {"name": "theirs"}).json()
    dataset = client_of(outsider).post("/api/v1/datasets/", {"project": theirs["id"], "name": "d"}).json()
    assert keep(api, project, dataset=dataset["id"]).status_code == 400


def test_too_few_images_for_three_splits_are_said(api, project, live):
    few = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "few"}).json()
    upload(api, few, [("a.jpg", shape_jpeg(9000, "disc"))], label="disc")
    answer = keep(api, project, dataset=few["id"])
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, "too_few_labels") and "a second label" in error["detail"]
    upload(api, few, [("b.jpg", shape_jpeg(9001, "cross"))], label="cross")
    (error,) = keep(api, project, dataset=few["id"]).json()["errors"]
    assert error["code"] == "empty_split" and "Label at least 5 images" in error["detail"]
    assert "snapshot" not in error["detail"].lower()


def test_a_training_takes_the_backbone_that_was_converted_for_the_live_model(project, classifier, tmp_path):
    spec = ARCHITECTURES["mobilenet_v2"]
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / spec.weights_file).write_bytes(b"weights")
    snapshot = Dataset.objects.get(project=project).snapshots.get()
    configuration = {"architecture": "mobilenet_v2", "image_size": 160, "weights": "imagenet"}

    def backbone_in(name: str, **changes) -> str | None:
        prepare_folder(tmp_path / name, snapshot, configuration | changes)
        return read_request(tmp_path / name).backbone

    embedder = embedders.embedder_for(project)
    assert embedder.architecture == "mobilenet_v2" and embedder.image_size == 160
    assert backbone_in("before") is None
    path = embedders._path_of(embedder.name)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"converted")
    given = backbone_in("after")
    assert given == str(tmp_path / "after" / "backbone.tflite")
    assert (tmp_path / "after" / "backbone.tflite").read_bytes() == b"converted"
    assert backbone_in("larger", image_size=224) is None and backbone_in("scratch", weights="none") is None
