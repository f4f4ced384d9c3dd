"""Blobs: kept once, safe, swept, fetched again; one contract for every backend."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from jobs import services as jobs
from storage import maintenance, replication, services, sweeping
from storage.backends import BackendError, get_backend
from storage.backends.base import NotInStore
from storage.cache import LocalCache
from storage.errors import BlobMissing, InsufficientStorage
from storage.models import Blob, BlobState, Removal
from tests.conftest import forget_stores, upload
from tests.environment import THOROUGH
from tests.fastdfs_server import FakeFastDFS
from tests.pictures import jpeg
from tests.test_imports import make_zip


@pytest.fixture
def stores(tmp_path, settings):
    """A cache and a store in folders of their own, as with a second disk."""
    settings.STORAGE_CACHE_DIR, settings.STORAGE_LOCAL_DIR = tmp_path / "cache", tmp_path / "store"
    settings.STORAGE_CACHE_REST_SECONDS = 0
    forget_stores()
    yield tmp_path
    forget_stores()


@pytest.fixture(scope="module")
def s3_server():
    """moto's server in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


def s3_settings(settings, monkeypatch, url: str) -> None:
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    settings.S3_BUCKET, settings.S3_ENDPOINT, settings.S3_REGION = "studio-files", url, "us-east-1"
    settings.S3_ADDRESSING_STYLE, settings.S3_PREFIX = "path", "blobs/"
    boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket="studio-files")


BACKEND_NAMES = ["local", "fastdfs", "real fastdfs", "s3"]


@pytest.fixture
def backend_called(tmp_path, settings, monkeypatch, request):
    """A function from a name to a store that works, made through the settings."""
    houses = []

    def make(name: str):
        forget_stores()
        settings.STORAGE_BACKEND = name.split()[-1]
        settings.STORAGE_LOCAL_DIR = tmp_path / "local-store"
        if name == "s3":
            s3_settings(settings, monkeypatch, request.getfixturevalue("s3_server"))
        elif name == "fastdfs":
            houses.append(FakeFastDFS(tmp_path / "fastdfs").start())
            settings.FASTDFS_TRACKERS = houses[0].trackers[0]
        elif name == "real fastdfs":
            settings.FASTDFS_TRACKERS = os.environ.get("FASTDFS_TRACKERS", "")
            if not settings.FASTDFS_TRACKERS:
                pytest.skip("FASTDFS_TRACKERS names no FastDFS")
        return get_backend()

    yield make
    for house in houses:
        house.stop()
    forget_stores()


class TestBackendContract:
    """What every store must do."""

    @pytest.fixture(params=BACKEND_NAMES)
    def backend(self, request, backend_called):
        return backend_called(request.param)

    def put(self, backend, tmp_path, content: bytes) -> str:
        path = tmp_path / "file"
        path.write_bytes(content)
        return backend.put(path, hashlib.sha256(content).hexdigest())

    def test_round_trip_and_ranges(self, backend, tmp_path):
        content = os.urandom(3_000_000)
        key = self.put(backend, tmp_path, content)
        assert b"".join(backend.read(key)) == content and backend.size(key) == len(content)
        assert b"".join(backend.read(key, 1000, 2_000_000)) == content[1000:2_001_000]
        assert b"".join(backend.read(key, 2_999_999, 50)) == content[-1:]

    def test_the_same_bytes_twice(self, backend, tmp_path):
        first, second = (self.put(backend, tmp_path, b"x" * 100) for _ in range(2))
        assert b"".join(backend.read(first)) == b"".join(backend.read(second)) == b"x" * 100
        for key in (first, second):
            backend.delete(key)

    def test_nothing_and_much(self, backend, tmp_path):
        empty = self.put(backend, tmp_path, b"")
        assert backend.size(empty) == 0 and b"".join(backend.read(empty)) == b"" and not list(backend.read(empty, 0, 0))
        large = os.urandom(40_000_000)  # several parts in S3
        key = self.put(backend, tmp_path, large)
        assert hashlib.sha256(b"".join(backend.read(key))).digest() == hashlib.sha256(large).digest()
        for one in (empty, key):
            backend.delete(one)

    def test_it_says_how_it_is(self, backend):
        # In the unit of the pages that show it.
        assert (
            len(backend.check()) > 5
            and "GiB" not in backend.check()
            and not backend.shares_path(Path("/nowhere"), "0" * 64)
        )

    def test_a_missing_key_and_deletion(self, backend, tmp_path):
        key = self.put(backend, tmp_path, b"abc")
        backend.delete(key)
        backend.delete(key)
        with pytest.raises(NotInStore):
            list(backend.read(key))
        with pytest.raises(NotInStore):
            backend.size(key)


