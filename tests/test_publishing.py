"""Publishing many files takes long: what went to the store meanwhile, and left the cache, is published too."""

from __future__ import annotations

import pytest

from storage import replication, services
from storage.backends import backend_named
from storage.local_cache import local_cache
from storage.models import Blob, BlobState
from storage.publishing import push

pytestmark = pytest.mark.django_db


@pytest.fixture
def store_elsewhere(settings, tmp_path):
    settings.STORAGE_CACHE_DIR, settings.STORAGE_LOCAL_DIR = tmp_path / "cache", tmp_path / "other-disk"
    settings.STORAGE_CACHE_REST_SECONDS = 0
    local_cache.cache_clear(), backend_named.cache_clear()
    yield
    local_cache.cache_clear(), backend_named.cache_clear()


def test_a_file_that_left_the_cache_since_it_was_read_is_published(store_elsewhere):
    read_before = services.keep_bytes(b"a model that is published last", "text/plain")
    assert read_before.state == BlobState.CACHED
    replication.replicate_one(Blob.objects.get(pk=read_before.pk))
    assert replication.evict(limit_bytes=1)
    assert Blob.objects.get(pk=read_before.pk).state == BlobState.REMOTE
    assert push(read_before).remote_id
