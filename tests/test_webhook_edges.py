"""Webhooks at their edges: who may, how many, to which ports, what an answer means, and what a kill leaves."""

from __future__ import annotations

import ipaddress
import json
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from jobs import work
from jobs.models import Job
from tests.conftest import client_of, make_user
from tests.test_two_writers import together
from tests.test_webhooks import due_again, end_a_job, receiver, webhook  # noqa: F401 - fixtures
from webhooks import services
from webhooks.deliveries import deliver_due
from webhooks.models import Webhook, WebhookDelivery
from webhooks.posting import RefusedAddress, is_public, resolve
from webhooks.retries import PAUSES
from webhooks.services import MOST_WEBHOOKS, delete_old_deliveries

pytestmark = pytest.mark.django_db


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def bodies(project, **changes) -> dict:
    return {"project": str(project.pk), "url": "https://93.184.215.14/hook", "events": ["job.finished"], **changes}


# What can be asked for


def test_a_project_has_so_many_webhooks_and_a_place_is_free_again(api, project):
    made = [
        Webhook(project=project, url="https://93.184.215.14/", secret="whsec_eA==") for _ in range(MOST_WEBHOOKS - 1)
    ]
    Webhook.objects.bulk_create(made)
    assert api.post("/api/v1/webhooks/", bodies(project)).status_code == 201
    answer = api.post("/api/v1/webhooks/", bodies(project))
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "project")
    assert api.delete(f"/api/v1/webhooks/{made[0].pk}/").status_code == 204
    assert api.post("/api/v1/webhooks/", bodies(project)).status_code == 201


@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"events": []}, "events"),
        ({"events": ["job.finished"] * 6}, "events"),
        ({"events": ["ping"]}, "events.0"),
        ({"events": ["job.finished", "unknown"]}, "events.1"),
        ({"url": ""}, "url"),
        ({"url": "https://93.184.215.14/" + "x" * 500}, "url"),
        ({"url": "https://93.184.215.14:1023/"}, "url"),
        ({"url": "https://93.184.215.14:0/"}, "url"),
        ({"secret": "mine"}, "secret"),
        ({"event": "job.finished"}, "event"),
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused_by_its_field(api, project, change, attr):
    answer = api.post("/api/v1/webhooks/", bodies(project, **change), format="json")
    assert answer.status_code == 400, answer.content
    assert attr in [error["attr"] for error in answer.json()["errors"]] and not Webhook.objects.exists()


@pytest.mark.parametrize("port", [80, 443, 1024, 65535])
def test_a_port_of_web_servers_or_a_free_one_is_taken(port):
    target = resolve(f"https://93.184.215.14:{port}/x")
    assert (target.address, target.port, target.host) == ("93.184.215.14", port, "93.184.215.14")


@pytest.mark.parametrize("url", ["https://93.184.215.14./", "https://93.184.215.14:443/?q=1#part"])
def test_an_address_is_the_same_with_a_dot_behind_it_or_a_query(url):
    assert resolve(url).address == "93.184.215.14" and resolve(url).port == 443


@pytest.mark.parametrize(
    "url", ["https://", "https:///x", "https://:443/", "//93.184.215.14/", "https://[::1", "https://a b/"]
)
def test_what_is_no_address_is_refused_and_no_fault(url):
    with pytest.raises((RefusedAddress, ValueError)):
        resolve(url)


def test_a_host_that_the_operator_allows_is_allowed_at_its_port_alone(settings):
    settings.WEBHOOK_HOSTS = ["127.0.0.1:8123"]
    assert resolve("http://127.0.0.1:8123/").address == "127.0.0.1"
    for url in ("http://127.0.0.1:8124/", "https://127.0.0.1/", "http://127.0.0.1/"):
        with pytest.raises(RefusedAddress):
            resolve(url)


@given(st.ip_addresses(v=4))
def test_public_addresses_of_version_4_are_those_that_the_registry_calls_so(address):
    text = str(address)
    if ipaddress.ip_address(text) in ipaddress.ip_network("192.88.99.0/24"):
        assert not is_public(text)
        return
    wanted = address.is_global and not address.is_multicast and not address.is_reserved
    assert is_public(text) == is_public(f"::ffff:{text}") == wanted
    assert is_public(str(ipaddress.IPv6Address(0x2002 << 112 | int(address) << 80))) == wanted


@pytest.mark.parametrize("text", ["fe80::1%eth0", "ff02::1", "::", "fec0::1", "192.88.99.1", "240.0.0.1", "100.64.0.1"])
def test_addresses_inside_by_their_meaning_are_not_public(text):
    assert not is_public(text)


def test_a_note_is_the_studios_own(api, project):
    assert api.post("/api/v1/webhooks/", bodies(project, note="mine"), format="json").json()["note"] == ""


def test_events_are_kept_once_and_sorted(api, project):
    answer = api.post(
        "/api/v1/webhooks/",
        bodies(project, events=["training.finished", "job.finished", "job.finished"]),
        format="json",
    )
    assert answer.json()["events"] == ["job.finished", "training.finished"]


def test_a_webhook_stays_in_its_project(api, owner, project, webhook):  # noqa: F811
    other = api.post("/api/v1/projects/", {"name": "other"}).json()["id"]
    path = f"/api/v1/webhooks/{webhook['id']}/"
    answer = api.patch(path, {"project": other})
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "project")
    assert api.patch(path, {"project": str(project.pk), "is_active": False}).json()["is_active"] is False


