"""A device that asks twice a second what it is to run, and never forgets that it had something."""

from __future__ import annotations

import base64
import contextlib
import json
import threading

import httpx

from tests.studio import Studio

POLL_SECONDS = 0.5


class WatchfulDevice:
    """Polls until it is stopped; `complaints` are the moments at which it was told to run nothing."""

    def __init__(self, studio: Studio, key: str) -> None:
        self._studio, self._headers = studio, {"Authorization": f"Device {key}"}
        self._ended = threading.Event()
        self.had: str | None = None
        self._said: str | None = None
        self.polls = 0
        self.complaints: list[str] = []
        self._thread = threading.Thread(target=self._poll_until_stopped, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(30)

    def _poll_until_stopped(self) -> None:
        with httpx.Client(timeout=10, headers=self._headers) as client:
            while not self._ended.wait(POLL_SECONDS):
                with contextlib.suppress(httpx.TransportError):
                    self._poll(client)

    def _poll(self, client: httpx.Client) -> None:
        address = f"{self._studio.url}/edge/v1/"
        answer = client.get(f"{address}manifest/")
        if answer.status_code != 200:
            return
        manifest = json.loads(base64.b64decode(answer.json()["payload"]))
        self.polls += 1
        deployment = manifest["deployment"]
        if deployment is None and self.had is not None:
            self.complaints.append(f"the device had {self.had} and is told to run nothing")
        self.had = deployment
        if deployment != self._said:
            body = {"deployment": deployment, "health": "ok", "latency_ms": 5, "predictions": 10, "errors": 0}
            if client.post(f"{address}heartbeat/", json=body).status_code == 200:
                self._said = deployment
