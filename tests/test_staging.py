"""Files on their way into the cache leave nothing behind, also when they are there already."""

from __future__ import annotations

import subprocess
import sys

import pytest

from storage.cache import LocalCache
from vision.sandbox.process import start

OPENS_LATER = "import sys; print('ready', flush=True); input(); sys.stdout.write(open(sys.argv[1]).read())"


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


def receive(cache: LocalCache, content: bytes):
    file = cache.receive()
    file.write(content)
    return file


@pytest.mark.parametrize("is_staged", [True, False])
def test_a_process_in_the_sandbox_reads_on_when_somebody_uploads_the_same_file(tmp_path, is_staged):
    """Its rules name the file that was there when it started, not whatever has its name later."""
    cache = LocalCache(tmp_path / "cache")
    file = receive(cache, b"the same bytes")
    cache.stage([file])
    cache.place([file])
    path, own = cache.path(file.sha256), tmp_path / "own"
    own.mkdir()
    process = start([sys.executable, "-c", OPENS_LATER, path], folder=own, readable=(path,), stdin=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        again = receive(cache, b"the same bytes")
        if is_staged:
            cache.stage([again])
        cache.sync([again])
        cache.place([again])
        assert process.communicate(b"go\n", timeout=30)[0] == b"the same bytes"
    finally:
        process.kill()
    assert not list(cache.incoming.glob("*"))


@pytest.mark.parametrize("is_staged", [True, False])
@pytest.mark.parametrize("damaged", [b"the same bytez", b"the", b""])
def test_a_file_that_is_damaged_is_replaced(tmp_path, is_staged, damaged):
    cache = LocalCache(tmp_path / "cache")
    file = receive(cache, b"the same bytes")
    cache.stage([file])
    cache.place([file])
    cache.path(file.sha256).write_bytes(damaged)
    again = receive(cache, b"the same bytes")
    if is_staged:
        cache.stage([again])
    cache.sync([again])
    cache.place([again])
    assert cache.path(file.sha256).read_bytes() == b"the same bytes"
    assert not list(cache.incoming.glob("*"))
