"""Where images come from: a folder, a camera, other programs over HTTP."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .errors import AgentError
from .service import Service

log = logging.getLogger(__name__)

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic")
MAX_BODY_BYTES = 50 << 20
SETTLED_SECONDS = 0.5
MISSED_BEFORE_OPENING = 10
STATUS = {"no_model": 503, "prediction_failed": 500}  # all other errors are the image's: 400


def watch_folder(service: Service, folder: Path, every: float = 1.0) -> None:
    """Predict every image that appears in the folder, once, when it is not written to any more."""
    if not folder.is_dir():
        raise AgentError(f"There is no folder {folder}.")
    seen: dict = {path.name: _mark(path) for path in _images(folder)}
    if seen:
        count = "1 image" if len(seen) == 1 else f"{len(seen):,} images"
        log.info("%s holds %s already: only those that come now are predicted", folder, count)
    while not service.stopping.wait(every):
        present = set()
        for path in _images(folder):
            present.add(path.name)
            mark = _mark(path)
            if mark is None or seen.get(path.name) == mark or time.time() - mark[0] < SETTLED_SECONDS:
                continue
            seen[path.name] = mark
            try:
                service.predict(path.read_bytes(), str(path))
            except OSError as error:  # gone again
                log.warning("%s", error)
        for name in set(seen) - present:
            del seen[name]


def _images(folder: Path) -> list:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)


def _mark(path: Path) -> tuple[float, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime, found.st_size


def watch_camera(service: Service, name: str, every: float = 1.0) -> None:
    """Predict an image of a camera now and then. One that was unplugged or restarted is opened again.

    Args:
        name: number of a camera of this device, or an address such as `rtsp://camera.local/stream`.

    Raises:
        AgentError: OpenCV is missing, or the camera cannot be opened at the start.
    """
    try:
        import cv2
    except ImportError as error:
        raise AgentError("A camera needs OpenCV: pip install 'mlstudio-agent[camera]'") from error
    source = int(name) if name.isdigit() else name
    camera = cv2.VideoCapture(source)
    if not camera.isOpened():
        raise AgentError(f"Camera {name} cannot be opened. Is it plugged in, and may this user use it?")
    missed = 0
    try:
        while not service.stopping.wait(every):
            good, frame = camera.read()
            if good:
                missed = 0
                good, content = cv2.imencode(".jpg", frame)
                if good:
                    service.predict(content.tobytes(), f"camera-{time.time():.2f}.jpg")
                continue
            missed += 1
            if missed % MISSED_BEFORE_OPENING == 0:
                log.warning("the camera gives no image, opening it again")
                camera.release()
                camera = cv2.VideoCapture(source)
    finally:
        camera.release()


def serve_http(service: Service, host: str, port: int) -> ThreadingHTTPServer:
    """`POST /predict` with an image as the body, `GET /status`. Started on a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.rstrip("/") != "/status":
                self._answer(404, {"error": "not_found"})
                return
            running = service.loaded
            failed = service.store.state().get("failed")
            self._answer(200, {"model": running["model"] if running else None, "failed": failed})

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path.rstrip("/") != "/predict":
                self._answer(404, {"error": "not_found"})
            elif not length.isdigit() or int(length) > MAX_BODY_BYTES:
                self._answer(413, {"error": "too_large", "detail": f"At most {MAX_BODY_BYTES} bytes, with a length."})
            else:
                row = service.predict(self.rfile.read(int(length)), "http")
                self._answer(STATUS.get(row["error"], 400) if "error" in row else 200, row)

        def _answer(self, code: int, content: dict) -> None:
            body = json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # who asked has gone
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            log.debug(format, *args)

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise AgentError(f"Port {port} cannot be used: {error}") from error
    service.is_asked = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
