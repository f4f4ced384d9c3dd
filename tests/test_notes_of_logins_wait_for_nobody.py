"""That somebody was here is noted when nobody else writes: a page does not wait for it, and does not fail by it."""

from __future__ import annotations

import pytest
from django.core.cache import caches
from django.db import OperationalError, connection

from accounts import logins
from accounts.models import Login
from accounts.services import issue_login_token
from tests.conftest import make_user
from tests.test_browser_logins import browser

pytestmark = pytest.mark.django_db
PROJECTS = "/api/v1/projects/"


@pytest.fixture
def mia():
    user = make_user("mia")
    user.set_password("a long pass phrase")
    user.save()
    return user


def busy_timeout() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        return cursor.fetchone()[0]


def at_writes_of_logins(act):
    """Calls `act`, which may raise, before each write to the table of logins."""

    def look(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and Login._meta.db_table in sql:
            act()
        return execute(sql, params, many, context)

    return connection.execute_wrapper(look)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL does not wait for other writers")
@pytest.mark.parametrize("kind", ["token", "session"])
def test_it_waits_a_moment_only(mia, client, kind):
    usual, seen = busy_timeout(), []
    if kind == "token":
        client.defaults["HTTP_AUTHORIZATION"] = f"Token {issue_login_token(user=mia)[1]}"
    else:
        client = browser()
    caches["default"].clear()
    with at_writes_of_logins(lambda: seen.append(busy_timeout())):
        assert client.get(PROJECTS).status_code == 200
    assert seen == [logins.BRIEF_MILLISECONDS] and busy_timeout() == usual > logins.BRIEF_MILLISECONDS


def test_a_page_is_answered_though_nothing_can_be_written(mia):
    def full() -> None:
        raise OperationalError("database or disk is full")

    client = browser()
    caches["default"].clear()
    with at_writes_of_logins(full):
        answer = client.get(PROJECTS)
    assert answer.status_code == 200 and not answer.cookies
