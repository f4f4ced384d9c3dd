"""`Idempotency-Key` on creating POSTs (IETF draft-ietf-httpapi-idempotency-key-header).

The first answer is kept for a day and repeated, word by word. Answers that carry a secret are not kept: their
repetition is a 409.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from mlstudio.errors import error_response
from mlstudio.models import IdempotencyRecord

KEPT = timedelta(days=1)
ABANDONED = timedelta(minutes=15)
MAX_BODY_BYTES = 1 << 20
KEPT_HEADERS = ("Content-Type", "Location")
SECRET_PATHS = ("/api/v1/auth/", "/api/v1/tokens/", "/api/v1/devices/", "/api/v1/enrolment-codes/", "/api/v1/webhooks/")


class IdempotencyMiddleware:
    """Requests without the header pass untouched."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        if not _applies(request):
            return self.get_response(request)
        record, answer = _begin(request)
        return answer if record is None else _end(record, request, self.get_response(request))


def _applies(request: HttpRequest) -> bool:
    return request.method == "POST" and "Idempotency-Key" in request.headers and request.path.startswith("/api/")


def _begin(request: HttpRequest) -> tuple[IdempotencyRecord | None, HttpResponse | None]:
    """The record of a first use, or the answer to a later one."""
    key = request.headers["Idempotency-Key"]
    if not 1 <= len(key) <= 255 or not key.isprintable():
        return None, error_response(400, "invalid_idempotency_key", "An Idempotency-Key has 1 to 255 characters.")
    scope, fingerprint = _scope(request), _fingerprint(request)
    IdempotencyRecord.objects.filter(
        scope=scope, key=key, status=None, created_at__lt=timezone.now() - ABANDONED
    ).delete()
    try:
        with transaction.atomic():
            return IdempotencyRecord.objects.create(scope=scope, key=key, fingerprint=fingerprint), None
    except IntegrityError:
        return None, _repeat(IdempotencyRecord.objects.filter(scope=scope, key=key).first(), fingerprint)


def _repeat(record: IdempotencyRecord | None, fingerprint: str) -> HttpResponse:
    if record is None or record.status is None:
        return error_response(409, "idempotency_in_progress", "The first request with this key is still at work.")
    if record.fingerprint != fingerprint:
        return error_response(422, "idempotency_key_reused", "This key was used for another request: take a new one.")
    if record.body is None:
        return error_response(
            409, "idempotency_already_done", "This was done already; its answer held a secret and is not repeated."
        )
    response = HttpResponse(bytes(record.body), status=record.status)
    for name, value in record.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


def _end(record: IdempotencyRecord, request: HttpRequest, response):
    """Keep a success; forget the rest, so that the request can be tried again."""
    if not 200 <= response.status_code < 300 or response.streaming or len(response.content) > MAX_BODY_BYTES:
        record.delete()
        return response
    is_secret = request.path.startswith(SECRET_PATHS)
    record.status = response.status_code
    record.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    record.body = None if is_secret else response.content
    record.save(update_fields=["status", "headers", "body"])
    return response


def _scope(request: HttpRequest) -> str:
    """Who asks: by credentials, so that nobody is answered with another's result."""
    who = (
        request.headers.get("Authorization") or request.COOKIES.get("sessionid") or request.META.get("REMOTE_ADDR", "")
    )
    return hashlib.sha256(who.encode("utf-8", "surrogateescape")).hexdigest()


def _fingerprint(request: HttpRequest) -> str:
    """What is asked. A multipart body is streamed to its view, so only its length is compared."""
    parts = [request.path, request.META.get("QUERY_STRING", ""), request.META.get("CONTENT_LENGTH", "")]
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape"))
    if request.content_type == "application/json" and int(request.META.get("CONTENT_LENGTH") or 0) <= MAX_BODY_BYTES:
        digest.update(request.body)
    return digest.hexdigest()


def delete_old_records() -> int:
    return IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
