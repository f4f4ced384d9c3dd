"""A model that was measured on the images of another project: its own members see only what they see there too."""

from __future__ import annotations

import pytest

from datasets.models import Image
from inference.models import Evaluation, Model
from inference.registry.registration import register_model
from tests.conftest import client_of, upload
from tests.pictures import jpeg
from tests.test_improving import run

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
API = "/api/v1"


@pytest.fixture
def elsewhere(api, classifier) -> dict:
    """A snapshot of another project of the owner, in which nobody else is."""
    project = api.post(f"{API}/projects/", {"name": "Secret", "task": "classification"}).json()
    dataset = api.post(f"{API}/datasets/", {"project": project["id"], "name": "d"}).json()
    for number, label in enumerate(classifier.class_names):
        api.post(f"{API}/projects/{project['id']}/labels/", {"name": label})
        upload(api, dataset, [(f"secret-{n}.jpg", jpeg(100 * number + n)) for n in range(12)], label=label)
    return api.post(f"{API}/datasets/{dataset['id']}/snapshots/", {}).json()


@pytest.fixture
def twin(classifier, classifier_files, owner) -> Model:
    return register_model(
        project=classifier.project,
        name="Twin",
        class_names=classifier.class_names,
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        files=classifier_files,
        user=owner,
    )


def measure(api, model: Model, snapshot: str, split: str = "train") -> str:
    job = run(api, f"models/{model.pk}/evaluations/", {"snapshot": snapshot, "split": split})
    return f"{API}/evaluations/{job['result']['evaluation']}/images/"


def test_who_sees_both_projects_sees_the_images(api, classifier, elsewhere):
    address = measure(api, classifier, elsewhere["id"])
    rows = api.get(address).json()["results"]
    assert all(not row["is_deleted"] and row["filename"].startswith("secret-") for row in rows)
    assert api.get(rows[0]["thumbnail"]).status_code == 200
    Image.objects.filter(pk=rows[0]["image"]).delete()
    assert [row["is_deleted"] for row in api.get(address).json()["results"]] == [True] + [False] * (len(rows) - 1)


def test_who_sees_the_model_alone_sees_figures(api, classifier, elsewhere, viewer, outsider):
    address = measure(api, classifier, elsewhere["id"])
    answer = client_of(viewer).get(address)
    assert answer.status_code == 200 and answer.json()["count"] == api.get(address).json()["count"]
    for row in answer.json()["results"]:
        shown = [row[name] for name in ("is_deleted", "filename", "width", "height", "thumbhash", "thumbnail")]
        assert shown == [False] + [None] * 5
    assert client_of(outsider).get(address).status_code == 404


def test_a_deleted_snapshot_leaves_rows_without_pictures(api, classifier, elsewhere):
    address = measure(api, classifier, elsewhere["id"])
    Evaluation.objects.update(snapshot=None)
    answer = api.get(address)
    assert answer.status_code == 200 and {row["thumbnail"] for row in answer.json()["results"]} == {None}


def test_models_are_compared_where_the_user_sees_the_images(api, classifier, twin, elsewhere, viewer):
    """The newest snapshot that both were measured on is not the viewer's: an older one is."""
    for snapshot in (str(classifier.snapshot_id), elsewhere["id"]):
        for model in (classifier, twin):
            measure(api, model, snapshot)
    address = f"{API}/models/compare/?ids={classifier.pk},{twin.pk}&split=train"
    assert api.get(address).json()["snapshot"] == elsewhere["id"]
    answer = client_of(viewer).get(address)
    assert answer.status_code == 200 and answer.json()["snapshot"] == str(classifier.snapshot_id)
    assert client_of(viewer).get(f"{address}&snapshot={elsewhere['id']}").status_code == 400
