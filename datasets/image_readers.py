"""Looking at many images in processes of their own, in the sandbox: beside the threads that write them, not between.

A process gets some dozens of images at once and answers for all of them together. For each image by itself, threads
would wake each other, and wait for the lock of the interpreter, longer than decoding takes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import struct
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from datasets.examining import CONTENT_TYPES, FactsOrError, Inspect, look_at
from jobs.errors import WorkFailed
from vision.imaging.budget import DECODING
from vision.imaging.looking import Facts
from vision.imaging.preprocessing import MAX_PIXELS, ImageError
from vision.sandbox.limits import GIB, MIB, Limits
from vision.sandbox.process import SandboxedProcess, start_python
from vision.sandbox.protections import SandboxMissing
from vision.sandbox.removal import remove_tree

# Fewer are looked at by threads of this process: a process takes half a second to start.
MANY = 256
SILENCE_SECONDS = 120.0
ANSWER_BYTES = 1 << 20
# So much is on its way to a process: the next images are there when it has looked at some.
PIPE_BYTES = 1 << 20
# The file, what its decoder holds, and the pixels (`vision.imaging.preprocessing.BYTES_A_PIXEL`).
MEMORY_BYTES = GIB + 24 * MAX_PIXELS
LIMITS = Limits(
    memory_bytes=MEMORY_BYTES,
    reserved_bytes=2 * MEMORY_BYTES,
    cpu_seconds=86_400,
    file_bytes=0,
    folder_bytes=MIB,
    threads=64,
    open_files=64,
)
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
VARIABLES = ("MLSTUDIO_MAX_IMAGE_PIXELS",)

# What a process may have answered when it was taken over is checked before it goes anywhere.
CODE = re.compile(r"[a-z_]{1,50}")
HASH = re.compile(r"[0-9a-f]{64}")
SENTENCE_CHARACTERS = 1000
MOST_NOTES = 10
UNBELIEVABLE = (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)


@contextmanager
def looking_at(count: int, folder: Path | None = None) -> Iterator[tuple[Inspect, int]]:
    """What looks at so many images, and how many threads should ask it at once.

    Args:
        folder: where processes get their work folders, as long as this lasts. One of a job's own is swept when its
            worker was killed. None: where the system keeps temporary files.
    """
    cores = settings.PREDICTION_THREADS
    if count < MANY:
        yield look_at, cores
        return
    readers = ImageReaders(cores, folder)
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        # One more than there are readers: it reads and writes files meanwhile.
        yield readers.look_at, cores + 1
    finally:
        readers.close()
        if folder is not None:
            remove_tree(folder)


class ImageReaders:
    """Reading processes that threads share. Those that end are started again.

    A process ends with the thread that started it (`vision.sandbox.process`): the threads have to live as long.
    """

    def __init__(self, most: int, folder: Path | None = None) -> None:
        self._folder = folder
        self._places = threading.Semaphore(most)
        self._idle: list[ImageReader] = []

    def look_at(self, contents: Sequence[bytes]) -> list[FactsOrError]:
        """The facts of each image, or why it cannot be used."""
        with self._places:
            return self._facts_of(contents)

    def _facts_of(self, contents: Sequence[bytes]) -> list[FactsOrError]:
        try:
            return self._ask(contents)
        except ReaderDied as died:
            if len(contents) == 1:
                return [ImageError("corrupted_image", str(died))]
        # Over which of them it does not say: each is given to a process that may die over it alone.
        return [seen for content in contents for seen in self._facts_of([content])]

    def _ask(self, contents: Sequence[bytes]) -> list[FactsOrError]:
        reader = self._idle_one() or ImageReader(self._folder)
        try:
            return reader.look_at(contents)
        finally:
            if reader.is_alive:
                self._idle.append(reader)
            else:
                reader.close()

    def _idle_one(self) -> ImageReader | None:
        try:
            return self._idle.pop()
        except IndexError:  # asking before would not help: another thread may take the last one meanwhile
            return None

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class ReaderDied(Exception):
    """A process has ended, or said what no image is like, before all of its images were looked at."""


class ImageReader:
    """One reading process."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mlstudio-images-", dir=folder, ignore_cleanup_errors=True)
        try:
            self._process = self._started()
            self._prepare(self._process.stdin.fileno())  # type: ignore[union-attr]
        except BaseException:
            self._folder.cleanup()
            raise
        self._rest = b""
        self.is_alive = True

    def look_at(self, contents: Sequence[bytes]) -> list[FactsOrError]:
        """The facts of each image, or why it cannot be used. Raises `ReaderDied`."""
        answers = zip(contents, self._ask(contents, 0), strict=True)
        return [self._with_room(content, seen) if isinstance(seen, int) else seen for content, seen in answers]

    def _with_room(self, content: bytes, needs: int) -> FactsOrError:
        """Inspect again at an image that is large when it is decoded, once there is room."""
        needs = min(max(needs, 0), MEMORY_BYTES)
        with DECODING.hold(min(needs, DECODING.total_bytes)):
            (seen,) = self._ask([content], needs)
        if isinstance(seen, int):
            raise self._died()
        return seen

    def _ask(self, contents: Sequence[bytes], room_bytes: int) -> list[FactsOrError | int]:
        """Of each image what is known of it, or how many bytes its pixels need."""
        self.is_alive = False  # until it has answered
        head = struct.pack(f">{2 + len(contents)}Q", len(contents), room_bytes, *map(len, contents))
        try:
            self._send([head, *contents])
            answers = self._answer()
            if len(answers) != len(contents):
                raise ValueError(len(answers))
            seen = [_checked_answer(answer) for answer in answers]
        except UNBELIEVABLE as error:
            raise self._died() from error
        self.is_alive = True
        return seen

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._folder.cleanup()

    def _started(self) -> SandboxedProcess:
        try:
            return start_python(
                "vision.imaging",
                folder=Path(self._folder.name),
                limits=LIMITS,
                environment=ONE_THREAD | {name: os.environ[name] for name in VARIABLES if name in os.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        except SandboxMissing as error:
            raise WorkFailed("sandbox_missing", str(error)) from error

    @staticmethod
    def _prepare(descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        with suppress(AttributeError, OSError):  # not Linux, or this user has as many large pipes as are allowed
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def _send(self, parts: Sequence[bytes]) -> None:
        descriptor = self._process.stdin.fileno()  # type: ignore[union-attr]
        until = time.monotonic() + SILENCE_SECONDS
        rest = deque(memoryview(part) for part in parts if part)
        while rest:
            try:
                _leave_out(rest, os.writev(descriptor, list(rest)))
            except BlockingIOError:
                _wait_for(descriptor, select.POLLOUT, until)

    def _answer(self) -> list:
        """The next line of the process, which may have been taken over and say anything."""
        descriptor = self._process.stdout.fileno()  # type: ignore[union-attr]
        until = time.monotonic() + SILENCE_SECONDS
        while b"\n" not in self._rest:
            _wait_for(descriptor, select.POLLIN, until)
            chunk = os.read(descriptor, 65_536)
            if not chunk or len(self._rest) > ANSWER_BYTES:
                raise EOFError
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        answer = json.loads(line)
        if not isinstance(answer, list):
            raise ValueError(answer)
        return answer

    def _died(self) -> ReaderDied:
        """Raises the `OSError` of a full disk when it was killed for that."""
        self.is_alive = False
        self._process.kill()
        self._process.wait()
        self._process.raise_if_disk_full()
        return ReaderDied("The image cannot be decoded: its decoder ended without an answer.")


def _leave_out(parts: deque[memoryview], size: int) -> None:
    """Take so many bytes from the front."""
    while parts and size >= len(parts[0]):
        size -= len(parts.popleft())
    if size:
        parts[0] = parts[0][size:]


def _wait_for(descriptor: int, event: int, until: float) -> None:
    """Raises `EOFError` when the time is over before the process takes or gives something."""
    poll = select.poll()
    poll.register(descriptor, event)
    left = until - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise EOFError


def _checked_answer(answer: dict) -> FactsOrError | int:
    """Raises one of `UNBELIEVABLE`."""
    if "facts" in answer:
        return _facts(answer["facts"])
    if "needs" in answer:
        return int(answer["needs"])
    return ImageError(*_said(answer["problem"], answer["detail"]))


def _facts(values: dict) -> Facts:
    """Raises `ValueError` for facts that no image has: they go to the database as they are."""
    notes = tuple(_said(code, sentence) for code, sentence in values["notes"][:MOST_NOTES])
    numbers = {name: int(values[name]) for name in ("width", "height", "orientation")}
    texts = {name: str(values[name]) for name in ("format", "phash")}
    width, height = numbers["width"], numbers["height"]
    if not (width > 0 < height and width * height <= MAX_PIXELS and texts["format"] in CONTENT_TYPES):
        raise ValueError(values)
    if not HASH.fullmatch(texts["phash"]):
        raise ValueError(values)
    return Facts(**numbers, **texts, notes=notes)  # type: ignore[arg-type]


def _said(code: str, sentence: str) -> tuple[str, str]:
    """A code and a sentence as reports can have them. Raises `ValueError`."""
    if not CODE.fullmatch(code):
        raise ValueError(code)
    return code, sentence[:SENTENCE_CHARACTERS].encode("utf-8", "replace").decode().replace("\0", "")
