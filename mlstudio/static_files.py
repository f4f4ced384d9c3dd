"""Static files, where the pages may be built again while the studio runs."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound
from whitenoise.middleware import WhiteNoiseMiddleware

PAGES = "/static/studio/"
# The first is written by the bundler, the second once the files beside it are compressed too.
MARKS = ("index.html", ".built")


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise lists all files when the studio starts. Those of the pages are listed again after each build, at the
    price of two calls of `stat` for a file of theirs."""

    files: dict[str, Any]

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponse] | None = None, settings: Any = settings
    ) -> None:
        super().__init__(get_response, settings)
        self._lock = threading.Lock()
        self._build: tuple | None = None

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PAGES):
            return super().__call__(request)
        self._list_again()
        try:
            return super().__call__(request)
        except FileNotFoundError:  # of the build before, which goes away right now
            return HttpResponseNotFound()

    def _list_again(self) -> None:
        build = _build_now()
        if build is None or build == self._build:
            return
        with self._lock:
            if build == self._build:
                return
            listing = copy.copy(self)
            listing.files = {}
            listing.add_files(settings.FRONTEND_DIR, prefix=PAGES)
            others = {url: file for url, file in self.files.items() if not url.startswith(PAGES)}
            # In one step: other threads read it meanwhile.
            self.files = others | listing.files
            self._build = build


def _build_now() -> tuple | None:
    """What changes with every build; None while there is none."""
    found: list[tuple[int, int] | None] = []
    for name in MARKS:
        try:
            status = (settings.FRONTEND_DIR / name).stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_ino))
    return None if found[0] is None else tuple(found)
