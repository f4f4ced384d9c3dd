"""Batches of an import: what waits for the disk is done ahead, and what is given up leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from datasets import import_batches, import_source
from datasets.examining import StagedImage, look_at
from datasets.import_batches import examined_ahead
from datasets.import_fitting import Fitting
from datasets.import_source import ArchiveSource, DecodedEntry
from storage import services as storage
from storage.cache import Incoming
from tests.pictures import jpeg
from vision.formats.base import Record

SECONDS = 60


class Reader:
    """Makes a file of each record and remembers it."""

    def __init__(self) -> None:
        self.files: list = []

    def __call__(self, records: Sequence[Record]) -> list[DecodedEntry]:
        return [self._looked(record) for record in records]

    def _looked(self, record: Record) -> DecodedEntry:
        file = storage.receive()
        file.write(record.path.encode())
        file.finish()
        self.files.append(file)
        return DecodedEntry(StagedImage(file, record.path, 1, 1, "PNG", "0" * 64))


@pytest.fixture
def batches(monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH", 2)
    monkeypatch.setattr(import_source, "GROUP", 1)
    reader, records = Reader(), [Record(f"{number}.png") for number in range(12)]
    with ThreadPoolExecutor(2) as pool, closing(examined_ahead(pool, reader, records)) as made:
        yield reader, made


def test_the_next_batches_are_on_the_disk_before_anybody_asks(batches):
    reader, made = batches
    first = next(made)
    assert [looked.item.incoming.is_staged for looked in first.looked()] == [True, True]
    second = next(made)
    second.staged.result(SECONDS)
    assert all(looked.item.incoming.is_staged for looked in second.looked())
    assert len(reader.files) < 12  # not everything at once
    for batch in (first, second, *made):
        batch.forget()
    assert not any(file.path.exists() for file in reader.files) and len(reader.files) == 12


def test_what_was_read_ahead_and_given_up_leaves_no_file(batches):
    reader, made = batches
    next(made).forget()
    made.close()
    assert reader.files and not any(file.path.exists() for file in reader.files)


def test_a_disk_that_refuses_is_an_error_of_its_batch(batches, monkeypatch):
    def refuse(files, file_system):
        list(files)
        raise OSError(28, "No space left on device")

    reader, made = batches
    monkeypatch.setattr(import_batches.storage, "stage", refuse)
    batch = next(made)
    with pytest.raises(OSError, match="No space left"):
        batch.looked()
    batch.forget()
    made.close()
    assert not any(file.path.exists() for file in reader.files)


class Fails:
    """An archive whose third file cannot be read for a reason that is not the file's."""

    entries = dict.fromkeys(["1.jpg", "2.jpg", "3.jpg"])

    def refusal(self, name: str) -> None:
        return None

    def read(self, name: str) -> bytes:
        if name == "3.jpg":
            raise MemoryError
        return jpeg(int(name[0]))


@pytest.mark.usefixtures("db")
def test_a_group_that_is_broken_off_leaves_no_file(monkeypatch):
    monkeypatch.setattr(import_source, "PART_BYTES", 1)  # each file is a part
    received = []
    receive = storage.receive_contents
    monkeypatch.setattr(
        storage, "receive_contents", lambda contents: received.extend(receive(contents)) or received[-1:]
    )
    fit = Fitting("classification", False, {})
    source = ArchiveSource(Fails(), None, fit, look_at, strip_location=False)
    with pytest.raises(MemoryError):
        source.examine([Record(name) for name in Fails.entries])
    assert len(received) == 2 and not any(file.path.exists() for file in received)


def test_files_that_do_not_all_fit_leave_none(monkeypatch):
    write, written = Incoming._write_whole, []

    def full(file: Incoming, content: bytes) -> None:
        written.append(file)
        assert file.path.exists()
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        write(file, content)

    monkeypatch.setattr(Incoming, "_write_whole", full)
    with pytest.raises(OSError, match="No space left"):
        storage.receive_contents([b"1", b"2", b"3"])
    assert len(written) == 2 and not any(file.path.exists() for file in written)