@pytest.mark.django_db
class TestBlobs:
    def test_the_same_bytes_are_stored_once(self):
        first, second = (services.keep_bytes(b"same", "text/plain") for _ in range(2))
        assert first.pk == second.pk and Blob.objects.count() == 1
        assert services.path_of(first).read_bytes() == b"same"

    def test_a_store_in_the_cache_folder_needs_no_replication(self):
        assert services.keep_bytes(b"here", "text/plain").state == BlobState.REPLICATED

    def test_another_store_gets_its_copy_in_the_background(self, stores):
        blob = services.keep_bytes(b"there", "text/plain")
        assert blob.state == BlobState.CACHED and not (stores / "store").exists()
        assert replication.replicate_pending() == 1
        blob.refresh_from_db()
        assert blob.state == BlobState.REPLICATED and blob.remote_id
        assert replication.replicate_pending() == 0

    def test_a_file_gone_from_the_cache_is_fetched_and_verified(self, stores):
        blob = services.keep_bytes(b"fetch me", "text/plain")
        replication.replicate_pending()
        blob.refresh_from_db()
        services.local_cache().remove(blob.sha256)
        assert services.path_of(blob).read_bytes() == b"fetch me"
        services.local_cache().remove(blob.sha256)
        next((stores / "store").rglob(blob.sha256)).write_bytes(b"damaged!")
        with pytest.raises(BlobMissing):
            services.path_of(blob)
        assert not services.local_cache().path(blob.sha256).exists()

    def test_a_lost_file_is_a_clear_error_and_no_crash(self, api, image):
        services.local_cache().remove(image["sha256"])
        answer = api.get(f"/api/v1/images/{image['id']}/file/")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "file_unavailable")

    @pytest.mark.usefixtures("own_store")
    def test_orphans_are_swept_and_what_is_used_stays(self, api, dataset):
        (image,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
        orphan = services.keep_bytes(b"nobody wants me", "text/plain")
        path = services.path_of(orphan)
        assert sweeping.sweep_orphans() == 0  # too young
        sweeping.sweep_orphans(older_than=timedelta(seconds=-5))
        assert not path.exists() and not Blob.objects.filter(pk=orphan.pk).exists()
        assert api.get(f"/api/v1/images/{image['id']}/file/").status_code == 200

    @pytest.mark.usefixtures("own_store")
    def test_files_without_a_row_are_swept(self):
        cache = services.local_cache()
        file = cache.receive()
        file.write(b"stray")
        file.sync()
        cache.place([file])
        path = cache.path(file.sha256)
        assert sweeping.sweep_orphans(older_than=timedelta(seconds=-5)) == 1
        assert not path.exists()

    def test_a_full_disk_refuses_before_it_writes(self, api, dataset, settings):
        from django.core.files.uploadedfile import SimpleUploadedFile

        settings.MIN_FREE_BYTES = 1 << 62
        with pytest.raises(InsufficientStorage):
            services.receive()
        parts = {"files": [SimpleUploadedFile("a.jpg", jpeg(1))]}
        answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", parts, format="multipart")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (507, "disk_full")


def test_a_sweep_spares_what_is_being_written_and_takes_what_a_killed_process_left(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.cache.ABANDONED_SECONDS", -1)
    cache = LocalCache(tmp_path)
    writing = cache.receive()
    writing.write(b"still here")
    code = (
        "import sys, os; from pathlib import Path; from storage.cache import LocalCache; "
        f"f = LocalCache(Path({str(tmp_path)!r})).receive(); f.write(b'x' * 100000); f.flush(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(list(cache.incoming.iterdir())) == 2
    assert cache.sweep_incoming() == 1
    assert list(cache.incoming.iterdir()) == [writing.path]
    writing.discard()


@pytest.mark.django_db
class TestStore:
    """Cache and FastDFS together."""

    @pytest.fixture
    def house(self, tmp_path, settings):
        house = FakeFastDFS(tmp_path / "fastdfs").start()
        settings.STORAGE_BACKEND, settings.FASTDFS_TRACKERS = "fastdfs", house.trackers[0]
        settings.FASTDFS_TIMEOUT_SECONDS = settings.FASTDFS_CONNECT_SECONDS = 1
        settings.STORAGE_CACHE_DIR, settings.STORAGE_CACHE_REST_SECONDS = tmp_path / "cache", 0
        settings.STORAGE_CACHE_BYTES = 3000
        forget_stores()
        yield house
        house.stop()
        forget_stores()

    def keep(self, count: int = 5) -> list[Blob]:
        return [services.keep_bytes(bytes([number]) * 1000, "text/plain") for number in range(count)]

    def state(self) -> list[str]:
        return list(Blob.objects.order_by("created_at").values_list("state", flat=True))

    def in_cache(self, blobs: list[Blob]) -> list[bool]:
        return [services.local_cache().path(blob.sha256).exists() for blob in blobs]

    def test_only_what_the_store_has_is_dropped_and_comes_back(self, house):
        blobs = self.keep()
        assert replication.evict() == 0 and all(self.in_cache(blobs))  # nothing is in the store yet
        assert replication.replicate_pending() == 5 and replication.evict() == 2
        assert self.in_cache(blobs) == [False, False, True, True, True] and self.state()[:3] == ["remote"] * 2 + [
            "replicated"
        ]
        for blob in Blob.objects.all():
            assert hashlib.sha256(services.path_of(blob).read_bytes()).hexdigest() == blob.sha256
        assert self.state() == ["replicated"] * 5 and replication.evict() == 2

    def test_what_is_used_stays(self, house, settings):
        blobs = self.keep()
        replication.replicate_pending()
        settings.STORAGE_CACHE_REST_SECONDS = 3600
        assert replication.evict() == 0 and all(self.in_cache(blobs))
        settings.STORAGE_CACHE_REST_SECONDS = 0
        services.touch(Blob.objects.filter(pk=blobs[0].pk))
        replication.evict()
        assert self.in_cache(blobs)[0] and not self.in_cache(blobs)[1]

    def test_what_is_pinned_stays_whatever_is_dropped(self, house, tmp_path):
        blobs = self.keep()
        replication.replicate_pending()
        paths = []
        for blob in blobs:
            blob.refresh_from_db()
            paths.append(services.pin(blob, tmp_path / "work"))
        replication.evict(1)
        assert not any(self.in_cache(blobs))
        assert [path.read_bytes()[:1] for path in paths] == [bytes([number]) for number in range(5)]

    def test_a_store_that_is_down_makes_it_later_not_fail(self, house, settings, monkeypatch):
        monkeypatch.setattr(replication, "FIRST_RETRY_SECONDS", 0.01)
        house.stop_storage()
        blobs = self.keep(3)
        assert replication.replicate_pending() == 0
        assert [blob.attempts for blob in Blob.objects.order_by("created_at")] == [1, 0, 0]  # the others were not tried
        assert "cannot connect" in Blob.objects.order_by("created_at")[0].problem
        house.start_storage()
        time.sleep(0.1)
        assert replication.replicate_pending() == 3 and self.state() == ["replicated"] * 3
        assert all(self.in_cache(blobs)) and not Blob.objects.exclude(problem="").exists()

    def test_a_store_that_is_down_is_said_so_and_nothing_is_lost(self, house, api, image):
        def stored() -> str:
            return api.get(f"/api/v1/images/{image['id']}/").json()["stored"]

        assert stored() == "cached" and replication.replicate_pending() and stored() == "replicated"
        assert replication.evict(1) and stored() == "remote"
        path = f"/api/v1/images/{image['id']}/file/"
        house.stop_storage()
        for headers in ({}, {"HTTP_RANGE": "bytes=0-3"}):
            answer = api.get(path, **headers)
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "store_unavailable")
        house.start_storage()
        content = b"".join(api.get(path).streaming_content)
        assert hashlib.sha256(content).hexdigest() == image["sha256"]

    def test_a_store_that_lost_a_file_gets_it_again_before_the_cache_lets_go(self, house):
        blobs = self.keep()
        replication.replicate_pending()
        for path in house.files():
            path.unlink()
        assert replication.evict() == 0 and all(self.in_cache(blobs))
        assert replication.replicate_pending() > 0 and replication.evict() == 2

    def test_a_cut_file_in_the_cache_is_replaced(self, house):
        (blob,) = self.keep(1)
        replication.replicate_pending()
        blob.refresh_from_db()
        services.local_cache().path(blob.sha256).write_bytes(b"short")
        assert services.path_of(blob).read_bytes() == bytes(1000)

    def test_a_damaged_file_of_the_right_size_is_replaced_where_hashes_are_compared(self, house):
        (blob,) = self.keep(1)
        path = services.local_cache().path(blob.sha256)
        path.write_bytes(b"x" * 1000)
        assert services.intact_path(blob) is None  # nobody else has it
        path.write_bytes(bytes(1000))
        replication.replicate_pending()
        blob.refresh_from_db()
        path.write_bytes(b"x" * 1000)
        assert services.intact_path(blob).read_bytes() == bytes(1000)

    def test_a_damaged_file_in_the_store_is_not_served(self, house):
        (blob,) = self.keep(1)
        replication.replicate_pending()
        replication.evict(1)
        blob.refresh_from_db()
        house.faults.corrupt = True
        with pytest.raises(BlobMissing):
            services.path_of(blob)
        assert self.in_cache([blob]) == [False]

    def test_many_who_miss_the_same_file_fetch_it_once_and_read_while_it_comes(self, house, monkeypatch):
        from storage import fetching

        content = os.urandom(5_000_000)
        blob = services.keep_bytes(content, "text/plain")
        replication.replicate_pending()
        replication.evict(1)
        blob.refresh_from_db()
        house.storage.commands.clear()
        first = fetching.start_fetch(blob, services.local_cache())
        readers = [first.read_growing() for _ in range(4)]
        assert fetching._joined(blob, services.local_cache())[0] is first or first._is_done
        results = [b"".join(reader) for reader in readers]
        assert all(result == content for result in results) and house.storage.commands.count(14) == 1

    def test_a_full_disk_is_said_when_a_file_would_come_back(self, house, monkeypatch):
        (blob,) = self.keep(1)
        replication.replicate_pending()
        replication.evict(1)
        blob.refresh_from_db()

        def full(self, chunk: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("storage.cache.Incoming.write", full)
            with pytest.raises(InsufficientStorage):
                services.path_of(blob)
        assert services.path_of(blob).stat().st_size == 1000  # nothing is left behind that would spoil it

    def test_a_reader_never_takes_a_damaged_file_for_a_whole_one(self, house):
        from storage import fetching

        blob = services.keep_bytes(os.urandom(5_000_000), "text/plain")
        replication.replicate_pending()
        replication.evict(1)
        blob.refresh_from_db()
        house.faults.corrupt = True
        received = 0
        with pytest.raises(BlobMissing):
            for chunk in fetching.start_fetch(blob, services.local_cache()).read_growing():
                received += len(chunk)
        assert received < blob.size

    def test_the_same_bytes_again_after_they_were_dropped(self, house):
        (blob,) = self.keep(1)
        replication.replicate_pending()
        replication.evict(1)
        again = services.keep_bytes(bytes(1000), "text/plain")
        assert again.pk == blob.pk and again.state == BlobState.REPLICATED and self.in_cache([blob]) == [True]

    def test_orphans_leave_the_store_too_when_it_answers(self, house):
        self.keep(2)
        replication.replicate_pending()
        house.stop_storage()
        assert sweeping.sweep_orphans(timedelta(seconds=-5)) == 0 and Removal.objects.count() == len(house.files()) == 2
        house.start_storage()
        assert sweeping.sweep_orphans(timedelta(seconds=-5)) == 2 and not house.files()

    def test_no_setting_is_a_clear_sentence(self, settings):
        for backend, needed in (("fastdfs", "FASTDFS_TRACKERS"), ("s3", "S3_BUCKET")):
            settings.STORAGE_BACKEND, settings.FASTDFS_TRACKERS, settings.S3_BUCKET = backend, "", ""
            forget_stores()
            with pytest.raises(BackendError, match=needed):
                get_backend()
        settings.STORAGE_BACKEND, settings.FASTDFS_TRACKERS = "fastdfs", "host:port"
        with pytest.raises(BackendError, match="host:port"):
            get_backend()
        forget_stores()

    def test_an_operator_sees_checks_and_mends(self, house, settings, capsys):
        settings.STORAGE_CACHE_BYTES = 1_000_000
        blobs = self.keep(4)
        replication.replicate_pending()
        assert run_command("verify", "--deep") == ("4 files looked at, 0 with problems, 0 lost", 0)
        cache, stored = services.local_cache(), {path.stat().st_size: path for path in house.files()}
        assert len(stored) == 1
        for blob in Blob.objects.all():
            blob.refresh_from_db()
        rows = {blob.pk: Blob.objects.get(pk=blob.pk) for blob in blobs}
        first, second, third, _ = (rows[blob.pk] for blob in blobs)
        cache.path(first.sha256).write_bytes(b"x" * 1000)  # damaged here, whole there
        house.storage_path(second.remote_id).unlink()  # gone there, whole here
        cache.path(third.sha256).write_bytes(b"x" * 1000)  # damaged here and there
        house.storage_path(third.remote_id).write_bytes(b"x" * 1000)
        last, code = run_command("verify", "--deep")
        assert (last, code) == ("4 files looked at, 3 with problems, 1 lost", 1)
        last, code = run_command("repair", "--deep")
        assert (last, code) == ("4 files looked at, 3 with problems, 1 lost", 1)  # what is lost is said, not hidden
        assert services.path_of(first).read_bytes() == bytes(1000)
        second.refresh_from_db()
        assert second.state == BlobState.REPLICATED and house.storage_path(second.remote_id).exists()
        assert cache.path(third.sha256).read_bytes() == b"x" * 1000  # left for whoever can use it
        assert "fastdfs" in run_command("status")[2] and run_command("gc", "--hours", "-1")[0].startswith("4 files")

    def test_a_move_to_another_store_can_be_broken_off_and_goes_on(self, house, settings, monkeypatch, tmp_path):
        blobs = self.keep()
        replication.replicate_pending()
        replication.evict(1)
        settings.STORAGE_BACKEND, settings.STORAGE_LOCAL_DIR = "local", tmp_path / "other-disk"
        original = maintenance._move
        moved = []

        def break_after_two(*arguments):
            if len(moved) == 2:
                raise KeyboardInterrupt
            moved.append(original(*arguments))
            return moved[-1]

        monkeypatch.setattr(maintenance, "_move", break_after_two)
        with pytest.raises(KeyboardInterrupt):
            run_command("migrate")
        assert maintenance.to_migrate() == 3 and len(house.files()) == 3
        monkeypatch.setattr(maintenance, "_move", original)
        assert run_command("migrate")[0] == "3 files moved, 0 could not be, 0 left"
        assert not house.files() and Blob.objects.filter(backend="local").count() == 5
        house.stop_storage()
        for blob in blobs:
            assert services.path_of(Blob.objects.get(pk=blob.pk)).stat().st_size == 1000

    def test_commands_say_when_the_store_is_away(self, house):
        self.keep(1)
        house.stop_storage()
        house.tracker.shutdown()
        house.tracker.server_close()
        last, code = run_command("status")[:2]
        assert code == 2 and "waiting for the store: 1 file," in last


def run_command(action: str, *arguments: str):
    """The last line that `manage.py storage` printed, its exit code, and everything."""
    from io import StringIO

    from django.core.management import CommandError, call_command

    out, code = StringIO(), 0
    try:
        call_command("storage", action, *arguments, stdout=out, stderr=StringIO())
    except CommandError as error:
        code = error.returncode
    lines = out.getvalue().strip().splitlines()
    return (lines[-1], code) if action != "status" else (lines[-1], code, out.getvalue())


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(3600 if THOROUGH else 600)
def test_no_acknowledged_file_is_lost_when_processes_are_killed(tmp_path):
    """20 of them; 200 in `make test-thorough` are what docs/storage.md speaks of."""
    root = Path(__file__).resolve().parent.parent
    rounds = os.environ.get("MLSTUDIO_TEST_KILLS", "200" if THOROUGH else "20")
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "tests.fastdfs_server.server", str(tmp_path / "fastdfs")]
    pipe = subprocess.PIPE
    server = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root, env=environment)
    try:
        tracker = server.stdout.readline().strip()
        command = [
            sys.executable,
            "-m",
            "tests.kill_storage",
            str(tmp_path / "data"),
            tracker,
            rounds,
            os.environ.get("MLSTUDIO_TEST_SEED", "7"),
        ]
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=100 + 20 * int(rounds)
        )
        assert done.returncode == 0, done.stderr[-3000:]
    finally:
        server.kill()
    seen = json.loads(done.stdout)
    assert seen["wrong"] == [] and seen["acknowledged"] > int(rounds) // 2, seen
    assert seen["backends"]["fastdfs"] and seen["backends"]["local"], seen


