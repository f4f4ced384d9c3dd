"""What a caller of the storage can act on."""

from __future__ import annotations

from django.db import DatabaseError
from rest_framework.exceptions import APIException

from vision.sandbox.full_disk import is_full_disk


class FileTooLarge(APIException):
    status_code = 413
    default_code = "file_too_large"
    default_detail = "The file is larger than this server accepts."


class InsufficientStorage(APIException):
    status_code = 507
    default_code = "disk_full"
    default_detail = "The server's disk is full. Nothing was lost; ask its operator to free some space."


def is_disk_full(error: BaseException) -> bool:
    """Whether this is a full disk, met by the studio itself or by its database."""
    if not isinstance(error, DatabaseError):
        return isinstance(error, OSError) and is_full_disk(error)
    # SQLITE_FULL has no code in Django's exception; PostgreSQL's disk_full is 53100.
    return "database or disk is full" in str(error) or getattr(error.__cause__, "sqlstate", "") == "53100"


class UploadConflict(APIException):
    status_code = 409
    default_code = "offset_conflict"
    default_detail = "This part does not begin where the last one ended: ask with HEAD for Upload-Offset and go on."


class UploadIncomplete(APIException):
    status_code = 409
    default_code = "upload_incomplete"
    default_detail = "Parts of this upload are missing: ask with HEAD for Upload-Offset and send the rest."


class BlobMissing(APIException):
    status_code = 503
    default_code = "file_unavailable"
    default_detail = "The file is neither in the cache nor in the store. Ask the operator to run `manage.py doctor`."
