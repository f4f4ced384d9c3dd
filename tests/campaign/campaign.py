"""A studio, its user, a device and a store of its own; and the rounds they go through."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
from django.db import connection, connections

from datasets.models import Image
from tests.campaign import invariants, work
from tests.campaign.client import Client, NotAcknowledged
from tests.campaign.device import WatchfulDevice
from tests.campaign.faults import Faults, mounted_disk, unmount
from tests.campaign.ledger import Ledger, Violation
from tests.campaign.operations import COMPANIONS, OPERATIONS, SHORT_SPAN, SPANS, TRAINING, WEIGHTS
from tests.campaign.patience import OwnTime
from tests.fastdfs_server.server import FakeFastDFS
from tests.pictures import shapes_zip
from tests.studio import Studio

PATIENCE_SECONDS = 90
READY_SECONDS, SETTLED_SECONDS, STARTS = 90, 3600, 20
CLIENTS = 3
# What clients take between two operations: nearly nothing until the fault begins, so that it finds some under way.
HURRY_SECONDS, PAUSE_SECONDS = 0.05, 1.5
# Work may wait a minute for a disk or a store. Rounds go on meanwhile, until so much of it waits.
MAX_WAITING = 4


class Campaign:
    """`play` a round after another; what was violated is in the summary."""

    def __init__(self, folder: Path, store: FakeFastDFS, options: argparse.Namespace) -> None:
        self._seed, self._summary_path, self._verify_every = options.seed, options.summary, options.verify_every
        self._settle_every = options.settle_every
        self.ledger = Ledger()
        self._disk = folder / "disk"
        mounted = mounted_disk(self._disk)
        self._is_mounted = mounted is not None
        self._store = store
        self.studio = Studio(self._disk / "data")
        self.studio.log_path = folder / "studio.log"
        self._faults = Faults(self.studio, self._store, mounted)
        self._operations = options.operations.split(",") if options.operations else list(OPERATIONS)
        self._weights = [WEIGHTS.get(name, 1.0) for name in self._operations]
        self._only_faults = options.faults.split(",") if options.faults else []
        self._longest_unattended = 0.0
        self._rounds = 0
        self._started = time.monotonic()

    def __enter__(self) -> Campaign:
        self.studio.start()
        self.client = _settled(self.studio, self.ledger)
        self._device = _device(self.client)
        return self

    def __exit__(self, *error) -> None:
        self._device.stop()
        self.studio.stop()
        self._store.stop()
        connections.close_all()
        if self._is_mounted:
            unmount(self._disk)

    def play(self, number: int, *, is_last: bool = False) -> None:
        """One operation, others beside it, and one fault at a moment of it; then everything is looked at.

        Work is waited for in one round of several: in the others the next fault meets what recovers from this one.
        """
        generator = random.Random(f"{self._seed}/{number}")
        (operation,) = generator.choices(self._operations, self._weights)
        fault = generator.choice(self._only_faults) if self._only_faults else self._faults.choose(generator, operation)
        moment = generator.uniform(0, SPANS.get(operation, SHORT_SPAN))
        self.ledger.pairs[f"{operation} / {fault}"] += 1
        begun, over = threading.Event(), threading.Event()
        threads = self._clients_at_work(number, operation, begun, over)
        time.sleep(moment)
        begun.set()
        self.ledger.in_flight += bool(self.client.in_flight)
        self._faults.by_name[fault](generator)
        fault_ended = time.monotonic()
        self._start_again()
        over.set()
        for thread in threads:
            thread.join()
        problems = [*self._answered()]
        is_full = is_last or number % self._verify_every == 0
        is_settled = is_full or number % self._settle_every == 0 or len(work.unended()) > MAX_WAITING
        if is_settled:
            problems += self._settle(fault_ended, also_waiting=is_full)
        problems += self._problems(generator, is_full, is_settled)
        self._rounds = number
        for what in problems:
            self.ledger.violations.append(Violation(number, self._seed, operation, fault, what))
        took = time.monotonic() - fault_ended
        sys.stderr.write(
            f"{number}: {operation} / {fault} at {moment:.1f} s, settled in {took:.1f} s {problems or ''}\n"
        )
        sys.stderr.flush()
        if self._summary_path is not None:
            self._summary_path.write_text(self.summary())

    def _clients_at_work(self, number: int, operation: str, *fault: threading.Event) -> list[threading.Thread]:
        """The operation, asked for once if it goes on by itself, else by two at once; and other ones beside it."""
        threads = []
        for client in self.client.shared_by(CLIENTS):
            place = client.share[1]
            is_once = operation in SPANS and place == 0
            names = (operation,) if is_once or (operation not in SPANS and place < 2) else COMPANIONS
            own = random.Random(f"{self._seed}/{number}/{place}")
            threads.append(
                threading.Thread(target=self._operate, args=(client, names, own, is_once, *fault), daemon=True)
            )
        for thread in threads:
            thread.start()
        return threads

    def _operate(
        self,
        client: Client,
        names: Sequence[str],
        generator: random.Random,
        is_once: bool,
        begun: threading.Event,
        over: threading.Event,
    ) -> None:
        """One of the operations after another until the fault is over, so that it begins in the middle of some."""
        while True:
            try:
                OPERATIONS[generator.choice(names)](client, generator)
            except NotAcknowledged:
                pass
            except Exception as error:
                client.complaints.append(f"the campaign's own error: {error!r}")
            if is_once or over.wait(generator.uniform(0, PAUSE_SECONDS if begun.is_set() else HURRY_SECONDS)):
                return

    def _start_again(self) -> None:
        """What an operator, or the system, does when the launcher is gone; again when a busy machine is too slow."""
        time.sleep(0.2)
        for _ in range(STARTS):
            if self.studio.process.poll() is None:
                return
            self.studio.client.close()
            with contextlib.suppress(AssertionError):
                self.studio.start()

    def _answered(self) -> Iterator[str]:
        """Wait until the studio answers again."""
        if self.studio.process.poll() is not None:  # it ended by itself meanwhile
            yield f"the launcher ended with status {self.studio.process.returncode}"
            self._start_again()
        connections.close_all()  # the fault may have cut this one too
        clock = OwnTime(lambda: self.studio.processes_of(""))
        while not self._answers():
            if clock.seconds() > READY_SECONDS:
                yield f"the studio does not answer after {READY_SECONDS} s"
                break
            time.sleep(0.2)

    def _settle(self, since: float, also_waiting: bool) -> Iterator[str]:
        """Wait until all work has ended, as long as it moves.

        Args:
            also_waiting: also what waits until a moment that it named.
        """
        clock = OwnTime(lambda: self.studio.processes_of(""))
        changed, seen = clock.seconds(), ""
        also_waiting = also_waiting or len(work.unended()) > MAX_WAITING
        while (unended := work.unended(also_waiting=also_waiting)) and clock.seconds() - changed < PATIENCE_SECONDS:
            if (state := work.progress(unended)) != seen:
                changed, seen = clock.seconds(), state
            time.sleep(0.3)
        self._longest_unattended = max(self._longest_unattended, time.monotonic() - since)
        yield from (f"nothing happened for {PATIENCE_SECONDS} s: {one}" for one in unended)

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.studio.url}/healthz/", timeout=30).status_code == 200
        return False

    def _problems(self, generator: random.Random, is_full: bool, is_settled: bool) -> Iterator[str]:
        checks = invariants.AFTER_EACH_ROUND
        if is_settled:
            invariants.learn_deletes(self.ledger)
            checks += invariants.ONCE_SETTLED
        for check in checks:
            yield from check(self.client)
        yield from invariants.bytes_are_right(self.client, generator)
        if is_full:
            for check in invariants.NOW_AND_THEN:
                yield from check(self.client)
        yield from _taken(self.client.complaints)
        yield from _taken(self._device.complaints)

    def summary(self) -> str:
        ledger = self.ledger
        return json.dumps(
            {
                "rounds": self._rounds,
                "seed": self._seed,
                "database": connection.vendor,
                "seconds": round(time.monotonic() - self._started),
                "violations": [vars(one) for one in ledger.violations],
                "acknowledged": dict(ledger.acknowledged),
                "unanswered": dict(ledger.unanswered),
                "refused": dict(ledger.refused),
                "rounds_with_a_request_in_flight": ledger.in_flight,
                "checks": {**ledger.checks, "manifests": self._device.polls},
                "pairs": dict(sorted(ledger.pairs.items())),
                "longest_unattended_seconds": round(self._longest_unattended, 1),
                "full_disk": "full disk" in self._faults.by_name,
            },
            indent=1,
        )


def _taken(complaints: list[str]) -> list[str]:
    taken = complaints[:]
    del complaints[: len(taken)]
    return taken


def _settled(studio: Studio, ledger: Ledger) -> Client:
    """A user with a project, 80 labelled shapes, a model and a group of devices that runs it."""
    studio.register()
    client = Client(studio, ledger, token=studio.client.headers["Authorization"])
    client.project = studio.call("POST", "projects/", json={"name": "shapes", "task": "classification"})["id"]
    for name in ("ground", "busy"):
        body = {"project": client.project, "name": name}
        setattr(client, name, studio.call("POST", "datasets/", json=body)["id"])
    files = {"file": ("shapes.zip", shapes_zip(40), "application/zip")}
    job = studio.call("POST", f"datasets/{client.ground}/imports/", files=files)
    assert studio.wait_for_end(f"jobs/{job['id']}/", SETTLED_SECONDS)["result"]["created"] == 80
    files = {"file": ("more.zip", shapes_zip(30, 40), "application/zip")}
    job = studio.call("POST", f"datasets/{client.busy}/imports/", files=files)
    assert studio.wait_for_end(f"jobs/{job['id']}/", SETTLED_SECONDS)["result"]["created"] == 60
    body = {"project": client.project, "dataset": client.ground, **TRAINING}
    run = studio.call("POST", "trainings/", json=body)
    run = studio.wait_for_end(f"trainings/{run['id']}/", SETTLED_SECONDS)
    assert run["state"] == "succeeded", run
    client.models = [run["model"]]
    work.remember(client, Image.objects.filter(dataset=client.busy))
    return client


def _device(client: Client) -> WatchfulDevice:
    studio = client.studio
    group = studio.call("POST", "device-groups/", json={"project": client.project, "name": "gate", "poll_seconds": 5})
    client.group = group["id"]
    body = {"project": client.project, "group": client.group, "name": "camera"}
    device = WatchfulDevice(studio, studio.call("POST", "devices/", json=body)["key"])
    studio.call("POST", "deployments/", json={"group": client.group, "model": client.models[0]})
    return device
