"""What a caller of the storage can act on."""

from rest_framework.exceptions import APIException


class FileTooLarge(APIException):
    status_code = 413
    default_code = "file_too_large"
    default_detail = "The file is larger than this server accepts."


class InsufficientStorage(APIException):
    status_code = 507
    default_code = "disk_full"
    default_detail = "The server's disk is full. Nothing was lost; ask its operator to free some space."


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
