"""A service of Custom Vision as a place to copy from: five questions of its training address, asked with its key."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from common.errors import Invalid
from custom_vision.asking import asking, wait_of
from webhooks.posting import Guard, RefusedAddress

ADDRESS = "customvision/v3.3/training"
SECONDS = 60.0
PAGE = 50
MOST_BYTES = 64 << 20
# The key goes to it, so it is asked by https alone, unless it is a host that the operator names.
GUARD = Guard("FETCH_HOSTS")


class SourceFailed(Invalid):
    """The service does not give what is asked for; the sentence says what to do."""

    code = "source_unavailable"


class Source:
    """Asks a service.

    Args:
        endpoint: as programs have it; an address below it is cut off.
        tries: how often it is asked while it says that it is asked too much.
        pause: waits so many seconds, and may raise.
    """

    def __init__(self, endpoint: str, key: str, *, tries: int = 1, pause: Callable[[float], None] = time.sleep) -> None:
        self.endpoint = endpoint_of(endpoint)
        self._key, self._tries, self._pause = key.strip(), tries, pause

    def projects(self) -> list[dict[str, Any]]:
        return self._list("projects")

    def project(self, pk: str) -> dict[str, Any]:
        return self._object(f"projects/{pk}", "This endpoint has no such project for this key.")

    def domain(self, pk: str) -> dict[str, Any]:
        return self._object(f"domains/{pk}", "This endpoint has no such domain.")

    def tags(self, project: str) -> list[dict[str, Any]]:
        return self._list(f"projects/{project}/tags")

    def count(self, project: str, kind: str) -> int:
        """How many images are `tagged`, or `untagged`."""
        return int(self._get(f"projects/{project}/images/{kind}/count"))

    def pages(self, project: str, kind: str) -> Iterator[list[dict[str, Any]]]:
        """The `tagged` or `untagged` images, the oldest first: what is added meanwhile comes last."""
        skip = 0
        while page := self._list(f"projects/{project}/images/{kind}", take=PAGE, skip=skip, orderBy="Oldest"):
            yield page
            skip += len(page)

    def _list(self, path: str, **query: Any) -> list[dict[str, Any]]:
        answer = self._get(path, **query)
        if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
            raise _no_custom_vision(self.endpoint)
        return answer

    def _object(self, path: str, missing: str) -> dict[str, Any]:
        answer = self._get(path, missing=missing)
        if not isinstance(answer, dict):
            raise _no_custom_vision(self.endpoint)
        return answer

    def _get(self, path: str, *, missing: str = "", **query: Any) -> Any:
        """Raises `SourceFailed`."""
        url = f"{self.endpoint}/{ADDRESS}/{path}" + (f"?{urlencode(query)}" if query else "")
        for left in reversed(range(self._tries)):
            status, content, wait = self._answer(url)
            if status == 200:
                try:
                    return json.loads(content)
                except ValueError as error:
                    raise _no_custom_vision(self.endpoint) from error
            if wait is None or not left:
                break
            self._pause(wait)
        raise _failure(status, content, self.endpoint, missing)

    def _answer(self, url: str) -> tuple[int, bytes, float | None]:
        headers = {"Training-Key": self._key, "Accept": "application/json", "User-Agent": "MLStudio"}
        try:
            with asking(url, time.monotonic() + SECONDS, GUARD, headers) as answer:
                return answer.status, answer.read(MOST_BYTES), wait_of(answer)
        except RefusedAddress as error:
            raise SourceFailed(str(error), code="source_not_allowed", attr="endpoint") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            detail = f"{self.endpoint} cannot be reached ({type(error).__name__}): check the endpoint and the network."
            raise SourceFailed(detail, attr="endpoint") from error


def endpoint_of(text: str) -> str:
    """The endpoint in one form: without a slash at its end, or an address below it.

    Raises:
        SourceFailed: `source_not_allowed`.
    """
    text = text.strip()
    text = text if "://" in text else f"https://{text}"
    cut = text.lower().find("/customvision")
    text = (text if cut < 0 else text[:cut]).rstrip("/")
    parts = urlsplit(text)
    if not settings.FETCH_IMAGES:
        raise _not_allowed("This studio asks no other services (MLSTUDIO_FETCH_IMAGES).")
    try:
        is_named = GUARD.admits(parts.hostname or "", parts.port or 80)
    except ValueError as error:
        raise _not_allowed("Give the endpoint as https://name.cognitiveservices.azure.com.") from error
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_named)):
        raise _not_allowed("Give the endpoint as https://name.cognitiveservices.azure.com: a key is sent to it.")
    return text


def _not_allowed(detail: str) -> SourceFailed:
    return SourceFailed(detail, code="source_not_allowed", attr="endpoint")


def _no_custom_vision(endpoint: str) -> SourceFailed:
    detail = f"{endpoint} does not answer as Custom Vision does: check the endpoint."
    return SourceFailed(detail, attr="endpoint")


def _failure(status: int, content: bytes, endpoint: str, missing: str) -> SourceFailed:
    said = _sentence(content)
    if status == 401:
        detail = f"{endpoint} does not accept this key: use the Training-Key of this very resource."
        return SourceFailed(detail, code="source_key_wrong", attr="key")
    if status == 403:
        return SourceFailed(f"{endpoint} refuses this: {said or 'access is denied'}", code="source_refuses")
    if status == 404 and missing:
        return SourceFailed(missing, code="source_not_found", attr="source_project")
    if status == 429:
        return SourceFailed(f"{endpoint} is asked too much at the moment: try again later.", code="source_busy")
    if status >= 500:
        return SourceFailed(f"{endpoint} has trouble (status {status}): try again later.")
    return SourceFailed(f"{endpoint} answers with status {status}: check the endpoint. {said}".rstrip())


def _sentence(content: bytes) -> str:
    """What the service says of an error, in a line."""
    try:
        body = json.loads(content)
        body = body.get("error", body) if isinstance(body.get("error"), dict) else body
        return " ".join(str(body["message"]).split())[:300]
    except (ValueError, KeyError, AttributeError, TypeError):
        return ""
