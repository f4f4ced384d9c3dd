"""One file over HTTP: resumed where it was cut, through proxies, never more than was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy

from common.words import format_bytes
from vision.model_import.weights_file import is_cut

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
# Of a connection that is cut all but the last piece is kept.
PIECE = 1 << 16
SHA256 = re.compile(r"^[0-9a-f]{64}$")
CONTENT_RANGE = re.compile(r"^bytes (\d+)-")
HEADERS = {"User-Agent": "mlstudio", "Accept-Encoding": "identity"}

OnBytes = Callable[[int, int | None], None]


class CannotFetch(Exception):
    """The sentence says why, without its end."""


@dataclass(frozen=True)
class Download:
    """Where a file comes from, and where what has come of it is kept.

    Attributes:
        most_bytes: a source that sends more is left.
    """

    url: str
    partial: Path
    most_bytes: int
    on_bytes: OnBytes


def fetch(download: Download) -> str:
    """Append what is missing to the partial file. Returns the SHA-256 that the server states, or "".

    Raises:
        CannotFetch: what has come is kept where it can be gone on from.
    """
    try:
        _check_proxy(download.url)
        return _fetch(download)
    except (requests.RequestException, ValueError) as error:  # the latter of some addresses that are none
        raise CannotFetch(_reason(error, kept_bytes(download.partial))) from error


def kept_bytes(partial: Path) -> int:
    return partial.stat().st_size if partial.exists() else 0


def shown_address(url: str) -> str:
    """An address without the name and password that it may have."""
    return re.sub(r"//[^/]*@", "//", url)


def _check_proxy(url: str) -> None:
    proxy = select_proxy(url, get_environ_proxies(url)) or ""
    scheme = urlsplit(proxy).scheme if "://" in proxy else "http"
    if scheme not in ("http", "https"):
        raise CannotFetch(
            f"the proxy {shown_address(proxy)} of the environment is no HTTP proxy, and others are not used here"
        )


def _fetch(download: Download) -> str:
    partial, have = download.partial, kept_bytes(download.partial)
    headers = HEADERS | ({"Range": f"bytes={have}-"} if have else {})
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    with requests.get(download.url, headers=headers, stream=True, timeout=timeout) as answer:
        if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return _stated_hash(answer)  # all of it is here
        answer.raise_for_status()
        is_part = answer.status_code == requests.codes.partial_content
        if not is_part or (have and _start_of(answer) == have):
            return _write(answer, download, have if is_part else 0)
    if not have:
        raise CannotFetch("it sent a part of the file where the whole was asked for")
    partial.unlink()  # a part from elsewhere does not fit to what is here: from the beginning, which asks for no part
    return _fetch(download)


def _start_of(answer: requests.Response) -> int | None:
    """Where the part begins that a server sends; None: it does not say so."""
    found = CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
    return None if found is None else int(found[1])


def _write(answer: requests.Response, download: Download, have: int) -> str:
    """Write what comes behind the first `have` bytes."""
    length = answer.headers.get("Content-Length", "")
    total = have + int(length) if length.isdecimal() else None
    with open(download.partial, "ab" if have else "wb") as target:
        for chunk in answer.iter_content(PIECE):
            target.write(chunk)
            have += len(chunk)
            if have > download.most_bytes:
                target.truncate(0)
                raise CannotFetch(f"it sent more than {format_bytes(download.most_bytes)}")
            download.on_bytes(have, total)
    if total is None and is_cut(download.partial):  # no length says that something is missing
        raise CannotFetch("the connection was cut")
    return _stated_hash(answer)


def _stated_hash(answer: requests.Response) -> str:
    """That of a large file at Hugging Face, which is in the answer that leads to it."""
    for response in (*answer.history, answer):
        stated = response.headers.get("X-Linked-Etag", "").strip('"')
        if SHA256.match(stated):
            return stated
    return ""


def _reason(error: requests.RequestException | ValueError, kept: int) -> str:
    if isinstance(error, requests.TooManyRedirects):
        return "it leads in a circle"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"it answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.InvalidProxyURL):
        return "the proxy of the environment is no address"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not let it through"
    if isinstance(error, requests.Timeout):
        return "it does not answer"
    if isinstance(error, ValueError):  # as requests calls addresses that are none
        return "that is no address of a file"
    return "the connection was cut" if kept else "there is no connection to it"
