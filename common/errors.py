"""What a caller can act on. Services raise these; one handler makes answers of them, one makes failed jobs of them."""

from __future__ import annotations

from collections.abc import Sequence


class StudioError(Exception):
    """A code for programs and a sentence for people; classes give both, and each place may say it closer.

    Attributes:
        status: of the answer over HTTP.
        wait: after how many seconds it is worth trying again, of what passes by itself.
        attr: the field of the request that it is about.
        details: every sentence, where there are several; `detail` is all of them.
    """

    status: int = 400
    code: str = "error"
    detail: str = "The request cannot be done."
    wait: int | None = None

    def __init__(self, detail: str | Sequence[str] | None = None, *, code: str = "", attr: str | None = None) -> None:
        sentences = [detail] if isinstance(detail, str) else detail
        self.details = list(sentences or [self.detail])
        self.detail = " ".join(self.details)
        self.code = code or self.code
        self.attr = attr
        super().__init__(self.detail)


class Invalid(StudioError):
    """A value of the request cannot be used."""

    code = "invalid"


class NotFound(StudioError):
    status = 404
    code = "not_found"
    detail = "Not found."


class Forbidden(StudioError):
    status = 403
    code = "permission_denied"
    detail = "You do not have permission to perform this action."


class Conflict(StudioError):
    status = 409
    code = "conflict"
    detail = "The request does not fit the present state."
