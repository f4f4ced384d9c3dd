"""A message of a webhook that is sent again because somebody asks for it."""

from __future__ import annotations

import uuid

import pytest
from rest_framework.test import APIClient

from tests.conftest import client_of
from tests.test_webhooks import due_again, receiver, webhook  # noqa: F401 - fixtures
from webhooks.deliveries import deliver_due
from webhooks.models import WebhookDelivery
from webhooks.retries import PAUSES
from webhooks.services import send_ping

pytestmark = pytest.mark.django_db


def again(client, webhook: dict, delivery):  # noqa: F811
    return client.post(f"/api/v1/webhooks/{webhook['id']}/deliveries/{delivery}/again/")


@pytest.fixture
def delivery(webhook) -> WebhookDelivery:  # noqa: F811
    from webhooks.models import Webhook

    return send_ping(webhook=Webhook.objects.get(pk=webhook["id"]))


def test_what_was_given_up_is_sent_with_the_same_id(api, webhook, receiver, delivery):  # noqa: F811
    receiver.answers = [500] * (len(PAUSES) + 1)
    for _ in receiver.answers[:]:
        due_again()
        deliver_due()
    delivery.refresh_from_db()
    assert delivery.state == "failed"
    answer = again(api, webhook, delivery.pk)
    assert answer.status_code == 202, answer.content
    body = answer.json()
    assert (body["state"], body["attempts"], body["status_code"], body["problem"]) == ("pending", 0, None, "")
    assert deliver_due() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.status_code) == ("delivered", 1, 204)
    assert {headers["webhook-id"] for headers, _ in receiver.got} == {str(delivery.pk)}


def test_what_has_arrived_is_sent_once_more(api, webhook, receiver, delivery):  # noqa: F811
    assert deliver_due() == 1
    again(api, webhook, delivery.pk)
    assert deliver_due() == 1 and len(receiver.got) == 2


def test_who_may_ask_for_it(api, outsider, editor, viewer, webhook, delivery):  # noqa: F811
    assert again(APIClient(), webhook, delivery.pk).status_code == 401
    for user in (outsider, editor, viewer):
        assert again(client_of(user), webhook, delivery.pk).status_code == 404
    assert again(api, webhook, uuid.uuid4()).status_code == 404
    other = api.post(
        "/api/v1/webhooks/", {"project": webhook["project"], "url": webhook["url"], "events": ["job.finished"]}
    ).json()
    assert again(api, other, delivery.pk).status_code == 404


def test_it_counts_with_the_tests_of_a_user(api, webhook, delivery, settings):  # noqa: F811
    from webhooks.views import WebhookTestThrottle

    most = WebhookTestThrottle().num_requests
    codes = [again(api, webhook, delivery.pk).status_code for _ in range(most + 1)]
    assert codes[:most] == [202] * most and codes[-1] == 429
