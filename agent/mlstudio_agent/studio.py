"""Talking with the studio over HTTP, by the standard library."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from typing import Any

from . import __version__
from .errors import Refused, StudioUnreachable

TIMEOUT_SECONDS = 20.0
LOOK_SECONDS = 3.0


class Studio:
    """The calls of a device. Without a key only `enrol` works."""

    def __init__(self, url: str, key: str = "") -> None:
        self.base = url.rstrip("/") + "/edge/v1/"
        self._key = key

    def enrol(self, code: str, name: str, platform: dict) -> dict:
        body = {"code": code, "name": name, "platform": platform, "agent_version": __version__}
        return self._json("POST", "enrol/", json.dumps(body).encode(), "application/json")

    def manifest(self, etag: str) -> tuple[dict | None, str]:
        """`(envelope, etag)`; None when nothing has changed."""
        headers = {"If-None-Match": etag} if etag else {}
        try:
            with self.open("GET", self.base + "manifest/", headers=headers) as answer:
                return json.load(answer), answer.headers.get("ETag", "")
        except urllib.error.HTTPError as error:
            if error.code == 304:
                return None, etag
            raise _explained(error) from error
        except (OSError, ValueError) as error:
            raise StudioUnreachable(f"The studio at {self.base} does not answer: {error}") from error

    def why_unreachable(self) -> str:
        """Empty when the studio answers now and knows this device; asked with little patience, for people who wait."""
        try:
            self.open("GET", self.base + "keys/", timeout=LOOK_SECONDS).close()
        except urllib.error.HTTPError as error:
            return str(_explained(error))
        except (OSError, ValueError) as error:
            return f"The studio at {self.base} does not answer: {error}"
        return ""

    def heartbeat(self, report: dict) -> dict:
        return self._json("POST", "heartbeat/", json.dumps(report).encode(), "application/json")

    def send_image(self, content: bytes, filename: str, prediction: dict) -> dict:
        boundary = secrets.token_hex(16)
        name = "".join(letter for letter in filename if letter.isalnum() or letter in "._- ") or "image"
        parts = [
            ('name="prediction"', json.dumps(prediction).encode()),
            (f'name="file"; filename="{name}"\r\nContent-Type: application/octet-stream', content),
        ]
        body = b"".join(
            f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + part + b"\r\n"
            for head, part in parts
        )
        body += f"--{boundary}--\r\n".encode()
        return self._json("POST", "images/", body, f"multipart/form-data; boundary={boundary}")

    def open(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: dict | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Any:
        """An open answer. The key goes to the studio only, never to another server that a manifest names."""
        wanted = {"User-Agent": f"mlstudio-agent/{__version__}", **(headers or {})}
        if self._key and url.startswith(self.base):
            wanted["Authorization"] = f"Device {self._key}"
        request = urllib.request.Request(url, data=body, headers=wanted, method=method)
        return OPENER.open(request, timeout=timeout)

    def _json(self, method: str, path: str, body: bytes, content_type: str) -> dict:
        try:
            with self.open(method, self.base + path, body, {"Content-Type": content_type}) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise _explained(error) from error
        except (OSError, ValueError) as error:
            raise StudioUnreachable(f"The studio at {self.base} does not answer: {error}") from error


class _SameHost(urllib.request.HTTPRedirectHandler):
    """A redirect to another server would take the key there."""

    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = urllib.request.build_opener(_SameHost)


def _explained(error: urllib.error.HTTPError) -> Exception:
    try:
        found = json.load(error)["errors"][0]["detail"]
    except (ValueError, KeyError, IndexError, TypeError, OSError):
        found = error.reason
    text = f"The studio answers {error.code}: {found}"
    return Refused(text) if 400 <= error.code < 500 and error.code != 429 else StudioUnreachable(text)
