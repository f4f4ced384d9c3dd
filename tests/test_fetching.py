"""Files that come back from the store, when the row in hand is old or the database is away."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.db.models import QuerySet

from storage import fetching, replication, services
from storage.models import Blob, BlobState
from tests.test_storage import stores  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def blob(stores) -> Blob:  # noqa: F811
    return services.keep_bytes(b"an image", "image/jpeg")


def move_to_store(blob: Blob) -> None:
    """As a minute of work in the background does."""
    assert replication.replicate_pending() == 1
    assert replication.evict(1) == 1
    assert not services.local_cache().path(blob.sha256).exists()


def test_a_row_that_was_read_before_the_file_went_to_the_store(blob):
    old = Blob.objects.get(pk=blob.pk)
    move_to_store(blob)
    assert old.state == BlobState.CACHED and not old.remote_id
    assert services.path_of(old).read_bytes() == b"an image"


def test_a_database_that_is_away_leaves_nobody_waiting(blob, monkeypatch):
    move_to_store(blob)
    real = QuerySet.update

    def away(rows, **changes):
        if rows.model is Blob and changes.get("state") == BlobState.REPLICATED:
            raise OperationalError("the connection was cut")
        return real(rows, **changes)

    with monkeypatch.context() as patched:
        patched.setattr(QuerySet, "update", away)
        with pytest.raises(OperationalError):
            services.path_of(blob)
    assert not fetching._running
    assert services.path_of(blob).read_bytes() == b"an image"
