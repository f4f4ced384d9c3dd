"""JSON from strangers, pages by cursor, reports page by page, and preferences: properties, limits and hostile input."""

from __future__ import annotations

import base64
import io
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError
from rest_framework.test import APIClient

from accounts.preferences import MAX_BYTES, change_preferences, preferences_of
from common.errors import NotFound
from jobs.report_lines import decode_cursor, encode_cursor, read_page
from projects.models import Project
from projects.parsers import MAX_DEPTH, JSONParser
from projects.services import create_project
from tests.conftest import client_of

SHARED = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=20,
)


def parsed(content: bytes | str, encoding: str = "utf-8"):
    raw = content if isinstance(content, bytes) else content.encode()
    return JSONParser().parse(io.BytesIO(raw), parser_context={"encoding": encoding})


# JSON


@given(VALUES, st.booleans())
def test_what_python_writes_as_json_is_read_back(value, ascii_only):
    assert parsed(json.dumps(value, ensure_ascii=ascii_only)) == value


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("levels", [1, MAX_DEPTH, MAX_DEPTH + 1, 100_000])
def test_a_document_may_be_nested_so_deep_and_no_deeper(opening, closing, levels):
    inner = "" if opening == "[" else "{}"
    levels -= bool(inner)
    text = opening * levels + inner + closing * levels
    if levels + bool(inner) <= MAX_DEPTH:
        assert parsed(text) == json.loads(text)
        return
    with pytest.raises(ParseError, match="nested more than 100 levels"):
        parsed(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e400", "[1, 1e309]", "9" * 5000])
def test_numbers_that_cannot_be_kept_are_refused(number):
    with pytest.raises(ParseError):
        parsed(number)


@pytest.mark.parametrize("text", ['"\\ud800"', '{"\\udc00": 1}', '[{"a": "x\\udfff"}]', '"\\ud800\\ud800"'])
def test_halves_of_characters_are_refused_wherever_they_stand(text):
    with pytest.raises(ParseError, match="surrogate"):
        parsed(text)


@pytest.mark.parametrize("text", ['"\\ud83d\\ude00"', '"\\\\ud800"', '"ud800"'])
def test_whole_pairs_and_texts_that_only_look_like_halves_are_taken(text):
    assert parsed(text) == json.loads(text)


@pytest.mark.parametrize("encoding", ["utf-7", "utf-16", "zip", "bz2", "rot13", "unknown", "idna"])
def test_encodings_that_are_no_plain_text_are_refused(encoding):
    with pytest.raises(ParseError, match="UTF-8"):
        parsed("{}", encoding)


@pytest.mark.parametrize(("encoding", "raw"), [("latin-1", b'"\xe4"'), ("UTF-8", '"ä"'.encode()), ("ascii", b'"a"')])
def test_plain_encodings_are_read(encoding, raw):
    assert parsed(raw, encoding) == json.loads(raw.decode(encoding))


@pytest.mark.parametrize("raw", [b'"\xff"', b"", b"{", b"{}{}", b"'a'", b"\xef\xbb\xbf{}", b"\x00"])
def test_what_is_no_json_is_a_client_error(raw):
    with pytest.raises(ParseError, match="JSON parse error"):
        parsed(raw)


# Pages by cursor


@pytest.fixture
def projects(owner) -> list[Project]:
    """Seven, some of one name: equal values have an order too."""
    return [create_project(user=owner, name=name, task="classification") for name in "bacabba"]


def walked(api: APIClient, address: str, follow: str) -> list[str]:
    found: list[str] = []
    while address:
        assert len(found) < 50, "a page leads back to itself"
        page = api.get(address).json()
        found += [row["id"] for row in (page["results"] if follow == "next" else page["results"][::-1])]
        address = page[follow]
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("ordering", ["id", "-id", "name", "-name"])
def test_pages_in_both_directions_have_every_row_once_and_in_order(api, projects, size, ordering):
    sign = "-" if ordering.startswith("-") else ""
    wanted = [str(pk) for pk in Project.objects.order_by(ordering, f"{sign}id").values_list("pk", flat=True)]
    assert walked(api, f"/api/v1/projects/?ordering={ordering}&page_size={size}", "next") == wanted
    page = api.get(f"/api/v1/projects/?ordering={ordering}&page_size={size}").json()
    last = page
    for _ in wanted:
        last = api.get(last["next"]).json() if last["next"] else last
    back = [row["id"] for row in last["results"]][::-1]
    back += walked(api, last["previous"], "previous") if last["previous"] else []
    assert back == wanted[::-1]


@pytest.mark.django_db
def test_rows_that_come_and_go_between_pages_shift_nothing(api, owner, projects):
    first = api.get("/api/v1/projects/?ordering=name&page_size=3").json()
    seen = [row["id"] for row in first["results"]]
    Project.objects.filter(pk=seen[0]).update(name="z")
    create_project(user=owner, name="aa", task="classification")
    rest = walked(api, first["next"], "next")
    assert len(set(rest) & set(seen[1:])) == 0
    assert {str(project.pk) for project in projects} <= set(seen) | set(rest)


def cursor_of(**fields) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


KEY = "01900000-0000-7000-8000-000000000000"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%ff",
        "e30",
        "bnVsbA",
        "W10",
        "A" * 4001,
        cursor_of(id="no key", value=None, back=False),
        cursor_of(id=KEY, value={"a": 1}, back=False),
        cursor_of(id=KEY, value="x\x00", back=True),
        cursor_of(id=KEY, value=None, back=False),
        cursor_of(id=None, value="a", back=False),
    ],
)
@pytest.mark.parametrize("ordering", ["id", "name"])
def test_a_cursor_of_ones_own_making_is_no_server_error(api, projects, cursor, ordering):
    answer = api.get("/api/v1/projects/", {"ordering": ordering, "cursor": cursor})
    assert answer.status_code in (200, 404), answer.content
    if answer.status_code == 404:
        assert answer.json()["errors"][0]["code"] == "not_found"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "attr"),
    [
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "501"}, "page_size"),
        ({"page_size": "-1"}, "page_size"),
        ({"page_size": "²"}, "page_size"),
        ({"page_size": "1" * 10}, "page_size"),
        ({"ordering": "created_by"}, "ordering"),
        ({"ordering": "--id"}, "ordering"),
        ({"ordering": "name,id"}, "ordering"),
    ],
)
def test_a_page_that_cannot_be_is_refused_by_its_parameter(api, query, attr):
    answer = api.get("/api/v1/projects/", query)
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, attr)


