"""Bodies of requests: whose, how large, how slow, and where they are written."""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import json
import threading
import zlib
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.db import OperationalError

from accounts.services import issue_login_token, issue_personal_token
from datasets.models import Image
from mlstudio import bodies
from projects.models import Project
from storage.models import Blob, Upload
from storage.resumable import begin_upload, path_of
from storage.room import reserved_bytes
from storage.services import local_cache, reserve_room
from tests.conftest import make_user
from tests.pictures import jpeg
from tests.studio import wait_for
from tests.test_routes import SCHEMA
from tests.web import answer_of, head, running_web

pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS),
    pytest.mark.any_database("sockets, sizes and types of bodies"),
]
PART = "application/offset+octet-stream"


@pytest.fixture(scope="module")
def web(django_db_setup):
    with running_web() as running:
        yield running


@pytest.fixture
def token(owner, web) -> str:
    return issue_login_token(user=owner)[1]


@pytest.fixture
def me(web, token):
    with web.client(token) as client:
        yield client


@pytest.fixture(autouse=True)
def own_folders():
    """Other tests of this process may have left files where bodies are received."""
    for path in spooled():
        path.unlink(missing_ok=True)


def incoming_bytes() -> int:
    folder = local_cache().incoming
    return sum(path.stat().st_size for path in folder.glob("*") if path.suffix != ".room") if folder.is_dir() else 0


def spooled() -> list[Path]:
    folders = (settings.TEMPORARY_DIR, local_cache().incoming)
    return [path for folder in folders if folder.is_dir() for path in folder.iterdir()]


def code_of(answer: bytes) -> str:
    return json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["code"]


