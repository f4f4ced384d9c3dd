"""Forms taken piece by piece from the socket: what Django's own parser reads, at the same limits, and nothing left."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from storage.errors import FileTooLarge
from storage.receiving import FORM_BYTES, FormReceiver, content_digest, open_form_in_memory
from storage.services import local_cache

BOUNDARY = "----a-boundary"
SHARED = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
Parts = list[tuple[str, str | None, bytes]]


def form(parts: Parts, boundary: str = BOUNDARY) -> bytes:
    """A body of fields and files: name, name of the file or None, content."""
    lines = []
    for name, filename, content in parts:
        about = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
        head = f"--{boundary}\r\nContent-Disposition: {about}\r\n"
        head += "" if filename is None else "Content-Type: application/octet-stream\r\n"
        lines.append(head.encode() + b"\r\n" + content + b"\r\n")
    return b"".join([*lines, f"--{boundary}--\r\n".encode()])


def receive(body: bytes, cuts: list[int] | None = None, boundary: str = BOUNDARY) -> HttpRequest:
    """The request as a view sees it, after a body that came in these pieces."""
    receiver = FormReceiver(f"multipart/form-data; boundary={boundary}", "utf-8")
    try:
        edges = [0, *sorted({cut % (len(body) + 1) for cut in cuts or []}), len(body)]
        for start, end in pairwise(edges):
            receiver.write(body[start:end])
        request = RequestFactory().post("/")
        receiver.attach(request)
        return request
    except BaseException:
        receiver.close()
        raise


def read(request: HttpRequest) -> tuple[list, list]:
    """All fields and files, in their order, by name."""
    files = [
        (name, file.name, file.content_type, file.size, file.read())
        for name, group in request.FILES.lists()
        for file in group
    ]
    return list(request.POST.lists()), files


def read_by_django(body: bytes) -> HttpRequest:
    return RequestFactory().generic("POST", "/", body, f"multipart/form-data; boundary={BOUNDARY}")


def code_of(error: ParseError) -> str:
    return str(error.get_codes())


@pytest.fixture(autouse=True)
def nothing_is_left():
    incoming = local_cache().incoming
    before = set(incoming.glob("*"))
    yield
    files = [path for path in set(incoming.glob("*")) - before if path.is_file() and path.stat().st_size]
    assert files == []


def close(request: HttpRequest) -> None:
    for _, group in request.FILES.lists():
        for file in group:
            file.close()


NAMES = st.text("abcüñ猫-_.", min_size=1, max_size=12)
FILENAMES = st.text("abcüñ猫 -_.()", min_size=1, max_size=12).map(lambda text: f"f{text}.jpg")
PARTS = st.lists(st.tuples(NAMES, st.one_of(st.none(), FILENAMES), st.binary(max_size=60)), max_size=6)


@SHARED
@given(PARTS, st.lists(st.integers(0, 10**6), max_size=8))
def test_a_form_in_any_pieces_is_what_django_reads(parts, cuts):
    # A field's bytes that are no text are replaced alike by both.
    body = form(parts)
    mine, theirs = receive(body, cuts), read_by_django(body)
    try:
        assert read(mine) == read(theirs)
    finally:
        close(mine)
        close(theirs)


@SHARED
@given(PARTS, st.lists(st.integers(0, 10**6), max_size=4))
def test_the_digest_of_a_form_is_that_of_its_content_alone(parts, cuts):
    parts = [(name, filename, content if filename else b"text") for name, filename, content in parts]
    body = form(parts)
    requests = [receive(body, cuts), receive(form(parts, "--another"), boundary="--another"), read_by_django(body)]
    try:
        assert len({content_digest(request) for request in requests}) == 1
    finally:
        for request in requests:
            close(request)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([("a", None, b"bc")], [("ab", None, b"c")]),
        ([("a", None, b"x")], [("a", "", b"x"), ("a", None, b"")]),
        ([("f", "a.jpg", b"x")], [("f", "b.jpg", b"x")]),
        ([("f", "a.jpg", b"x")], [("f", "a.jpg", b"y")]),
        ([("f", "a.jpg", b"x")], [("f", "a.jpg", b"x"), ("f", "a.jpg", b"x")]),
        ([("a", "b.jpg", b"x")], [("ab", ".jpg", b"x")]),
        ([("a", None, b"")], []),
    ],
)
def test_forms_that_differ_have_other_digests(first, second):
    mine, other = receive(form(first)), receive(form(second))
    assert content_digest(mine) != content_digest(other)
    close(mine)
    close(other)


# Limits


@pytest.mark.parametrize("more", [0, 1])
def test_as_many_files_as_allowed_and_one_more(settings, more):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 3
    body = form([("f", f"{number}.jpg", b"x") for number in range(3 + more)])
    if not more:
        request = receive(body)
        assert len(request.FILES.getlist("f")) == 3
        close(request)
        return
    with pytest.raises(ParseError) as caught:
        receive(body)
    assert code_of(caught.value) == "too_many_files"


@pytest.mark.parametrize("more", [0, 1])
def test_as_many_fields_as_allowed_and_one_more(settings, more):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    body = form([("a", None, b"x")] * (3 + more))
    if not more:
        assert receive(body).POST.getlist("a") == ["x"] * 3
        return
    with pytest.raises(ParseError) as caught:
        receive(body)
    assert code_of(caught.value) == "request_too_large"


@pytest.mark.parametrize("more", [0, 1])
def test_fields_have_a_size_together(more):
    half = FORM_BYTES // 2
    body = form([("a", None, b"x" * half), ("b", None, b"y" * (half + more))])
    if not more:
        assert len(receive(body).POST["b"]) == half
        return
    with pytest.raises(ParseError) as caught:
        receive(body)
    assert code_of(caught.value) == "request_too_large"


@pytest.mark.parametrize("more", [0, 1])
def test_a_file_has_a_size(settings, more):
    settings.MAX_UPLOAD_BYTES = 1000
    body = form([("f", "a.jpg", b"x" * (1000 + more))])
    if more:
        with pytest.raises(FileTooLarge, match="1,000 bytes"):
            receive(body, [300, 700, 1100])
        return
    request = receive(body)
    assert request.FILES["f"].size == 1000
    close(request)


# Forms that are none


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=ü"]
)
def test_a_form_without_a_boundary_that_can_be_used_is_refused(content_type):
    with pytest.raises(ParseError, match="Multipart form parse error"):
        FormReceiver(content_type, "utf-8")


@SHARED
@given(st.integers(0, 10**6))
def test_a_form_that_ends_anywhere_is_no_form(cut):
    """At every place before its last boundary; the line end behind that may be missing."""
    body = form([("a", None, b"text"), ("f", "a.jpg", b"content")]).removesuffix(b"\r\n")
    part = body[: 1 + cut % (len(body) - 1)]
    with pytest.raises(ParseError):
        receive(part)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-unknown"])
def test_parts_in_another_encoding_are_refused_rather_than_kept_as_they_are(encoding):
    body = form([("f", "a.jpg", b"eA==")]).replace(
        b"Content-Type", f"Content-Transfer-Encoding: {encoding}\r\nContent-Type".encode()
    )
    with pytest.raises(ParseError, match="transfer encoding"):
        receive(body)


@pytest.mark.parametrize("encoding", ["binary", "8bit", "7BIT"])
def test_parts_that_say_that_they_are_as_they_are_are_taken(encoding):
    body = form([("f", "a.jpg", b"x")]).replace(
        b"Content-Type", f"Content-Transfer-Encoding: {encoding}\r\nContent-Type".encode()
    )
    request = receive(body)
    assert request.FILES["f"].read() == b"x"
    close(request)


@pytest.mark.parametrize(
    "line", [b"Content-Disposition: form-data", b'Content-Disposition: form-data; filename="a.jpg"', b"X-Other: 1"]
)
def test_a_part_without_a_name_is_refused(line):
    body = b"--" + BOUNDARY.encode() + b"\r\n" + line + b"\r\n\r\nx\r\n--" + BOUNDARY.encode() + b"--\r\n"
    with pytest.raises(ParseError, match="no name"):
        receive(body)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("a&quot;b.jpg", 'a"b.jpg'),
        ("a&#47;b.jpg", "b.jpg"),
        ("a\u202eb.jpg", "ab.jpg"),
    ],
)
def test_names_of_files_have_no_folders_and_nothing_unseen(sent, kept):
    request = receive(form([("f", sent, b"x")]))
    assert request.FILES["f"].name == kept
    close(request)


@pytest.mark.parametrize("sent", ["", ".", "..", "folder/", "a\\.."])
def test_a_file_without_a_name_is_an_input_that_was_left_empty(sent):
    request = receive(form([("f", sent, b""), ("a", None, b"x")]))
    assert not request.FILES and request.POST["a"] == "x"


# Where the content goes


@pytest.mark.parametrize(
    ("announced", "in_memory"), [("10", True), ("11", False), ("", False), ("x", False), ("9" * 30, False)]
)
def test_only_a_form_that_says_that_it_is_small_stays_in_memory(settings, announced, in_memory):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    request = read_by_django(form([]))
    request.META["CONTENT_LENGTH"] = announced
    assert open_form_in_memory(request, None, {}).in_memory is in_memory


def test_a_form_in_memory_reads_the_same_and_has_the_same_digest():
    parts: Parts = [("f", "a.jpg", b"content"), ("a", None, b"text")]
    receiver = FormReceiver(f"multipart/form-data; boundary={BOUNDARY}", "utf-8")
    receiver.in_memory = True
    receiver.write(form(parts))
    small = RequestFactory().post("/")
    receiver.attach(small)
    large = receive(form(parts))
    assert read(small) == read(large) and content_digest(small) == content_digest(large)
    close(large)


def test_a_form_that_is_interrupted_may_be_closed_twice():
    receiver = FormReceiver(f"multipart/form-data; boundary={BOUNDARY}", "utf-8")
    receiver.write(form([("f", "a.jpg", b"first"), ("f", "b.jpg", b"second")])[:-60])
    receiver.interrupt()
    receiver.close()


def test_files_of_tests_and_of_forms_have_one_digest():
    """A view's test client gives Django's own files, which have no hash yet."""
    request = RequestFactory().post("/", {"a": "text", "f": SimpleUploadedFile("a.jpg", b"content")})
    taken = receive(form([("a", None, b"text"), ("f", "a.jpg", b"content")]))
    assert content_digest(request) == content_digest(taken)
    close(taken)
    close(request)
