"""How a device gets a file and talks with its studio: sources that break, lie or know no ranges; who gets its key."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser

from fastdfs import Client
from tests.fastdfs_server import FakeFastDFS
from tests.studio import ROOT

CONTENT = bytes(range(256)) * 700  # more than one piece


@pytest.fixture(autouse=True)
def package(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "agent"))


@dataclass
class Behaviour:
    """What the server does.

    Attributes:
        answers: path → `(status, body)`; other paths have the content.
        has_ranges: whether it knows them.
        cut_at: so many bytes of an answer go out before the line is cut.
    """

    content: bytes = CONTENT
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    has_ranges: bool = True
    cut_at: int | None = None
    requests: list[tuple[str, str, dict, bytes]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[tuple[Behaviour, str]]:
    behaviour = Behaviour()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            behaviour.requests.append((self.command, self.path, dict(self.headers), body))
            status, content = behaviour.answers.get(self.path, (200, behaviour.content))
            if (wanted := self.headers.get("Range")) and behaviour.has_ranges and status == 200:
                status, content = 206, content[int(re.findall(r"\d+", wanted)[0]) :]
            self.send_response(status)
            for name, value in behaviour.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: behaviour.cut_at])
            self.close_connection = True

        do_POST = do_GET

        def log_message(self, *_) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield behaviour, f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


@pytest.fixture
def studio(server):
    from mlstudio_agent.studio import Studio

    return Studio(server[1], "secret key")


def entry(*sources: dict, content: bytes = CONTENT) -> dict:
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "sources": list(sources)}


@pytest.fixture
def get(server, studio, tmp_path):
    """Fetch the file of an entry whose sources are paths of the server, or sources."""
    from mlstudio_agent.fetch import fetch

    def call(*sources: str | dict, content: bytes = CONTENT) -> bytes:
        rows = [{"type": "http", "url": server[1] + one} if isinstance(one, str) else one for one in sources]
        return fetch(entry(*rows, content=content), tmp_path / "models" / "file", studio).read_bytes()

    return call


@pytest.fixture
def partial(tmp_path):
    path = tmp_path / "models" / "file.partial"
    path.parent.mkdir()
    return path


def ranges(behaviour: Behaviour) -> list[str | None]:
    return [headers.get("Range") for _, _, headers, _ in behaviour.requests]


# The file


def test_a_file_comes_whole_and_is_not_asked_for_again(server, get, tmp_path):
    assert get("/file") == CONTENT == get("/file")
    assert ranges(server[0]) == [None] and [path.name for path in (tmp_path / "models").iterdir()] == ["file"]


def test_a_file_that_was_damaged_on_the_disk_comes_again(server, get, tmp_path):
    get("/file")
    (tmp_path / "models" / "file").write_bytes(CONTENT[:-1] + b"x")
    assert get("/file") == CONTENT and len(server[0].requests) == 2


@pytest.mark.parametrize("have", [1, 70_000, len(CONTENT) - 1])
def test_it_goes_on_where_an_earlier_attempt_broke_off(server, get, partial, have):
    partial.write_bytes(CONTENT[:have])
    assert get("/file") == CONTENT and ranges(server[0]) == [f"bytes={have}-"]


def test_what_is_whole_already_is_not_asked_for(server, get, partial):
    partial.write_bytes(CONTENT)
    assert get("/file") == CONTENT and not server[0].requests


@pytest.mark.parametrize("wrong", [b"x" * 50_000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 9)])
def test_a_beginning_of_another_file_is_thrown_away_and_got_again(server, get, partial, wrong):
    partial.write_bytes(wrong)
    assert get("/file") == CONTENT and ranges(server[0])[-1] is None and not partial.exists()


def test_a_line_that_was_cut_leaves_what_came_for_the_next_attempt(server, get, tmp_path):
    from mlstudio_agent.errors import DownloadFailed

    server[0].cut_at = 90_000
    with pytest.raises(DownloadFailed, match=f"90000 of {len(CONTENT)} bytes"):
        get("/file")
    assert (tmp_path / "models" / "file.partial").read_bytes() == CONTENT[:90_000]
    assert not (tmp_path / "models" / "file").exists()
    server[0].cut_at = None
    assert get("/file") == CONTENT and ranges(server[0])[-1] == "bytes=90000-"


def test_another_source_goes_on_where_one_broke_off(server, get, studio, tmp_path):
    server[0].answers["/gone"] = (404, b"")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "file.partial").write_bytes(CONTENT[:1000])
    assert get("/gone", "/file") == CONTENT and ranges(server[0]) == ["bytes=1000-"] * 2


def test_a_server_without_ranges_begins_again(server, get, partial):
    from mlstudio_agent.errors import DownloadFailed

    server[0].has_ranges = False
    partial.write_bytes(CONTENT[:1000])
    with pytest.raises(DownloadFailed, match="begins again"):
        get("/file")
    assert get("/file") == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", b"x" * len(CONTENT)])
def test_a_file_that_was_not_signed_is_deleted_and_not_trusted(server, get, tmp_path, content):
    from mlstudio_agent.errors import NotTrusted

    server[0].content = content
    with pytest.raises(NotTrusted, match="another file than was signed"):
        get("/file", "/again")
    assert not list((tmp_path / "models").iterdir()) and len(server[0].requests) == 2


def test_one_source_that_lies_does_not_hide_another_that_is_away(server, get):
    from mlstudio_agent.errors import DownloadFailed

    server[0].content = b"x" * len(CONTENT)
    server[0].answers["/away"] = (503, b"")
    with pytest.raises(DownloadFailed, match="HTTP 503"):
        get("/file", "/away")


def test_a_good_source_behind_one_that_lies_is_found(server, get):
    server[0].answers["/lie"] = (200, b"x" * len(CONTENT))
    assert get("/lie", "/file") == CONTENT


def test_a_file_without_an_end_is_given_up_when_it_is_too_long(server, get):
    from mlstudio_agent.errors import DownloadFailed

    server[0].content = CONTENT + b"x"
    with pytest.raises(DownloadFailed, match="longer than"):
        get("/file")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"type": "http", "url": "file:///etc/passwd"}, "not http"),
        ({"type": "http", "url": "ftp://127.0.0.1/x"}, "not http"),
        ({"type": "torrent", "url": "x"}, "does not know"),
        ({"type": "fastdfs", "trackers": [], "id": "group1/x"}, "tracker"),
        ({"type": "fastdfs", "trackers": ["127.0.0.1:1"], "id": "../etc/passwd"}, "not a group"),
    ],
)
def test_a_source_that_no_device_takes_is_said(get, source, said):
    from mlstudio_agent.errors import DownloadFailed

    with pytest.raises(DownloadFailed, match=said):
        get(source)


def test_an_empty_list_of_sources_gives_no_file(get):
    from mlstudio_agent.errors import AgentError

    with pytest.raises(AgentError):
        get()


@pytest.mark.parametrize("have", [0, 100_000])
def test_fastdfs_gives_the_rest_of_a_file_too(get, partial, tmp_path, have):
    house = FakeFastDFS(tmp_path / "store").start()
    try:
        client = Client(house.trackers)
        file_id = client.upload(io.BytesIO(CONTENT), size=len(CONTENT))
        client.close()
        if have:
            partial.write_bytes(CONTENT[:have])
        assert get({"type": "fastdfs", "trackers": house.trackers, "id": str(file_id)}) == CONTENT
    finally:
        house.stop()


# The studio


def test_the_key_goes_to_the_studio_alone(server, studio, get):
    studio.why_unreachable()
    get("/elsewhere")
    (own, other) = (headers for _, _, headers, _ in server[0].requests)
    assert own["Authorization"] == "Device secret key" and "Authorization" not in other


@pytest.mark.parametrize("address", ["http://127.0.0.1.example/edge/v1/x", "http://example/edge/v1/"])
def test_an_address_that_only_looks_like_the_studio_s_gets_no_key(address, monkeypatch, server):
    from mlstudio_agent.studio import Studio

    asked = []
    monkeypatch.setattr("mlstudio_agent.studio.OPENER.open", lambda request, timeout: asked.append(request))
    Studio("http://127.0.0.1", "secret key").open("GET", address)
    assert not asked[0].has_header("Authorization")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_the_key(server, studio, status):
    server[0].answers["/edge/v1/keys/"] = (status, b"")
    server[0].headers["Location"] = f"{server[1]}/elsewhere"
    assert str(status) in studio.why_unreachable() and len(server[0].requests) == 1


def refusal(detail: str) -> bytes:
    return json.dumps({"type": "client_error", "errors": [{"code": "x", "detail": detail}]}).encode()


@pytest.mark.parametrize(
    ("status", "body", "is_refused", "said"),
    [
        (401, refusal("The key was revoked."), True, "401: The key was revoked."),
        (400, refusal("No."), True, "400: No."),
        (404, b"<html>", True, "404: Not Found"),
        (403, b'{"errors": []}', True, "403: Forbidden"),
        (403, b"[]", True, "403: Forbidden"),
        (429, refusal("Slower."), False, "429: Slower."),
        (500, b"", False, "500: Internal Server Error"),
        (503, b"\xff", False, "503: Service Unavailable"),
    ],
)
@pytest.mark.parametrize("call", ["manifest", "heartbeat"])
def test_what_the_studio_refuses_for_good_and_what_is_worth_another_try(
    server, studio, call, status, body, is_refused, said
):
    from mlstudio_agent.errors import Refused, StudioUnreachable

    server[0].answers = {f"/edge/v1/{call}/": (status, body)}
    with pytest.raises(Refused if is_refused else StudioUnreachable, match=said):
        studio.manifest("") if call == "manifest" else studio.heartbeat({})


@pytest.mark.parametrize("body", [b"", b"{", b"<html>a captive portal</html>", b"\xff\xfe"])
def test_an_answer_that_is_none_is_a_studio_that_is_away(server, studio, body):
    from mlstudio_agent.errors import StudioUnreachable

    server[0].answers = {f"/edge/v1/{call}/": (200, body) for call in ("manifest", "heartbeat")}
    for call in (lambda: studio.manifest(""), lambda: studio.heartbeat({})):
        with pytest.raises(StudioUnreachable, match="does not answer"):
            call()


def test_a_studio_that_is_not_there_is_away():
    from mlstudio_agent.errors import StudioUnreachable
    from mlstudio_agent.studio import Studio

    nobody = Studio("http://127.0.0.1:1", "key")
    assert "does not answer" in nobody.why_unreachable()
    with pytest.raises(StudioUnreachable):
        nobody.manifest("")


def test_a_manifest_that_has_not_changed_is_none_and_keeps_its_mark(server, studio):
    server[0].answers["/edge/v1/manifest/"] = (304, b"")
    assert studio.manifest('"mark"') == (None, '"mark"')
    assert server[0].requests[0][2]["If-None-Match"] == '"mark"'
    server[0].answers["/edge/v1/manifest/"] = (200, b'{"payload": ""}')
    server[0].headers["ETag"] = '"next"'
    assert studio.manifest("") == ({"payload": ""}, '"next"') and "If-None-Match" not in server[0].requests[1][2]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("a.jpg", "a.jpg"),
        ("Größe 1_2-3.jpg", "Größe 1_2-3.jpg"),
        ('a"\r\nX-Evil: 1.jpg', "aX-Evil 1.jpg"),
        ("//", "image"),
        ("", "image"),
    ],
)
def test_an_image_arrives_as_django_reads_it_whatever_it_is_called(server, studio, name, sent):
    server[0].answers["/edge/v1/images/"] = (200, b"{}")
    content = b"\r\n--\r\n\0\xff" * 50
    said = {"labels": [{"label": "ä", "score": 0.4}], "boxes": []}
    studio.send_image(content, name, said)
    _, _, headers, body = server[0].requests[0]
    meta = {"CONTENT_TYPE": headers["Content-Type"], "CONTENT_LENGTH": str(len(body))}
    handler = MemoryFileUploadHandler()
    fields, files = MultiPartParser(meta, io.BytesIO(body), [handler], "utf-8").parse()
    assert json.loads(fields["prediction"]) == said
    assert files["file"].read() == content and files["file"].name == sent
    assert list(fields) == ["prediction"] and list(files) == ["file"]
