"""Files of deleted blobs: whatever goes wrong, no row is left without a file, and no file without a row for ever."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from jobs.models import Job
from storage import maintenance, removals, replication, services, sweeping
from storage.backends import BackendUnavailable, backend_named, get_backend
from storage.backends.local import LocalBackend
from storage.cache import LocalCache
from storage.local_cache import local_cache
from storage.models import Blob, BlobState, Removal

pytestmark = pytest.mark.django_db(transaction=True, available_apps=django_settings.INSTALLED_APPS)
CONTENT = b"content"
NOW = timedelta(seconds=-5)


class Died(Exception):
    """The process is gone at this point."""


@pytest.fixture
def store(tmp_path, settings) -> LocalBackend:
    """Another disk than the cache's."""
    settings.STORAGE_CACHE_DIR, settings.STORAGE_LOCAL_DIR = tmp_path / "cache", tmp_path / "store"
    settings.STORAGE_BACKEND, settings.STORAGE_CACHE_REST_SECONDS = "local", 0
    local_cache.cache_clear(), backend_named.cache_clear()
    yield get_backend()
    local_cache.cache_clear(), backend_named.cache_clear()


@pytest.fixture
def blob(store) -> Blob:
    blob = services.keep_bytes(CONTENT, "text/plain")
    assert replication.replicate_pending() == 1
    blob.refresh_from_db()
    return blob


def files(store: LocalBackend) -> list[Path]:
    """Every file of the cache and of the store, also what was put aside."""
    folders = (local_cache().root, store._root)
    return [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.read_bytes() == CONTENT]


def nothing_left(store: LocalBackend) -> bool:
    return not files(store) and not Blob.objects.exists() and not Removal.objects.exists()


def keep_for_a_job(project, owner) -> Job:
    """An upload: blob and reference are one transaction."""
    file = services.receive()
    try:
        file.write(CONTENT)
        services.stage([file])
        with transaction.atomic():
            return Job.objects.create(
                project=project, created_by=owner, kind="x", input_blob=services.keep(file, "text/plain")
            )
    finally:
        file.discard()


def is_whole(blob: Blob) -> bool:
    """Both copies, after the store was told of what came."""
    Blob.objects.update(retry_at=None)
    replication.replicate_pending()
    blob.refresh_from_db()
    return blob.state == BlobState.REPLICATED and not maintenance.verify(blob, deep=True)


def dies(*args, **options):
    raise Died


def fails(*args, **options):
    raise OperationalError("the transaction cannot be committed")


def is_away(*args, **options):
    raise BackendUnavailable("the store does not answer")


def after(real):
    def done(*args, **options):
        real(*args, **options)
        raise Died

    return done


FAULTS = {
    "the row cannot be deleted": (removals.Removal.objects, "bulk_create", lambda real: fails),
    "the row is gone and nothing else happens": (sweeping, "work_off", lambda real: dies),
    "the file cannot be put aside": (LocalCache, "set_aside", lambda real: dies),
    "the file is put aside and the transaction fails": (LocalCache, "set_aside", after),
    "the file is put aside and nothing else happens": (LocalCache, "remove_aside", lambda real: dies),
    "the cache's file is gone and the store is away": (LocalBackend, "delete", lambda real: is_away),
    "both files are gone and the process dies": (LocalBackend, "delete", after),
}


