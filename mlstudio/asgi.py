"""The ASGI application, behind a guard that refuses bodies which are too large before they are written down."""

from __future__ import annotations

import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402 - settings need the line above

from mlstudio.handler import PooledHandler  # noqa: E402
from storage.errors import FileTooLarge, InsufficientStorage  # noqa: E402
from storage.services import ensure_free_space  # noqa: E402

JSON_LIMIT_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
# A form's fields and boundaries, beside its files.
FORM_BYTES = 4 << 20
# Where one file comes that is never as large as a dataset.
FILE_LIMITS = {"/api/v1/models/": settings.MAX_MODEL_BYTES, "/edge/v1/images/": settings.MAX_IMAGE_BYTES}


class BodyTooLarge(Exception):
    pass


class BodyGuard:
    """Counts the bytes of a request's body; Django itself would first spool the whole of it to the disk."""

    def __init__(self, application) -> None:
        self._application = application

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = self._limit(scope["path"], headers)
        announced = headers.get(b"content-length", b"0")
        size = int(announced) if announced.isdigit() else 0
        if size > limit:
            await _answer(
                send, 413, FileTooLarge.default_code, f"The request has {size:,} bytes; at most {limit:,} are accepted."
            )
            return
        if size > 1 << 20 and not _fits(size):
            await _answer(send, 507, InsufficientStorage.default_code, InsufficientStorage.default_detail)
            return
        received = 0

        async def counted():
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLarge
            return message

        try:
            await self._application(scope, counted, send)
        except BodyTooLarge:
            await _answer(send, 413, FileTooLarge.default_code, f"The request has more than {limit:,} bytes.")

    @staticmethod
    def _limit(path: str, headers: dict[bytes, bytes]) -> int:
        kind = headers.get(b"content-type", b"")
        if kind == b"application/offset+octet-stream" and path.startswith("/api/v1/uploads/"):
            return settings.MAX_UPLOAD_BYTES
        if not kind.startswith(b"multipart/form-data"):
            return JSON_LIMIT_BYTES
        return FILE_LIMITS.get(path, settings.MAX_UPLOAD_BYTES) + FORM_BYTES


def _fits(size: int) -> bool:
    # The body lies on the disk twice for a moment: as received, and in the cache.
    try:
        ensure_free_space(2 * size)
    except InsufficientStorage:
        return False
    return True


async def _answer(send, status: int, code: str, detail: str) -> None:
    kind = "server_error" if status >= 500 else "client_error"
    body = json.dumps({"type": kind, "errors": [{"code": code, "detail": detail, "attr": None}]}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


application = BodyGuard(PooledHandler())
