"""Telling other systems that something has ended: signed, sent again until it arrives, never to an inside address."""

from __future__ import annotations

import ipaddress
import json
import secrets
import socket
import ssl
from base64 import b64encode
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
import urllib3
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from standardwebhooks.webhooks import Webhook as Signer

from projects.models import DeliveryState, Job, Project, Webhook, WebhookDelivery, WebhookEvent, Work

log = structlog.get_logger(__name__)

# After each failure: the whole lasts a day and a half.
PAUSES = (10, 60, 300, 1800, 7200, 21_600, 86_400)
CLAIM_SECONDS = 60
AT_ONCE = 50
ANSWER_BYTES = 2000
PING = "ping"
MOST_WEBHOOKS = 20
EVALUATIONS = ("evaluation", "comparison")


class RefusedAddress(Exception):
    """An address that the studio must not talk to."""


def add_webhook(*, project: Project, user, url: str, events: list[str]) -> Webhook:
    """A new address with its secret.

    Raises:
        ValidationError: the address is an inside one, or there are too many.
    """
    if Webhook.objects.filter(project=project).count() >= MOST_WEBHOOKS:
        raise ValidationError({"project": [f"A project has at most {MOST_WEBHOOKS} webhooks."]})
    check_url(url)
    secret = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    return Webhook.objects.create(project=project, created_by=user, url=url, events=events, secret=secret)


def check_url(url: str) -> None:
    """Raises `ValidationError` for what no message is sent to."""
    try:
        resolve(url)
    except RefusedAddress as refused:
        raise ValidationError({"url": [str(refused)]}, code="address_refused") from refused


