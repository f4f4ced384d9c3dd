"""A database that is restarted, or cut off, in the middle of a request: the machine's trouble, not a fault of ours."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from django.db import InterfaceError, OperationalError

from projects import permissions

pytestmark = pytest.mark.django_db

CUT = "consuming input failed: server closed the connection unexpectedly"


def as_django_does(kind: type[Exception], cause: Exception) -> Exception:
    error = kind(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("kind", "cause", "status", "code"),
    [
        (OperationalError, psycopg.OperationalError(CUT), 503, "database_unavailable"),
        (OperationalError, psycopg.errors.AdminShutdown("terminating connection"), 503, "database_unavailable"),
        (OperationalError, psycopg.errors.CannotConnectNow("the system is starting up"), 503, "database_unavailable"),
        (InterfaceError, psycopg.InterfaceError("the connection is closed"), 503, "database_unavailable"),
        (OperationalError, sqlite3.OperationalError("unable to open database file"), 503, "database_unavailable"),
        (OperationalError, psycopg.errors.DeadlockDetected("deadlock detected"), 503, "database_busy"),
        (OperationalError, sqlite3.OperationalError("database is locked"), 503, "database_busy"),
        (OperationalError, sqlite3.OperationalError("no such column: x"), 500, "error"),
        (OperationalError, psycopg.errors.DiskFull("no space left"), 507, "disk_full"),
    ],
)
def test_what_a_request_is_told(api, dataset, monkeypatch, kind, cause, status, code):
    def away(*arguments):
        raise as_django_does(kind, cause)

    monkeypatch.setattr(permissions, "role_in", away)
    answer = api.patch(f"/api/v1/datasets/{dataset['id']}/", {"name": "renamed"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)
    assert "Retry-After" in answer or status != 503
