"""Idle event streams of one user: what they cost a web process, and what they do to another user's requests."""

from __future__ import annotations

import os
import socket
import statistics
import time
from pathlib import Path

import httpx
import psutil

from benchmarks.rows import Row, at_most, percentile
from tests.studio import Studio, wait_for

STREAMS = 600
IDLE_SECONDS = 20
REQUESTS = 200


def run(folder: Path) -> list[Row]:
    os.environ["MLSTUDIO_MAX_EVENT_STREAMS"] = "0"
    studio = Studio(folder / "studio").start()
    try:
        studio.register("watcher")
        project = studio.call("POST", "projects/", json={"name": "p"})["id"]
        job = _waiting_job(studio, project)
        other = httpx.Client(base_url=f"{studio.url}/api/v1/", timeout=60)
        other.headers["Authorization"] = _register(studio, "other")
        alone = _times(other)
        streams = [_open(studio, f"/api/v1/jobs/{job}/events/") for _ in range(STREAMS)]
        used = _cpu(studio, IDLE_SECONDS)
        watched = _times(other)
        for stream in streams:
            stream.close()
    finally:
        studio.stop()
    share = used / IDLE_SECONDS
    tail, alone_tail = 1000 * percentile(watched, 95), 1000 * percentile(alone, 95)
    middle, alone_middle = 1000 * statistics.median(watched), 1000 * statistics.median(alone)
    return [
        Row(
            f"{STREAMS} idle event streams: CPU of all web processes",
            f"{100 * share:.1f} % of a core",
            "",
            None,
            "< 5 % for 300",
            share < 0.05 * STREAMS / 300,
        ),
        at_most(
            f"another user's list beside {STREAMS} streams, p95",
            f"{tail:.1f} ms",
            f"alone {alone_tail:.1f} ms",
            tail / alone_tail,
            2,
        ),
        at_most("… median", f"{middle:.1f} ms", f"alone {alone_middle:.1f} ms", middle / alone_middle, 2),
    ]


def _waiting_job(studio: Studio, project: str) -> str:
    """A job that stays: its queue has no worker any more."""
    worker = studio.process_of("worker@")
    worker.suspend()
    dataset = studio.call("POST", "datasets/", json={"project": project, "name": "d"})["id"]
    return studio.call("POST", f"datasets/{dataset}/duplicates/", json={})["id"]


def _register(studio: Studio, name: str) -> str:
    account = {"username": name, "email": f"{name}@example.com", "password": "a long pass phrase"}
    token = httpx.post(f"{studio.url}/api/v1/auth/register/", json=account).raise_for_status().json()["token"]
    return f"Token {token}"


def _open(studio: Studio, path: str) -> socket.socket:
    """A stream by a bare socket: 600 of a client library would cost this process more than the studio."""
    host, port = studio.url.removeprefix("http://").split(":")
    stream = socket.create_connection((host, int(port)), timeout=30)
    token = studio.client.headers["Authorization"]
    head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: {token}\r\nAccept: text/event-stream\r\n\r\n"
    stream.sendall(head.encode())
    received = b""
    while b"retry:" not in received:
        received += stream.recv(4096)
        assert received.startswith(b"HTTP/1.1 200"), received[:300]
    return stream


def _cpu(studio: Studio, seconds: float) -> float:
    """CPU seconds of the web processes meanwhile."""
    processes = [
        process
        for process in psutil.Process(studio.process.pid).children()
        if "mlstudio.web" in " ".join(process.cmdline())
    ]
    time.sleep(2)
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    time.sleep(seconds)
    return sum(sum(process.cpu_times()[:2]) for process in processes) - before


def _times(client: httpx.Client) -> list[float]:
    times = []
    wait_for(lambda: client.get("projects/").status_code == 200, 10)
    for _ in range(REQUESTS):
        started = time.perf_counter()
        client.get("projects/").raise_for_status()
        times.append(time.perf_counter() - started)
    return times