def resolve(url: str) -> tuple[str, str, int, str]:
    """`(scheme, host, port, address)` of a URL; the address is what is connected to, so that a name that is looked up
    twice cannot lead elsewhere.

    Raises:
        RefusedAddress: it is no https URL, its name is unknown, or one of its addresses is an inside one.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise RefusedAddress("The address has no proper port.") from error
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        raise RefusedAddress("Give an address as https://host/path, without a password in it.")
    is_allowed = host in settings.WEBHOOK_HOSTS or f"{host}:{port}" in settings.WEBHOOK_HOSTS
    if parts.scheme != "https" and not is_allowed:
        raise RefusedAddress("Only https is accepted: a signature does not hide what is sent.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RefusedAddress(f"There is no host named {host!r}.") from error
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        if not is_allowed and not _is_public(address):
            raise RefusedAddress(
                f"{host} is an inside address ({address}). The studio's operator can allow it with "
                "MLSTUDIO_WEBHOOK_HOSTS."
            )
    return parts.scheme, host, port, addresses[0]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast and not address.is_reserved


# Messages


def announce_work(work: Work) -> None:
    """A job or a training has ended; called inside the transaction that ends it."""
    name = type(work).__name__
    if isinstance(work, Job):
        event = WebhookEvent.EVALUATION if work.kind in EVALUATIONS else WebhookEvent.JOB
    elif name == "TrainingRun":
        event = WebhookEvent.TRAINING
    else:
        return
    data = {
        "id": str(work.pk), "kind": getattr(work, "kind", "training"), "state": str(work.state),
        "error": {"code": work.error_code, "detail": work.error_detail} if work.error_code else None,
        "result": getattr(work, "result", None) if event == WebhookEvent.EVALUATION else None,
    }  # fmt: skip
    announce(project_id=work.project_id, event=event, data=data)  # type: ignore[attr-defined]


def announce(*, project_id, event: str, data: dict) -> int:
    """Queue a message to every address of the project that wants this event. Returns how many."""
    wanted = [one for one in Webhook.objects.filter(project=project_id, is_active=True) if event in one.events]
    payload = {"type": event, "timestamp": timezone.now().isoformat(), "project": str(project_id), "data": data}
    for webhook in wanted:
        _queue(webhook, event, payload)
    return len(wanted)


def send_ping(*, webhook: Webhook) -> WebhookDelivery:
    """A message that says nothing, to try the address."""
    payload = {"type": PING, "timestamp": timezone.now().isoformat(), "project": str(webhook.project_id), "data": {}}
    return _queue(webhook, PING, payload)


def _queue(webhook: Webhook, event: str, payload: dict) -> WebhookDelivery:
    from projects.tasks import deliver_webhooks

    delivery = WebhookDelivery.objects.create(
        webhook=webhook, event=event, payload=payload, next_attempt_at=timezone.now()
    )
    transaction.on_commit(lambda: _ring(deliver_webhooks))
    return delivery


def _ring(task) -> None:
    from kombu.exceptions import OperationalError

    try:
        task.delay()
    except (OperationalError, ConnectionError, OSError):  # beat asks every ten seconds anyway
        log.warning("broker_unreachable", task="deliver_webhooks")


def deliver_due() -> int:
    """Send what is due. Returns how many messages arrived."""
    due = Q(state=DeliveryState.PENDING, next_attempt_at__lte=timezone.now())
    waiting = WebhookDelivery.objects.filter(due).order_by("next_attempt_at").values_list("pk", flat=True)
    return sum(deliver(pk) for pk in list(waiting[:AT_ONCE]))


def deliver(pk) -> bool:
    """Send one message. Safe to call twice: only one caller finds it due."""
    now = timezone.now()
    claimed = WebhookDelivery.objects.filter(pk=pk, state=DeliveryState.PENDING, next_attempt_at__lte=now).update(
        attempts=F("attempts") + 1, next_attempt_at=now + timedelta(seconds=CLAIM_SECONDS)
    )
    if not claimed:
        return False
    delivery = WebhookDelivery.objects.select_related("webhook").get(pk=pk)
    if not delivery.webhook.is_active:
        return _end(delivery, DeliveryState.FAILED, problem="The webhook was switched off.")
    try:
        status = _post(delivery)
    except (RefusedAddress, urllib3.exceptions.HTTPError, OSError, ssl.SSLError) as error:
        return _again(delivery, problem=f"{type(error).__name__}: {error}"[:300])
    if 200 <= status < 300:
        return _end(delivery, DeliveryState.DELIVERED, status_code=status, delivered_at=timezone.now(), problem="")
    if status == 410:
        Webhook.objects.filter(pk=delivery.webhook_id).update(
            is_active=False, note="Switched off: the receiver said 410 Gone."
        )
        return _end(delivery, DeliveryState.FAILED, status_code=status, problem="The receiver said 410 Gone.")
    return _again(delivery, status_code=status, problem=f"The receiver answered {status}.")


def _again(delivery: WebhookDelivery, **changes) -> bool:
    if delivery.attempts > len(PAUSES):
        return _end(delivery, DeliveryState.FAILED, **changes)
    later = timezone.now() + timedelta(seconds=PAUSES[delivery.attempts - 1])
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_attempt_at=later, **changes)
    return False


def _end(delivery: WebhookDelivery, state: DeliveryState, **changes) -> bool:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state=state, next_attempt_at=None, **changes)
    log.info("webhook_ended", delivery=str(delivery.pk), state=state, attempts=delivery.attempts)
    return state == DeliveryState.DELIVERED


def _post(delivery: WebhookDelivery) -> int:
    """The status of the answer. The connection goes to the very address that was looked at; redirects are not
    followed, for they could lead anywhere."""
    url = delivery.webhook.url
    scheme, host, port, address = resolve(url)
    body = json.dumps(delivery.payload, separators=(",", ":"), ensure_ascii=False)
    sent_at = timezone.now()
    message = str(delivery.pk)
    headers = {
        "Host": host if port in (80, 443) else f"{host}:{port}",
        "Content-Type": "application/json",
        "User-Agent": "ML-Studio-Webhook/1",
        "webhook-id": message,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Signer(delivery.webhook.secret).sign(message, sent_at, body),
    }
    timeout = urllib3.Timeout(total=settings.WEBHOOK_SECONDS)
    pool: urllib3.HTTPConnectionPool
    if scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, port, timeout=timeout, retries=False, server_hostname=host, assert_hostname=host,
            cert_reqs="CERT_REQUIRED",
        )  # fmt: skip
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout, retries=False)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with pool:
        answer = pool.urlopen("POST", path, body=body.encode(), headers=headers, redirect=False, preload_content=False)
        answer.read(ANSWER_BYTES)
        answer.close()
        return answer.status


def delete_old_deliveries() -> int:
    """Forget messages as old as the jobs that are forgotten."""
    before = timezone.now() - timedelta(days=settings.JOB_DAYS)
    return WebhookDelivery.objects.filter(created_at__lt=before).delete()[0]
