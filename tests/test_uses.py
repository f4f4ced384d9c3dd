"""Deletes name what needs the thing, and what was trained on a dataset outlives it."""

from __future__ import annotations

import pytest

from datasets.models import Image, Snapshot, SnapshotImage
from inference.models import Evaluation, Model, Stage
from jobs.models import Job, WorkState
from projects.models import Project
from storage.models import Blob
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg, shape_jpeg
from training.models import TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_trash")]
SETTINGS = {"architecture": "small_cnn", "image_size": 32, "epochs": 1}


@pytest.fixture
def training(api, project, dataset, labels) -> dict:
    for label, kind in (("good", "disc"), ("bad", "cross")):
        upload(api, dataset, [(f"{kind}{n}.jpg", shape_jpeg(n, kind)) for n in range(16)], label=label)
    return api.post("/api/v1/trainings/", {"project": str(project.pk), **SETTINGS}).json()


def refused(answer) -> list[dict]:
    assert answer.status_code == 409, answer.content
    return answer.json()["errors"]


def finish(training: dict) -> TrainingRun:
    TrainingRun.objects.filter(pk=training["id"]).update(state=WorkState.SUCCEEDED)
    return TrainingRun.objects.get(pk=training["id"])


def production_model(project, run: TrainingRun) -> Model:
    model = Model.objects.create(
        project=project,
        name="Screws",
        version=1,
        task="classification",
        class_names=["bad", "good"],
        architecture="x",
        input_height=32,
        input_width=32,
        parameters=1,
        stage=Stage.PRODUCTION,
        snapshot=run.snapshot,
        training=run.pk,
    )
    Evaluation.objects.create(model=model, snapshot=run.snapshot, split="test", metrics={})
    return model


def test_a_dataset_that_a_training_needs_stays(api, dataset, training):
    errors = refused(api.delete(f"/api/v1/datasets/{dataset['id']}/"))
    assert {error["code"] for error in errors} == {"dataset_in_use"} and len(errors) == 2
    assert "32 images" in errors[0]["detail"] and "by force" in errors[0]["detail"]
    assert training["id"] in errors[1]["detail"] and "queued" in errors[1]["detail"]
    assert Image.objects.count() == 32
    told = api.get(f"/api/v1/datasets/{dataset['id']}/uses/").json()
    assert told["along"] == {"images": 32, "videos": 0}
    assert [(use["kind"], use["id"]) for use in told["uses"]] == [("training", training["id"])]


def test_force_cancels_the_work_and_deletes_the_dataset(api, dataset, training):
    assert api.delete(f"/api/v1/datasets/{dataset['id']}/?force=true").status_code == 204
    assert api.get(f"/api/v1/trainings/{training['id']}/").json()["state"] == "cancelled"
    assert Image.objects.count() == 0


def test_jobs_on_a_dataset_and_its_snapshots_keep_it(api, dataset, training):
    finish(training)
    url = f"/api/v1/datasets/{dataset['id']}/"
    job = api.post(f"{url}exports/", {"format": "folder"}).json()
    assert job["id"] in refused(api.delete(url))[1]["detail"]
    Job.objects.update(state=WorkState.SUCCEEDED)
    preflight = api.post("/api/v1/trainings/preflight/", {"project": dataset["project"], **SETTINGS}).json()
    assert preflight["id"] in refused(api.delete(url))[1]["detail"]
    assert api.post(f"/api/v1/jobs/{preflight['id']}/cancel/").status_code == 200
    assert api.delete(url).status_code == 204


def test_a_model_its_training_and_its_snapshot_outlive_the_dataset(api, project, dataset, training):
    run = finish(training)
    model = production_model(project, run)
    url = f"/api/v1/datasets/{dataset['id']}/"
    unneeded = api.post(f"{url}snapshots/", {"seed": 7}).json()
    assert "in production" in refused(api.delete(url))[1]["detail"]
    assert api.delete(f"{url}?force=true").status_code == 204

    assert api.get(f"/api/v1/trainings/{run.pk}/").json()["snapshot"] == str(run.snapshot_id)
    record = api.get(f"/api/v1/snapshots/{run.snapshot_id}/").json()
    assert (record["dataset"], record["dataset_name"], record["has_images"]) == (None, "photos", False)
    assert record["counts"]["images"] == 32 and record["digest"] == run.snapshot.digest
    lineage = api.get(f"/api/v1/models/{model.pk}/lineage/").json()
    assert lineage["training"] == str(run.pk) and lineage["snapshot"]["dataset_name"] == "photos"
    assert Evaluation.objects.get().snapshot_id == run.snapshot_id
    assert not Snapshot.objects.filter(pk=unneeded["id"]).exists()
    # The images themselves are gone: nothing holds their files any more.
    assert not SnapshotImage.objects.exists()
    assert (
        Blob.objects.unreferenced().count() == Blob.objects.count() if hasattr(Blob.objects, "unreferenced") else True
    )


