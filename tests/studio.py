"""A whole studio in processes of its own, for tests that go through the front door."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from tests.once import migrated_database

START_SECONDS = 300  # on a machine that is busy with other tests
ROOT = Path(__file__).resolve().parent.parent
SHORTEST_PAUSE, LONGEST_PAUSE = 0.03, 0.4  # seconds


class Studio:
    """`manage.py studio` on a free port with its data in a folder."""

    def __init__(self, folder: Path, *, web_processes: int = 1, **environment: str) -> None:
        self.folder = folder
        self._web_processes = str(web_processes)
        self.log_path = folder.parent / f"{folder.name}.log"
        self._environment = {**os.environ, **environment}
        for name in ("REDIS_URL", "MLSTUDIO_DATA_DIR"):
            self._environment.pop(name, None)
        self._environment["DJANGO_SETTINGS_MODULE"] = "tests.studio_settings"

    def start(self) -> Studio:
        if not (self.folder / "db.sqlite3").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(migrated_database(), self.folder / "db.sqlite3")
        command = [sys.executable, "manage.py", "studio", "--port", "0", "--data-dir", str(self.folder)]
        command += ["--web-processes", self._web_processes]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        already = self.log().count("ready. API:")
        wait_for(lambda: self.log().count("ready. API:") > already or self.process.poll() is not None, START_SECONDS)
        assert self.process.poll() is None, self.log()[-3000:]
        self.url = re.findall(r"ready\. API: (http://[^/]+)/", self.log())[-1]
        self.client = httpx.Client(base_url=f"{self.url}/api/v1/", timeout=60)
        return self

    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self.client.close()
        return code

    def register(self, name: str = "mia") -> None:
        account = {"username": name, "email": f"{name}@example.com", "password": "a long pass phrase"}
        token = self.call("POST", "auth/register/", json=account)["token"]
        self.client.headers["Authorization"] = f"Token {token}"

    def call(self, method: str, path: str, **options):
        answer = self.client.request(method, path, **options)
        assert answer.status_code < 300, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def wait_for_end(self, path: str, seconds: float = 240) -> dict:
        wait_for(lambda: self.call("GET", path)["state"] in ("succeeded", "failed", "cancelled"), seconds)
        return self.call("GET", path)

    def process_of(self, *words: str) -> psutil.Process:
        """A descendant of the launcher whose command line has all the words."""
        found = self.processes_of(*words)
        assert found, f"no process with {words}"
        return found[0]

    def processes_of(self, *words: str) -> list[psutil.Process]:
        return [one for one in psutil.Process(self.process.pid).children(recursive=True) if _matches(one, words)]


def _matches(process: psutil.Process, words: tuple[str, ...]) -> bool:
    with contextlib.suppress(psutil.Error):
        line = " ".join(process.cmdline())
        return all(word in line for word in words)
    return False


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    """Until the condition holds; the studio may be away for a moment.

    What takes long is looked at less often: twenty questions a second would take a third of a core.
    """
    deadline, pause = time.monotonic() + seconds, SHORTEST_PAUSE
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if condition():
                return
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.2)
    raise AssertionError(f"nothing happened within {seconds} s")
