"""Idle streams of all events, each of a user of its own: what they cost, and how soon an epoch is on them."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks.event_streams import _cpu
from benchmarks.rows import Row, percentile
from tests.studio import ROOT, Studio

USERS = 300
WATCHERS = 1000
IDLE_SECONDS = 20
EPOCHS = 20

# In a process of its own, as a trainer is.
MEMBERS = """
import json, sys
from django.contrib.auth import get_user_model
from accounts.services import issue_login_token
from projects.models import Membership, Project
project = Project.objects.get()
users = [get_user_model().objects.create(username=f"w{number}") for number in range(%d)]
Membership.objects.bulk_create(Membership(project=project, user=user, role="viewer") for user in users)
print(json.dumps([issue_login_token(user=user)[1] for user in users]))
"""
TRAINER = """
import random, time
from datasets.models import Snapshot
from jobs import work
from projects.models import Project
from training.models import TrainingRun
project = Project.objects.get()
empty = {"fractions": {}, "class_names": [], "counts": {}}
snapshot = Snapshot.objects.create(project=project, number=1, digest="", seed=1, **empty)
run = work.claim(TrainingRun, TrainingRun.objects.create(project=project, snapshot=snapshot, configuration={}).pk)
for number in range(%d):
    time.sleep(0.7 + random.random())
    work.record_event(run, "epoch", {"epoch": number, "at": time.time()})
"""


def run(folder: Path) -> list[Row]:
    os.environ |= {"MLSTUDIO_MAX_EVENT_STREAMS": "0", "MLSTUDIO_CONNECTIONS_PER_ADDRESS": "0"}
    studio = Studio(folder / "studio").start()
    try:
        studio.register("owner")
        studio.call("POST", "projects/", json={"name": "p"})
        tokens = json.loads(_shell(studio, MEMBERS % USERS).splitlines()[-1])
        bare = _cpu(studio, IDLE_SECONDS) / IDLE_SECONDS
        streams = [_open(studio, token) for token in tokens]
        share = _cpu(studio, IDLE_SECONDS) / IDLE_SECONDS
        streams += [_open(studio, tokens[number % USERS]) for number in range(WATCHERS - USERS)]
        many = _cpu(studio, IDLE_SECONDS) / IDLE_SECONDS
        delays = _epochs(studio, tokens[0])
        for stream in streams:
            stream.close()
    finally:
        studio.stop()
    middle, tail = statistics.median(delays), percentile(delays, 95)
    return [
        Row(
            f"{USERS} idle streams of all events, of {USERS} users: CPU of the web processes",
            f"{100 * share:.1f} % of a core",
            f"none: {100 * bare:.1f} %",
            None,
            "< 5 %",
            share < 0.05,
        ),
        Row(f"{WATCHERS} of them", f"{100 * many:.1f} % of a core", "", None, "", True),
        Row(f"an epoch on the stream beside {WATCHERS}, median", f"{middle:.2f} s", "", None, "< 1 s", middle < 1),
        Row("… p95", f"{tail:.2f} s", "", None, "< 1 s", tail < 1),
    ]


def _shell(studio: Studio, code: str) -> str:
    environment = {**os.environ, "MLSTUDIO_DATA_DIR": str(studio.folder), "MLSTUDIO_LOG_LEVEL": "error"}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def _open(studio: Studio, token: str) -> socket.socket:
    host, port = studio.url.removeprefix("http://").split(":")
    stream = socket.create_connection((host, int(port)), timeout=30)
    stream.sendall(
        f"GET /api/v1/events/ HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Token {token}\r\n\r\n".encode()
    )
    received = b""
    while b'"ready"' not in received:
        received += stream.recv(4096)
        assert received.startswith(b"HTTP/1.1 200"), received[:300]
    return stream


def _epochs(studio: Studio, token: str) -> list[float]:
    """Seconds from an epoch's row to its message."""
    delays: list[float] = []
    stream = _open(studio, token)

    def read() -> None:
        received = b""
        while len(delays) < EPOCHS:
            received += stream.recv(65536)
            *lines, received = received.split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    delays.extend(time.time() - one["at"] for one in json.loads(line[6:]).get("epochs", ()))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    _shell(studio, TRAINER % EPOCHS)
    reader.join(10)
    stream.close()
    return delays
