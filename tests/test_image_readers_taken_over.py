"""A process that looks at images and was taken over can lie about its image, and do no more."""

from __future__ import annotations

import itertools
import json
import os

import pytest

from datasets import image_readers
from datasets.image_readers import ImageReader, ImageReaders, ReaderDied
from tests.pictures import jpeg
from vision.imaging.budget import DecodeBudget
from vision.imaging.preprocessing import MAX_PIXELS, ImageError

FACTS = {"width": 4, "height": 3, "format": "JPEG", "phash": "0" * 64, "orientation": 1, "notes": []}


@pytest.fixture
def answered(monkeypatch):
    """A function that gives what is made of the lines of a process."""

    def of(*lines: bytes):
        left = list(lines)
        reader = ImageReader.__new__(ImageReader)
        reader._rest, reader._process = b"", Process()
        monkeypatch.setattr(reader, "_send", lambda *parts: None, raising=False)
        monkeypatch.setattr(image_readers, "_wait_for", lambda *arguments: None)
        monkeypatch.setattr(image_readers.os, "read", lambda fd, size: left.pop(0) if left else b"")
        (seen,) = reader.look_at([jpeg(1)])
        return seen

    return of


class Process:
    def __init__(self):
        self.stdout = self

    def fileno(self) -> int:
        return -1

    def kill(self) -> None:
        pass

    wait = raise_if_disk_full = kill


def line(*answers: dict) -> bytes:
    return json.dumps(answers).encode() + b"\n"


def test_facts_are_taken(answered):
    assert answered(line({"facts": FACTS | {"notes": [["end_missing", "So."]]}})).notes == (("end_missing", "So."),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 1e999},
        {"width": 0},
        {"height": -3},
        {"width": MAX_PIXELS, "height": 2},
        {"format": "X" * 5000},
        {"format": "\0"},
        {"phash": "0" * 63},
        {"phash": "z" * 64},
        {"notes": [["a b", "x"]]},
        {"notes": [[1, "x"]]},
        {"notes": [["a", 1]]},
        {"notes": {}},
    ],
    ids=str,
)
def test_facts_that_no_image_has(answered, wrong):
    with pytest.raises(ReaderDied):
        answered(line({"facts": FACTS | wrong}))


@pytest.mark.parametrize(
    "answer",
    [
        b"[" * 60_000 + b"\n",
        line({"needs": 1e999}),
        line({"needs": [1]}),
        line({"problem": "a\0b", "detail": "x"}),
        line({"problem": {}, "detail": "x"}),
        line({"problem": "x", "detail": 7}),
        line({"facts": 1}),
        line(),
        line({"facts": FACTS}, {"facts": FACTS}),
    ],
    ids=["deep", "endless", "list", "code", "object", "number", "facts", "none", "two"],
)
def test_lines_that_say_nothing(answered, answer):
    with pytest.raises(ReaderDied):
        answered(answer)


def test_sentences_are_such_as_a_report_can_have(answered):
    problem = answered(line({"problem": "corrupted_image", "detail": "a\0b\ud800" + "x" * 5000}))
    assert isinstance(problem, ImageError) and str(problem).startswith("ab?x") and len(str(problem)) < 1001


def test_one_that_needs_less_than_nothing_gives_others_no_room(answered, monkeypatch):
    held = []

    class Seen(DecodeBudget):
        def hold(self, size_bytes):
            held.append(size_bytes)
            return super().hold(size_bytes)

    monkeypatch.setattr(image_readers, "DECODING", Seen(1 << 30))
    answered(line({"needs": -(10**12)}), line({"facts": FACTS}))
    assert held == [0]


@pytest.mark.parametrize("needs", [9 << 20, 10**30])
def test_one_that_has_room_and_needs_more_is_not_asked_again(answered, needs):
    with pytest.raises(ReaderDied):
        answered(line({"needs": needs}), line({"needs": needs + 1}))


def test_the_last_idle_one_may_be_taken_by_another_thread(monkeypatch):
    """Between the question whether one is idle, and taking it."""

    class Taken(list):
        def __bool__(self) -> bool:
            return True

    class Reader:
        is_alive = True

        def __init__(self, folder):
            pass

        def look_at(self, contents: list[bytes]) -> list[str]:
            return ["looked"]

    monkeypatch.setattr(image_readers, "ImageReader", Reader)
    readers = ImageReaders(2)
    readers._idle = Taken()
    assert readers.look_at([jpeg(1)]) == ["looked"] and len(readers._idle) == 1


def test_one_that_says_a_byte_now_and_then_is_not_waited_for(monkeypatch):
    """Each byte takes a second of this clock."""
    clock = itertools.count()
    monkeypatch.setattr(image_readers.time, "monotonic", lambda: float(next(clock)))
    reading, writing = os.pipe()
    reader = ImageReader.__new__(ImageReader)
    reader._rest, reader._process = b"", Process()
    monkeypatch.setattr(Process, "fileno", lambda self: reading)
    monkeypatch.setattr(reader, "_send", lambda *parts: None, raising=False)
    read = os.read

    def and_again(descriptor: int, size: int) -> bytes:
        os.write(writing, b"x")
        return read(descriptor, 1)

    monkeypatch.setattr(image_readers.os, "read", and_again)
    os.write(writing, b"x")
    try:
        with pytest.raises(ReaderDied, match="ended without an answer"):
            reader.look_at([jpeg(1)])
        assert len(reader._rest) < image_readers.SILENCE_SECONDS
    finally:
        os.close(reading)
        os.close(writing)
