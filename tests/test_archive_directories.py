"""A directory of an archive that lies is found out before it is read into memory."""

from __future__ import annotations

import io
import zipfile

import pytest

from datasets import archives
from jobs.errors import WorkFailed


def archive(entries: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for number in range(entries):
            made.writestr(f"{number}.txt", b"x")
    return content.getvalue()


@pytest.mark.parametrize("said", [0, 1, 65535])
def test_entries_are_counted_not_believed(settings, monkeypatch, said):
    settings.MAX_ARCHIVE_ENTRIES = 20
    data = bytearray(archive(30))
    at = data.rfind(archives.END_RECORD)
    data[at + 8 : at + 12] = said.to_bytes(2, "little") * 2
    monkeypatch.setattr(archives.zipfile, "ZipFile", lambda file: pytest.fail("its directory was read"))
    with pytest.raises(WorkFailed) as refused:
        archives.open_archive(io.BytesIO(bytes(data)))
    assert refused.value.code == "too_many_entries"


def test_an_honest_one_is_opened(settings):
    settings.MAX_ARCHIVE_ENTRIES = 30
    assert len(archives.open_archive(io.BytesIO(archive(30))).infolist()) == 30
    assert len(archives.open_archive(io.BytesIO(b"in front of it" + archive(3))).infolist()) == 3
