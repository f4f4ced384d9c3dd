"""Files on their way into the cache leave nothing behind, also when they are there already."""

from __future__ import annotations

from storage.cache import LocalCache


def test_a_second_name_of_a_file_that_is_there_leaves_nothing(tmp_path):
    cache = LocalCache(tmp_path / "cache")
    first = cache.receive()
    first.write(b"the same bytes")
    cache.stage([first])
    again = cache.receive()
    again.fill_from(cache.path(first.sha256))
    cache.stage([again])
    assert not list(cache.incoming.glob("*.named"))
    assert cache.path(first.sha256).read_bytes() == b"the same bytes"
