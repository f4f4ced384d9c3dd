"""URLs of the nginx module, signed as FastDFS signs them (`fdfs_http_gen_token` in `common/fdfs_http_shared.c`)."""

from __future__ import annotations

import hashlib
import time

from .fileid import FileId


def token(name: str, secret: str, timestamp: int) -> str:
    """md5 of the name without its group, the secret and the time; `timestamp` 0 never expires."""
    # The scheme is the server's; it guards a download link, not a password.
    return hashlib.md5(f"{name}{secret}{timestamp}".encode(), usedforsecurity=False).hexdigest()


def signed_url(base_url: str, file_id: FileId, secret: str = "", *, now: float | None = None) -> str:
    """`http://host:8888/group1/M00/…?token=…&ts=…`; without a secret, no token.

    How long it is valid is the server's setting (`http.anti_steal.token_ttl`), counted from `now`.
    """
    url = f"{base_url.rstrip('/')}/{file_id}"
    if not secret:
        return url
    timestamp = int(time.time() if now is None else now)
    return f"{url}?token={token(file_id.name, secret, timestamp)}&ts={timestamp}"
