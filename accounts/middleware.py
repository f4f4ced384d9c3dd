"""Logins that are used last, and say when they were used."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from accounts.logins import note_use

log = structlog.get_logger(__name__)


class NotesLogins:
    """Stands inside the middleware of sessions, which writes the session and its cookie after this."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        try:
            note_use(request)
        except DatabaseError as error:  # the answer is made; that it was asked for can be noted another time
            log.warning("login_not_noted", reason=str(error))
        return response
