"""What a caller of the storage can act on."""

from __future__ import annotations

from django.db import DatabaseError

from common.errors import StudioError
from vision.sandbox.full_disk import is_full_disk


class FileTooLarge(StudioError):
    status = 413
    code = "file_too_large"
    detail = "The file is larger than this server accepts."


class InsufficientStorage(StudioError):
    status = 507
    code = "disk_full"
    detail = "The server's disk is full. Nothing was lost; ask its operator to free some space."


def is_disk_full(error: BaseException) -> bool:
    """Whether this is a full disk, met by the studio itself or by its database."""
    if not isinstance(error, DatabaseError):
        return isinstance(error, OSError) and is_full_disk(error)
    # SQLITE_FULL has no code in Django's exception; PostgreSQL's disk_full is 53100.
    return "database or disk is full" in str(error) or getattr(error.__cause__, "sqlstate", "") == "53100"


class UploadConflict(StudioError):
    status = 409
    code = "offset_conflict"
    detail = "This part does not begin where the last one ended: ask with HEAD for Upload-Offset and go on."


class UploadIncomplete(StudioError):
    status = 409
    code = "upload_incomplete"
    detail = "Parts of this upload are missing: ask with HEAD for Upload-Offset and send the rest."


class BlobMissing(StudioError):
    status = 503
    code = "file_unavailable"
    detail = "The file is neither in the cache nor in the store. Ask the operator to run `manage.py doctor`."