def form(files: list[tuple[str, str, bytes]], boundary: str = "xyz") -> bytes:
    parts = []
    for name, filename, content in files:
        disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
        parts.append(f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


FORM = "multipart/form-data; boundary=xyz"
FILE_PATHS = [
    (method.upper(), path.format(id=django_id, name="mobilenet_v2"))
    for django_id in ("0192f0c1-3c5e-7000-8000-000000000000",)
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
    if {"multipart/form-data", PART} & set(operation.get("requestBody", {}).get("content", {}))
]


class TestWhoMaySend:
    def test_the_schema_names_the_paths_that_take_files(self):
        assert len(FILE_PATHS) == 9

    @pytest.mark.parametrize(("method", "path"), FILE_PATHS)
    @pytest.mark.parametrize("who", ["", "Token nonsense", "Device nonsense"])
    def test_no_body_with_files_is_received_of_a_stranger(self, web, method, path, who):
        kind = PART if "uploads" in path else FORM
        with web.connect() as connection:
            headers = {"Content_Type": kind, "Content_Length": str(10 << 30), "Tus_Resumable": "1.0.0"}
            connection.sendall(head(method, path, **headers, **({"Authorization": who} if who else {})))
            status, answer = answer_of(connection)
        assert status == 401 and b"connection: close" in answer.lower() and spooled() == []

    @pytest.mark.parametrize(
        "path", ["/", "/healthz/", "/nope", "/admin/login/", "/api/v1/auth/login/", "/api/v1/projects/"]
    )
    @pytest.mark.parametrize("kind", [FORM, PART, "application/json", "text/plain"])
    def test_a_path_that_takes_no_file_takes_8_mib(self, web, path, kind):
        with web.connect() as connection:
            connection.sendall(head("POST", path, Content_Type=kind, Content_Length=str((8 << 20) + 1)))
            status, answer = answer_of(connection)
        assert (status, code_of(answer)) == (413, "file_too_large")

    @pytest.mark.parametrize(
        "path", ["/api/v1/auth/login/", "/api/v1/auth/register/", "/api/v1/projects/", "/edge/v1/enrol/"]
    )
    def test_strangers_send_little(self, web, path):
        """Views that anyone may call parse a body before they know who calls."""
        body = b'{"a": [' + b"[]," * (100 << 10) + b"[]]}"
        with web.connect() as connection:
            length = str(len(body))
            connection.sendall(head("POST", path, Content_Type="application/json", Content_Length=length) + body)
            status, answer = answer_of(connection)
        assert (status, code_of(answer)) == (413, "file_too_large")

    @pytest.mark.parametrize(
        "kind",
        [
            "a/b; x*=bogus''%41",
            "application/json; charset=zlib",
            "application/json; charset=bz2",
            "application/json; charset=undefined",
            "multipart/form-data; boundary*=bogus''x",
        ],
    )
    @pytest.mark.parametrize("path", ["/api/v1/auth/login/", "/healthz/", "/api/docs/?x=%C3%A4"])
    def test_types_that_cannot_be_read_are_no_server_error(self, web, path, kind):
        body = zlib.compress(b'{"username": "' + b"x" * (8 << 20) + b'"}')
        with web.connect() as connection:
            connection.sendall(
                head("POST", path, Content_Type=kind, Content_Length=str(len(body)), Connection="close") + body
            )
            status, answer = answer_of(connection)
        assert status < 500, answer[:300]
        assert status == 415 or "auth" not in path

    def test_headers_of_parts_that_cannot_be_read(self, me, dataset):
        for header in ("name*=bogus''x", "name=\"files\"; filename*=undefined''x"):
            body = f"--x\r\nContent-Disposition: form-data; {header}\r\n\r\na\r\n--x--\r\n".encode()
            kind = {"Content-Type": "multipart/form-data; boundary=x"}
            answer = me.post(f"datasets/{dataset['id']}/images/", content=body, headers=kind)
            assert answer.status_code == 400, answer.content

    def test_a_login_that_names_itself_gets_no_more(self, web):
        with web.connect() as connection:
            headers = {"Content_Type": "application/json", "Content_Length": str(1 << 20)}
            connection.sendall(head("POST", "/api/v1/auth/login/", Authorization="Token nonsense", **headers))
            status, answer = answer_of(connection)
        assert (status, code_of(answer)) == (413, "file_too_large")

    @pytest.mark.parametrize("size", [1 << 40, 1 << 62, 10**19, 10**400])
    def test_what_is_announced_beyond_the_limit_is_refused_at_once(self, web, token, dataset, size):
        with web.connect() as connection:
            path = f"/api/v1/datasets/{dataset['id']}/images/"
            connection.sendall(
                head("POST", path, Authorization=f"Token {token}", Content_Type=FORM, Content_Length=str(size))
            )
            status, answer = answer_of(connection)
        # What no 64 bits hold, the parser of HTTP refuses itself.
        assert (status, code_of(answer)) == (413, "file_too_large") if size < 1 << 64 else status == 400

    def test_a_body_without_a_length_is_counted_as_it_comes(self, web):
        with web.connect() as connection:
            connection.sendall(head("POST", "/nope", Content_Type=FORM, Transfer_Encoding="chunked"))
            with contextlib.suppress(ConnectionError):
                for _ in range(12):
                    connection.sendall(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
            status, _ = answer_of(connection)
        assert status == 413 and spooled() == []

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [(OperationalError("database is locked"), 503, "database_busy"), (ValueError("a fault"), 500, "error")],
    )
    def test_trouble_before_the_view_has_the_shape_of_all_errors(self, me, dataset, monkeypatch, error, status, code):
        def fail(request, view):
            raise error

        monkeypatch.setattr("mlstudio.handler.identify", fail)
        body = form([("files", "a.jpg", jpeg(1))])
        answer = me.post(f"datasets/{dataset['id']}/images/", content=body, headers={"Content-Type": FORM})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)

    def test_a_user_sends_so_many_at_once(self, web, token, dataset, settings):
        settings.UPLOADS_AT_ONCE = 2
        path = f"/api/v1/datasets/{dataset['id']}/images/"
        begun = head("POST", path, Authorization=f"Token {token}", Content_Type=FORM, Content_Length="100000")
        with contextlib.ExitStack() as open_ones:
            for _ in range(2):
                open_ones.enter_context(web.connect()).sendall(begun)
            wait_for(lambda: sum(web.handler._turns._running.values()) == 2, 10)
            third = open_ones.enter_context(web.connect())
            third.sendall(begun)
            status, answer = answer_of(third)
        assert (status, code_of(answer)) == (429, "too_many_uploads")
        wait_for(lambda: not web.handler._turns._running, 10)

    def test_many_slow_uploads_take_no_thread_of_others(self, web, token, me, dataset, settings):
        settings.UPLOADS_AT_ONCE = 50
        path = f"/api/v1/datasets/{dataset['id']}/images/"
        begun = head("POST", path, Authorization=f"Token {token}", Content_Type=FORM, Content_Length="100000")
        with contextlib.ExitStack() as open_ones:
            for _ in range(30):
                open_ones.enter_context(web.connect()).sendall(begun + b"--xyz")
            wait_for(lambda: sum(web.handler._turns._running.values()) == 30, 20)
            assert me.get("projects/").status_code == 200


