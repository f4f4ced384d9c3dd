"""No value that an outsider sends anywhere is a server error: every route, every kind of nonsense."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from django.db import DataError, IntegrityError, OperationalError
from rest_framework.test import APIClient

from edge.devices import create_device
from projects.models import Project
from tests.conftest import client_of
from tests.environment import THOROUGH
from tests.once import openapi_schema
from tests.test_routes import filled, house, owner  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
SCHEMA = openapi_schema()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
    if method in ("get", "post", "put", "patch") and not path.endswith("/events/")
]
WRITING = [one for one in OPERATIONS if one[0] != "GET"]
# These end the login or the account of the caller.
ENDING = ("logout", "logout-all", "password", "leave")

DEEP = "[" * 30_000
DOCUMENTS = {
    "deep list": b"[" * 5000 + b"]" * 5000,
    "deep object": b'{"name":' * 5000 + b"1" + b"}" * 5000,
    "deep within a value": b'{"name":' + b"[" * 900 + b"]" * 900 + b"}",
    "half a character as a key": b'{"\\ud800": 1}',
    "half a character": b'{"name": "\\ud800x", "username": "\\udc00", "password": "\\ud800"}',
    "endless digits": b'{"name": ' + b"9" * 5000 + b"}",
    "a number beyond all": b'{"name": 1e999, "epochs": -1e999}',
    "no number": b'{"name": NaN, "epochs": Infinity}',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "nothing": b"",
    "no object": b"7",
    "null": b"null",
    "text": b'"text"',
}
VALUES = {
    "NUL": "a\x00b",
    "a large integer": 10**30,
    "a negative one": -(2**70),
    "a large integer as text": "9" * 900,
    "a float": 1e308,
    "a long text": "x" * 100_000,
    "a list": [[[]]],
    "an object": {"a": {"b": "\x00"}},
    "true": True,
    "control characters": "\x1b[2J\r\n\u2028",
    "a private text": "\ufffe\uffff\U0010ffff",
    "null": None,
}
QUERIES = {
    "NUL": "%00",
    "endless digits": "9" * 5000,
    "leading zeros": "0" * 8 + "5" + "1" * 4990,
    "half a character": "%ED%A0%80",
    "2^63": str(2**63),
    "2^70": str(2**70),
    "negative": "-1",
    "no number": "NaN",
    "beyond all": "1e999",
    "deep": quote(DEEP),
    "long": "x" * 5000,
}
CURSORS = {
    "deep": DEEP,
    "deep value": '{"id": "x", "back": 0, "value": ' + "[" * 800 + "]" * 800 + "}",
    "NUL": json.dumps({"id": "x", "value": "\x00", "back": False}),
    "half a character": '{"id": "x", "value": "\\ud800", "back": false}',
    "a large integer": json.dumps({"id": "x", "value": 10**40, "back": True}),
    "beyond all": '{"id": "0192f0c1-3c5e-7000-8000-000000000000", "value": 1e999, "back": false}',
    "an object": json.dumps({"id": {}, "value": {}, "back": 1}),
}
HEADERS = {
    "HTTP_RANGE": [f"bytes={'9' * 5000}-", f"bytes=-{'9' * 5000}", f"bytes=0-{'9' * 5000}", "bytes=١-٢"],
    "HTTP_IF_NONE_MATCH": ['"' + "x" * 5000, "\xff", "*"],
    "HTTP_LAST_EVENT_ID": ["9" * 5000, "١"],
    "HTTP_IDEMPOTENCY_KEY": ["\xff", "x" * 300, " "],
    "HTTP_ACCEPT": ["\xff", "x/" * 500],
    "HTTP_UPLOAD_LENGTH": ["9" * 5000, "١"],
    "HTTP_UPLOAD_OFFSET": ["9" * 5000],
    "HTTP_UPLOAD_METADATA": ["filename " + base64.b64encode(b"a\x00b").decode(), "\xff \xff"],
    "HTTP_AUTHORIZATION": ["Token \xff", "Token " + "x" * 5000, "Device \xff", "Token a b", "Token "],
    "HTTP_COOKIE": ["sessionid=\xff", "sessionid=" + "x" * 5000, "csrftoken=\xff"],
    "HTTP_X_REQUEST_ID": ["\xff", "x" * 5000],
    "CONTENT_TYPE": [
        "application/json; charset=nonsense",
        "application/json; charset=utf-16",
        "multipart/form-data",
        "multipart/form-data; boundary=\xff",
        "x",
    ],
}

# A value meets every third operation or parameter, and the next value the others: what reads them is much the same.
# What a database may stumble over meets all of them.
SHARE = 1 if THOROUGH else 3
EVERYWHERE = ("NUL", "a large integer", "2^63")

# No database is told what these say: they are of the protocol, or no object of values.
OF_THE_PROTOCOL = {
    "HTTP_RANGE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_ACCEPT",
    "HTTP_UPLOAD_OFFSET",
    "HTTP_X_REQUEST_ID",
    "CONTENT_TYPE",
}
NEVER_READ = {"deep list", "deep object", "deep within a value", "not UTF-8", "nothing", "no object", "null", "text"}


def _marked(cases: dict, refused: set[str]) -> list:
    mark = pytest.mark.any_database("what is refused whatever the database")
    return [pytest.param(case, id=name, marks=[mark] * (name in refused)) for name, case in cases.items()]


@pytest.fixture
def callers(house, api, project):  # noqa: F811
    _, key = create_device(project=project, name="hostile", group=None)
    device = APIClient(raise_request_exception=False, HTTP_AUTHORIZATION=f"Device {key}")
    api.raise_request_exception = False
    return {"api": api, "edge": device}


def kind_of(operation: dict) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "application/json" if not content or "application/json" in content else next(iter(content))


def properties_of(operation: dict) -> list[str]:
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = schema.get("items", schema)
    name = schema.get("$ref", "").rpartition("/")[2]
    return list(SCHEMA["components"]["schemas"].get(name, {}).get("properties", {}))


def ask(callers, house, method: str, path: str, body: bytes = b"", query: str = "", **headers):  # noqa: F811
    client = callers["edge" if path.startswith("/edge/") else "api"]
    address = filled(path, house) + (f"?{query}" if query else "")
    if path.startswith("/edge/"):
        address = address.replace("{sha256}", "0" * 64)
    answer = client.generic(method, address, body, **{"content_type": "application/json", **headers})
    assert answer.status_code < 500, (method, address[:200], answer.status_code, answer.content[:300])


def writing():
    return [one for one in WRITING if not one[1].rstrip("/").endswith(ENDING)]


def share_of(things: list, cases: dict, case: object) -> list:
    """Those of the things that this case meets."""
    number = list(cases.values()).index(case)
    return things if list(cases)[number] in EVERYWHERE else things[number % SHARE :: SHARE]


@pytest.mark.parametrize("body", _marked(DOCUMENTS, NEVER_READ))
def test_a_document(callers, house, body):  # noqa: F811
    for method, path, _ in writing():
        ask(callers, house, method, path, body)


@pytest.mark.parametrize(
    "value", _marked(VALUES, {"a list", "true", "null", "a large integer as text", "control characters"})
)
def test_a_value_in_every_field(callers, house, value):  # noqa: F811
    for method, path, operation in share_of(writing(), VALUES, value):
        body = dict.fromkeys(properties_of(operation), value)
        ask(callers, house, method, path, json.dumps([body] if "annotations" in path else body).encode())
        ask(callers, house, method, path, json.dumps({name: [value] for name in body}).encode())


@pytest.mark.parametrize("value", _marked(QUERIES, {"deep", "half a character", "no number", "negative", "long"}))
def test_a_value_in_every_query(callers, house, value):  # noqa: F811
    places = [
        (method, path, parameter["name"])
        for method, path, operation in OPERATIONS
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    ]
    for method, path, name in share_of(places, QUERIES, value):
        ask(callers, house, method, path, query=f"{name}={value}")


@pytest.mark.parametrize("text", _marked(CURSORS, {"deep", "deep value", "an object"}))
def test_a_cursor(callers, house, text):  # noqa: F811
    cursor = base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()
    for method, path, operation in OPERATIONS:
        orderings = [
            choice
            for parameter in operation.get("parameters", [])
            if parameter["name"] == "ordering"
            for choice in parameter["schema"].get("enum", ["id"])
        ]
        for ordering in orderings:
            ask(callers, house, method, path, query=f"ordering={ordering}&cursor={cursor}")


@pytest.mark.parametrize("name", _marked({name: name for name in HEADERS}, OF_THE_PROTOCOL))
def test_a_header(callers, house, name):  # noqa: F811
    for number, value in enumerate(HEADERS[name]):
        for method, path, operation in OPERATIONS[number % SHARE :: SHARE]:
            if name == "CONTENT_TYPE":
                ask(callers, house, method, path, b'{"a": 1}', content_type=value)
            elif method == "GET" or name != "HTTP_AUTHORIZATION":
                ask(callers, house, method, path, b"", content_type=kind_of(operation), **{name: value})


@pytest.mark.parametrize("value", ["%00", "%ED%A0%80", "9" * 3000, "x" * 3000, "%0A", "..%2F..", "%F0%9F%92%A9"])
def test_a_name_in_every_path(callers, house, value):  # noqa: F811
    for method, path, _ in OPERATIONS:
        for parameter in ("{kind}", "{name}", "{sha256}"):
            if parameter in path:
                ask(callers, house, method, path.replace(parameter, value))


@pytest.mark.any_database("errors that are raised by the test itself")
class TestWhatNobodyForesaw:
    """What validation lets pass and the database does not: it is the request's fault, and says so."""

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (IntegrityError("FOREIGN KEY constraint failed"), 409, "changed_meanwhile"),
            (DataError("integer out of range"), 400, "parse_error"),
            (OverflowError("Python int too large to convert to SQLite INTEGER"), 400, "parse_error"),
            (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), 400, "parse_error"),
            (RecursionError("maximum recursion depth exceeded"), 400, "parse_error"),
            (Project.DoesNotExist(), 404, "not_found"),
            (OperationalError("database is locked"), 503, "database_busy"),
            (MemoryError(), 503, "out_of_memory"),
        ],
    )
    def test_an_error(self, owner, monkeypatch, error, status, code):  # noqa: F811
        def fail(**options):
            raise error

        monkeypatch.setattr("projects.services.create_project", fail)
        answer = client_of(owner).post("/api/v1/projects/", {"name": "p", "task": "classification"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)

    @pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03", "53300"])
    def test_postgresql_that_wants_it_tried_again(self, owner, monkeypatch, sqlstate):  # noqa: F811
        def fail(**options):
            error = OperationalError("deadlock detected")
            error.__cause__ = type("Deadlock", (Exception,), {"sqlstate": sqlstate})()
            raise error

        monkeypatch.setattr("projects.services.create_project", fail)
        answer = client_of(owner).post("/api/v1/projects/", {"name": "p", "task": "classification"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "database_busy")
        assert int(answer["Retry-After"]) > 0
