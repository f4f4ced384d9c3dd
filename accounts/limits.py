"""What one user may have: limits that rooms above register, that services ask, and that `users/me/` shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model

from common.errors import StudioError


class LimitReached(StudioError):
    """A user, or a project, has as much as the operator allows. `status` is 429 for what passes by itself."""

    status = 403
    code = "limit_reached"
    detail = "You have as much of this as the server's operator allows."

    def __init__(self, detail: str, code: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail, code=code)
        if retry_after_seconds is not None:
            self.status = 429
            self.wait = retry_after_seconds


def hold(row: Model) -> None:
    """Let nobody else count what belongs to this row before the transaction ends; outside of one do nothing.

    SQLite's transactions come one after another from their beginning. Rows that refer to this one can be added
    meanwhile. Projects are held before users (docs/decisions/0047-one-order-of-locks.md).
    """
    if connection.in_atomic_block:
        rows = type(row)._base_manager.filter(pk=row.pk)
        list(rows.select_for_update(no_key=True).values_list("pk"))


@dataclass(frozen=True)
class Limit:
    """One thing that is counted by user.

    Attributes:
        name: in `users/me/`, for example `queued_jobs`.
        setting: name of the Django setting that has the number; 0 means no limit.
        used: how much of it a user has now.
        detail: the sentence of the error, with `{limit}`, as `in_words` puts it.
        in_words: the number with its noun.
        retry_after_seconds: for what passes by itself.
        in_trash: how much of that lies in the trash.
    """

    name: str
    setting: str
    used: Callable[..., int]
    detail: str
    in_words: Callable[[int], str]
    retry_after_seconds: int | None = None
    in_trash: Callable[..., int] | None = None

    @property
    def code(self) -> str:
        return f"too_many_{self.name}"

    @property
    def value(self) -> int:
        return getattr(settings, self.setting)

    def require(self, user: User | None, more: int = 1) -> None:
        """Raises `LimitReached` when the user cannot have `more` of it.

        In the transaction that adds it this is exact: requests of the same user come one after another. Outside of one
        it is an early look, which spares work that would be refused.
        """
        if not self.value or user is None:
            return
        hold(user)
        if self.used(user) + more > self.value:
            raise self.reached()

    def reached(self) -> LimitReached:
        detail = self.detail.format(limit=self.in_words(self.value))
        return LimitReached(detail, self.code, self.retry_after_seconds)


_limits: dict[str, Limit] = {}


def register(limit: Limit) -> Limit:
    _limits[limit.name] = limit
    return limit


def limits_of(user: User) -> dict[str, dict[str, int | None]]:
    """Name → what the user has and may have (null: no limit), and what of it lies in the trash, where it could."""
    return {name: _shown(limit, user) for name, limit in sorted(_limits.items())}


def _shown(limit: Limit, user: User) -> dict[str, int | None]:
    shown: dict[str, int | None] = {"used": limit.used(user), "limit": limit.value or None}
    return shown if limit.in_trash is None else {**shown, "in_trash": limit.in_trash(user)}
