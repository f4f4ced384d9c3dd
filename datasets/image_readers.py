"""Looking at many images in processes of their own, in the sandbox: beside the threads that write them, not between."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from datasets.imaging.budget import DECODING
from datasets.imaging.looking import Facts
from datasets.imaging.preprocessing import MAX_PIXELS, ImageError
from datasets.ingest import CONTENT_TYPES, look_at, small_enough
from projects.errors import WorkFailed
from vision.sandbox.limits import GIB, MIB, Limits
from vision.sandbox.process import SandboxedProcess, start_python
from vision.sandbox.protections import SandboxMissing
from vision.sandbox.removal import remove_tree

Look = Callable[[bytes], Facts]

# Fewer are looked at by threads of this process: a process takes half a second to start.
MANY = 256
SILENCE_SECONDS = 120.0
ANSWER_BYTES = 100_000
LENGTH_BYTES = 8
# The file, what its decoder holds, and the pixels (`datasets.imaging.preprocessing.BYTES_A_PIXEL`).
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
def looking_at(count: int, folder: Path | None = None) -> Iterator[tuple[Look, int]]:
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
        # One more than there are readers: it fetches the next image meanwhile.
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

    def look_at(self, content: bytes) -> Facts:
        """The facts of an image that can be used. Raises `ImageError`."""
        small_enough(content)
        with self._places:
            reader = self._idle_one() or ImageReader(self._folder)
            try:
                return reader.look_at(content)
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


class ImageReader:
    """One reading process."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mlstudio-images-", dir=folder, ignore_cleanup_errors=True)
        try:
            self._process = self._started()
            os.set_blocking(self._process.stdin.fileno(), False)  # type: ignore[union-attr]
        except BaseException:
            self._folder.cleanup()
            raise
        self._rest = b""
        self.is_alive = True

    def look_at(self, content: bytes) -> Facts:
        """The facts of an image. Raises `ImageError`."""
        self.is_alive = False  # until it has answered
        try:
            self._send(len(content).to_bytes(LENGTH_BYTES, "big"), content)
            answer = self._answer()
            if needs := answer.get("needs"):
                with DECODING.hold(min(max(int(needs), 0), DECODING.total_bytes)):
                    self._send(b"+")
                    answer = self._answer()
            facts = _facts(answer["facts"]) if "facts" in answer else None
            problem = None if facts else ImageError(*_said(answer["problem"], answer["detail"]))
        except UNBELIEVABLE as error:
            raise self._died() from error
        self.is_alive = True
        if problem is not None:
            raise problem
        assert facts is not None
        return facts

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
                "datasets.imaging", folder=Path(self._folder.name), limits=LIMITS,
                environment=ONE_THREAD | {name: os.environ[name] for name in VARIABLES if name in os.environ},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            )  # fmt: skip
        except SandboxMissing as error:
            raise WorkFailed("sandbox_missing", str(error)) from error

    def _send(self, *parts: bytes) -> None:
        descriptor = self._process.stdin.fileno()  # type: ignore[union-attr]
        until = time.monotonic() + SILENCE_SECONDS
        for part in parts:
            rest = memoryview(part)
            while rest:
                with suppress(BlockingIOError):
                    rest = rest[os.write(descriptor, rest) :]
                    continue
                _wait_for(descriptor, select.POLLOUT, until)

    def _answer(self) -> dict:
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
        if not isinstance(answer, dict):
            raise ValueError(answer)
        return answer

    def _died(self) -> ImageError:
        """Raises the `OSError` of a full disk when it was killed for that."""
        self._process.kill()
        self._process.wait()
        self._process.raise_if_disk_full()
        return ImageError("corrupted_image", "The image cannot be decoded: its decoder ended without an answer.")


def _wait_for(descriptor: int, event: int, until: float) -> None:
    """Raises `EOFError` when the time is over before the process takes or gives something."""
    poll = select.poll()
    poll.register(descriptor, event)
    left = until - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise EOFError


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
    return Facts(**numbers, **texts, notes=notes)


def _said(code: str, sentence: str) -> tuple[str, str]:
    """A code and a sentence as reports can have them. Raises `ValueError`."""
    if not CODE.fullmatch(code):
        raise ValueError(code)
    return code, sentence[:SENTENCE_CHARACTERS].encode("utf-8", "replace").decode().replace("\0", "")
