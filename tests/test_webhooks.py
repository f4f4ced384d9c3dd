"""Webhooks: signed, sent again, never to an inside address."""

from __future__ import annotations

import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from jobs import context, work
from jobs import services as jobs
from jobs.models import Job
from mlstudio.models import MaintenanceRun
from tests.conftest import client_of
from webhooks.deliveries import deliver_due
from webhooks.models import DeliveryState, Webhook, WebhookDelivery
from webhooks.posting import RefusedAddress, resolve
from webhooks.retries import PAUSES

pytestmark = pytest.mark.django_db


class Receiver:
    """A server on a port of its own that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict, bytes]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?line=3"


@pytest.fixture
def receiver(settings):
    server = Receiver()
    settings.WEBHOOK_HOSTS = [f"127.0.0.1:{server.port}"]
    yield server
    server.server.shutdown()


@pytest.fixture
def webhook(api, project, receiver) -> dict:
    body = {"project": str(project.pk), "url": receiver.url, "events": ["evaluation.finished", "job.finished"]}
    answer = api.post("/api/v1/webhooks/", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def end_a_job(project, kind: str = "import", **changes) -> Job:
    job = Job.objects.create(project=project, kind=kind)
    work.finish(work.claim(Job, job.pk), "succeeded", **changes)
    return job


def due_again() -> None:
    WebhookDelivery.objects.filter(state="pending").update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def test_a_message_is_signed_and_can_be_verified(api, project, webhook, receiver):
    job = end_a_job(project, "evaluation", result={"evaluation": "e"})
    assert deliver_due() == 1
    (headers, body), message = receiver.got[0], json.loads(receiver.got[0][1])
    assert message["type"] == "evaluation.finished" and message["data"]["id"] == str(job.pk)
    assert message["data"]["state"] == "succeeded" and message["data"]["result"] == {"evaluation": "e"}
    assert Verifier(webhook["secret"]).verify(body.decode(), headers) == message
    with pytest.raises(WebhookVerificationError):
        Verifier(webhook["secret"]).verify(body.decode().replace("succeeded", "failed"), headers)
    (row,) = api.get(f"/api/v1/webhooks/{webhook['id']}/deliveries/").json()["results"]
    assert (row["state"], row["status_code"], row["attempts"]) == ("delivered", 204, 1)
    assert deliver_due() == 0 and len(receiver.got) == 1


def test_the_secret_is_shown_once(api, webhook):
    assert webhook["secret"].startswith("whsec_")
    assert "secret" not in api.get(f"/api/v1/webhooks/{webhook['id']}/").json()


def test_only_what_was_asked_for_is_sent(api, project, webhook, receiver):
    api.patch(f"/api/v1/webhooks/{webhook['id']}/", {"events": ["deployment.finished"]})
    end_a_job(project)
    assert deliver_due() == 0 and not WebhookDelivery.objects.exists()
    api.patch(f"/api/v1/webhooks/{webhook['id']}/", {"events": ["job.finished"], "is_active": False})
    end_a_job(project)
    assert not WebhookDelivery.objects.exists() and receiver.got == []


def test_what_does_not_arrive_is_sent_again_ever_later(project, webhook, receiver):
    receiver.answers = [500, 302, 204]
    end_a_job(project)
    pauses = []
    for _ in range(2):
        assert deliver_due() == 0
        row = WebhookDelivery.objects.get()
        pauses.append(round((row.next_attempt_at - timezone.now()).total_seconds()))
        assert deliver_due() == 0  # not before its time
        due_again()
    assert pauses == pytest.approx(PAUSES[:2], abs=2)
    assert deliver_due() == 1 and len(receiver.got) == 3
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1


def test_in_the_end_it_is_given_up(project, webhook, receiver):
    receiver.answers = [503] * 20
    end_a_job(project)
    for _ in range(len(PAUSES) + 3):
        deliver_due()
        due_again()
    row = WebhookDelivery.objects.get()
    assert row.state == DeliveryState.FAILED and row.attempts == len(PAUSES) + 1 and "503" in row.problem


def test_a_receiver_that_is_gone_is_left_alone(project, webhook, receiver):
    receiver.answers = [410]
    end_a_job(project)
    deliver_due()
    assert not Webhook.objects.get().is_active and WebhookDelivery.objects.get().state == "failed"


def test_a_receiver_that_is_away_is_tried_again(project, webhook, receiver):
    receiver.server.shutdown()
    receiver.server.server_close()
    end_a_job(project)
    assert deliver_due() == 0
    row = WebhookDelivery.objects.get()
    assert row.state == "pending" and row.problem


def test_a_test_message(api, webhook, receiver):
    assert api.post(f"/api/v1/webhooks/{webhook['id']}/test/").status_code == 202
    assert deliver_due() == 1 and json.loads(receiver.got[0][1])["type"] == "ping"


INSIDE = [
    "http://example.com/hook", "https://127.0.0.1/", "https://localhost/", "https://10.0.0.5/", "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/",
    "https://[fd00::1]/", "https://[64:ff9b::a00:1]/", "https://2130706433/", "https://0x7f.1/", "https://224.0.0.1/",
    "https://user:password@example.com/", "ftp://example.com/", "file:///etc/passwd", "https://nowhere.invalid/",
    "https://example.com:99999/", "https://[2002:7f00:1::]/",
]  # fmt: skip


@pytest.mark.any_database("addresses of webhooks")
@pytest.mark.parametrize("url", INSIDE)
def test_an_inside_address_is_refused(api, project, url):
    answer = api.post("/api/v1/webhooks/", {"project": str(project.pk), "url": url, "events": ["job.finished"]})
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["code"] in ("address_refused", "invalid")
    with pytest.raises(RefusedAddress):
        resolve(url)


def test_a_name_that_leads_inside_later_is_refused_when_it_is_sent(api, project, monkeypatch):
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: public)
    body = {"project": str(project.pk), "url": "https://hooks.example.com/", "events": ["job.finished"]}
    assert api.post("/api/v1/webhooks/", body).status_code == 201
    end_a_job(project)
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: public + inside)
    assert deliver_due() == 0
    assert "inside address" in WebhookDelivery.objects.get().problem


def test_changing_the_address_is_checked_too(api, webhook):
    answer = api.patch(f"/api/v1/webhooks/{webhook['id']}/", {"url": "https://10.0.0.1/"})
    assert answer.status_code == 400 and Webhook.objects.get().url == webhook["url"]


def test_webhooks_are_the_owners_business(api, project, webhook, editor, outsider):
    url = f"/api/v1/webhooks/{webhook['id']}/"
    for user in (editor, outsider):
        assert client_of(user).get(url).status_code == 404
        assert client_of(user).delete(url).status_code == 404
    body = {"project": str(project.pk), "url": "https://example.com/", "events": ["job.finished"]}
    assert client_of(editor).post("/api/v1/webhooks/", body).status_code == 403
    assert client_of(outsider).post("/api/v1/webhooks/", body).status_code == 400
    assert client_of(None).get(url).status_code == 401
    assert api.delete(url).status_code == 204


def test_a_failed_job_is_told_with_its_reason(api, project, webhook, receiver, owner):
    job = Job.objects.create(project=project, kind="video_survey", parameters={"video": str(project.pk)})
    jobs.run_job(str(job.pk))
    deliver_due()
    data = json.loads(receiver.got[0][1])["data"]
    assert data["state"] == "failed" and data["error"]["code"] == "video_deleted"


def test_the_end_of_a_training_is_told(api, project, snapshot_of_shapes, webhook, receiver):
    api.patch(f"/api/v1/webhooks/{webhook['id']}/", {"events": ["training.finished"]})
    body = {
        "project": str(project.pk),
        "snapshot": snapshot_of_shapes,
        "architecture": "small_cnn",
        "image_size": 32,
    }
    run = api.post("/api/v1/trainings/", body).json()
    api.post(f"/api/v1/trainings/{run['id']}/cancel/")
    assert deliver_due() == 1
    message = json.loads(receiver.got[0][1])
    assert message["type"] == "training.finished"
    assert {name: message["data"][name] for name in ("id", "kind", "state", "error", "result")} == {
        "id": run["id"],
        "kind": "training",
        "state": "cancelled",
        "error": None,
        "result": None,
    }


def test_work_of_the_studio_on_itself_is_told_to_nobody(webhook):
    run = MaintenanceRun.objects.create(kind="backup")
    work.finish(work.claim(MaintenanceRun, run.pk), "succeeded")
    assert not WebhookDelivery.objects.exists()


# Jobs


def test_what_failed_can_be_tried_again(api, project, owner, viewer):
    job = Job.objects.create(
        project=project, kind="video_survey", parameters={"video": str(project.pk)}, created_by=owner
    )
    assert api.post(f"/api/v1/jobs/{job.pk}/retry/").json()["errors"][0]["code"] == "not_retryable"
    jobs.run_job(str(job.pk))
    assert client_of(viewer).post(f"/api/v1/jobs/{job.pk}/retry/").status_code == 403
    again = api.post(f"/api/v1/jobs/{job.pk}/retry/")
    assert again.status_code == 202 and again.json()["retry_of"] == str(job.pk) and again.json()["state"] == "queued"
    assert Job.objects.get(pk=again.json()["id"]).parameters == job.parameters


def test_a_job_has_a_log(api, project):
    job = Job.objects.create(project=project, kind="import")
    context.JobContext(job).log("Measuring\nmodels")
    answer = api.get(f"/api/v1/jobs/{job.pk}/log/")
    assert answer["Content-Type"].startswith("text/plain") and "Measuring" in answer.content.decode()


def test_everything_at_work_is_in_one_place(api, project, outsider, snapshot_of_shapes):
    Job.objects.create(project=project, kind="import")
    end_a_job(project, "export")
    run = api.post(
        "/api/v1/trainings/",
        {"project": str(project.pk), "snapshot": snapshot_of_shapes, "architecture": "small_cnn", "image_size": 32},
    ).json()
    active = api.get("/api/v1/activity/").json()
    assert [(row["type"], row["kind"]) for row in active] == [("training", "training"), ("job", "import")]
    assert active[0]["url"].endswith(f"/trainings/{run['id']}/") and active[0]["started_by"] == "owner"
    assert "export" in {row["kind"] for row in api.get("/api/v1/activity/?state=ended").json()}
    assert client_of(outsider).get("/api/v1/activity/?state=all").json() == []
    assert api.get(f"/api/v1/activity/?project={run['id']}").json() == []


def test_a_dry_run_is_no_import_in_the_list_of_work(api, project):
    Job.objects.create(project=project, kind="import", parameters={"dry_run": False})
    Job.objects.create(project=project, kind="import", parameters={"dry_run": True})
    assert [row["dry_run"] for row in api.get("/api/v1/activity/").json()] == [True, False]


@pytest.fixture
def snapshot_of_shapes(api, dataset) -> str:
    from tests.pictures import shapes_zip
    from tests.test_imports import run_import

    run_import(api, dataset, shapes_zip(12))
    return api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["id"]
