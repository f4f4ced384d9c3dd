"""What an archive says about its images: read in a process of its own, in the sandbox, with little memory and time."""

from __future__ import annotations

import os
import signal
import subprocess
import zipfile
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings

from common.words import counted, format_bytes
from datasets.archives import ZipContents
from datasets.containers import AnyContents, write_texts
from jobs.context import JobContext
from jobs.errors import WorkFailed
from vision import formats
from vision.formats import folder as folders
from vision.formats.__main__ import OUT_OF_MEMORY
from vision.formats.base import ImportWarning, Parsed, Record, is_image
from vision.formats.files import may_have_masks
from vision.formats.texts import TooManyAnnotations
from vision.formats.transfer import BrokenTransfer, Transferred
from vision.sandbox.limits import Limits
from vision.sandbox.process import SandboxedProcess, start_python
from vision.sandbox.protections import SandboxMissing
from vision.sandbox.removal import remove_tree

POLL_SECONDS = 0.5


class ParsedArchive(Protocol):
    """What an archive says; its records are read one after another and never all held in memory."""

    format: str
    labels: list[str]
    count: int
    unread: list[str]
    holds: dict[str, int]

    def records(self, start: int = 0) -> Iterator[Record]: ...

    def remarks(self) -> Iterator[ImportWarning]: ...


class FromFolders:
    """What only the folders say: names were read, no file."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self.format, self.labels, self.count = parsed.format, parsed.labels, parsed.count
        self.unread, self.holds = parsed.unread, parsed.holds

    def records(self, start: int = 0) -> Iterator[Record]:
        return islice(self._parsed.records, start, None)

    def remarks(self) -> Iterator[ImportWarning]:
        return iter(self._parsed.remarks)


def read_annotations(
    context: JobContext, contents: AnyContents, name: str, folder: Path, images: Collection[str] | None = None
) -> ParsedArchive:
    """What the archive says, in the format `name` or the one that is recognised.

    Args:
        folder: for what the process writes; it stays as long as the answer is used.
        images: names of images of the dataset, which annotations without images are about.

    Raises:
        WorkFailed: with the code of the problem; and what `JobContext.keep` raises.
    """
    are_images = not images and all(is_image(entry) for entry in contents.names)
    if name in ("auto", "folder") and are_images and not may_have_masks(contents.names):
        return FromFolders(folders.read(contents.names))
    remove_tree(folder)
    folder.mkdir(parents=True)
    try:
        if isinstance(contents, ZipContents) and not images:
            # The open file itself: no path of the store is named to the process, and none has to be readable for it.
            file = contents.archive.fp
            assert file is not None
            file.seek(0)
            return _read(context, file, name, folder, contents.encoding)
        texts = folder / "texts.zip"
        write_texts(contents, texts, context.keep, images)
        with open(texts, "rb") as file:
            return _read(context, file, name, folder)
    except SandboxMissing as error:
        raise WorkFailed("sandbox_missing", str(error)) from error
    except formats.FormatError as error:
        raise WorkFailed(error.code, str(error)) from error
    except TooManyAnnotations as error:
        raise WorkFailed("annotations_too_large", str(error)) from error
    except (BrokenTransfer, zipfile.BadZipFile) as error:
        raise WorkFailed("annotations_unreadable", f"The annotation files cannot be read ({error}).") from error


def _read(context: JobContext, file: IO[bytes], name: str, folder: Path, name_encoding: str = "") -> ParsedArchive:
    memory = settings.ANNOTATION_MEMORY_BYTES
    # The process has the position of the open file in common with this one, whose buffer counts on where it left it.
    position = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    # Refused memory can look like a broken file to a parser in C: the watch over what it uses has to come first.
    limits = Limits(
        memory_bytes=memory,
        reserved_bytes=2 * memory,
        cpu_seconds=settings.ANNOTATION_SECONDS,
        file_bytes=2 << 30,
        folder_bytes=4 << 30,
        threads=16,
        open_files=64,
    )
    process = start_python(
        "vision.formats",
        name,
        str(settings.MAX_ANNOTATION_BYTES),
        name_encoding,
        folder=folder,
        limits=limits,
        stdin=file,
        stdout=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None:
            try:
                process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                context.keep()
    finally:
        process.kill()
        process.wait()
        os.lseek(file.fileno(), position, os.SEEK_SET)
    if process.returncode != 0:
        raise _died(process)
    return Transferred(folder)


def _died(process: SandboxedProcess) -> WorkFailed:
    process.raise_if_disk_full()  # it waits for space then
    if process.exceeded == "memory" or process.returncode == OUT_OF_MEMORY:
        return WorkFailed(
            "annotations_too_complex",
            f"Reading the annotation files took more than {format_bytes(settings.ANNOTATION_MEMORY_BYTES)} of memory. "
            "Split the archive, or take files out of it that are no annotations.",
        )
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL) and not process.exceeded:
        return WorkFailed(
            "annotations_too_complex",
            "Reading the annotation files took more than "
            f"{counted(round(settings.ANNOTATION_SECONDS / 60), 'minute')}. Split the archive, or take files out of it "
            "that are no annotations.",
        )
    return WorkFailed(
        "annotations_unreadable",
        "The annotation files cannot be read: the process that reads them ended "
        f"({process.exceeded or process.returncode}). See the server's log.",
    )