@pytest.mark.django_db
class TestSources:
    """Imports of what lies in a store already."""

    def start(self, api, dataset, source: str, **options):
        return api.post(f"/api/v1/datasets/{dataset['id']}/imports/", {"source": source, **options}, format="json")

    def finished(self, api, answer) -> dict:
        assert answer.status_code == 202, answer.content
        jobs.run_job(answer.json()["id"])
        return api.get(answer["Location"]).json()

    def test_an_archive_in_fastdfs(self, api, dataset, backend_called, settings, tmp_path):
        backend = backend_called("fastdfs")
        path = tmp_path / "a.zip"
        path.write_bytes(make_zip({"cats/a.jpg": jpeg(1), "dogs/b.jpg": jpeg(2)}))
        file_id = backend.put(path, "")
        refused = self.start(api, dataset, f"fastdfs://{file_id}")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "source_not_allowed")
        settings.IMPORT_GROUPS = "group2, group1"
        job = self.finished(api, self.start(api, dataset, f"fastdfs://{file_id}"))
        assert (job["state"], job["result"]["created"]) == ("succeeded", 2)
        backend.delete(file_id)
        job = self.finished(api, self.start(api, dataset, f"fastdfs://{file_id}"))
        assert job["error"]["code"] == "source_not_found"

    @pytest.mark.any_database("files in a bucket")
    def test_an_archive_and_a_folder_in_s3(self, api, dataset, backend_called, settings, tmp_path):
        backend_called("s3")
        client = get_backend()._client
        client.put_object(Bucket="studio-files", Key="in/a.zip", Body=make_zip({"cats/a.jpg": jpeg(1)}))
        for name, content in (("dogs/b.jpg", jpeg(2)), ("dogs/c.jpg", jpeg(3)), ("dogs/", b"")):
            client.put_object(Bucket="studio-files", Key=f"in/set/{name}", Body=content)
        settings.IMPORT_BUCKETS = "studio-files/in"
        job = self.finished(api, self.start(api, dataset, "s3://studio-files/in/a.zip"))
        assert job["result"]["created"] == 1
        job = self.finished(api, self.start(api, dataset, "s3://studio-files/in/set/"))
        assert job["result"]["created"] == 2, job
        labels = {
            row["label"] for row in (image["annotations"][0] for image in api.get("/api/v1/images/").json()["results"])
        }
        assert labels == {"cats", "dogs"}
        for missing in ("s3://studio-files/in/none.zip", "s3://studio-files/in/none/"):
            assert self.finished(api, self.start(api, dataset, missing))["error"]["code"] == "source_not_found"

    @pytest.mark.parametrize("store", ["local", "fastdfs"])
    @pytest.mark.any_database("files in a bucket")
    def test_linked_images_stay_in_the_bucket_and_are_cached_on_use(
        self, api, dataset, backend_called, settings, tmp_path, store
    ):
        backend_called("s3")
        client = get_backend()._client
        for number in range(3):
            client.put_object(Bucket="studio-files", Key=f"linked/cats/{number}.jpg", Body=jpeg(number, (80, 60)))
        backend_called(store)
        settings.STORAGE_CACHE_DIR = tmp_path / "cache"
        settings.STORAGE_LOCAL_DIR = tmp_path / "cache" if store == "local" else settings.STORAGE_LOCAL_DIR
        settings.STORAGE_CACHE_REST_SECONDS, settings.STORAGE_CACHE_BYTES = 0, 1
        settings.IMPORT_BUCKETS = "studio-files"
        forget_stores()
        own = services.keep_bytes(jpeg(0, (80, 60)), "image/jpeg")  # here before: it stays ours
        job = self.finished(api, self.start(api, dataset, "s3://studio-files/linked/", link=True))
        assert job["state"] == "succeeded", job["error"]
        assert job["result"]["created"] == 3
        linked = Blob.objects.filter(backend="linked")
        assert linked.count() == 2 and not linked.filter(pk=own.pk).exists()
        replication.replicate_pending()
        assert replication.evict() >= 2 and Blob.objects.filter(backend="linked", state=BlobState.REMOTE).count() == 2
        for image in api.get("/api/v1/images/").json()["results"]:
            content = b"".join(api.get(f"/api/v1/images/{image['id']}/file/").streaming_content)
            assert hashlib.sha256(content).hexdigest() == image["sha256"]
        assert maintenance.to_migrate() == 0
        api.delete(f"/api/v1/datasets/{dataset['id']}/")
        sweeping.sweep_orphans(timedelta(seconds=-5))
        assert (
            len(client.list_objects_v2(Bucket="studio-files", Prefix="linked/")["Contents"]) == 3
        )  # not ours to delete

    def test_what_cannot_be_linked(self, api, dataset, settings):
        settings.IMPORT_BUCKETS = "bucket"
        answer = self.start(api, dataset, "s3://bucket/a.zip", link=True)
        assert answer.json()["errors"][0]["attr"] == "link"
        answer = self.start(api, dataset, "s3://bucket/a/", link=True, strip_location=True)
        assert answer.json()["errors"][0]["attr"] == "strip_location"

    @pytest.mark.parametrize(
        ("source", "code"),
        [
            ("file:///etc/passwd", "bad_source"),
            ("http://169.254.169.254/latest", "bad_source"),
            ("s3://", "bad_source"),
            ("s3://other/x.zip", "source_not_allowed"),
            ("s3://bucket/private/x.zip", "source_not_allowed"),
            ("s3://bucket/open-not/x.zip", "source_not_allowed"),
            ("fastdfs://group1/../../etc/passwd", "bad_source"),
            ("fastdfs://group9/M00/00/00/fwAAAmsF9QyADKZrAAAACw1KEYU876.zip", "source_not_allowed"),
        ],
    )
    @pytest.mark.any_database("addresses of sources")
    def test_what_is_not_allowed_is_refused_at_once(self, api, dataset, settings, source, code):
        settings.IMPORT_BUCKETS, settings.IMPORT_GROUPS = "bucket/open", "group1"
        answer = self.start(api, dataset, source)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)

    def test_one_of_file_and_source(self, api, dataset):
        assert self.start(api, dataset, "").status_code == 400
        answer = api.post(f"/api/v1/datasets/{dataset['id']}/imports/", {}, format="json")
        assert answer.json()["errors"][0]["attr"] == "file"
