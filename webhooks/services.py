"""Webhooks of a project, and the messages that are queued for them when something has ended."""

from __future__ import annotations

import secrets
import uuid
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from common.errors import Invalid
from jobs import messages
from jobs.models import Job, Work
from projects.models import Project
from webhooks import posting
from webhooks.models import DeliveryState, Webhook, WebhookDelivery, WebhookEvent

log = structlog.get_logger(__name__)

LOOK_UP_SECONDS = 5
QUEUE, TASK = "webhooks", "projects.tasks.deliver_webhooks"
PING = "ping"
MOST_WEBHOOKS = 20
EVALUATIONS = ("evaluation", "comparison")


def add_webhook(*, project: Project, user: User, url: str, events: list[str]) -> Webhook:
    """A new address with its secret.

    Raises:
        Invalid: the address is an inside one, or there are too many.
    """
    if Webhook.objects.filter(project=project).count() >= MOST_WEBHOOKS:
        raise Invalid(f"A project has at most {MOST_WEBHOOKS} webhooks.", attr="project")
    check_url(url)
    secret = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    return Webhook.objects.create(project=project, created_by=user, url=url, events=events, secret=secret)


def check_url(url: str) -> None:
    """Raises `Invalid` for what no message is sent to."""
    try:
        posting.within(LOOK_UP_SECONDS, posting.resolve, url)
    except (posting.RefusedAddress, posting.TookTooLong) as refused:
        raise Invalid(str(refused), attr="url", code="address_refused") from refused


# Messages


# What the end of a kind of work is announced as; apps above add theirs.
EVENTS: dict[type[Work], Callable[[Any], WebhookEvent]] = {
    Job: lambda job: WebhookEvent.EVALUATION if job.kind in EVALUATIONS else WebhookEvent.JOB
}


def announce_work(work: Work) -> None:
    """A job or a training has ended; called inside the transaction that ends it."""
    if type(work) not in EVENTS:
        return
    event = EVENTS[type(work)](work)
    data = {
        "id": str(work.pk),
        "kind": getattr(work, "kind", "training"),
        "state": str(work.state),
        "error": {"code": work.error_code, "detail": work.error_detail} if work.error_code else None,
        "result": getattr(work, "result", None) if event == WebhookEvent.EVALUATION else None,
    }
    announce(project_id=work.project_id, event=event, data=data)  # type: ignore[attr-defined]


def announce(*, project_id: uuid.UUID, event: str, data: dict) -> int:
    """Queue a message to every address of the project that wants this event. Returns how many."""
    wanted = [
        webhook for webhook in Webhook.objects.filter(project=project_id, is_active=True) if event in webhook.events
    ]
    payload = {"type": event, "timestamp": timezone.now().isoformat(), "project": str(project_id), "data": data}
    for webhook in wanted:
        _queue(webhook, event, payload)
    return len(wanted)


def send_ping(*, webhook: Webhook) -> WebhookDelivery:
    """A message that says nothing, to try the address."""
    payload = {"type": PING, "timestamp": timezone.now().isoformat(), "project": str(webhook.project_id), "data": {}}
    return _queue(webhook, PING, payload)


def send_again(*, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send a message now, also one that has arrived. Its id stays, by which a receiver tells that it has it already."""
    delivery.state, delivery.attempts, delivery.next_attempt_at = DeliveryState.PENDING, 0, timezone.now()
    delivery.status_code, delivery.problem, delivery.delivered_at = None, "", None
    delivery.save(update_fields=["state", "attempts", "next_attempt_at", "status_code", "problem", "delivered_at"])
    transaction.on_commit(lambda: messages.send(TASK, QUEUE))
    return delivery


def _queue(webhook: Webhook, event: str, payload: dict) -> WebhookDelivery:
    delivery = WebhookDelivery.objects.create(
        webhook=webhook, event=event, payload=payload, next_attempt_at=timezone.now()
    )
    transaction.on_commit(lambda: messages.send(TASK, QUEUE))
    return delivery


def delete_old_deliveries() -> int:
    """Forget messages as old as the jobs that are forgotten."""
    before = timezone.now() - timedelta(days=settings.JOB_DAYS)
    return WebhookDelivery.objects.filter(created_at__lt=before).delete()[0]
