"""What becomes of a model: stages, tags, visibility, lineage, publishing, its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection

from datasets.models import Snapshot
from inference.models import Model, Stage, StageChange
from inference.registry.registration import register_model
from jobs import services as jobs
from projects.services import create_project
from storage import backends
from storage.models import BlobState
from tests.conftest import client_of, upload
from tests.fastdfs_server import FakeFastDFS
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db


def make_model(project, user, tmp_path, name: str = "m", **fields) -> Model:
    path = tmp_path / "model-float32.tflite"
    path.write_bytes(name.encode() * 50)
    return register_model(
        project=project,
        name=name,
        class_names=["good", "bad"],
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        files={"litert-float32": path},
        user=user,
        **fields,
    )


@pytest.fixture
def models(project, owner, tmp_path) -> list[Model]:
    return [make_model(project, owner, tmp_path, name) for name in ("one", "two", "three")]


def move(api, model: Model, stage: str, note: str = ""):
    return api.post(f"/api/v1/models/{model.pk}/stage/", {"stage": stage, "note": note})


class TestStages:
    def test_one_model_is_in_production_and_the_history_says_how(self, api, models):
        assert move(api, models[0], "staging").json()["stage"] == "staging"
        assert move(api, models[0], "production", "measured on line 3").json()["stage"] == "production"
        assert move(api, models[1], "production").status_code == 200
        listed = {row["name"]: row["stage"] for row in api.get("/api/v1/models/").json()["results"]}
        assert listed == {"one": "archived", "two": "production", "three": "none"}
        history = api.get(f"/api/v1/models/{models[0].pk}/stages/").json()["results"]
        assert sorted((row["before"], row["after"], row["changed_by"]) for row in history) == [
            ("none", "staging", "owner"),
            ("production", "archived", "owner"),
            ("staging", "production", "owner"),
        ]
        assert {row["note"] for row in history} == {"", "measured on line 3", "replaced by two v2"}
        assert [row["name"] for row in api.get("/api/v1/models/?stage=production").json()["results"]] == ["two"]

    def test_a_move_to_where_it_is_changes_nothing(self, api, models):
        move(api, models[0], "staging")
        move(api, models[0], "staging")
        assert StageChange.objects.count() == 1

    def test_what_is_refused(self, api, models, viewer, outsider):
        assert move(api, models[0], "live").status_code == 400
        assert move(client_of(viewer), models[0], "staging").status_code == 403
        assert move(client_of(outsider), models[0], "staging").status_code == 404
        assert api.patch(f"/api/v1/models/{models[0].pk}/", {"stage": "production"}).json()["stage"] == "none"

    def test_production_is_not_deleted(self, api, models):
        move(api, models[0], "production")
        answer = api.delete(f"/api/v1/models/{models[0].pk}/")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "model_in_use")
        move(api, models[0], "archived")
        assert api.delete(f"/api/v1/models/{models[0].pk}/").status_code == 204
        assert Model.objects.filter(project=models[0].project_id).count() == 2


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_many_who_move_at_once_leave_one_in_production(owner, project, tmp_path):
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("needs a database that threads share")
    models = [make_model(project, owner, tmp_path, f"m{n}") for n in range(5)]

    def to_production(model: Model) -> int:
        try:
            return move(client_of(owner), model, "production").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(to_production, models)) == {200}
    assert Model.objects.filter(stage=Stage.PRODUCTION).count() == 1
    assert Model.objects.filter(stage=Stage.ARCHIVED).count() == 4


class TestTagsAndNames:
    def test_tags_are_kept_in_order_and_found(self, api, models):
        changed = api.patch(f"/api/v1/models/{models[0].pk}/", {"tags": ["line 3", "größer", "line 3"], "name": "x"})
        assert changed.json()["tags"] == ["größer", "line 3"] and changed.json()["name"] == "x"
        for tag, count in (("line 3", 1), ("größer", 1), ("line", 0), ('"', 0)):
            assert len(api.get("/api/v1/models/", {"tag": tag}).json()["results"]) == count, tag

    @pytest.mark.parametrize("tags", ["x", [""], ["x" * 51], [1, [2]], ["a\nb"], [str(n) for n in range(21)]])
    def test_wrong_tags(self, api, models, tags):
        assert api.patch(f"/api/v1/models/{models[0].pk}/", {"tags": tags}).status_code == 400


class TestVisibility:
    def test_a_public_model_is_used_but_not_changed_by_others(self, api, models, outsider):
        stranger = client_of(outsider)
        path = f"/api/v1/models/{models[0].pk}/"
        assert stranger.get(path).status_code == 404
        assert api.patch(path, {"visibility": "public"}).json()["visibility"] == "public"
        assert stranger.get(path).status_code == 200
        assert [row["name"] for row in stranger.get("/api/v1/models/").json()["results"]] == ["one"]
        assert b"".join(stranger.get(f"{path}files/litert-float32/").streaming_content) == b"one" * 50
        assert stranger.get(f"{path}exports/").status_code == 200
        assert stranger.get(f"{path}lineage/").status_code == 200
        for hidden in ("stages", "evaluations"):
            assert stranger.get(f"{path}{hidden}/").status_code == 404
        assert stranger.patch(path, {"name": "mine"}).status_code == 403
        assert stranger.delete(path).status_code == 403
        assert move(stranger, models[0], "archived").status_code == 403
        assert stranger.post(f"{path}exports/", {"kinds": ["onnx"]}).status_code == 403
        assert stranger.post(f"{path}publish/", {}).status_code == 403
        api.patch(path, {"visibility": "private"})
        assert stranger.get(path).status_code == 404

    def test_only_owners_make_it_public(self, models, editor):
        path = f"/api/v1/models/{models[0].pk}/"
        assert client_of(editor).patch(path, {"visibility": "public"}).status_code == 403
        assert client_of(editor).patch(path, {"name": "x"}).status_code == 200

    def test_others_train_from_it(self, models, outsider, tmp_path):
        Model.objects.filter(pk=models[0].pk).update(visibility="public", input_width=48)
        project = create_project(user=outsider, name="theirs", task="classification")
        stranger = client_of(outsider)
        dataset = stranger.post("/api/v1/datasets/", {"project": str(project.pk), "name": "d"}).json()
        stranger.post(f"/api/v1/projects/{project.pk}/labels/", {"name": "x"})
        upload(stranger, dataset, [("a.jpg", jpeg(1))], label="x")
        body = {"project": str(project.pk), "base_model": str(models[0].pk)}
        answer = stranger.post("/api/v1/trainings/", body)
        # It may be used; that it is not square is what is said, not that it is unknown.
        assert answer.json()["errors"][0]["code"] == "base_model_does_not_fit"
        body["base_model"] = str(models[1].pk)
        assert stranger.post("/api/v1/trainings/", body).json()["errors"][0]["attr"] == "base_model"


def test_lineage_names_what_is_visible(api, project, owner, outsider, tmp_path, dataset, labels):
    upload(api, dataset, [("a.jpg", jpeg(1))], label="good")
    made = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
    snapshot = Snapshot.objects.get(pk=made["id"])
    elsewhere = create_project(user=outsider, name="theirs", task="classification")
    secret = make_model(elsewhere, outsider, tmp_path, "secret")
    first = make_model(project, owner, tmp_path, "first", base_model=secret, snapshot=snapshot)
    second = make_model(project, owner, tmp_path, "second", base_model=first)
    third = make_model(project, owner, tmp_path, "third", base_model=second)
    found = api.get(f"/api/v1/models/{second.pk}/lineage/").json()
    assert [one["name"] for one in found["ancestors"]] == ["first"]
    assert [one["name"] for one in found["descendants"]] == ["third"] and found["training"] is None
    found = api.get(f"/api/v1/models/{first.pk}/lineage/").json()
    assert found["snapshot"]["number"] == 1 and found["snapshot"]["dataset"] == dataset["id"]
    Model.objects.filter(pk=secret.pk).update(visibility="public")
    found = api.get(f"/api/v1/models/{third.pk}/lineage/").json()
    assert [one["name"] for one in found["ancestors"]] == ["second", "first", "secret"]


class TestPublishing:
    def publish(self, api, model, **body) -> dict:
        answer = api.post(f"/api/v1/models/{model.pk}/publish/", body)
        assert answer.status_code == 202, answer.content
        jobs.run_job(answer.json()["id"])
        return api.get(answer["Location"]).json()

    def test_where_the_store_is_a_folder_the_studio_gives_the_file(self, api, models, client):
        job = self.publish(api, models[0], kinds=["litert-float32"])
        (file,) = job["result"]["files"]
        assert (file["store"], file["size"], file["kind"]) == ("local", 150, "litert-float32")
        answer = client.get(file["url"])  # signed: no credentials
        assert b"".join(answer.streaming_content) == b"one" * 50
        assert client.get(file["url"].replace("signature=", "signature=0")).status_code == 401

    def test_in_fastdfs_it_has_an_id_and_an_address(self, api, models, settings, tmp_path):
        house = FakeFastDFS(tmp_path / "fastdfs").start()
        settings.STORAGE_BACKEND = "fastdfs"
        settings.FASTDFS_TRACKERS = settings.FASTDFS_PUBLIC_TRACKERS = house.trackers[0]
        settings.FASTDFS_HTTP_URL, settings.FASTDFS_HTTP_SECRET = "http://files.example", "secret"
        backends.backend_named.cache_clear()
        try:
            model = make_model(models[0].project, None, tmp_path, "fresh")
            blob = model.files.get(kind="litert-float32").blob
            assert blob.state == BlobState.CACHED
            job = self.publish(api, model, kinds=["litert-float32"], seconds=600)
            (file,) = job["result"]["files"]
            assert file["remote_id"].startswith("group1/M00/") and file["trackers"] == house.trackers
            assert file["url"].startswith(f"http://files.example/{file['remote_id']}?token=")
            assert house.storage_path(file["remote_id"]).read_bytes() == b"fresh" * 50
            house.stop_storage()
            other = make_model(models[0].project, None, tmp_path, "later")
            job = self.publish(api, other)
            assert (job["state"], job["waiting"]["code"]) == ("queued", "store_unavailable")
        finally:
            house.stop()
            backends.backend_named.cache_clear()

    def test_what_is_refused(self, api, models):
        answer = api.post(f"/api/v1/models/{models[0].pk}/publish/", {"kinds": ["onnx"]})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_such_file")
        for body in ({"kinds": ["x"]}, {"seconds": 1}, {"kinds": "onnx"}):
            assert api.post(f"/api/v1/models/{models[0].pk}/publish/", body).status_code == 400
