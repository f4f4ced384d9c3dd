"""Sending the webhook messages that are due: signed, several at once, never to an inside address."""

from __future__ import annotations

import http.client
import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

from jobs import lanes
from jobs.loops import each
from webhooks import posting
from webhooks.models import DeliveryState, Webhook, WebhookDelivery
from webhooks.retries import next_attempt_at
from webhooks.services import QUEUE

log = structlog.get_logger(__name__)

CLAIM_SECONDS = 60
AT_ONCE = 16
OF_A_PROJECT = 4
LOOKED_AT = 500
IN_A_ROW = 200


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
    later = next_attempt_at(delivery.attempts, timezone.now())
    if later is None:
        return _end(delivery, DeliveryState.FAILED, **changes)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_attempt_at=later, **changes)
    return False


def _end(delivery: WebhookDelivery, state: DeliveryState, **changes: Any) -> bool:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state=state, next_attempt_at=None, **changes)
    log.info("webhook_ended", delivery=str(delivery.pk), state=state, attempts=delivery.attempts)
    return state == DeliveryState.DELIVERED
