"""Images by their address: the studio's own from its store, others by one guarded GET each.

Programs of strangers choose the addresses. So a name is looked up once and the connection goes to the address that was
looked at, which must be a public one unless the operator allows its host; so does each redirect; and sizes and times
have limits.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import quote, urljoin, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, QueryDict
from django.urls import resolve as resolve_path

from custom_vision.images import NewImage
from datasets.models import Image
from storage import services as storage
from storage.cache import Incoming
from storage.models import Blob
from storage.signing import is_signed
from webhooks.posting import Guard, RefusedAddress, Target, TookTooLong, resolve, within

SECONDS, MOST_REDIRECTS, AT_ONCE, CHUNK_BYTES = 20.0, 3, 8, 256 << 10
GUARD = Guard("FETCH_HOSTS", is_plain_allowed=True)
OWN = ("image-file", "image-rendition", "image-thumbnail")
REDIRECTS = (301, 302, 303, 307, 308)
# Not images alone: a studio, and other servers, say 406 where they would have sent one.
HEADERS = {"Accept": "image/*, */*;q=0.5", "User-Agent": "MLStudio"}
KEPT_IN_ADDRESSES = "%/:=&?~#+!$,;'@()*[]"


class FetchFailed(Exception):
    """There is no image to be had at an address; the sentence says why."""


class _Redirect(Exception):
    def __init__(self, url: str) -> None:
        self.url = url


@contextmanager
def fetched(images: Sequence[NewImage]) -> Iterator[None]:
    """The images with their files, some at once, or with `ErrorSource`. What nobody kept is gone in the end."""
    blobs = [own_image(image.source) for image in images]
    try:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as threads:
            list(threads.map(_fill, images, blobs))
        yield
    finally:
        for image in images:
            if image.incoming is not None:
                image.incoming.discard()


def _fill(image: NewImage, blob: Blob | None) -> None:
    try:
        image.incoming = copy_of(blob) if blob is not None else fetch(image.source)
    except FetchFailed:
        image.problem = "ErrorSource"


@contextmanager
def one_fetched(url: str) -> Iterator[Incoming]:
    """The file at an address. Raises `FetchFailed`."""
    blob = own_image(url)
    incoming = copy_of(blob) if blob is not None else fetch(url)
    try:
        yield incoming
    finally:
        incoming.discard()


def own_image(url: str) -> Blob | None:
    """The file of an image of this studio, when the address was signed here and its time is not over."""
    parts = urlsplit(url)
    request = HttpRequest()
    request.method, request.path, request.GET = "GET", parts.path, QueryDict(parts.query)  # type: ignore[assignment]
    if not is_signed(request):
        return None
    try:
        match = resolve_path(parts.path)
    except Http404:
        return None
    if match.url_name not in OWN:
        return None
    image = Image.objects.select_related("blob").filter(pk=match.kwargs["pk"]).first()
    return None if image is None else image.blob


def copy_of(blob: Blob) -> Incoming:
    """The content of a blob as a file that just came."""
    incoming = storage.receive()
    try:
        with storage.opened(blob) as file:
            for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
                incoming.write(chunk)
        incoming.finish()
    except BaseException:
        incoming.discard()
        raise
    return incoming


def fetch(url: str) -> Incoming:
    """The file at an address, in SECONDS at most. Raises `FetchFailed`."""
    if not settings.FETCH_IMAGES:
        raise FetchFailed("This studio fetches no images by their address: send them as bytes.")
    deadline = time.monotonic() + SECONDS
    for _ in range(MOST_REDIRECTS + 1):
        try:
            return _get(quote(url.strip(), safe=KEPT_IN_ADDRESSES), deadline)
        except _Redirect as redirect:
            url = urljoin(url, redirect.url)
        except RefusedAddress as error:
            raise FetchFailed(str(error)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchFailed(f"The address cannot be read ({type(error).__name__}).") from error
    raise FetchFailed(f"The address leads on more than {MOST_REDIRECTS} times.")


def _get(url: str, deadline: float) -> Incoming:
    target = within(_left(deadline), resolve, url, GUARD)
    raw = socket.create_connection((target.address, target.port), timeout=_left(deadline))
    handle = raw.dup()  # the socket itself is given to TLS
    watch = threading.Timer(_left(deadline), _shut, [handle])
    watch.daemon = True
    watch.start()
    try:
        return _answer(raw, target, url)
    finally:
        watch.cancel()
        handle.close()
        raw.close()


def _answer(raw: socket.socket, target: Target, url: str) -> Incoming:
    is_secure, parts = target.scheme == "https", urlsplit(url)
    talking = ssl.create_default_context().wrap_socket(raw, server_hostname=target.host) if is_secure else raw
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock, connection.auto_open = talking, 0
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"Host": parts.netloc, **HEADERS})
        answer = connection.getresponse()
        if answer.status in REDIRECTS and (place := answer.headers.get("Location")):
            raise _Redirect(place)
        if answer.status != 200:
            raise FetchFailed(f"The address answers with status {answer.status}.")
        return _received(answer)
    finally:
        connection.close()
        talking.close()


def _received(answer: http.client.HTTPResponse) -> Incoming:
    incoming = storage.receive()
    try:
        while chunk := answer.read(CHUNK_BYTES):
            incoming.write(chunk)
            if incoming.size > settings.MAX_IMAGE_BYTES:
                raise FetchFailed("The file is larger than an image may be.")
        if answer.length:  # it broke off
            raise FetchFailed("The file did not come whole.")
        incoming.finish()
    except BaseException:
        incoming.discard()
        raise
    return incoming


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TookTooLong("The address did not answer in time.")
    return left
