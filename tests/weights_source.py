"""A server of weights for tests, which can break off and lie."""

from __future__ import annotations

import contextlib
import functools
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest

from vision.training import architectures
from vision.training.pretrained import PRETRAINED

NAME = "mobilenet_v2"
FILE = PRETRAINED[NAME].files[0].path


def h5(count: int, **options) -> bytes:
    """An HDF5 file with so many numbers."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_dataset("Conv1/kernel", data=np.arange(count, dtype="float32"), **options)
    return content.getvalue()


CONTENT = h5(PRETRAINED[NAME].architecture.parameters)
PRESET = "retinanet_resnet18"


@functools.cache
def preset_content() -> bytes:
    """Of a backbone, which has fewer numbers than the whole detector."""
    return h5(PRETRAINED[PRESET].architecture.parameters * 3 // 4, compression="gzip", compression_opts=1, shuffle=True)


class Source:
    """Files by their path; remembers what it was asked."""

    def __init__(self) -> None:
        self.files = {f"/{FILE}": CONTENT}
        self.cut_after: int | None = None
        self.takes_ranges = self.says_length = True
        # Where a part begins that is sent, whatever was asked for.
        self.part_from: int | None = None
        self.stated_hash = ""
        self.redirects = self.is_endless = False
        self.headers: dict[str, str] = {}
        self.status = 200
        self.asked: list[tuple[str, str]] = []
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                source.answer(self)

            def log_message(self, *arguments) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range", "")
        self.asked.append((request.path, asked))
        if self.headers:
            request.send_response(302 if "Location" in self.headers else 200)
            for name, value in self.headers.items():
                request.send_header(name, value)
            request.end_headers()
            return
        if self.redirects:
            request.send_response(302)
            request.send_header("Location", request.path)
            request.end_headers()
            return
        if self.is_endless:
            self._send_without_end(request)
            return
        content = self.files.get(request.path.removeprefix("http://weights.invalid"))
        if content is None or self.status != 200:
            request.send_error(404 if content is None else self.status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.takes_ranges else 0
        if start >= len(content):
            request.send_error(416)
            return
        is_part = bool(start) if self.part_from is None else True
        start = start if self.part_from is None else self.part_from
        request.send_response(206 if is_part else 200)
        if is_part:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.says_length:
            request.send_header("Content-Length", str(len(content) - start))
        if self.stated_hash:
            request.send_header("X-Linked-Etag", f'"{self.stated_hash}"')
        request.end_headers()
        end = len(content) if self.cut_after is None else start + self.cut_after
        with contextlib.suppress(OSError):  # who asked has enough
            request.wfile.write(content[start:end])

    def _send_without_end(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(OSError):
            while True:
                request.wfile.write(bytes(1 << 20))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def weights_source() -> Iterator[Source]:
    source = Source()
    yield source
    source.close()


@pytest.fixture
def weights_folder(tmp_path, settings, monkeypatch, weights_source) -> Path:
    """An empty folder of weights, which nothing else is looked into beside; the mirror is our server."""
    own = tmp_path / "weights"
    settings.WEIGHTS_FOLDER, settings.WEIGHTS_URL, settings.WEIGHTS = own, weights_source.address, "ask"
    monkeypatch.setattr(architectures, "OWN_FOLDERS", [own])
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("MLSTUDIO_WEIGHTS_DIR", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return own
