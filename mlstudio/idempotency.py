"""`Idempotency-Key` on POST, and on PUT and PATCH of JSON (IETF draft-ietf-httpapi-idempotency-key-header).

The first answer is kept for a day and repeated, word by word, to the same user as long as they may make the request.
Answers that carry a secret are not kept: their repetition is a 409.

What a request does and the note that it was done are one transaction, where it can be: a process that dies in the
middle has done nothing, and the next request with the key does it (docs/decisions/0033-keys-and-effects-are-one.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils import timezone
from rest_framework.views import APIView

from accounts.names import hashed
from mlstudio.doors import Caller, identify
from mlstudio.errors import error_response
from mlstudio.models import IdempotencyRecord
from projects.errors import ChangedMeanwhile
from projects.models import Membership
from storage.receiving import content_digest
from storage.services import local_cache

KEPT = timedelta(days=1)
MAX_BODY_BYTES = 1 << 20
KEPT_HEADERS = ("Content-Type", "Location", "X-Change")
# Headers that say what is wanted where there is no body (uploads in parts).
MEANINGFUL_HEADERS = ("Upload-Length", "Upload-Metadata")
SECRET_PATHS = ("/api/v1/auth/", "/api/v1/tokens/", "/api/v1/devices/", "/api/v1/enrolment-codes/", "/api/v1/webhooks/")

SECRET_ENDS = ("/invitation-links/",)


class IdempotencyMiddleware:
    """Requests without the header, or of nobody who is known, pass untouched."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match = _match(request)
        caller = identify(request, match.func.cls) if match is not None else None  # type: ignore[attr-defined]
        if match is None or caller is None:
            return self.get_response(request)
        key = request.headers["Idempotency-Key"]
        if not 1 <= len(key) <= 255 or not key.isprintable():
            return error_response(400, "invalid_idempotency_key", "An Idempotency-Key has 1 to 255 characters.")
        record, answer = _begin(request, key, caller, match)
        return answer if record is None else self._do(record, request, match)  # type: ignore[return-value]

    def _do(self, record: IdempotencyRecord, request: HttpRequest, match: ResolverMatch) -> HttpResponse:
        try:
            if _is_one_transaction(match, str(request.method)):
                with transaction.atomic():
                    response = _end(record, request, self.get_response(request))
                    if not _succeeded(response):
                        transaction.set_rollback(True)
            else:
                response = _end(record, request, self.get_response(request))
        except IntegrityError:  # some constraints are checked only when the transaction ends
            response = error_response(409, ChangedMeanwhile.code, str(ChangedMeanwhile.detail))
            record.status = None
        except BaseException:
            _forget(record)
            raise
        if record.status is None:
            _forget(record)
        return response


def _match(request: HttpRequest) -> ResolverMatch | None:
    """The API's view behind a creating or changing request with a key."""
    if "Idempotency-Key" not in request.headers or not request.path.startswith("/api/v1/"):
        return None
    # Parts of uploads say themselves where they belong, and are no JSON.
    is_change = request.method in ("PUT", "PATCH") and request.content_type == "application/json"
    if request.method != "POST" and not is_change:
        return None
    try:
        match = resolve(request.path_info)
    except Http404:
        return None
    return match if hasattr(match.func, "cls") else None


def _begin(
    request: HttpRequest, key: str, caller: Caller, match: ResolverMatch
) -> tuple[IdempotencyRecord | None, HttpResponse | None]:
    """The record of a first use, or the answer to a later one."""
    scope = hashed(type(caller.who).__name__, str(caller.who.pk))
    fingerprint, owner = _fingerprint(request), local_cache().receiver_name()
    try:
        with transaction.atomic():
            made = IdempotencyRecord.objects.create(scope=scope, key=key, fingerprint=fingerprint, owner=owner)
            return made, None
    except IntegrityError:
        record = IdempotencyRecord.objects.filter(scope=scope, key=key).first()
    if record is None:
        return None, _in_progress()
    if record.fingerprint != fingerprint:
        answer = error_response(422, "idempotency_key_reused", "This key was used for another request: take a new one.")
        return None, answer
    if record.status is not None:
        return None, _refusal(request, match) or _repeat(record, caller)
    if local_cache().is_receiving(record.owner):
        return None, _in_progress()
    # Its process has died. Of several that see it, one goes on.
    taken = IdempotencyRecord.objects.filter(pk=record.pk, status=None, owner=record.owner).update(owner=owner)
    return (record, None) if taken else (None, _in_progress())


