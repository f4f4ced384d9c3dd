"""2,000 devices that poll every minute, for ten minutes of their time, while a roll-out begins to fail."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx

from benchmarks.rows import Row, percentile
from tests.agent import make_keras_file, upload_model
from tests.studio import ROOT, Studio

DEVICES = 2000
MINUTES = 10
AT_ONCE = 16
HEARTBEAT_EVERY = 5  # polls
DEPLOY_AT = 3  # minutes
FAILING = 0.3  # of the devices that get the new model
LARGEST_FAILURE_RATE = 0.2

QUERIES_SCRIPT = """
import os
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
settings.ALLOWED_HOSTS = ["*"]
client = Client(headers={"authorization": "Device " + os.environ["DEVICE_KEY"]})
etag = client.get("/edge/v1/manifest/")["ETag"]
with CaptureQueriesContext(connection) as queries:
    for _ in range(200):
        assert client.get("/edge/v1/manifest/", headers={"if-none-match": etag}).status_code == 304
print(len(queries) / 200)
"""


def run(folder: Path) -> list[Row]:
    studio = Studio(folder / "data", MLSTUDIO_ENROLMENT_RATE="1000000/min").start()
    try:
        studio.register()
        project = studio.call("POST", "projects/", json={"name": "Fleet", "task": "classification"})["id"]
        models = []
        for seed in (1, 2):
            make_keras_file(folder / f"{seed}.keras", seed, 16)
            models.append(upload_model(studio, project, folder / f"{seed}.keras", f"m{seed}"))
        group = studio.call("POST", "device-groups/", json={"project": project, "name": "all"})["id"]
        first = studio.call("POST", "deployments/", json={"group": group, "model": models[0]})
        studio.call("POST", f"deployments/{first['id']}/advance/", json={"force": True})
        code = studio.call("POST", "enrolment-codes/", json={"project": project, "group": group, "uses": DEVICES})[
            "code"
        ]
        fleet = Fleet(studio, group, models[1])
        enrolling = asyncio.run(fleet.enrol(code))
        took = asyncio.run(fleet.live())
        queries = _queries_a_poll(folder / "data", fleet.keys[0])
        stopped = studio.call("GET", f"deployments/{fleet.deployment}/")
    finally:
        studio.stop()
    polls = [seconds * 1000 for seconds in fleet.polls]
    reports = stopped["reports"]
    needed = DEVICES / 60
    return [
        Row(
            f"{DEVICES:,} devices, {len(polls):,} polls with {AT_ONCE} at once: polls a second",
            f"{len(polls) / took:.0f}",
            f"needed for one a minute each: {needed:.0f}",
            len(polls) / took / needed,
        ),
        Row("a poll, median and p95", f"{statistics.median(polls):.1f} ms, {percentile(polls, 95):.1f} ms", ""),
        Row("database queries a poll", f"{queries:.2f}", "goal 1", None, "1", queries <= 1.05),
        Row(
            f"roll-out in steps of 10, 50 and 100 %, {FAILING:.0%} failing, at most {LARGEST_FAILURE_RATE:.0%}",
            f"{stopped['state']} at {stopped['percent']} %",
            f"{reports['failed']} of {reports['reported']} failed",
            None,
            "stops by itself",
            stopped["state"] == "stopped",
        ),
        Row("enrolment of a device", f"{enrolling / DEVICES * 1000:.1f} ms", ""),
    ]


class Fleet:
    """All devices, as many at once as there are connections."""

    def __init__(self, studio: Studio, group: str, model: str) -> None:
        self._studio, self._group, self._model = studio, group, model
        self.keys: list[str] = []
        self.polls: list[float] = []
        self.deployment = ""
        self._etags: dict[str, str] = {}
        self._running: dict[str, str | None] = {}

    async def enrol(self, code: str) -> float:
        """Seconds that it took."""
        started = time.perf_counter()

        async def one(client: httpx.AsyncClient, number: int) -> None:
            answer = await client.post("/edge/v1/enrol/", json={"code": code, "name": f"device {number}"})
            assert answer.status_code == 201, answer.text
            self.keys.append(answer.json()["key"])

        await self._all(one, list(range(DEVICES)))
        return time.perf_counter() - started

    async def live(self) -> float:
        """Ten minutes of every device, one after the other; seconds that the polls took."""
        took = 0.0
        for minute in range(MINUTES):
            if minute == DEPLOY_AT:
                body = {
                    "group": self._group,
                    "model": self._model,
                    "steps": [10, 50, 100],
                    "step_minutes": 0,
                    "largest_failure_rate": LARGEST_FAILURE_RATE,
                    "least_reports": 20,
                }
                self.deployment = self._studio.call("POST", "deployments/", json=body)["id"]
            started = time.perf_counter()
            await self._all(self._poll, self.keys)
            took += time.perf_counter() - started
            reporting = [
                key
                for number, key in enumerate(self.keys)
                if number % HEARTBEAT_EVERY == minute % HEARTBEAT_EVERY or self._running.get(key) == self.deployment
            ]
            await self._all(self._report, reporting)
        return took

    async def _poll(self, client: httpx.AsyncClient, key: str) -> None:
        headers = {"Authorization": f"Device {key}", "If-None-Match": self._etags.get(key, "")}
        started = time.perf_counter()
        answer = await client.get("/edge/v1/manifest/", headers=headers)
        self.polls.append(time.perf_counter() - started)
        if answer.status_code == 200:
            self._etags[key] = answer.headers["ETag"]
            self._running[key] = json.loads(base64.b64decode(answer.json()["payload"]))["deployment"]
        else:
            assert answer.status_code == 304, answer.text

    async def _report(self, client: httpx.AsyncClient, key: str) -> None:
        running = self._running.get(key)
        fails = running == self.deployment and hash(key) % 100 < FAILING * 100
        body = {"deployment": running, "health": "failed" if fails else "ok", "predictions": 60, "latency_ms": 5.0}
        answer = await client.post("/edge/v1/heartbeat/", json=body, headers={"Authorization": f"Device {key}"})
        assert answer.status_code == 200, answer.text

    async def _all(self, work, items: list) -> None:
        waiting = list(items)
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)

        async def worker(client: httpx.AsyncClient) -> None:
            while waiting:
                await work(client, waiting.pop())

        async with httpx.AsyncClient(base_url=self._studio.url, limits=limits, timeout=60) as client:
            await asyncio.gather(*(worker(client) for _ in range(AT_ONCE)))


def _queries_a_poll(data: Path, key: str) -> float:
    """Counted in a process with the same data, for a server keeps no account of them."""
    environment = {**os.environ, "MLSTUDIO_DATA_DIR": str(data), "DEVICE_KEY": key}
    command = [sys.executable, "manage.py", "shell", "-c", QUERIES_SCRIPT]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.strip().splitlines()[-1])
