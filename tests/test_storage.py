"""Blobs: kept once, safe, swept, fetched again; one contract for every backend."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from storage import services
from storage.backends import get_backend
from storage.backends.base import NotInStore
from storage.backends.local import LocalBackend
from storage.cache import LocalCache
from storage.errors import BlobMissing, InsufficientStorage
from storage.models import Blob, BlobState
from tests.conftest import upload
from tests.pictures import jpeg


@pytest.fixture
def stores(tmp_path, settings):
    """A cache and a store in folders of their own, as with a second disk."""
    settings.STORAGE_CACHE_DIR, settings.STORAGE_LOCAL_DIR = tmp_path / "cache", tmp_path / "store"
    services.local_cache.cache_clear()
    get_backend.cache_clear()
    yield tmp_path
    services.local_cache.cache_clear()
    get_backend.cache_clear()


class TestBackendContract:
    """What every store must do; FastDFS and S3 join this list."""

    @pytest.fixture(params=["local"])
    def backend(self, request, tmp_path):
        return {"local": lambda: LocalBackend(tmp_path / "store")}[request.param]()

    def put(self, backend, tmp_path, content: bytes) -> str:
        import hashlib

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
        assert self.put(backend, tmp_path, b"x" * 100) == self.put(backend, tmp_path, b"x" * 100)

    def test_a_missing_key_and_deletion(self, backend, tmp_path):
        key = self.put(backend, tmp_path, b"abc")
        backend.delete(key)
        backend.delete(key)
        with pytest.raises(NotInStore):
            backend.read(key)
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
        assert services.replicate_pending() == 1
        blob.refresh_from_db()
        assert blob.state == BlobState.REPLICATED and blob.remote_id
        assert services.replicate_pending() == 0

    def test_a_file_gone_from_the_cache_is_fetched_and_verified(self, stores):
        blob = services.keep_bytes(b"fetch me", "text/plain")
        services.replicate_pending()
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

    def test_orphans_are_swept_and_what_is_used_stays(self, api, dataset):
        (image,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
        orphan = services.keep_bytes(b"nobody wants me", "text/plain")
        path = services.path_of(orphan)
        assert services.sweep_orphans() == 0  # too young
        services.sweep_orphans(older_than=timedelta(seconds=-5))
        assert not path.exists() and not Blob.objects.filter(pk=orphan.pk).exists()
        assert api.get(f"/api/v1/images/{image['id']}/file/").status_code == 200

    def test_files_without_a_row_are_swept(self):
        cache = services.local_cache()
        file = cache.receive()
        file.write(b"stray")
        file.sync()
        cache.place([file])
        path = cache.path(file.sha256)
        services.sweep_orphans(older_than=timedelta(seconds=-5))
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
