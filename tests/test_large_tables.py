"""Tables of labels of whole images, large: read right, in the memory that the process which reads them may have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tests.archives import MAX_BYTES, PHOTO
from tests.studio import ROOT
from vision.formats.transfer import HEAD, RECORDS

FEW, MANY = 5_000, 50_000
# What an image and its row may take: its path, its claim, its record, and what names are found by.
MOST_BYTES = 2_500
# The highest mark of a process by itself: what the system says of a child counts the process that it came from.
READ = f"""
from pathlib import Path
from vision.formats.__main__ import main
assert main(0, Path.cwd(), "auto", {MAX_BYTES}) == 0
(line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(line.split()[1])
"""
SPLITS = ("train", "test")
LABELS = [f"class {number}" for number in range(20)]


def rows(count: int, line) -> str:
    return "".join(line(number) for number in range(count))


def named(count: int) -> str:
    return "filename,label,split\n" + rows(
        count, lambda n: f"{n}.jpg,{LABELS[n % 20]},{'test' if n % 5 else 'train'}\n"
    )


def plain(count: int) -> str:
    return rows(count, lambda n: f"{n}.jpg,{LABELS[n % 20]}\n")


def columns(count: int) -> str:
    head = ",".join(LABELS)
    return f"filename,{head}\n" + rows(
        count, lambda n: f"{n}.jpg,{','.join(str(int(n % 20 == at)) for at in range(20))}\n"
    )


def lists(count: int) -> str:
    return "image,labels\n" + rows(count, lambda n: f"{n},\"['{LABELS[n % 20]}']\"\n")


def read(folder: Path, count: int, table: str) -> tuple[Counter, int]:
    """How often each label was read, and the most memory that the process had, in bytes."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("t.csv", table)
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"{number}.jpg"), PHOTO)
    with open(folder / "a.zip", "rb") as file:
        command = [sys.executable, "-c", READ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, stdin=file, cwd=folder, env=environment, check=True, capture_output=True)
    assert "error" not in json.loads((folder / HEAD).read_text())
    found: Counter[str] = Counter()
    with open(folder / RECORDS) as file:
        for line in file:
            path, marks, *_ = json.loads(line)
            ((label, *_),) = marks
            assert label == LABELS[int(path[:-4]) % 20]
            found[label] += 1
    return found, int(done.stdout) * 1024


@pytest.mark.parametrize("table", [named, plain, columns, lists])
def test_memory_grows_by_what_is_said_of_an_image_and_no_more(tmp_path, table):
    _, before = read(tmp_path / "few", FEW, table(FEW))
    found, after = read(tmp_path / "many", MANY, table(MANY))
    assert found == dict.fromkeys(LABELS, MANY // 20)
    assert (after - before) / (MANY - FEW) < MOST_BYTES