@pytest.mark.django_db
def test_a_link_to_the_next_page_keeps_what_was_asked(api, projects):
    page = api.get("/api/v1/projects/?ordering=-name&page_size=2&name=a").json()
    query = parse_qs(urlsplit(page["next"]).query)
    assert {name: query[name] for name in ("ordering", "page_size", "name")} == {
        "ordering": ["-name"],
        "page_size": ["2"],
        "name": ["a"],
    }


# Reports

LINES = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"outcome": st.sampled_from(["created", "rejected"]), "code": st.sampled_from(["", "x"])}
        ),
        st.sampled_from([b"", b"{", b"[1]", b"\xff"]),
    ),
    max_size=15,
)


@given(LINES, st.integers(1, 5), st.sampled_from([{}, {"outcome": "created"}, {"outcome": "rejected", "code": "x"}]))
def test_pages_of_a_report_are_its_lines_without_those_that_are_damaged(lines, size, wanted):
    content = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    whole = [line for line in lines if isinstance(line, dict)]
    expected = [line for line in whole if all(line[name] == value for name, value in wanted.items())]
    found, start = [], 0
    while start is not None:
        page = read_page(io.BytesIO(content), start, size, wanted)
        assert len(page.lines) <= size
        found += [{name: row[name] for name in ("outcome", "code")} for row in page.lines]
        start = page.next
    assert found == expected


@given(st.integers(0, 10**14))
def test_the_place_in_a_report_is_read_from_its_cursor(position):
    assert decode_cursor(encode_cursor(position)) == position


@pytest.mark.parametrize("cursor", ["!", "LTE", "MS41", "AAAA", "4pyT", "OTk5OTk5OTk5OTk5OTk5OTk5", "é"])
def test_a_cursor_of_a_report_that_is_none_is_not_found(cursor):
    with pytest.raises(NotFound):
        decode_cursor(cursor)


def test_a_report_has_no_page_behind_its_end():
    assert read_page(io.BytesIO(b"{}\n"), 3, 5, {}).lines == []
    with pytest.raises(NotFound):
        read_page(io.BytesIO(b"{}\n"), 4, 5, {})


# Preferences

NAMES = st.sampled_from(["theme", "language", "keys", "own"])
SMALL = st.one_of(
    st.none(),
    st.booleans(),
    st.text("ab", max_size=3),
    st.dictionaries(st.sampled_from("pq"), st.one_of(st.none(), st.text("ab", max_size=2)), max_size=2),
)


def merged(kept: dict, changes: dict) -> dict:
    """RFC 7396 for the first level, and for entries of `keys`."""
    result = dict(kept)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif name == "keys" and isinstance(value, dict):
            before = result[name] if isinstance(result.get(name), dict) else {}
            result[name] = {key: entry for key, entry in {**before, **value}.items() if entry is not None}
        else:
            result[name] = value
    return result


@pytest.mark.django_db
@SHARED
@given(st.lists(st.dictionaries(NAMES, SMALL, max_size=3), max_size=4))
def test_changes_of_preferences_are_merged_as_rfc_7396_says(owner, changes):
    kept = change_preferences(user=owner, changes=dict.fromkeys(preferences_of(owner)))
    assert kept == {}
    for change in changes:
        kept = merged(kept, change)
        assert change_preferences(user=owner, changes=change) == kept == preferences_of(owner)


@pytest.mark.django_db
@pytest.mark.parametrize("letter", ["x", "ü", "猫"])
def test_preferences_take_so_many_bytes_and_not_one_more(owner, letter):
    api, frame = client_of(owner), len('{"own":""}')
    room = MAX_BYTES - frame
    width = len(letter.encode())
    fitting = letter * (room // width) + "x" * (room % width)
    assert api.patch("/api/v1/users/me/", {"preferences": {"own": fitting}}, format="json").status_code == 200
    answer = api.patch("/api/v1/users/me/", {"preferences": {"own": fitting + "x"}}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "preferences_too_large")
    assert preferences_of(owner) == {"own": fitting}


@pytest.mark.django_db
def test_preferences_that_are_full_can_still_be_emptied(owner):
    change_preferences(user=owner, changes={"own": "x" * (MAX_BYTES - 20)})
    assert change_preferences(user=owner, changes={"own": None, "other": "y" * 100}) == {"other": "y" * 100}
