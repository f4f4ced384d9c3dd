"""JSON is sent compressed to clients that take it so: a page of a gallery is a fifth of its size then.

Only what the API answers, and not under paths whose answers hold secrets beside texts of others (BREACH).
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.text import compress_string

from mlstudio.idempotency import SECRET_PATHS

LEAST_BYTES = 1024
# Random bytes in the header of the stream, so that its length says less (Heal the BREACH, 2022).
RANDOM_BYTES = 100


class JsonCompression:
    """Stands outside of whatever reads or keeps answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not _is_compressible(request, response):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if _takes_gzip(request.headers.get("Accept-Encoding", "")):
            content = compress_string(response.content, max_random_bytes=RANDOM_BYTES)
            if len(content) < len(response.content):
                response.content = content
                response["Content-Length"] = str(len(content))
                response["Content-Encoding"] = "gzip"
                if response.get("ETag", "").startswith('"'):
                    response["ETag"] = f"W/{response['ETag']}"
        return response


def _is_compressible(request: HttpRequest, response: HttpResponse) -> bool:
    return (
        not response.streaming
        and not response.has_header("Content-Encoding")
        and response.get("Content-Type", "").partition(";")[0] == "application/json"
        and request.path.startswith("/api/")
        and not request.path.startswith(SECRET_PATHS)
        and len(response.content) >= LEAST_BYTES
    )


def _takes_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        name, _, rest = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return rest.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