def _in_progress() -> HttpResponse:
    response = error_response(409, "idempotency_in_progress", "The first request with this key is still being done.")
    response["Retry-After"] = "2"
    return response


def _refusal(request: HttpRequest, match: ResolverMatch) -> HttpResponse | None:
    """What the view says of the request before it does anything: whether it still finds and admits this user."""
    view = match.func.cls(**match.func.initkwargs)  # type: ignore[attr-defined]
    if hasattr(match.func, "actions"):
        view.action_map = match.func.actions
        view.action = match.func.actions.get(str(request.method).lower())
    view.args, view.kwargs = match.args, match.kwargs
    view.headers = view.default_response_headers
    view.request = request  # the parsers of some depend on it
    view.request = view.initialize_request(request, *match.args, **match.kwargs)
    try:
        view.initial(view.request, *match.args, **match.kwargs)
        name = getattr(view, "lookup_url_kwarg", None) or getattr(view, "lookup_field", None)
        if name in match.kwargs:
            view.get_object()
    except Exception as error:
        response = view.finalize_response(view.request, view.handle_exception(error))
        response.render()
        return response
    return None


def _repeat(record: IdempotencyRecord, caller: Caller) -> HttpResponse:
    if record.body is None:
        return error_response(
            409, "idempotency_already_done", "This was done already; its answer held a secret and is not repeated."
        )
    body = bytes(record.body)
    if not _may_see(body, caller):
        return error_response(404, "not_found", "What this request made is not there for you any more.")
    response = HttpResponse(body, status=record.status)
    for name, value in record.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


def _may_see(body: bytes, caller: Caller) -> bool:
    """An answer about a project is repeated to its members only."""
    try:
        answer = json.loads(body)
    except ValueError:
        return True
    project = answer.get("project") if isinstance(answer, dict) else None
    if not isinstance(project, str):
        return True
    return Membership.objects.filter(user=caller.who.pk, project=project).exists()  # type: ignore[misc]


def _end(record: IdempotencyRecord, request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Note a success with its answer; anything else leaves the record as it is, and is forgotten."""
    if not _succeeded(response) or response.streaming or len(response.content) > MAX_BODY_BYTES:
        return response
    is_secret = request.path.startswith(SECRET_PATHS) or request.path.endswith(SECRET_ENDS)
    record.status = response.status_code
    record.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    record.body = None if is_secret else response.content
    record.save(update_fields=["status", "headers", "body"])
    return response


def _succeeded(response: HttpResponse) -> bool:
    return 200 <= response.status_code < 300


def _forget(record: IdempotencyRecord) -> None:
    """So that the request can be tried again."""
    IdempotencyRecord.objects.filter(pk=record.pk).delete()


def _is_one_transaction(match: ResolverMatch, method: str = "POST") -> bool:
    """Not what takes long and does no harm when it is repeated, and not what counts attempts: a failure must count."""
    view = match.func.cls  # type: ignore[attr-defined]
    action = getattr(match.func, "actions", {}).get(method.lower(), method.lower())
    counts = view.get_throttles is not APIView.get_throttles or view.throttle_classes
    return action not in getattr(view, "repeatable", ()) and not counts


def _fingerprint(request: HttpRequest) -> str:
    """What is asked: of forms the fields and the content of the files, however they are divided into parts."""
    method = [] if request.method == "POST" else [str(request.method)]
    words = [*method, request.path, request.META.get("QUERY_STRING", ""), request.content_type or ""]
    words += [request.headers.get(name, "") for name in MEANINGFUL_HEADERS]
    if request.content_type == "multipart/form-data":
        return hashed(*words, content_digest(request))
    return hashed(*words, hashlib.sha256(request.body).hexdigest())


def delete_old_records() -> int:
    return IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
