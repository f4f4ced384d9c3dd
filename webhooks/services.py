"""Telling other systems that something has ended: signed, sent again until it arrives, never to an inside address."""

from __future__ import annotations

import http.client
import json
import secrets
import uuid
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

from common.errors import Invalid
from jobs import lanes, messages
from jobs.loops import each
from jobs.models import Job, Work
from projects.models import Project
from webhooks import posting
from webhooks.models import DeliveryState, Webhook, WebhookDelivery, WebhookEvent

log = structlog.get_logger(__name__)

# After each failure: the whole lasts a day and a half.
PAUSES = (10, 60, 300, 1800, 7200, 21_600, 86_400)
CLAIM_SECONDS = 60
AT_ONCE = 16
OF_A_PROJECT = 4
LOOKED_AT = 500
IN_A_ROW = 200
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


def work_on_deliveries() -> None:
    """Send what is due, unless as many threads of this process as may are sending already."""

    def deliver_once() -> bool:
        deliver_due()
        return False  # beat asks again for what has to be tried again

    lanes.lane(QUEUE).run(deliver_once)


def deliver_due() -> int:
    """Send what is due, several at once, of each project few: one with slow receivers keeps nobody waiting for long.
    Returns how many messages arrived."""
    arrived = sent = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        while sent < IN_A_ROW and (claimed := _claim_some()):
            # Threads only talk; what the database says is asked and noted here.
            outcomes = list(pool.map(_outcome, claimed))
            arrived += sum(each(zip(claimed, outcomes, strict=True), lambda pair: _note(*pair), loop="webhooks"))
            sent += len(claimed)
    return arrived


def _claim_some() -> list[WebhookDelivery]:
    """Messages that are due and that no other process finds due now."""
    now = timezone.now()
    due = WebhookDelivery.objects.filter(state=DeliveryState.PENDING, next_attempt_at__lte=now)
    rows = list(due.order_by("next_attempt_at").values_list("pk", "webhook__project_id")[:LOOKED_AT])
    by_project: Counter = Counter()
    claimed: list[WebhookDelivery] = []
    for pk, project in rows:
        if len(claimed) == AT_ONCE:
            break
        if by_project[project] < OF_A_PROJECT and (delivery := _claim(pk, now)) is not None:
            by_project[project] += 1
            claimed.append(delivery)
    return claimed


def _claim(pk: uuid.UUID, now: datetime) -> WebhookDelivery | None:
    until = now + timedelta(seconds=max(CLAIM_SECONDS, 4 * settings.WEBHOOK_SECONDS))
    found = WebhookDelivery.objects.filter(pk=pk, state=DeliveryState.PENDING, next_attempt_at__lte=now)
    if not found.update(attempts=F("attempts") + 1, next_attempt_at=until):
        return None
    delivery = WebhookDelivery.objects.select_related("webhook").get(pk=pk)
    if not delivery.webhook.is_active:
        _end(delivery, DeliveryState.FAILED, problem="The webhook was switched off.")
        return None
    return delivery


def _outcome(delivery: WebhookDelivery) -> int | Exception:
    """The status of the answer, or what went wrong."""
    body = json.dumps(delivery.payload, separators=(",", ":"), ensure_ascii=False)
    sent_at, message = timezone.now(), str(delivery.pk)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "ML-Studio-Webhook/1",
        "webhook-id": message,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Signer(delivery.webhook.secret).sign(message, sent_at, body),
    }
    try:
        return posting.post(delivery.webhook.url, body.encode(), headers, seconds=settings.WEBHOOK_SECONDS)
    except (posting.RefusedAddress, http.client.HTTPException, OSError, ValueError) as error:
        return error
    except Exception as error:  # whatever this one has: the others of its round are sent all the same
        log.exception("webhook_failed", delivery=str(delivery.pk))
        return error


def _note(delivery: WebhookDelivery, outcome: int | Exception) -> bool:
    """Whether the message has arrived."""
    if isinstance(outcome, Exception):
        return _again(delivery, problem=f"{type(outcome).__name__}: {outcome}"[:300])
    if 200 <= outcome < 300:
        return _end(delivery, DeliveryState.DELIVERED, status_code=outcome, delivered_at=timezone.now(), problem="")
    if outcome == 410:
        Webhook.objects.filter(pk=delivery.webhook_id).update(
            is_active=False, note="Switched off: the receiver said 410 Gone."
        )
        return _end(delivery, DeliveryState.FAILED, status_code=outcome, problem="The receiver said 410 Gone.")
    return _again(delivery, status_code=outcome, problem=f"The receiver answered {outcome}.")


def _again(delivery: WebhookDelivery, **changes: Any) -> bool:
    if delivery.attempts > len(PAUSES):
        return _end(delivery, DeliveryState.FAILED, **changes)
    later = timezone.now() + timedelta(seconds=PAUSES[delivery.attempts - 1])
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_attempt_at=later, **changes)
    return False


def _end(delivery: WebhookDelivery, state: DeliveryState, **changes: Any) -> bool:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state=state, next_attempt_at=None, **changes)
    log.info("webhook_ended", delivery=str(delivery.pk), state=state, attempts=delivery.attempts)
    return state == DeliveryState.DELIVERED


def delete_old_deliveries() -> int:
    """Forget messages as old as the jobs that are forgotten."""
    before = timezone.now() - timedelta(days=settings.JOB_DAYS)
    return WebhookDelivery.objects.filter(created_at__lt=before).delete()[0]