def break_off(monkeypatch, fault: str) -> None:
    where, name, broken = FAULTS[fault]
    with monkeypatch.context() as patch:
        patch.setattr(where, name, broken(getattr(where, name)))
        with contextlib.suppress(Died, OperationalError):
            sweeping.sweep_orphans(NOW)
    # A claim of what died runs out.
    Removal.objects.exclude(claimed_until=None).update(claimed_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_sweep_finishes(store, blob, monkeypatch, fault):
    break_off(monkeypatch, fault)
    sweeping.sweep_orphans(NOW)
    assert nothing_left(store)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_same_bytes_come_after_it_was_broken_off(store, blob, project, owner, monkeypatch, fault):
    break_off(monkeypatch, fault)
    job = keep_for_a_job(project, owner)
    assert services.is_intact(services.path_of(job.input_blob), job.input_blob.sha256)
    sweeping.sweep_orphans(NOW)
    assert services.is_intact(services.path_of(job.input_blob), job.input_blob.sha256)
    assert is_whole(job.input_blob) and not Removal.objects.exists()
    sweeping.sweep_orphans(NOW)
    assert is_whole(job.input_blob) and len(files(store)) == 2


@pytest.mark.parametrize("step", ["set_aside", "remove_aside", "delete"])
def test_the_same_bytes_come_in_the_middle(store, blob, project, owner, monkeypatch, step):
    """In a thread: where the transaction of the removal holds it, it waits."""
    where = LocalBackend if step == "delete" else LocalCache
    real, came = getattr(where, step), []

    def upload() -> None:
        try:
            came.append(keep_for_a_job(project, owner))
            replication.replicate_pending()
        finally:
            connections.close_all()

    thread = threading.Thread(target=upload)

    def meanwhile(*args):
        thread.start()
        if step != "set_aside":
            thread.join(20)
        real(*args)

    monkeypatch.setattr(where, step, meanwhile)
    sweeping.sweep_orphans(NOW)
    thread.join(20)
    monkeypatch.undo()
    assert is_whole(came[0].input_blob) and not Removal.objects.exists()


def test_nothing_is_deleted_in_a_transaction(store, blob, monkeypatch, settings):
    seen = []

    def watched(where, name: str) -> None:
        real = getattr(where, name)

        def watching(*args, **options):
            seen.append((name, connection.in_atomic_block))
            return real(*args, **options)

        monkeypatch.setattr(where, name, watching)

    watched(Path, "unlink")
    watched(LocalBackend, "delete")
    settings.STORAGE_CACHE_BYTES = 1
    assert replication.evict() == 1
    services.path_of(blob)
    assert sweeping.sweep_orphans(NOW) == 1 and nothing_left(store)
    names = {name for name, _ in seen}
    assert names == {"unlink", "delete"} and not any(inside for _, inside in seen)


def test_uploads_and_sweeps_of_the_same_bytes(store, project, owner):
    is_over = threading.Event()

    def sweep() -> None:
        try:
            while not is_over.is_set():
                sweeping.sweep_orphans(NOW)
                replication.replicate_pending()
        finally:
            connections.close_all()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for _ in range(25):
            job = keep_for_a_job(project, owner)
            assert services.is_intact(services.path_of(job.input_blob), job.input_blob.sha256)
            job.delete()
        job = keep_for_a_job(project, owner)
    finally:
        is_over.set()
        sweeper.join(30)
    sweeping.sweep_orphans(NOW)
    assert is_whole(job.input_blob) and Blob.objects.count() == 1 and not Removal.objects.exists()


def test_a_blob_that_is_referred_to_meanwhile_stays(store, blob, project, owner, monkeypatch):
    real = removals.forget

    def meanwhile(pks, before):
        Job.objects.create(project=project, created_by=owner, kind="x", input_blob=blob)
        return real(pks, before)

    monkeypatch.setattr(sweeping, "forget", meanwhile)
    assert sweeping.sweep_orphans(NOW) == 0 and is_whole(blob)


def test_what_comes_into_the_store_after_its_blob_is_gone_leaves_it_again(store, monkeypatch):
    services.keep_bytes(CONTENT, "text/plain")
    real = LocalBackend.put

    def meanwhile(self, path, sha256):
        remote_id = real(self, path, sha256)
        sweeping.sweep_orphans(NOW)
        return remote_id

    monkeypatch.setattr(LocalBackend, "put", meanwhile)
    replication.replicate_pending()
    assert Removal.objects.count() == 1 and removals.work_off() == 1 and nothing_left(store)


def test_a_file_that_was_not_dropped_in_time_is_dropped_by_the_sweep(store, blob, project, owner, settings):
    keep_for_a_job(project, owner)
    Blob.objects.update(state=BlobState.REMOTE)  # and the process died
    assert sweeping.sweep_orphans(NOW) == 1
    assert [path.parents[1] for path in files(store)] == [store._root]
    assert services.path_of(Blob.objects.get()).read_bytes() == CONTENT


def test_what_cannot_be_removed_is_tried_ever_later(store, blob, monkeypatch):
    monkeypatch.setattr(LocalBackend, "delete", is_away)
    sweeping.sweep_orphans(NOW)
    removal = Removal.objects.get()
    assert (removal.attempts, removal.claimed_until) == (1, None) and "does not answer" in removal.problem
    monkeypatch.undo()
    assert removals.work_off() == 0  # too early
    Removal.objects.update(retry_at=timezone.now())
    assert removals.work_off() == 1 and nothing_left(store)


def test_the_store_in_the_cache_s_own_folder(db, settings, tmp_path):
    settings.STORAGE_CACHE_DIR = settings.STORAGE_LOCAL_DIR = tmp_path / "cache"
    local_cache.cache_clear(), backend_named.cache_clear()
    try:
        path = services.path_of(services.keep_bytes(CONTENT, "text/plain"))
        path.unlink()
        sweeping.sweep_orphans(NOW)
        assert not Removal.objects.exists() and not Blob.objects.exists()
        assert services.path_of(services.keep_bytes(CONTENT, "text/plain")).read_bytes() == CONTENT
    finally:
        local_cache.cache_clear(), backend_named.cache_clear()
