"""`storage verify` beside a studio that works: what changed since a row was read is no problem."""

from __future__ import annotations

import pytest

from datasets.models import Image
from storage.local_cache import local_cache
from storage.maintenance import verify
from storage.models import Blob, BlobState
from tests.pictures import jpeg
from tests.test_images import upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def blob(api, dataset) -> Blob:
    upload(api, dataset, [("a.jpg", jpeg(1))])
    return Image.objects.get().blob


def test_a_file_that_was_stored_and_evicted_meanwhile_is_not_gone(blob, monkeypatch):
    path = local_cache().path(blob.sha256)
    content = path.read_bytes()
    blob.state, blob.remote_id = BlobState.CACHED, ""  # as it was when its row was read
    monkeypatch.setattr("storage.maintenance._store_problem", lambda blob, deep: None)
    Blob.objects.filter(pk=blob.pk).update(state=BlobState.REMOTE, remote_id="there", backend="fastdfs")
    path.unlink()
    assert verify(blob, deep=False) == []
    Blob.objects.filter(pk=blob.pk).update(state=BlobState.CACHED, remote_id="", backend="")
    assert [problem.is_lost for problem in verify(blob, deep=False)] == [True]
    path.write_bytes(content)


def test_a_file_that_was_deleted_meanwhile_is_not_missed(blob):
    path = local_cache().path(blob.sha256)
    content = path.read_bytes()
    path.unlink()
    Image.objects.all().delete()
    Blob.objects.filter(pk=blob.pk).delete()
    assert verify(blob, deep=False) == []
    path.write_bytes(content)