@pytest.mark.parametrize("action", ["test/", "deliveries/", "deliveries/{}/again/"])
@pytest.mark.parametrize("role", ["editor", "viewer", "outsider"])
def test_only_owners_see_and_send_messages(request, api, project, webhook, action, role):  # noqa: F811
    job = end_a_job(project)
    delivery = WebhookDelivery.objects.get(payload__data__id=str(job.pk))
    path = f"/api/v1/webhooks/{webhook['id']}/{action.format(delivery.pk)}"
    client = client_of(request.getfixturevalue(role))
    answer = client.get(path) if action == "deliveries/" else client.post(path)
    assert answer.status_code == 404 and WebhookDelivery.objects.count() == 1


def test_a_second_owner_has_the_same_webhooks(project, webhook):  # noqa: F811
    second = make_user("second")
    project.memberships.create(user=second, role="owner")
    assert client_of(second).get("/api/v1/webhooks/").json()["results"][0]["id"] == webhook["id"]


def test_a_message_of_another_webhook_is_not_sent_by_this_one(api, project, webhook, receiver):  # noqa: F811
    other = Webhook.objects.create(project=project, url=receiver.url, secret="whsec_eA==", events=["job.finished"])
    end_a_job(project)
    delivery = other.deliveries.get()
    assert api.post(f"/api/v1/webhooks/{webhook['id']}/deliveries/{delivery.pk}/again/").status_code == 404


# What answers mean


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_is_an_arrival(project, webhook, receiver, status):  # noqa: F811
    receiver.answers = [status]
    end_a_job(project)
    assert deliver_due() == 1
    row = WebhookDelivery.objects.get()
    assert (row.state, row.status_code, row.problem, row.next_attempt_at) == ("delivered", status, "", None)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 429, 500])
def test_anything_else_is_tried_again_with_the_status_kept(project, webhook, receiver, status):  # noqa: F811
    receiver.answers = [status]
    end_a_job(project)
    assert deliver_due() == 0
    row = WebhookDelivery.objects.get()
    assert (row.state, row.status_code, row.attempts) == ("pending", status, 1) and str(status) in row.problem


def test_sending_again_by_hand_keeps_the_id_and_counts_from_nothing(api, project, webhook, receiver):  # noqa: F811
    end_a_job(project)
    deliver_due()
    first = WebhookDelivery.objects.get()
    answer = api.post(f"/api/v1/webhooks/{webhook['id']}/deliveries/{first.pk}/again/")
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["attempts"], answer.json()["delivered_at"]) == ("pending", 0, None)
    assert deliver_due() == 1
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [str(first.pk)] * 2
    assert WebhookDelivery.objects.count() == 1


def test_what_was_given_up_can_be_sent_again(api, project, webhook, receiver):  # noqa: F811
    receiver.answers = [500] * (len(PAUSES) + 1)
    end_a_job(project)
    for _ in range(len(PAUSES) + 1):
        deliver_due()
        due_again()
    row = WebhookDelivery.objects.get()
    assert row.state == "failed" and row.next_attempt_at is None
    api.post(f"/api/v1/webhooks/{webhook['id']}/deliveries/{row.pk}/again/")
    assert deliver_due() == 1 and WebhookDelivery.objects.get().state == "delivered"


def test_a_webhook_that_is_switched_off_sends_nothing_that_waits(api, project, webhook, receiver):  # noqa: F811
    end_a_job(project)
    api.patch(f"/api/v1/webhooks/{webhook['id']}/", {"is_active": False})
    assert deliver_due() == 0 and receiver.got == []
    row = WebhookDelivery.objects.get()
    assert row.state == "failed" and "switched off" in row.problem


def test_a_message_deleted_with_its_webhook_is_not_sent(api, project, webhook, receiver):  # noqa: F811
    end_a_job(project)
    api.delete(f"/api/v1/webhooks/{webhook['id']}/")
    assert deliver_due() == 0 and receiver.got == [] and not WebhookDelivery.objects.exists()


def test_texts_of_all_alphabets_arrive_as_they_are(project, webhook, receiver):  # noqa: F811
    job = Job.objects.create(project=project, kind="import")
    work.finish(work.claim(Job, job.pk), "failed", error_code="x", error_detail="größer als 猫 \U0001f600")
    deliver_due()
    assert json.loads(receiver.got[0][1])["data"]["error"] == {"code": "x", "detail": "größer als 猫 \U0001f600"}


# What a kill leaves, and two senders


def test_a_message_whose_sender_died_is_sent_when_its_claim_has_ended(project, webhook, receiver, monkeypatch):  # noqa: F811
    end_a_job(project)
    with monkeypatch.context() as patch:
        patch.setattr(services.posting, "post", lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            deliver_due()
    row = WebhookDelivery.objects.get()
    assert row.state == "pending" and row.next_attempt_at > timezone.now() + timedelta(seconds=30)
    assert deliver_due() == 0 and receiver.got == []
    due_again()
    assert deliver_due() == 1 and WebhookDelivery.objects.get().attempts == 2


def test_messages_are_forgotten_with_the_jobs_of_their_time(project, webhook, settings):  # noqa: F811
    for days in (settings.JOB_DAYS - 1, settings.JOB_DAYS + 1):
        job = end_a_job(project)
        delivery = WebhookDelivery.objects.get(payload__data__id=str(job.pk))
        WebhookDelivery.objects.filter(pk=delivery.pk).update(created_at=timezone.now() - timedelta(days=days))
    assert delete_old_deliveries() == 1 and delete_old_deliveries() == 0
    assert WebhookDelivery.objects.count() == 1


@pytest.mark.django_db(transaction=True, available_apps=django_settings.INSTALLED_APPS)
def test_two_senders_send_each_message_once(project, webhook, receiver):  # noqa: F811
    for _ in range(3):
        end_a_job(project)
    assert sum(together(deliver_due, deliver_due)) == 3
    identifiers = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(identifiers) == len(set(identifiers)) == 3
