"""Starting and stopping the whole studio."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from django.core.exceptions import ImproperlyConfigured

from mlstudio.environment import BASE_DIR, data_dir, machine_memory, number
from mlstudio.launcher.broker import embedded_broker
from mlstudio.launcher.children import Child, stop_all
from mlstudio.launcher.first_weights import has_weights, offer_weights
from mlstudio.launcher.problems import (
    OTHER_FOLDER,
    CannotStart,
    check_settings,
    check_versions,
    lock_folder,
    open_port,
    prepare_folder,
)
from mlstudio.limits import raise_file_limit

READY_SECONDS = 60.0
WORKER_QUEUES = ("quick", "heavy", "preflight", "webhooks", "periodic")
# Threads are made when they are needed; how many work on a queue at once is decided by its lane (jobs/lanes.py).
# A message that finds its lane full lets its thread go at once, so there is always one for the next message.
WORKER_THREADS = 64
SPARE_THREADS = 2
MIGRATION_SECONDS = 600.0
ROLES = ("web", "worker", "trainer", "beat")
POLL_SECONDS = 0.2


def main(arguments: list[str]) -> int:
    try:
        options = _parser().parse_args(arguments)
        return Studio(options).run()
    except CannotStart as problem:
        print(f"ML Studio cannot start: {problem}", file=sys.stderr, flush=True)
        return 2


def _parser() -> argparse.ArgumentParser:
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(
        prog="manage.py studio", description="Start broker, web, worker, trainer and beat in this terminal."
    )
    parser.add_argument("--host", default=os.environ.get("MLSTUDIO_HOST", "127.0.0.1"), help="address to listen on")
    parser.add_argument("--port", type=int, default=_number("MLSTUDIO_PORT", 8000), help="0: a free one")
    parser.add_argument("--data-dir", type=Path, help="where everything is kept (default: data, beside manage.py)")
    parser.add_argument(
        "--only", choices=ROLES, help="one part of a studio whose parts run in containers or on machines of their own"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=_number("MLSTUDIO_QUICK_WORKERS", max(3, cores + 1)),
        help="quick background jobs at once",
    )
    parser.add_argument(
        "--heavy-workers",
        type=int,
        default=_number("MLSTUDIO_HEAVY_WORKERS", max(1, cores // 2)),
        help="long jobs at once: models, videos, large imports",
    )
    parser.add_argument(
        "--queues", default=",".join(WORKER_QUEUES), help="what a worker does, for workers on machines of their own"
    )
    parser.add_argument(
        "--trainers", type=int, default=_number("MLSTUDIO_TRAINERS", 1), help="trainings at once (one a GPU)"
    )
    parser.add_argument("--web-processes", type=int, default=min(4, cores), help="web server processes")
    return parser


def _number(name: str, default: int) -> int:
    try:
        return number(name, default)
    except ImproperlyConfigured as error:
        raise CannotStart(str(error)) from error


def _memory_limit(part: str) -> int:
    """Bytes that a process of this part may have."""
    return _number(f"MLSTUDIO_{part}_MEMORY_BYTES", min(4 << 30, machine_memory() * 3 // 4))


def say(text: str) -> None:
    print(f"[studio] {text}", flush=True)


class Studio:
    def __init__(self, options: argparse.Namespace) -> None:
        for name in ("workers", "heavy_workers", "trainers", "web_processes"):
            if getattr(options, name) < 1:
                raise CannotStart(f"--{name.replace('_', '-')} must be at least 1, received {getattr(options, name)}.")
        unknown = set(options.queues.split(",")) - set(WORKER_QUEUES)
        if unknown:
            raise CannotStart(
                f"--queues must be some of {', '.join(WORKER_QUEUES)}; {', '.join(sorted(unknown))} is none."
            )
        self.options = options
        self.folder = (options.data_dir or data_dir()).expanduser().resolve()
        self.children: list[Child] = []
        self._stopping = False

    def run(self) -> int:
        raise_file_limit()  # the children inherit it
        check_versions()
        prepare_folder(self.folder)
        for sentence in check_settings():
            say(sentence)
        role = self.options.only
        if role and not os.environ.get("REDIS_URL"):
            raise CannotStart("--only needs a broker that all parts share: set REDIS_URL.")
        # Of web servers, workers and trainers there may be many on a folder; of the whole, and of beat, one.
        lock = lock_folder(self.folder, role) if role in (None, "beat") else None
        listening = open_port(self.options.host, self.options.port) if role in (None, "web") else None
        port = listening.getsockname()[1] if listening else self.options.port
        for caught in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(caught, self._ask_to_stop)
        environment = self._environment(port)
        try:
            if listening is not None:
                self._migrate(environment)
                if role is None:
                    offer_weights(self.folder, environment)
            else:
                self._wait_for_migrations(environment)
            self._start_children(environment, None if listening is None else listening.fileno())
            if listening is not None:
                self._wait_until_ready(port)
            else:
                say(f"ready: {role}")
            while not self._stopping:
                for child in self.children:
                    child.watch(say)
                time.sleep(POLL_SECONDS)
        finally:
            say("stopping (trainings go on at the next start)…")
            stop_all(self.children, say)
            for held in (listening, lock):
                if held is not None:
                    held.close()
        say("stopped")
        return 0

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _environment(self, port: int) -> dict[str, str]:
        host = self.options.host if self.options.host not in ("0.0.0.0", "::") else "localhost"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "mlstudio.settings",
            "MLSTUDIO_DATA_DIR": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            # Temporary files lie on the disk of the data, not in a /tmp that may be memory.
            "TMPDIR": str(self.folder / "tmp"),
            "MLSTUDIO_QUICK_WORKERS": str(self.options.workers),
            "MLSTUDIO_HEAVY_WORKERS": str(self.options.heavy_workers),
            "MLSTUDIO_TRAINERS": str(self.options.trainers),
        }
        # The C library would keep what large images took, in an arena for every thread.
        environment.setdefault("MALLOC_ARENA_MAX", "2")
        environment.setdefault("MALLOC_MMAP_THRESHOLD_", str(4 << 20))
        environment["MLSTUDIO_STARTED_AT"] = f"http://{host}:{port}"  # in mails, where no address is configured
        return environment

    def _migrate(self, environment: dict[str, str]) -> None:
        say(f"data in {self.folder}")
        done = subprocess.run([sys.executable, str(BASE_DIR / "manage.py"), "prepare"], env=environment)
        if done.returncode:
            raise CannotStart("the database could not be prepared (`manage.py prepare` failed, see above).")

    def _wait_for_migrations(self, environment: dict[str, str]) -> None:
        """The web part prepares the database; all others wait for it."""
        say(f"data in {self.folder}")
        deadline = time.monotonic() + MIGRATION_SECONDS
        command = [sys.executable, str(BASE_DIR / "manage.py"), "prepare", "--check"]
        while not self._stopping:
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode == 0:
                return
            if done.returncode == OTHER_FOLDER:
                raise CannotStart(done.stderr.strip().removeprefix("CommandError: "))
            if time.monotonic() > deadline:
                raise CannotStart("the database was not prepared within 10 minutes; is the web part running?")
            time.sleep(2)

    def _start_children(self, environment: dict[str, str], descriptor: int | None) -> None:
        if self._stopping:
            return
        if not environment.get("REDIS_URL"):
            broker = embedded_broker(self.folder / "broker")
            environment["REDIS_URL"] = broker.url
            self._start(Child("broker", broker.command, environment, stop_order=2))
        python = sys.executable
        for index in range(self.options.web_processes if descriptor is not None else 0):
            name = "web" if self.options.web_processes == 1 else f"web {index + 1}"
            command = [python, "-m", "mlstudio.web", str(descriptor)]
            self._start(
                Child(name, command, environment, pass_fds=(descriptor,), memory_bytes=_memory_limit("WEB"))  # type: ignore[arg-type]
            )
        celery = [python, "-m", "celery", "--quiet", "-A", "mlstudio.celery"]
        common = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--pool", "threads"]
        worker = [*celery, "worker", *common, "-n", "worker@%h", "-Q", self.options.queues, "-c", str(WORKER_THREADS)]
        trainers = str(self.options.trainers + SPARE_THREADS)
        trainer = [*celery, "worker", *common, "-n", "trainer@%h", "-Q", "training", "-c", trainers]
        beat = [*celery, "beat", "--loglevel", "WARNING", "--pidfile", "", "-s", str(self.folder / "beat-schedule")]
        for name, command, order in (("worker", worker, 1), ("trainer", trainer, 1), ("beat", beat, 0)):
            if self.options.only in (None, name):
                self._start(Child(name, command, environment, stop_order=order, memory_bytes=_memory_limit("WORKER")))

    def _start(self, child: Child) -> None:
        child.start()
        self.children.append(child)

    def _wait_until_ready(self, port: int) -> None:
        host = self.options.host
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
        address = f"http://{host}:{port}"
        deadline = time.monotonic() + READY_SECONDS
        while not self._stopping:
            try:
                urllib.request.urlopen(f"{address}/healthz/", timeout=2).close()
                break
            except urllib.error.HTTPError:
                break  # it answers; a host name that is not allowed is the user's to set
            except OSError:
                if time.monotonic() > deadline:
                    raise CannotStart(
                        "the web server did not answer within a minute; its messages are above."
                    ) from None
                for child in self.children:
                    child.watch(say)
                time.sleep(POLL_SECONDS)
        if not self._stopping:
            say(f"open {address}/ in a browser")
            if not has_weights(self.folder):
                say("no pretrained weights are here, with which far fewer images are enough: make weights lists them")
            say(f"ready. API: {address}/api/v1/   documentation: {address}/api/docs/   stop with Ctrl-C")
