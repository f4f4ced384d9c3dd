"""The studio as its user sees it: whatever is answered goes into the ledger; without an answer nothing is known."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import httpx

from tests.campaign.ledger import Ledger
from tests.pictures import shape_jpeg
from tests.studio import Studio

RESUME_SECONDS = 300
# Errors that say "nothing was done" or "wait"; any other of the server is a broken promise.
EXPECTED_ERRORS = {
    "database_busy",
    "database_unavailable",
    "disk_full",
    "file_unavailable",
    "store_unavailable",
    "service_unavailable",
}


class NotAcknowledged(Exception):
    """The studio did not answer, or said that it did nothing."""


class Refused(NotAcknowledged):
    """It will say the same whenever it is asked."""


class InFlight:
    """How many requests have been sent and not answered at this moment."""

    def __init__(self) -> None:
        self._lock, self._requests = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            self._requests += 1

    def __exit__(self, *error) -> None:
        with self._lock:
            self._requests -= 1

    def __bool__(self) -> bool:
        return self._requests > 0


@dataclass
class Client:
    """One who uses the studio, beside others who share project, ledger and complaints with them.

    Attributes:
        ground: a dataset that stays as it is, for trainings; `busy`: the one in which everything happens.
        complaints: answers that no client should get.
        share: of how many, and which, parts of the images are this client's to change: others change the rest.
    """

    studio: Studio
    ledger: Ledger
    token: str = ""
    project: str = ""
    ground: str = ""
    busy: str = ""
    group: str = ""
    models: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    known_failures: set[str] = field(default_factory=set)
    pictures: Iterator[int] = field(default_factory=lambda: itertools.count(1_000_001))
    in_flight: InFlight = field(default_factory=InFlight)
    share: tuple[int, int] = (1, 0)

    def shared_by(self, count: int) -> list[Client]:
        """So many clients of the same user, each with images of its own."""
        return [replace(self, share=(count, number)) for number in range(count)]

    def call(self, method: str, path: str, *, may_be_gone: bool = False, **options) -> httpx.Response:
        """Raises `NotAcknowledged`; what a client got wrong is an error of the campaign.

        Args:
            may_be_gone: another client may have taken it away meanwhile.
        """
        operation = f"{method} {path.split('/')[0]}"
        headers = {"Authorization": self.token, **options.pop("headers", {})}
        try:
            with self.in_flight:
                answer = self.studio.client.request(method, path, headers=headers, **options)
        except (httpx.TransportError, RuntimeError) as error:  # RuntimeError: the client of a studio that has ended
            self.ledger.unanswered[operation] += 1
            raise NotAcknowledged(str(error)) from error
        if answer.status_code >= 500 or answer.status_code == 409:
            self.ledger.refused[operation] += 1
            if answer.status_code >= 500 and not any(code in answer.text for code in EXPECTED_ERRORS):
                self.complaints.append(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
            raise NotAcknowledged(answer.text[:300])
        if answer.status_code == 404 and may_be_gone:
            raise NotAcknowledged(answer.text[:300])
        if answer.status_code >= 400:
            self.complaints.append(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
            raise Refused(answer.text[:300])
        self.ledger.acknowledged[operation] += 1
        return answer

    def persist(self, method: str, path: str, **options) -> httpx.Response:
        """As a patient client does: again until it is answered."""
        deadline = time.monotonic() + RESUME_SECONDS
        while True:
            try:
                return self.call(method, path, **options)
            except Refused:
                raise
            except NotAcknowledged:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def start_job(self, path: str, **options) -> str:
        """The id of an acknowledged job."""
        job = self.call("POST", path, **options).json()
        self.ledger.jobs[job["id"]] = job["kind"]
        return job["id"]

    def pick(self, generator: random.Random, count: int) -> list[str]:
        """Images that are there for certain, of this client's share."""
        parts, mine = self.share
        certain = [pk for pk in self.ledger.certain_images() if int(pk[-8:], 16) % parts == mine]
        return generator.sample(certain, min(count, len(certain)))

    def picture(self, kind: str) -> bytes:
        return shape_jpeg(next(self.pictures), kind)
