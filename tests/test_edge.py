"""Devices, deployments and the signed manifest, through the API."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from rest_framework.test import APIClient

from datasets.models import Annotation, Image
from edge import feedback, keys, rollouts
from edge.devices import presence
from edge.models import Deployment, Device, DeviceGroup, EnrolmentCode, SigningKey
from inference.registry.registration import register_model
from projects.models import Project
from tests.conftest import client_of
from tests.pictures import jpeg
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_keys():
    keys.forget_keys()
    yield
    keys.forget_keys()


@pytest.fixture
def group(api, project) -> dict:
    answer = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "gate", "poll_seconds": 30})
    assert answer.status_code == 201, answer.content
    return answer.json()


def make_model(project, owner, tmp_path, name: str):
    path = tmp_path / "model-float32.tflite"
    path.write_bytes(name.encode() * 100)
    return register_model(
        project=project,
        name=name,
        class_names=["good", "bad"],
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        files={"litert-float32": path},
        user=owner,
    )


@pytest.fixture
def models(project, owner, tmp_path) -> list:
    return [make_model(project, owner, tmp_path, name) for name in ("first", "second", "third")]


class Gadget:
    """A device as the API sees one."""

    def __init__(self, device: str, key: str) -> None:
        self.device = device
        self.client = APIClient(raise_request_exception=False)
        self.client.credentials(HTTP_AUTHORIZATION=f"Device {key}")

    def manifest(self, **headers):
        return self.client.get("/edge/v1/manifest/", **headers)

    def payload(self) -> dict:
        answer = self.manifest()
        assert answer.status_code == 200, answer.content
        return json.loads(base64.b64decode(answer.json()["payload"]))

    def report(self, **said):
        answer = self.client.post("/edge/v1/heartbeat/", said, format="json")
        assert answer.status_code == 200, answer.content
        return answer.json()


def add_device(api, project, group, name: str = "d") -> Gadget:
    answer = api.post("/api/v1/devices/", {"project": str(project.pk), "group": group["id"], "name": name})
    assert answer.status_code == 201, answer.content
    return Gadget(answer.json()["id"], answer.json()["key"])


def deploy(api, group, model, **options) -> dict:
    answer = api.post("/api/v1/deployments/", {"group": group["id"], "model": str(model.pk), **options}, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()


class TestDevices:
    def test_a_code_enrols_as_many_devices_as_it_says(self, api, project, group):
        made = api.post(
            "/api/v1/enrolment-codes/", {"project": str(project.pk), "group": group["id"], "uses": 2}
        ).json()
        assert made["code"].startswith("mse_") and made["uses_left"] == 2
        stranger = APIClient()
        answers = [stranger.post("/edge/v1/enrol/", {"code": made["code"], "name": f"pi-{n}"}) for n in range(3)]
        assert [one.status_code for one in answers] == [201, 201, 403]
        assert answers[2].json()["errors"][0]["code"] == "enrolment_code_not_valid"
        first = answers[0].json()
        assert first["key"].startswith("msd_") and len(first["keys"]) == 1
        listed = api.get(f"/api/v1/devices/?group={group['id']}").json()["results"]
        assert {one["name"] for one in listed} == {"pi-0", "pi-1"} and "key" not in listed[0]
        assert Gadget(first["device"], first["key"]).manifest().status_code == 200

    def test_a_code_ends(self, api, project):
        made = api.post("/api/v1/enrolment-codes/", {"project": str(project.pk), "uses": 5}).json()
        EnrolmentCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert APIClient().post("/edge/v1/enrol/", {"code": made["code"], "name": "x"}).status_code == 403
        assert api.delete(f"/api/v1/enrolment-codes/{made['id']}/").status_code == 204

    def test_secrets_are_kept_as_hashes_and_shown_once(self, api, project, group):
        made = api.post("/api/v1/devices/", {"project": str(project.pk), "name": "d"}).json()
        row = Device.objects.get(pk=made["id"])
        assert made["key"] not in json.dumps([str(value) for value in row.__dict__.values()])
        assert "key" not in api.get(f"/api/v1/devices/{made['id']}/").json()

    def test_keys_are_rotated_and_revoked(self, api, project, group):
        gadget = add_device(api, project, group)
        new = api.post(f"/api/v1/devices/{gadget.device}/rotate-key/").json()["key"]
        assert gadget.manifest().status_code == 401
        again = Gadget(gadget.device, new)
        assert again.manifest().status_code == 200
        assert api.post(f"/api/v1/devices/{gadget.device}/revoke/").json()["revoked_at"]
        assert again.manifest().status_code == 401
        assert again.client.post("/edge/v1/heartbeat/", {}, format="json").status_code == 401

    def test_a_device_is_nobody_elsewhere(self, api, project, group, image):
        gadget = add_device(api, project, group)
        for path in ("/api/v1/images/", "/api/v1/models/", f"/api/v1/images/{image['id']}/file/", "/api/v1/users/me/"):
            assert gadget.client.get(path).status_code == 401
        # And a user is no device.
        assert api.get("/edge/v1/manifest/").status_code in (401, 403)

    @pytest.mark.parametrize(
        "header", ["", "Device", "Device x y", "Device msd_wrong", "Token msd_wrong", "Device \xff"]
    )
    def test_wrong_credentials(self, header):
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=header)
        assert client.get("/edge/v1/manifest/").status_code == 401

    def test_who_may_do_what(self, api, project, group, viewer, outsider):
        gadget = add_device(api, project, group)
        body = {"project": str(project.pk), "name": "x"}
        assert client_of(viewer).get("/api/v1/devices/").json()["results"][0]["id"] == gadget.device
        assert client_of(viewer).post("/api/v1/devices/", body).status_code == 403
        assert client_of(viewer).post(f"/api/v1/devices/{gadget.device}/rotate-key/").status_code == 403
        assert client_of(outsider).get(f"/api/v1/devices/{gadget.device}/").status_code == 404
        assert client_of(outsider).post("/api/v1/devices/", body).status_code == 400
        assert client_of(outsider).get("/api/v1/device-groups/").json()["results"] == []

    def test_groups_have_one_name_each_and_devices_move(self, api, project, group):
        again = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "gate"})
        assert again.status_code == 400
        gadget = add_device(api, project, group)
        other = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "hall"}).json()
        moved = api.patch(f"/api/v1/devices/{gadget.device}/", {"group": other["id"], "name": "pi"}).json()
        assert (moved["group"], moved["name"]) == (other["id"], "pi")
        assert api.delete(f"/api/v1/device-groups/{other['id']}/").status_code == 204
        assert api.get(f"/api/v1/devices/{gadget.device}/").json()["group"] is None

    def test_a_heartbeat_is_kept(self, api, project, group, models):
        gadget = add_device(api, project, group)
        deployment = deploy(api, group, models[0])
        gadget.report(
            agent_version="9.9",
            platform={"machine": "aarch64"},
            deployment=deployment["id"],
            latency_ms=12.5,
            predictions=20,
            errors=1,
        )
        gadget.report(predictions=5, deployment="00000000-0000-7000-8000-000000000000")
        seen = api.get(f"/api/v1/devices/{gadget.device}/").json()
        assert (seen["agent_version"], seen["predictions"], seen["errors"]) == ("", 25, 1)
        assert seen["running"] is None and seen["last_seen"] and seen["platform"] == {"machine": "aarch64"}
        wrong = gadget.client.post("/edge/v1/heartbeat/", {"predictions": -1}, format="json")
        assert wrong.status_code == 400
        huge = {"platform": {str(n): "x" * 150 for n in range(100)}}
        assert gadget.client.post("/edge/v1/heartbeat/", huge, format="json").status_code == 400


class TestManifest:
    def test_it_says_what_to_run_and_is_signed(self, api, project, group, models):
        gadget = add_device(api, project, group)
        assert gadget.payload()["deployment"] is None
        deployment = deploy(api, group, models[0])
        envelope = gadget.manifest().json()
        content = base64.b64decode(envelope["payload"])
        payload = json.loads(content)
        assert payload["deployment"] == deployment["id"] and payload["device"] == gadget.device
        assert payload["file"]["sha256"] == deployment["sha256"] and payload["file"]["size"] == 500
        assert payload["model"]["labels"] == ["good", "bad"] and payload["settings"]["poll_seconds"] == 30
        assert payload["file"]["sources"][-1]["type"] == "studio"
        signature = base64.b64decode(envelope["signatures"][0]["signature"])
        public = VerifyKey(base64.b64decode(payload["keys"][0]["public_key"]))
        public.verify(content, signature)
        with pytest.raises(BadSignatureError):
            public.verify(content[:-1] + b" ", signature)

    def test_an_unchanged_one_is_a_304_and_costs_one_query(
        self, api, project, group, models, django_assert_num_queries
    ):
        gadget = add_device(api, project, group)
        deploy(api, group, models[0])
        first = gadget.manifest()
        with django_assert_num_queries(1):
            again = gadget.manifest(HTTP_IF_NONE_MATCH=first["ETag"])
        assert again.status_code == 304 and not again.content
        with django_assert_num_queries(1):
            assert gadget.manifest(HTTP_IF_NONE_MATCH='"other"').status_code == 200
        deploy(api, group, models[1])
        assert gadget.manifest(HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200

    def test_polls_are_noted_for_many_at_once(self, api, project, group):
        gadget = add_device(api, project, group)
        assert Device.objects.get(pk=gadget.device).last_seen is None
        gadget.manifest()
        presence.flush()
        assert Device.objects.get(pk=gadget.device).last_seen is not None

    def test_the_file_comes_to_devices_of_the_group_only(self, api, project, group, models):
        gadget = add_device(api, project, group)
        deployment = deploy(api, group, models[0])
        path = f"/edge/v1/files/{deployment['sha256']}/"
        assert b"".join(gadget.client.get(path).streaming_content) == b"first" * 100
        part = gadget.client.get(path, HTTP_RANGE="bytes=490-")
        assert part.status_code == 206 and b"".join(part.streaming_content) == (b"first" * 100)[490:]
        other = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "hall"}).json()
        assert add_device(api, project, other).client.get(path).status_code == 404
        assert gadget.client.get(f"/edge/v1/files/{'0' * 64}/").status_code == 404

    def test_keys_rotate_without_losing_a_device(self, api, project, group, models):
        gadget = add_device(api, project, group)
        (old,) = gadget.payload()["keys"]
        call_command("edge", "rotate-key")
        keys.forget_keys()
        envelope = gadget.manifest().json()
        assert {one["key_id"] for one in envelope["signatures"]} > {old["key_id"]}
        assert len(json.loads(base64.b64decode(envelope["payload"]))["keys"]) == 2
        call_command("edge", "retire-keys")
        keys.forget_keys()
        (new,) = gadget.payload()["keys"]
        assert new["key_id"] != old["key_id"]

    def test_the_secret_half_is_sealed(self, api, project, group, settings):
        gadget = add_device(api, project, group)
        gadget.payload()
        settings.SECRET_KEY = "another installation"
        keys.forget_keys()
        answer = gadget.manifest()
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "signing_key_unreadable")
        assert SigningKey.objects.count() == 1


class TestDeployments:
    def test_the_file_must_exist_and_run_on_devices(self, api, group, models):
        for kind, code in (("litert-int8", "no_such_file"), ("keras", "kind_not_for_devices"), ("x", "invalid_choice")):
            answer = api.post("/api/v1/deployments/", {"group": group["id"], "model": str(models[0].pk), "kind": kind})
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
        for steps in ([50], [50, 20, 100], [0, 100], [100, 100]):
            body = {"group": group["id"], "model": str(models[0].pk), "steps": steps}
            assert api.post("/api/v1/deployments/", body, format="json").status_code == 400

    def test_steps_reach_a_growing_share_and_each_device_stays_in(self, api, project, group, models):
        gadgets = [add_device(api, project, group, f"d{n}") for n in range(40)]
        first = deploy(api, group, models[0])
        api.post(f"/api/v1/deployments/{first['id']}/advance/", {"force": True})  # completed: what devices return to
        second = deploy(api, group, models[1], steps=[25, 50, 100])
        shares = []
        while True:
            running = {gadget.device for gadget in gadgets if gadget.payload()["deployment"] == second["id"]}
            assert not shares or running >= shares[-1]
            shares.append(running)
            if len(shares) == 3:
                break
            api.post(f"/api/v1/deployments/{second['id']}/advance/", {"force": True})
        assert [len(share) for share in shares] == [10, 20, 40]

    def test_a_rollout_that_fails_stops_by_itself(self, api, project, group, models):
        gadgets = [add_device(api, project, group, f"d{n}") for n in range(20)]
        first = deploy(api, group, models[0])
        api.post(f"/api/v1/deployments/{first['id']}/advance/", {"force": True})
        second = deploy(api, group, models[1], steps=[50, 100], largest_failure_rate=0.2, least_reports=5)
        given = [gadget for gadget in gadgets if gadget.payload()["deployment"] == second["id"]]
        for number, gadget in enumerate(given[:5]):
            health = "failed" if number in (3, 4) else "ok"
            gadget.report(deployment=second["id"], health=health, problem="crashed" if health == "failed" else "")
        stopped = api.get(f"/api/v1/deployments/{second['id']}/").json()
        assert (stopped["state"], stopped["reports"]) == (
            "stopped",
            {"assigned": 10, "told": 10, "reported": 5, "failed": 2},
        )
        assert "2 of 5 devices failed" in stopped["note"]
        assert sum(one.payload()["deployment"] == second["id"] for one in gadgets) == len(given)
        assert api.post(f"/api/v1/deployments/{second['id']}/advance/", {"force": True}).status_code == 409
        resumed = api.post(f"/api/v1/deployments/{second['id']}/resume/").json()
        assert (resumed["state"], resumed["note"]) == ("rolling", "")
        back = api.post(f"/api/v1/deployments/{second['id']}/rollback/").json()
        assert back["state"] == "rolled_back"
        assert {one.payload()["model"]["name"] for one in gadgets} == {"first"}

    def test_devices_whose_predictions_fail_count_too(self, api, project, group, models):
        gadget = add_device(api, project, group)
        deployment = deploy(api, group, models[0])
        gadget.report(deployment=deployment["id"], predictions=100, errors=30)
        assert api.get(f"/api/v1/devices/{gadget.device}/").json()["health"] == "failed"
        assert api.get(f"/api/v1/deployments/{deployment['id']}/").json()["state"] == "stopped"

    def test_the_next_step_waits_for_time_and_for_a_report(self, api, project, group, models):
        gadget = add_device(api, project, group)
        made = deploy(api, group, models[0], steps=[100], step_minutes=10)
        deployment = Deployment.objects.get(pk=made["id"])
        assert rollouts.look_after(deployment=deployment).state == "rolling"
        Deployment.objects.update(step_started_at=timezone.now() - timedelta(minutes=11))
        assert rollouts.look_after_all() == 1
        gadget.report(deployment=made["id"])
        assert rollouts.look_after_all() == 0
        assert Deployment.objects.get(pk=made["id"]).state == "completed"

    def test_others_are_told_of_its_end(self, api, project, group, models):
        hook = Webhook.objects.create(
            project=project, url="https://example.com/", secret="whsec_eA==", events=["deployment.finished"]
        )
        made = deploy(api, group, models[0], steps=[50, 100])
        assert not hook.deliveries.exists()
        for _ in range(2):
            api.post(f"/api/v1/deployments/{made['id']}/advance/", {"force": True})
        (delivery,) = hook.deliveries.all()
        assert delivery.payload["data"]["state"] == "completed" and delivery.payload["data"]["id"] == made["id"]

    def test_roll_back_to_nothing_and_only_of_what_runs(self, api, project, group, models):
        gadget = add_device(api, project, group)
        first = deploy(api, group, models[0])
        second = deploy(api, group, models[1])
        assert api.post(f"/api/v1/deployments/{first['id']}/rollback/").status_code == 409
        assert api.post(f"/api/v1/deployments/{second['id']}/rollback/").status_code == 200
        assert gadget.payload()["model"]["name"] == "first"
        again = gadget.payload()["deployment"]
        refused = api.post(f"/api/v1/deployments/{again}/rollback/")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "nothing_to_return_to")
        assert gadget.payload()["model"]["name"] == "first" and not gadget.payload()["stop"]
        assert api.post(f"/api/v1/deployments/{again}/rollback/", {"force": True}).status_code == 200
        assert (gadget.payload()["deployment"], gadget.payload()["stop"]) == (None, True)

    def test_sequences_only_grow(self, api, project, group, models):
        gadget = add_device(api, project, group)
        seen = [gadget.payload()["sequence"]]
        first = deploy(api, group, models[0])
        seen.append(gadget.payload()["sequence"])
        api.post(f"/api/v1/deployments/{first['id']}/advance/", {"force": True})
        seen.append(gadget.payload()["sequence"])
        second = deploy(api, group, models[1])
        seen.append(gadget.payload()["sequence"])
        api.post(f"/api/v1/deployments/{second['id']}/rollback/")
        seen.append(gadget.payload()["sequence"])
        assert seen == sorted(set(seen))

    def test_a_model_that_devices_need_is_not_deleted(self, api, project, group, models):
        deploy(api, group, models[0])
        answer = api.delete(f"/api/v1/models/{models[0].pk}/")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "model_in_use")
        assert api.delete(f"/api/v1/models/{models[2].pk}/").status_code == 204
        deploy(api, group, models[1])  # and would return to the first
        assert api.delete(f"/api/v1/models/{models[0].pk}/").status_code == 409
        deploy(api, group, models[1])
        assert api.delete(f"/api/v1/models/{models[0].pk}/").status_code == 204
        assert api.delete(f"/api/v1/projects/{project.pk}/").status_code == 204

    def test_only_editors_of_the_group_deploy(self, group, models, viewer, outsider):
        body = {"group": group["id"], "model": str(models[0].pk)}
        assert client_of(viewer).post("/api/v1/deployments/", body).status_code == 403
        assert client_of(outsider).post("/api/v1/deployments/", body).status_code == 400


class TestImages:
    def send(self, gadget, content: bytes, prediction: dict | str):
        text = prediction if isinstance(prediction, str) else json.dumps(prediction)
        body = {"file": SimpleUploadedFile("shot.jpg", content), "prediction": text}
        return gadget.client.post("/edge/v1/images/", body, format="multipart")

    def test_they_arrive_as_unconfirmed_suggestions(self, api, project, group, labels):
        gadget = add_device(api, project, group, "pi-7")
        said = {"labels": [{"label": "bad", "score": 0.41}, {"label": "good", "score": 0.4}]}
        answer = self.send(gadget, jpeg(1), said)
        assert (answer.status_code, answer.json()["status"]) == (201, "created")
        image = Image.objects.get(pk=answer.json()["image"])
        (suggestion,) = Annotation.objects.filter(image=image)
        assert (suggestion.label.name, suggestion.score, suggestion.confirmed) == ("bad", 0.41, False)
        assert (suggestion.origin, image.source, image.dataset.name) == (
            "model",
            f"device pi-7 ({gadget.device[-6:]})",
            "From devices",
        )
        assert not image.reviewed
        assert self.send(gadget, jpeg(1), said).json()["status"] == "duplicate"

    def test_into_the_dataset_of_the_group(self, api, project, group, dataset):
        api.patch(f"/api/v1/device-groups/{group['id']}/", {"feedback_dataset": dataset["id"]})
        gadget = add_device(api, project, group)
        answer = self.send(gadget, jpeg(2), {"labels": [{"label": "never heard of", "score": 0.1}]})
        image = Image.objects.get(pk=answer.json()["image"])
        assert str(image.dataset_id) == dataset["id"] and not image.annotations.exists()

    def test_never_into_a_dataset_of_another_project(self, api, project, group, dataset):
        other = api.post("/api/v1/projects/", {"name": "other"}).json()["id"]
        mine = api.post("/api/v1/device-groups/", {"project": other, "name": "mine"}).json()
        device = add_device(api, Project.objects.get(pk=other), mine)
        for address, named in (
            (f"/api/v1/device-groups/{mine['id']}/", {"feedback_dataset": dataset["id"]}),
            (f"/api/v1/devices/{device.device}/", {"group": group["id"]}),
        ):
            assert api.patch(address, named).status_code == 400
            answer = api.patch(address, {"project": str(project.pk), **named})
            assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "project")
            assert api.patch(address, {"project": other, "name": "again"}).status_code == 200
        DeviceGroup.objects.filter(pk=mine["id"]).update(feedback_dataset=dataset["id"])  # as by an earlier version
        image = Image.objects.get(pk=self.send(device, jpeg(9), {}).json()["image"])
        assert str(image.dataset.project_id) == other

    def test_bad_ones(self, api, project, group):
        gadget = add_device(api, project, group)
        assert self.send(gadget, b"no image", {}).json()["errors"][0]["code"] == "not_an_image"
        for said in ("{", "[]", '{"labels": [{"label": "x"}]}', '{"boxes": [{"label": "x", "score": 1, "box": [1]}]}'):
            assert self.send(gadget, jpeg(3), said).status_code == 400
        assert Image.objects.count() == 0

    def test_a_device_has_a_share_a_day(self, api, project, group, settings):
        settings.EDGE_IMAGES_PER_DAY = 2
        gadget = add_device(api, project, group)
        answers = [self.send(gadget, jpeg(number), {}) for number in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        refusal = answers[-1]
        assert "sent 2 images within a day" in refusal.json()["errors"][0]["detail"]
        assert 86_000 < int(refusal["Retry-After"]) <= 86_400

    def test_room_again_when_the_first_of_its_share_is_a_day_old(self, api, project, group, settings, monkeypatch):
        settings.EDGE_IMAGES_PER_DAY = 1
        gadget = add_device(api, project, group)
        self.send(gadget, jpeg(1), {})
        monkeypatch.setattr(feedback, "DAY_SECONDS", 3600)
        assert 3500 < int(self.send(gadget, jpeg(3), {})["Retry-After"]) <= 3600
        monkeypatch.setattr(feedback, "DAY_SECONDS", 0)
        assert self.send(gadget, jpeg(3), {}).status_code == 201

    def test_a_server_may_take_none(self, api, project, group, settings):
        settings.EDGE_IMAGES_PER_DAY = 0
        refusal = self.send(add_device(api, project, group), jpeg(1), {})
        assert refusal.status_code == 429 and "Retry-After" not in refusal


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_one_use_of_a_code_is_one_device_however_many_come(api, project):
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("needs a database that threads share")
    code = api.post("/api/v1/enrolment-codes/", {"project": str(project.pk)}).json()["code"]

    def enrol(number: int) -> int:
        try:
            return APIClient().post("/edge/v1/enrol/", {"code": code, "name": f"d{number}"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(enrol, range(6))) == [201, *[403] * 5]
    assert Device.objects.count() == 1
