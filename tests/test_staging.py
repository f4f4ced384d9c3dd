"""Files on their way into the cache leave nothing behind, also when they are there already."""

from __future__ import annotations

import subprocess
import sys

import pytest

from storage.cache import MANY, LocalCache
from storage.durability import FileSystem
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


class Disk:
    """Stands for a file system, and remembers which of a cache's files had their names whenever it was synced."""

    def __init__(self, cache: LocalCache) -> None:
        self._cache = cache
        self.named: list[int] = []

    def sync(self) -> None:
        self.named.append(len(list(self._cache.files())))


def test_many_files_are_on_the_disk_before_they_have_their_names(tmp_path):
    """In two waits for all of them: a name that is there after a power cut has all of its bytes."""
    cache = LocalCache(tmp_path / "cache")
    disk, files = Disk(cache), [receive(cache, bytes([number])) for number in range(MANY)]
    for file in files:
        file.finish()
    cache.stage(files, disk)
    assert disk.named == [0, MANY] and all(file.is_staged for file in files)


def test_for_few_files_the_rest_of_the_disk_is_not_waited_for(tmp_path):
    cache = LocalCache(tmp_path / "cache")
    disk, file = Disk(cache), receive(cache, b"alone")
    cache.stage([file], disk)
    assert disk.named == [] and file.is_staged


def test_files_that_were_received_with_others_are_whole_on_the_disk(tmp_path):
    """With whatever this machine's file system can do."""
    cache = LocalCache(tmp_path / "cache")
    cache.incoming.mkdir(parents=True)
    disk = FileSystem.of(cache.incoming)
    files = [receive(cache, bytes([number])) for number in range(MANY)]
    for file in files:
        file.finish()
    cache.stage(files, disk)
    assert [cache.path(file.sha256).read_bytes() for file in files] == [bytes([number]) for number in range(MANY)]
    if disk is not None:
        disk.close()
        with pytest.raises(OSError):
            disk.sync()
