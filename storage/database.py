"""The database as long work needs it: rows in pages, and another try where the trouble is one of the moment."""

from __future__ import annotations

import functools
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import structlog
from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.models import ForeignObjectRel, Model, Q, QuerySet

log = structlog.get_logger(__name__)

Row = TypeVar("Row", bound=Model)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

PAGE = 500
# PostgreSQL: two transactions met (40001, 40P01), a lock was not free in time (55P03), too many connections (53300).
TRY_AGAIN = ("40001", "40P01", "55P03", "53300")
COLLISIONS = ("40001", "40P01")
# Trouble with the connection, and a server that stops or starts; of SQLite's, what its disk does.
CUT_OFF = ("08", "57P")
UNREADABLE = ("unable to open database file", "disk I/O error")
# Between two tries; SQLite has waited for half a minute already when it says that it is locked.
PAUSES = (0.1, 0.3, 1.0, 2.0, 4.0)


def by_key(rows: QuerySet[Row], *, key: str = "pk", size: int = PAGE) -> Iterator[Row]:
    """The rows in the order of `key`, which may repeat, a page at a time, with no cursor open in between.

    SQLite refuses to write on a connection while one of its cursors reads and somebody else has written; and a cursor
    that stays open for hours keeps PostgreSQL from cleaning up. What is added behind the last row while this runs is
    left out, so that it comes to an end; what is changed meanwhile is seen as it is when its page is read.
    """
    fields = ["pk"] if key == "pk" else [key, "pk"]
    plain = rows.select_related(None).prefetch_related(None)
    end = plain.order_by(*(f"-{field}" for field in fields)).values_list(*fields).first()
    if end is None:
        return
    rows = rows.filter(_beside(fields, end, "lte")).order_by(*fields)
    page = list(rows[:size])
    while page:
        place = tuple(getattr(page[-1], field) for field in fields)
        yield from page
        page = list(rows.filter(_beside(fields, place, "gt"))[:size]) if len(page) == size else []


def _beside(fields: list[str], place: tuple, side: str) -> Q:
    """Rows after a place (`gt`), or up to it (`lte`), in the order of one or two fields."""
    if len(fields) == 1:
        return Q(**{f"{fields[0]}__{side}": place[0]})
    first, last = fields
    return Q(**{f"{first}__{side[:2]}": place[0]}) | Q(**{first: place[0], f"{last}__{side}": place[1]})


def relations_to(model: type[Model]) -> list[ForeignObjectRel]:
    """Every foreign key that points to the model, also those that have no name on its side."""
    fields = model._meta.get_fields(include_hidden=True)
    return [field for field in fields if isinstance(field, ForeignObjectRel) and not field.many_to_many]


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of an error; "" for SQLite."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def is_busy(error: BaseException) -> bool:
    """Whether the same can work a moment later: a lock, a deadlock, too many connections."""
    return isinstance(error, OperationalError) and ("locked" in str(error) or sqlstate(error) in TRY_AGAIN)


def is_away(error: BaseException) -> bool:
    """Whether the connection was cut, or none can be made: nobody knows then whether a COMMIT was heard."""
    if not isinstance(error, (InterfaceError, OperationalError)):
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return any(words in str(error) for words in UNREADABLE)
    # psycopg has no code for what it noticed itself.
    return isinstance(error, InterfaceError) or not sqlstate(error) or sqlstate(error).startswith(CUT_OFF)


def is_collision(error: BaseException) -> bool:
    """Whether two transactions met (a deadlock, a serialization failure), so that this one has to be done again."""
    return isinstance(error, OperationalError) and sqlstate(error) in COLLISIONS


def is_unavailable(error: BaseException) -> bool:
    """Whether the database, and not what was asked of it, is the trouble: busy, restarted, cut off."""
    if isinstance(error, InterfaceError):
        return True
    return isinstance(error, OperationalError) and "no such" not in str(error)


def again(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorates what may be called twice: called again, after a pause, while the database is unavailable.

    Inside a transaction it is called once: only the whole transaction can be done again.
    """

    @functools.wraps(function)
    def called(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        return _tried(is_unavailable, function, arguments, options)

    return called


def atomic_again(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """A function as one transaction, which is done again when it met another one (a deadlock, a serialization failure).

    It must do nothing that cannot be done twice, apart from what the transaction takes back.
    """
    inside = transaction.atomic(function)

    @functools.wraps(function)
    def called(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        return _tried(is_collision, inside, arguments, options)

    return called


def _tried(is_worth_it: Callable[[BaseException], bool], function: Callable, arguments: Any, options: Any) -> Any:
    if connection.in_atomic_block:
        return function(*arguments, **options)
    for pause in PAUSES:
        try:
            return function(*arguments, **options)
        except Error as error:
            if not is_worth_it(error):
                raise
            log.warning("database_tried_again", function=function.__qualname__, error=str(error)[:200])
            connection.close_if_unusable_or_obsolete()
            time.sleep(pause * random.uniform(0.5, 1.5))
    return function(*arguments, **options)
