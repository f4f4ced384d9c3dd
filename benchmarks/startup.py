"""The web process: from its start to its first answer, and its memory, beside a Django without apps."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from benchmarks.rows import Row

REPEATS = 5
BARE = """
import sys, socket, uvicorn, django
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("healthz/", lambda request: HttpResponse("ok"))]
django.setup()
from django.core.asgi import get_asgi_application
config = uvicorn.Config(get_asgi_application(), lifespan="off", log_config=None)
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


def start_once(command: list[str]) -> tuple[float, float]:
    """`(seconds until the first answer, resident bytes after it)`."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.set_inheritable(True)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/healthz/"
        started = time.perf_counter()
        process = subprocess.Popen([*command, str(listening.fileno())], pass_fds=(listening.fileno(),))
        try:
            urllib.request.urlopen(url, timeout=60).read()
            seconds = time.perf_counter() - started
            return seconds, psutil.Process(process.pid).memory_info().rss
        finally:
            process.terminate()
            process.wait()


def run(folder: Path) -> list[Row]:
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True, env=os.environ)
    ours, bare = [], []
    for _ in range(REPEATS):
        ours.append(start_once([sys.executable, "-m", "mlstudio.web"]))
        bare.append(start_once([sys.executable, "-c", BARE]))
    seconds, memory = (statistics.median(values) for values in zip(*ours, strict=True))
    bare_seconds, bare_memory = (statistics.median(values) for values in zip(*bare, strict=True))
    return [
        Row(
            "web process: start to first answer",
            f"{seconds:.2f} s",
            f"bare Django {bare_seconds:.2f} s",
            seconds / bare_seconds,
            "< 2 s",
            seconds < 2,
        ),
        Row(
            "web process: memory",
            f"{memory / 2**20:.0f} MiB",
            f"bare Django {bare_memory / 2**20:.0f} MiB",
            memory / bare_memory,
            "< 180 MB",
            memory < 180e6,
        ),
    ]
