"""One shape for every error, also for those that never reach a view."""

from __future__ import annotations

import sys
from dataclasses import replace

import structlog
from django.core.exceptions import (
    DisallowedHost,
    ObjectDoesNotExist,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DataError, IntegrityError
from django.http import HttpRequest, HttpResponse, JsonResponse
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, UnsupportedMediaType, ValidationError

from accounts.authentication import CsrfFailed
from common.errors import Invalid, NotFound, StudioError
from projects.errors import ChangedMeanwhile
from storage.database import is_away, is_busy
from storage.errors import InsufficientStorage, is_disk_full
from vision.imaging.budget import DecodingBusy

log = structlog.get_logger(__name__)


class Busy(StudioError):
    status = 503
    code = "database_busy"
    detail = "The database is busy. Try again in a moment; nothing was changed."
    wait = 2


class DatabaseAway(StudioError):
    status = 503
    code = "database_unavailable"
    detail = (
        "The database does not answer at the moment. Look whether your change is there before you send it again, or "
        "send it with an Idempotency-Key."
    )
    wait = 5


class OutOfMemory(StudioError):
    status = 503
    code = "out_of_memory"
    detail = "The server has no memory for this at the moment. Try again, with fewer or smaller images."
    wait = 10


class ImagesBusy(StudioError):
    status = 503
    code = "images_busy"
    detail = "The server decodes as many large images as it can. Try again in a moment."
    wait = 5


HOW_TO_SEND = "Send JSON (curl: -H 'Content-Type: application/json'), or files as a form (curl: -F file=@image.jpg)."


class UnusableValue(StudioError):
    code = "parse_error"
    detail = "A value of the request is too large, or has characters that cannot be kept."


def answer_to(error: Exception) -> StudioError:
    """What an error is to the one who asked, where no view has answered; a fault of ours is logged."""
    known = _trouble(error) or _refused_value(error)
    if known is None:
        log.error("request_failed_before_its_view", exc_info=error)
        known = Unexpected()
    return known


class Unexpected(StudioError):
    status = 500
    detail = "An unexpected error happened; the server's log has it."


def as_api_exception(error: StudioError) -> APIException:
    """The same for REST framework: code, sentences, field, status, and when to try again."""
    details = [ErrorDetail(detail, error.code) for detail in error.details]
    if isinstance(error, Invalid):
        return ValidationError(details if error.attr is None else {error.attr: details})
    known = APIException(details if len(details) > 1 else error.detail, error.code)
    known.status_code = error.status
    if error.wait is not None:
        known.wait = error.wait  # type: ignore[attr-defined]
    return known


def _trouble(error: BaseException | None) -> StudioError | None:
    """What the machine's or the database's trouble is to the one who asks; None for what is a fault of ours."""
    if error is None:
        return None
    if is_disk_full(error):
        return InsufficientStorage()
    if isinstance(error, DecodingBusy):
        return ImagesBusy()
    if isinstance(error, MemoryError):
        return OutOfMemory()
    if is_busy(error):
        return Busy()
    if is_away(error):
        log.warning("database_away", error=str(error)[:300])
        return DatabaseAway()
    return None


def _refused_value(error: Exception) -> StudioError | None:
    """What a request brought about that its validation let pass. Each of these is one of a kind that no view foresees
    in full: a row that another request took away, a value that the database cannot hold."""
    if isinstance(error, IntegrityError):
        return ChangedMeanwhile()
    # Django says the second of a save() whose row is gone.
    if isinstance(error, ObjectDoesNotExist) or "did not affect any rows" in str(error)[:100]:
        return NotFound()
    if isinstance(error, (DataError, OverflowError, UnicodeError)) or "pattern too complex" in str(error)[:100]:
        return UnusableValue()
    if isinstance(error, RecursionError):
        return UnusableValue("The request is nested too deeply.")
    return None


class StudioExceptionHandler(ExceptionHandler):
    """Translates what libraries raise for a user's or the machine's trouble."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, StudioError):
            return as_api_exception(exc)
        if (known := _trouble(exc)) is not None:
            return as_api_exception(known)
        if (refused := _refused_value(exc)) is not None:
            log.warning("request_with_unusable_value", error=repr(exc)[:300])
            return as_api_exception(refused)
        if isinstance(exc, TooManyFilesSent):
            return ParseError("Too many files in one request: send at most 1,000 at once.", code="too_many_files")
        if isinstance(exc, (TooManyFieldsSent, RequestDataTooBig, SuspiciousOperation)):
            return ParseError("The request has too many fields or too large ones.", code="request_too_large")
        if isinstance(exc, UnsupportedMediaType) and str(exc.detail).startswith("Unsupported media type"):
            return UnsupportedMediaType("", f"{exc.detail} {HOW_TO_SEND}")
        return super().convert_known_exceptions(exc)


class StudioExceptionFormatter(ExceptionFormatter):
    """`attr` is always text, also where it is the number of an item in a list."""

    def get_errors(self) -> list:
        return [replace(error, attr=None if error.attr is None else str(error.attr)) for error in super().get_errors()]


def error_response(status: int, code: str, detail: str) -> JsonResponse:
    kind = "server_error" if status >= 500 else "client_error"
    return JsonResponse({"type": kind, "errors": [{"code": code, "detail": detail, "attr": None}]}, status=status)


# The first thing that somebody sees who opens a studio from another machine before its name is set.
UNKNOWN_HOST = (
    "The studio does not answer under the name in this address. Open it by a name that it has, or let its operator add "
    "this one to MLSTUDIO_ALLOWED_HOSTS and start it again."
)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        return error_response(400, "unknown_host", UNKNOWN_HOST)
    return error_response(400, "bad_request", "The request cannot be understood.")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(403, "permission_denied", "You may not do this.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(404, "not_found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    known = _trouble(sys.exc_info()[1])  # of middleware: what a view raises is translated before
    return refused(known or Unexpected())


def refused(error: APIException | StudioError) -> JsonResponse:
    """The answer to a request that comes to no view."""
    known = as_api_exception(error) if isinstance(error, StudioError) else error
    response = error_response(known.status_code, str(known.get_codes()), str(known.detail))
    if wait := getattr(known, "wait", None):
        response["Retry-After"] = str(wait)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_response(403, "csrf_failed", str(CsrfFailed.default_detail))
