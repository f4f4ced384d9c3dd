"""Where a model comes from: who labelled its data; and which devices run it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets.models import Annotation, Image, Origin, Snapshot
from edge.models import Deployment, Device
from inference.models import Model
from tests.conftest import client_of, upload
from tests.pictures import jpeg
from tests.test_registry import make_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(api, editor, project, owner, tmp_path, dataset, labels) -> Model:
    """Of three images: one labelled by the owner, one by an editor, one by an import."""
    upload(api, dataset, [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)), ("c.jpg", jpeg(3))], label="good")
    first, second, third = Image.objects.filter(dataset=dataset["id"]).order_by("id")
    Annotation.objects.filter(image=first).update(created_by=owner, origin=Origin.HUMAN)
    Annotation.objects.filter(image=second).update(created_by=editor, origin=Origin.HUMAN)
    Annotation.objects.filter(image=third).update(created_by=None, origin=Origin.IMPORTED)
    made = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
    return make_model(project, owner, tmp_path, snapshot=Snapshot.objects.get(pk=made["id"]))


def labelled_by(client, model: Model) -> set[tuple]:
    answer = client.get(f"/api/v1/models/{model.pk}/lineage/")
    assert answer.status_code == 200, answer.content
    return {(row["user"], row["origin"], row["annotations"]) for row in answer.json()["labelled_by"]}


class TestWhoLabelled:
    def test_members_see_names(self, api, viewer, owner, editor, model):
        expected = {(owner.username, "human", 1), (editor.username, "human", 1), (None, "imported", 1)}
        assert labelled_by(api, model) == labelled_by(client_of(viewer), model) == expected

    def test_others_see_counts_of_a_public_model(self, outsider, client, model):
        address = f"/api/v1/models/{model.pk}/lineage/"
        assert client.get(address).status_code == 401
        assert client_of(outsider).get(address).status_code == 404
        Model.objects.filter(pk=model.pk).update(visibility="public")
        assert labelled_by(client_of(outsider), model) == {(None, "human", 2), (None, "imported", 1)}

    def test_suggestions_and_other_images_do_not_count(self, api, dataset, model):
        before = labelled_by(api, model)
        Annotation.objects.filter(origin=Origin.IMPORTED).update(confirmed=False)
        upload(api, dataset, [("d.jpg", jpeg(4))], label="good")
        assert labelled_by(api, model) == {row for row in before if row[1] != "imported"}

    def test_without_a_snapshot(self, api, project, owner, tmp_path):
        assert labelled_by(api, make_model(project, owner, tmp_path, "bare")) == set()

    def test_one_query_whoever_labelled(self, api, model):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            labelled_by(api, model)
        assert sum('"datasets_annotation"' in row["sql"] for row in queries.captured_queries) == 1


def test_devices_that_run_a_model(api, outsider, project, model):
    group = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "line"}).json()
    names = ("one", "two")
    for name in names:
        api.post("/api/v1/devices/", {"project": str(project.pk), "name": name, "group": group["id"]})
    body = {"group": group["id"], "model": str(model.pk), "kind": "litert-float32"}
    made = api.post("/api/v1/deployments/", body)
    assert made.status_code == 201, made.content
    Device.objects.filter(name="one").update(running=Deployment.objects.get(pk=made.json()["id"]))
    address = f"/api/v1/devices/?model={model.pk}"
    assert [row["name"] for row in api.get(address).json()["results"]] == ["one"]
    assert client_of(outsider).get(address).json()["results"] == []
    assert api.get("/api/v1/devices/?model=x").status_code == 400