class TestHowItComes:
    def test_json_without_a_length_is_read(self, me):
        body = json.dumps({"name": "chunked", "task": "classification"}).encode()
        answer = me.post("projects/", content=iter([body[:9], body[9:]]), headers={"Content-Type": "application/json"})
        assert answer.status_code == 201 and answer.json()["name"] == "chunked"

    def test_a_form_without_a_length_is_read(self, me, dataset):
        body = form([("files", "a.jpg", jpeg(1)), ("files", "b.jpg", jpeg(2)), ("split", "", b"test")])
        pieces = iter([body[start : start + 777] for start in range(0, len(body), 777)])
        answer = me.post(f"datasets/{dataset['id']}/images/", content=pieces, headers={"Content-Type": FORM})
        assert answer.status_code == 201, answer.text
        created = {one["filename"]: one for one in answer.json()["created"]}
        assert set(created) == {"a.jpg", "b.jpg"} and created["a.jpg"]["split"] == "test"
        assert created["b.jpg"]["sha256"] == hashlib.sha256(jpeg(2)).hexdigest()
        assert spooled() == []

    def test_an_image_of_a_program_without_a_length_is_read(self, web, owner, project):
        """As the SDK of Custom Vision for JavaScript sends a stream: as the body, or as a part without a name."""
        key = issue_personal_token(user=owner, name="key", expires_in_days=1)[1]
        address = f"{web.url}/customvision/v3.4-preview/training/projects/{project.pk}/images"
        part = b'--xyz\r\nContent-Disposition: form-data; name="imageData"\r\n\r\n' + jpeg(2) + b"\r\n--xyz--\r\n"
        for body, kind, image in ((jpeg(1), "application/octet-stream", jpeg(1)), (part, FORM, jpeg(2))):
            pieces = iter([body[start : start + 777] for start in range(0, len(body), 777)])
            answer = httpx.post(address, content=pieces, headers={"Training-Key": key, "Content-Type": kind})
            assert "content-length" not in answer.request.headers
            (row,) = answer.json()["images"]
            assert (answer.status_code, row["status"]) == (200, "OK"), answer.text
            assert Image.objects.get(pk=row["image"]["id"]).blob.sha256 == hashlib.sha256(image).hexdigest()
        batch = {"images": [{"name": "3.jpg", "contents": base64.b64encode(jpeg(3)).decode()}], "tagIds": []}
        pieces = iter([json.dumps(batch).encode()])
        answer = httpx.post(
            f"{address}/files", content=pieces, headers={"Training-Key": key, "Content-Type": "application/json"}
        )
        assert answer.status_code == 200 and answer.json()["isBatchSuccessful"] is True and spooled() == []

    def test_files_are_written_once_and_as_they_come(self, web, token, dataset):
        content = jpeg(3) + b"\0" * (3 << 20)
        body = form([("files", "a.jpg", content)])
        with web.connect() as connection:
            connection.sendall(
                head(
                    "POST",
                    f"/api/v1/datasets/{dataset['id']}/images/",
                    Authorization=f"Token {token}",
                    Content_Type=FORM,
                    Content_Length=str(len(body)),
                    Connection="close",
                )
            )
            connection.sendall(body[: 2 << 20])
            wait_for(lambda: incoming_bytes() > 1 << 20, 10)
            assert not any(settings.TEMPORARY_DIR.glob("*"))
            connection.sendall(body[2 << 20 :])
            assert answer_of(connection)[0] == 201
        assert local_cache().path(hashlib.sha256(content).hexdigest()).stat().st_size == len(content)
        wait_for(lambda: spooled() == [], 10)

    def test_a_form_that_breaks_off_leaves_nothing(self, web, token, dataset):
        with web.connect() as connection:
            connection.sendall(
                head(
                    "POST",
                    f"/api/v1/datasets/{dataset['id']}/images/",
                    Authorization=f"Token {token}",
                    Content_Type=FORM,
                    Content_Length="9000000",
                )
            )
            connection.sendall(form([("files", "a.jpg", b"x" * (2 << 20))])[: 1 << 20])
            wait_for(lambda: incoming_bytes() > 0, 10)
        wait_for(lambda: spooled() == [], 10)
        assert not Blob.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [
            b"nonsense",
            b"--xyz\r\n",
            b"--xyz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xyz--",
            form([("files", "a.jpg", b"x")])[:-8],
            b'--xyz\r\nContent-Disposition: form-data; name="files"; filename="a"\r\nContent-Transfer-Encoding: base64'
            b"\r\n\r\neA==\r\n--xyz--",
        ],
    )
    def test_a_damaged_form_is_a_client_error(self, me, dataset, body):
        answer = me.post(f"datasets/{dataset['id']}/images/", content=body, headers={"Content-Type": FORM})
        assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == "parse_error"
        assert answer.headers["X-Request-ID"]
        wait_for(lambda: spooled() == [], 10)

    def test_a_body_that_stops_is_not_waited_for(self, web, token, dataset, settings):
        settings.BODY_IDLE_SECONDS = 0.2
        for path, kind in ((f"/api/v1/datasets/{dataset['id']}/images/", FORM), ("/api/v1/projects/", "text/plain")):
            with web.connect() as connection:
                begun = head("POST", path, Authorization=f"Token {token}", Content_Type=kind, Content_Length="5000")
                connection.sendall(begun + b"--xyz\r\n")
                status, answer = answer_of(connection)
            assert (status, code_of(answer)) == (408, "request_timeout")

    def test_a_body_that_trickles_is_not_waited_for(self, web, settings, monkeypatch):
        monkeypatch.setattr(bodies, "PACE_AFTER_SECONDS", 0.1)
        with web.connect() as connection:
            connection.sendall(head("POST", "/api/v1/projects/", Content_Type="text/plain", Content_Length="5000"))
            closed = threading.Event()

            def trickle() -> None:
                with contextlib.suppress(OSError):
                    while not closed.wait(0.02):
                        connection.sendall(b"x")

            sender = threading.Thread(target=trickle)
            sender.start()
            status, _ = answer_of(connection)
            closed.set()
            sender.join()
        assert status == 408

    def test_small_bodies_share_a_budget(self, web, settings, monkeypatch):
        monkeypatch.setattr("mlstudio.bodies.PARTS_OF_MEMORY", 1)
        settings.BODY_MEMORY_BYTES = 1 << 20
        with web.connect() as first, web.connect() as second:
            begun = head(
                "POST", "/nope", Content_Type="text/plain", Content_Length=str(2 << 20), Authorization="Token nonsense"
            )
            first.sendall(begun + b"x" * (900 << 10))
            wait_for(lambda: web.handler._memory._taken > 700 << 10, 10)
            second.sendall(begun + b"x" * (900 << 10))
            status, answer = answer_of(second)
        assert (status, code_of(answer)) == (503, "server_busy") and b"retry-after" in answer.lower()
        wait_for(lambda: web.handler._memory._taken == 0, 10)

    def test_a_thousand_files_need_no_thousand_descriptors(self, me, dataset):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = [("files", f"{number}.jpg", f"no image {number}".encode()) for number in range(1000)]
        opened = len(list(Path("/proc/self/fd").iterdir()))
        resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 60, hard))
        try:
            answer = me.post(f"datasets/{dataset['id']}/images/", content=form(files), headers={"Content-Type": FORM})
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert answer.status_code == 201 and len(answer.json()["rejected"]) == 1000