def test_a_record_is_no_longer_trained_or_measured_on(api, project, dataset, training):
    run = finish(training)
    model = production_model(project, run)
    assert api.delete(f"/api/v1/datasets/{dataset['id']}/?force=true").status_code == 204
    snapshot = str(run.snapshot_id)
    bodies = {
        "trainings/": {"project": str(project.pk), "snapshot": snapshot, **SETTINGS},
        "trainings/preflight/": {"project": str(project.pk), "snapshot": snapshot, **SETTINGS},
        "searches/": {"project": str(project.pk), "snapshot": snapshot, "architecture": "small_cnn"},
        f"models/{model.pk}/evaluations/": {"snapshot": snapshot, "split": "test"},
        f"models/{model.pk}/exports/": {"kinds": ["litert-int8"], "snapshot": snapshot},
    }
    for path, body in bodies.items():
        errors = refused(api.post(f"/api/v1/{path}", body))
        assert errors[0]["code"] == "snapshot_without_images", path


def test_a_model_in_production_stays_even_by_force(api, project, training):
    model = production_model(project, finish(training))
    for force in ("", "?force=true"):
        errors = refused(api.delete(f"/api/v1/models/{model.pk}/{force}"))
        assert errors[0]["code"] == "model_in_use" and "another stage" in errors[1]["detail"]
    assert "force" not in errors[0]["detail"]


def test_a_model_that_a_queued_training_starts_from_stays(api, project, training):
    model = production_model(project, finish(training))
    Model.objects.update(stage=Stage.NONE)
    TrainingRun.objects.create(
        project=project, snapshot=model.snapshot, configuration={"architecture": "small_cnn"}, base_model=model
    )
    url = f"/api/v1/models/{model.pk}/"
    assert "small_cnn" in refused(api.delete(url))[1]["detail"]
    assert api.get(f"{url}uses/").json()["uses"][0]["kind"] == "training"
    assert api.delete(f"{url}?force=true").status_code == 204
    assert TrainingRun.objects.get(base_model=None, state=WorkState.CANCELLED)


def test_a_project_names_its_work_its_model_and_its_devices(api, project, training):
    production_model(project, finish(training))
    api.post(f"/api/v1/datasets/{Snapshot.objects.get().dataset_id}/exports/", {"format": "folder"})
    from edge.models import Device

    Device.objects.create(project=project, name="line 3", key_hash="x")
    url = f"/api/v1/projects/{project.pk}/"
    errors = refused(api.delete(url))
    assert {error["code"] for error in errors} == {"project_in_use"}
    for word in ("export", "production", "line 3"):
        assert any(word in error["detail"] for error in errors), word
    told = api.get(f"{url}uses/").json()
    assert {use["kind"] for use in told["uses"]} == {"job", "model", "device"} and told["along"]["images"] == 32
    assert api.delete(f"{url}?force=true").status_code == 204
    assert not Project.objects.exists()


def test_an_account_is_not_deleted_over_running_work(api, owner, training):
    errors = refused(api.delete("/api/v1/users/me/"))
    assert errors[0]["code"] == "project_in_use" and "force" not in errors[0]["detail"]
    assert Project.objects.exists()


def test_a_list_of_uses_is_short(api, project, dataset):
    for _ in range(25):
        Job.objects.create(project=project, kind="dataset_export", parameters={"dataset": dataset["id"]})
    errors = refused(api.delete(f"/api/v1/datasets/{dataset['id']}/"))
    assert len(errors) == 22 and errors[-1]["detail"] == "5 more uses are not listed."


def test_outsiders_see_no_uses(project, dataset):
    stranger = client_of(make_user("stranger"))
    for path in (f"projects/{project.pk}", f"datasets/{dataset['id']}"):
        assert stranger.get(f"/api/v1/{path}/uses/").status_code == 404


def test_what_nothing_needs_is_deleted_at_once(api, project, dataset):
    upload(api, dataset, [("a.jpg", jpeg(1))])
    assert api.delete(f"/api/v1/datasets/{dataset['id']}/").status_code == 204
    assert api.delete(f"/api/v1/projects/{project.pk}/").status_code == 204


def test_an_image_that_lost_its_boxes_with_their_label_is_no_background(owner):
    from tests.pictures import scene
    from tests.test_boxes import new_dataset

    api, boxes = client_of(owner), new_dataset(owner, "boxes")
    image = upload(api, boxes, [("a.png", scene(1)[0])])["created"][0]
    label = api.post(f"/api/v1/projects/{boxes['project']}/labels/", {"name": "disc"}).json()
    put = [{"label": "disc", "box": [1, 1, 20, 20]}]
    assert api.put(f"/api/v1/images/{image['id']}/annotations/", put).status_code == 200
    assert api.delete(f"/api/v1/projects/{boxes['project']}/labels/{label['id']}/?images=unlabel").status_code == 204
    assert api.get("/api/v1/images/?annotated=true").json()["results"] == []
    assert Image.objects.get().reviewed is False
