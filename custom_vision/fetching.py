"""Images by their address: the studio's own from its store, others by one guarded GET each.

Programs of strangers choose the addresses. So a name is looked up once and the connection goes to the address that was
looked at, which must be a public one unless the operator allows its host; so does each redirect; and sizes and times
have limits.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from urllib.parse import quote, urljoin, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, QueryDict
from django.urls import resolve as resolve_path

from custom_vision.asking import asking, wait_of
from custom_vision.images import NewImage
from datasets.models import Image
from storage import services as storage
from storage.cache import Incoming
from storage.models import Blob
from storage.signing import is_signed
from webhooks.posting import Guard, RefusedAddress

SECONDS, MOST_REDIRECTS, AT_ONCE, CHUNK_BYTES = 20.0, 3, 8, 256 << 10
GUARD = Guard("FETCH_HOSTS", is_plain_allowed=True)
OWN = ("image-file", "image-rendition", "image-thumbnail")
REDIRECTS = (301, 302, 303, 307, 308)
# Not images alone: a studio, and other servers, say 406 where they would have sent one.
HEADERS = {"Accept": "image/*, */*;q=0.5", "User-Agent": "MLStudio"}
KEPT_IN_ADDRESSES = "%/:=&?~#+!$,;'@()*[]"


class FetchFailed(Exception):
    """There is no image to be had at an address; the sentence says why.

    Attributes:
        wait: after how many seconds it is worth trying again, where the address says so.
    """

    def __init__(self, detail: str, wait: float | None = None) -> None:
        super().__init__(detail)
        self.wait = wait


class _Redirect(Exception):
    def __init__(self, url: str) -> None:
        self.url = url


@contextmanager
def fetched(images: Sequence[NewImage], *, tries: int = 1, keep: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The images with their files, some at once, or with `ErrorSource`. What nobody kept is gone in the end.

    Args:
        tries: how often each is asked for while its server says that it is asked too much.
        keep: called each second while they are waited for; what it raises ends the waiting.
    """
    blobs = [own_image(image.source) for image in images]
    is_ended = threading.Event()
    try:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as threads:
            fill = partial(_fill, tries=tries, is_ended=is_ended)
            left = {threads.submit(fill, image, blob) for image, blob in zip(images, blobs, strict=True)}
            try:
                while left:
                    done, left = wait(left, timeout=1.0)
                    for one in done:
                        one.result()
                    keep()
            finally:
                is_ended.set()
        yield
    finally:
        for image in images:
            if image.incoming is not None:
                image.incoming.discard()


def _fill(image: NewImage, blob: Blob | None, *, tries: int, is_ended: threading.Event) -> None:
    for left in reversed(range(tries)):
        if is_ended.is_set():
            break
        try:
            image.incoming = copy_of(blob) if blob is not None else fetch(image.source)
            return
        except FetchFailed as error:
            if error.wait is None or not left:
                break
            is_ended.wait(error.wait)
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
    with asking(url, deadline, GUARD, HEADERS) as answer:
        if answer.status in REDIRECTS and (place := answer.headers.get("Location")):
            raise _Redirect(place)
        if answer.status != 200:
            raise FetchFailed(f"The address answers with status {answer.status}.", wait=wait_of(answer))
        return _received(answer)


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