class TestRoom:
    @pytest.fixture(autouse=True)
    def all_of_it_is_kept_free(self, monkeypatch) -> None:
        for place in ("storage.room", "storage.services"):
            monkeypatch.setattr(f"{place}.AHEAD_BYTES", 1 << 40)

    def test_one_upload_keeps_only_so_much_free_at_a_time(self, monkeypatch):
        for place in ("storage.room", "storage.services"):
            monkeypatch.setattr(f"{place}.AHEAD_BYTES", 1000)
        monkeypatch.setattr("storage.services.shutil.disk_usage", lambda path: _Usage(1_000_000_000_000))
        rooms = [reserve_room(50_000_000_000) for _ in range(4)]
        assert reserved_bytes(local_cache().incoming) == 4000
        rooms[0].shrink(49_999_999_500)
        assert reserved_bytes(local_cache().incoming) == 3500
        for room in rooms:
            room.release()

    @pytest.fixture
    def announce(self, web, token, dataset):
        with contextlib.ExitStack() as open_ones:

            def announced(size: int):
                connection = open_ones.enter_context(web.connect())
                connection.sendall(
                    head(
                        "POST",
                        f"/api/v1/datasets/{dataset['id']}/images/",
                        Authorization=f"Token {token}",
                        Content_Type=FORM,
                        Content_Length=str(size),
                    )
                )
                return connection

            yield announced

    def test_what_is_announced_counts_together(self, announce, settings, monkeypatch):
        free = 3_000_000_000
        monkeypatch.setattr("storage.services.shutil.disk_usage", lambda path: _Usage(free))
        settings.MIN_FREE_BYTES = 100
        first = announce(2_000_000_000)
        wait_for(lambda: reserved_bytes(local_cache().incoming) == 2_000_000_000, 10)
        status, answer = answer_of(announce(2_000_000_000))
        assert (status, code_of(answer)) == (507, "disk_full")
        first.close()
        wait_for(lambda: reserved_bytes(local_cache().incoming) == 0, 10)

    def test_space_is_looked_at_while_the_body_comes(self, announce, settings, monkeypatch):
        usage = _Usage(3_000_000_000)
        monkeypatch.setattr("storage.services.shutil.disk_usage", lambda path: usage)
        connection = announce(1_000_000_000)
        connection.sendall(form([("files", "a.jpg", b"x" * (4 << 20))])[: 2 << 20])
        wait_for(lambda: incoming_bytes() > 0, 10)
        usage.free = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(12):
                connection.sendall(b"x" * (1 << 20))
        status, answer = answer_of(connection)
        assert (status, code_of(answer)) == (507, "disk_full")
        wait_for(lambda: spooled() == [], 10)

    def test_a_disk_that_fills_up_under_a_file_is_507(self, announce, monkeypatch):
        def full(self, chunk):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("storage.cache.Incoming.write", full)
        connection = announce(1 << 20)
        connection.sendall(form([("files", "a.jpg", b"x" * (512 << 10))]))
        status, answer = answer_of(connection)
        assert (status, code_of(answer)) == (507, "disk_full")

    @pytest.mark.parametrize("message", ["database or disk is full", "53100"])
    @pytest.mark.parametrize(
        "where", ["projects.services.Project.objects.create", "knox.auth.TokenAuthentication.authenticate_credentials"]
    )
    def test_a_full_disk_under_the_database_is_507(self, me, monkeypatch, message, where):
        monkeypatch.setattr(where, lambda *arguments, **options: _raise_full(message))
        answer = me.post("projects/", json={"name": "p", "task": "classification"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (507, "disk_full")
        assert not Project.objects.filter(name="p").exists()

    def test_so_it_is_in_middleware(self, me, monkeypatch):
        monkeypatch.setattr(
            "mlstudio.idempotency.IdempotencyRecord.objects.create",
            lambda **fields: _raise_full("database or disk is full"),
        )
        answer = me.post("projects/", json={"name": "p", "task": "classification"}, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (507, "disk_full")


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def _raise_full(message: str):
    error = OperationalError(message)
    if message.isdigit():
        error.__cause__ = type("DiskFull", (Exception,), {"sqlstate": message})()
    raise error


class TestParts:
    @pytest.fixture
    def upload(self, owner) -> Upload:
        return begin_upload(user=owner, length=5 << 20)

    def begun(self, upload, token, length: int, **more) -> bytes:
        return head(
            "PATCH",
            f"/api/v1/uploads/{upload.pk}/",
            Authorization=f"Token {token}",
            Content_Type=PART,
            Content_Length=str(length),
            Tus_Resumable="1.0.0",
            Upload_Offset=str(upload.received),
            **more,
        )

    def test_what_came_of_a_part_that_breaks_is_kept(self, web, me, token, upload):
        content = bytes(range(256)) * (5 << 12)
        sent = len(content) - 400_000
        with web.connect() as connection:
            connection.sendall(self.begun(upload, token, len(content)) + content[:sent])
            wait_for(lambda: path_of(upload).stat().st_size > 4 << 20, 10)

        def offset() -> int:
            answer = me.head(f"uploads/{upload.pk}/", headers={"Tus-Resumable": "1.0.0"})
            return int(answer.headers["Upload-Offset"])

        # What was still in buffers when the connection broke may be lost.
        wait_for(lambda: sent - 300_000 < offset() <= sent, 10)
        came = offset()
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(came), "Content-Type": PART}
        assert me.patch(f"uploads/{upload.pk}/", content=content[came:], headers=headers).status_code == 204
        assert path_of(upload).read_bytes() == content

    def test_a_broken_part_with_a_checksum_is_not_kept(self, web, me, token, upload):
        digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        with web.connect() as connection:
            begun = self.begun(upload, token, 5 << 20, Upload_Checksum=f"sha256 {digest}")
            connection.sendall(begun + b"x" * (2 << 20))
            wait_for(lambda: path_of(upload).stat().st_size > 1 << 20, 10)
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": PART}
        wait_for(lambda: me.patch(f"uploads/{upload.pk}/", content=b"x", headers=headers).status_code == 204, 10)

    def test_a_long_part_is_safe_before_it_ends(self, web, token, upload, monkeypatch):
        monkeypatch.setattr("storage.resumable.SAFE_EVERY_BYTES", 1 << 20)
        with web.connect() as connection:
            connection.sendall(self.begun(upload, token, 5 << 20) + b"x" * (3 << 20))
            wait_for(lambda: Upload.objects.get(pk=upload.pk).received >= 2 << 20, 10)

    def test_a_part_without_a_length_is_taken(self, me, upload):
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": PART}
        answer = me.patch(f"uploads/{upload.pk}/", content=iter([b"a" * 1000, b"b" * 500]), headers=headers)
        assert answer.status_code == 204 and answer.headers["Upload-Offset"] == "1500"

    @pytest.mark.parametrize(
        ("headers", "status"),
        [({"Upload-Offset": "9"}, 409), ({"Upload-Offset": "x"}, 400), ({"Tus-Resumable": "0"}, 412)],
    )
    def test_a_part_that_does_not_fit_is_refused_before_it_comes(self, web, token, upload, headers, status):
        with web.connect() as connection:
            begun = self.begun(upload, token, 5 << 20).decode()
            for name, value in headers.items():
                begun = "\r\n".join(
                    f"{name}: {value}" if line.startswith(f"{name}:") else line for line in begun.split("\r\n")
                )
            connection.sendall(begun.encode())
            assert answer_of(connection)[0] == status

    def test_anothers_upload_does_not_exist(self, web, upload):
        stranger = issue_login_token(user=make_user("stranger"))[1]
        with web.connect() as connection:
            connection.sendall(self.begun(upload, stranger, 5 << 20))
            assert answer_of(connection)[0] == 404
