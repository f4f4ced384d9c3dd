"""Files that come in parts, by the rules of tus 1.0 (tus.io/protocols/resumable-upload).

A part counts when it is on the disk and begins where the last one ended; after any break it is sent again.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from common.errors import Invalid
from common.words import counted
from storage import services
from storage.cache import CHUNK_BYTES, Incoming
from storage.durability import sync_folder
from storage.errors import FileTooLarge, UploadConflict, UploadIncomplete
from storage.filenames import clean_filename
from storage.models import Upload
from storage.signals import upload_starting

CHECKSUMS = ("sha1", "sha256", "md5")
# So much of a part is made safe at once; more cannot be lost with a process that dies.
SAFE_EVERY_BYTES = 64 << 20


class ChecksumMismatch(Exception):
    """The part is not what its sender meant; nothing of it was kept."""


def begin_upload(*, user: User, length: int, metadata: str = "") -> Upload:
    """Announce a file.

    Args:
        length: in bytes.
        metadata: as tus has it, `name base64` pairs with commas; `filename` is used here.

    Raises:
        FileTooLarge, InsufficientStorage, Invalid, and what receivers of `upload_starting` raise.
    """
    if length > settings.MAX_UPLOAD_BYTES:
        raise FileTooLarge(f"A file may have at most {settings.MAX_UPLOAD_BYTES:,} bytes.")
    services.ensure_free_space(length)
    upload = _announced(user, length, metadata)
    path = path_of(upload)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    sync_folder(path.parent)
    return upload


@transaction.atomic
def _announced(user: User, length: int, metadata: str) -> Upload:
    """The row. Requests of one user come one after another here, so that none exceeds the limits."""
    list(type(user)._base_manager.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk"))
    if Upload.objects.filter(user=user).count() >= settings.MAX_OPEN_UPLOADS:
        raise Invalid(
            f"You have {counted(settings.MAX_OPEN_UPLOADS, 'unfinished upload')}: finish or delete one.",
            attr="Upload-Length",
            code="too_many_uploads",
        )
    upload_starting.send(sender=Upload, user=user, length=length)
    names = parse_metadata(metadata)
    return Upload.objects.create(
        user=user,
        length=length,
        metadata=metadata,
        expires_at=_expiry(),
        filename=clean_filename(names.get("filename") or names.get("name") or "", otherwise=""),
    )


def parse_metadata(text: str) -> dict[str, str]:
    """`Upload-Metadata` as a dictionary. Raises `Invalid`."""
    found = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Invalid(
                f"The value of {name!r} must be UTF-8 in base64.", attr="Upload-Metadata", code="invalid_metadata"
            ) from error
    return found


class PartReceiver:
    """A part on its way behind what is there. It is the only one of its upload while it is open.

    Raises, from the beginning and from `write`:
        UploadConflict: the part begins elsewhere, or another one is being received.
        FileTooLarge: it goes beyond the announced length; what fits is not kept either.
    """

    def __init__(self, *, upload: Upload, offset: int, checksum: str = "") -> None:
        self._digest = _Checksum(checksum)
        self._file = _opened_alone(upload)
        self._upload, self._offset, self._size, self._is_over = upload, offset, 0, False
        try:
            upload.refresh_from_db()
            if offset != upload.received:
                raise UploadConflict()
        except BaseException:
            self.close()
            raise
        self._file.seek(offset)

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._offset + self._size > self._upload.length:
            self._is_over = True
            raise FileTooLarge(f"The part goes beyond the announced {self._upload.length:,} bytes.")
        self._digest.update(chunk)
        self._file.write(chunk)
        if self._offset + self._size - self._upload.received >= SAFE_EVERY_BYTES and not self._digest.is_wanted:
            self._keep()

    def finish(self) -> Upload:
        """Keep the whole part. On return it survives a power cut. Raises `ChecksumMismatch`."""
        self._digest.check()
        self._keep()
        return self._upload

    def interrupt(self) -> None:
        """Keep what came, which cannot be done of a part whose checksum nobody can compare now."""
        if self._size and not self._is_over and not self._digest.is_wanted:
            self._keep()

    def attach(self, request: HttpRequest) -> None:
        request.received_part = self  # type: ignore[attr-defined]

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the rest of what a full disk did not take
            self._file.close()

    def _keep(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._upload.received, self._upload.expires_at = self._offset + self._size, _expiry()
        self._upload.save(update_fields=["received", "expires_at"])


def append_part(*, upload: Upload, offset: int, part: BinaryIO, checksum: str = "") -> Upload:
    """Write a part behind what is there; on return it survives a power cut. What comes of a broken one is kept.

    Args:
        offset: where the part begins: what was received before.
        checksum: `sha256 <base64>` of the part, or "".

    Raises:
        UploadConflict, FileTooLarge: as `PartReceiver`.
        ChecksumMismatch
    """
    receiver = PartReceiver(upload=upload, offset=offset, checksum=checksum)
    try:
        while chunk := part.read(CHUNK_BYTES):
            services.ensure_free_space(len(chunk))
            receiver.write(chunk)
        return receiver.finish()
    except ChecksumMismatch:
        raise
    except BaseException:
        receiver.interrupt()
        raise
    finally:
        receiver.close()


def adopt_upload(upload: Upload) -> Incoming:
    """The finished file, on its way into the store. It is deleted with `delete_upload` once it has its place.

    Raises:
        UploadIncomplete
    """
    if not upload.is_complete:
        raise UploadIncomplete()
    return services.local_cache().adopt(path_of(upload))


def delete_upload(*, upload: Upload) -> None:
    """The parts go when the transaction has ended: should it be rolled back, they are there as before."""
    path = path_of(upload)
    upload.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))


def delete_expired_uploads() -> int:
    """Forget what nobody went on with, and files whose row is gone. Returns how many."""
    deleted = 0
    for upload in Upload.objects.filter(expires_at__lt=timezone.now()):
        delete_upload(upload=upload)
        deleted += 1
    for path in settings.UPLOADS_DIR.glob("*"):
        if path.stat().st_mtime < (timezone.now() - timedelta(hours=1)).timestamp() and not _has_row(path):
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted


def path_of(upload: Upload) -> Path:
    return settings.UPLOADS_DIR / str(upload.id)


def _has_row(path: Path) -> bool:
    try:
        return Upload.objects.filter(pk=path.name).exists()
    except (ValueError, Invalid):
        return False


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.UPLOAD_DAYS)


def _opened_alone(upload: Upload) -> BinaryIO:
    """The upload's file, for one part at a time."""
    try:
        file = open(path_of(upload), "r+b")  # noqa: SIM115 - closed by the receiver
    except FileNotFoundError as error:
        raise UploadConflict("The received parts are gone from the server: begin the upload again.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise UploadConflict("Another part of this upload is being received: wait for its answer.") from error
    return file


class _Checksum:
    """Of one part, by `Upload-Checksum`."""

    def __init__(self, header: str) -> None:
        self._wanted = b""
        self._hash = None
        if not header:
            return
        name, _, value = header.partition(" ")
        try:
            self._wanted = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise Invalid("Must be: name of the algorithm, space, base64.", attr="Upload-Checksum") from error
        if name not in CHECKSUMS:
            raise Invalid(f"Must be of one of {', '.join(CHECKSUMS)}.", attr="Upload-Checksum")
        self._hash = hashlib.new(name, usedforsecurity=False)

    @property
    def is_wanted(self) -> bool:
        return self._hash is not None

    def update(self, chunk: bytes) -> None:
        if self._hash is not None:
            self._hash.update(chunk)

    def check(self) -> None:
        if self._hash is not None and self._hash.digest() != self._wanted:
            raise ChecksumMismatch
