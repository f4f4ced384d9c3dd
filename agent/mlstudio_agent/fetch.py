"""Getting a model's file: from FastDFS, by HTTP or from the studio, going on where a break left it."""

from __future__ import annotations

import hashlib
import logging
import os
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fastdfs import Client, DataDamaged, FastDFSError, FileId

from .errors import DownloadFailed, NotTrusted
from .store import sync_folder
from .studio import Studio

log = logging.getLogger(__name__)

CHUNK_BYTES = 64 << 10
SYNC_BYTES = 8 << 20


def fetch(entry: dict, target: Path, studio: Studio) -> Path:
    """The file of a manifest's `file` entry at `target`, with the sha256 that was signed.

    Raises:
        DownloadFailed: no source gave all of it; what came stays beside the target for the next attempt.
        NotTrusted: a source gave something else; it was deleted.
    """
    if target.exists() and _sha256(target) == entry["sha256"]:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    problems = []
    for source in entry["sources"]:
        try:
            if _is_filled(partial, source, entry, studio):
                log.info("fetched %s bytes from %s", entry["size"], source["type"])
                os.replace(str(partial), str(target))
                sync_folder(target.parent)
                return target
            problems.append(f"{source['type']}: gave another file than was signed")
        except (OSError, FastDFSError, ValueError) as error:
            problems.append(f"{source['type']}: {error}")
        log.warning("source failed: %s", problems[-1])
    if all("another file" in problem for problem in problems):
        raise NotTrusted("Every source gave another file than was signed: " + "; ".join(problems))
    raise DownloadFailed("The model cannot be fetched now: " + "; ".join(problems))


def _is_filled(partial: Path, source: dict, entry: dict, studio: Studio) -> bool:
    """Whether the file is whole and the one that was signed. A wrong one is deleted; one that an earlier attempt or
    another source began is then got again, for the fault may be theirs."""
    while True:
        began_before = partial.exists() and partial.stat().st_size > 0
        try:
            _fill(partial, source, entry["size"], studio)
        except DataDamaged as error:
            partial.unlink()
            raise ValueError(f"gave another file than was signed ({error})") from error
        if _sha256(partial) == entry["sha256"]:
            return True
        partial.unlink()
        if not began_before:
            return False


def _fill(partial: Path, source: dict, size: int, studio: Studio) -> None:
    """Append to the partial file until it has `size` bytes."""
    have = partial.stat().st_size if partial.exists() else 0
    if have > size:
        partial.unlink()
        have = 0
    if have == size:
        return
    with open(str(partial), "ab") as file:
        unsynced = 0
        for chunk in _chunks(source, have, size, studio, file):
            file.write(chunk)
            have += len(chunk)
            unsynced += len(chunk)
            if have > size:
                raise ValueError(f"the file is longer than the {size} bytes that were signed")
            if unsynced >= SYNC_BYTES:  # a power cut costs no more than this
                file.flush()
                os.fsync(file.fileno())
                unsynced = 0
        file.flush()
        os.fsync(file.fileno())
    if have != size:
        raise ValueError(f"it ended after {have} of {size} bytes")


def _chunks(source: dict, offset: int, size: int, studio: Studio, file: BinaryIO) -> Iterator[bytes]:
    if source["type"] == "fastdfs":
        client = Client(source["trackers"], connect_timeout=5.0, timeout=20.0)
        try:
            yield from client.download(FileId.parse(source["id"]), offset)
        finally:
            client.close()
    elif source["type"] in ("http", "studio"):
        yield from _by_http(source["url"], offset, studio, file)
    else:
        raise ValueError(f"this agent does not know sources of the kind {source['type']!r}")


def _by_http(url: str, offset: int, studio: Studio, file: BinaryIO) -> Iterator[bytes]:
    if not url.startswith(("http://", "https://")):
        raise ValueError("the address is not http")
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    try:
        with studio.open("GET", url, headers=headers) as answer:
            if offset and answer.status != 206:  # a server without ranges begins again
                file.truncate(0)
                raise ValueError("the server cannot go on in the middle; the next attempt begins again")
            while True:
                chunk = answer.read(CHUNK_BYTES)
                if not chunk:
                    return
                yield chunk
    except urllib.error.HTTPError as error:
        raise ValueError(f"HTTP {error.code}") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(str(path), "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()
