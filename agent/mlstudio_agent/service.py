"""The agent at work: predicts what comes in, and beside that polls, reports and sends pictures back."""

from __future__ import annotations

import json
import logging
import platform
import statistics
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TextIO

from . import __version__
from .errors import AgentError, NoModel
from .imaging.preprocessing import ImageError
from .predictor import Predictor
from .puller import Puller, load
from .store import Store
from .uncertain import UncertainQueue

log = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 3600.0
ERRORS_IN_A_ROW = 10
# A model that takes the whole process down so often in a row is given up.
CRASHES = 3


def describe_machine() -> dict:
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "node": platform.node(),
    }


class Service:
    """Thread-safe: inputs predict, one thread keeps contact.

    Args:
        output: where JSON lines go.
        for_long: whether it stays, so that a model that takes it down again and again is given up.
    """

    def __init__(self, store: Store, output: TextIO | None = None, *, for_long: bool = False) -> None:
        self.store = store
        self._output = output or sys.stdout
        self._lock = threading.Lock()
        self._predictor: Predictor | None = None
        self._latencies: deque = deque(maxlen=200)
        self._predictions = self._errors = self._errors_in_a_row = 0
        self._queue = UncertainQueue(store.queue)
        self.stopping = threading.Event()
        try:
            self._puller: Puller | None = Puller(store)
        except AgentError:
            self._puller = None
        if for_long:
            self._unless_disk_full(self._survive_crashes)
        self.reload()

    # The model

    def reload(self) -> None:
        """Load what is current; without a model the service waits for one."""
        try:
            predictor: Predictor | None = load(self.store)
        except NoModel as error:
            log.warning("%s", error)
            predictor = None
        with self._lock:
            self._predictor = predictor

    def _survive_crashes(self) -> None:
        """A start is counted until a prediction has worked; too many mean that the model takes the process down."""
        state = self.store.state()
        current = state.get("current")
        if current is None:
            return
        starts = state.get("starts") or {}
        count = starts.get("count", 0) + 1 if starts.get("sha256") == current["file"]["sha256"] else 1
        if count > CRASHES and self._puller is not None:
            if self._puller.fall_back(f"The agent went down {CRASHES} times with this model."):
                log.error("returned to the last good model")
            count = 0
        self.store.update_state(starts={"sha256": current["file"]["sha256"], "count": count})

    def stands(self) -> None:
        """The model did not take the process down: it has worked, or run for a while, or ended as it should."""
        if self.store.state().get("starts"):
            self._unless_disk_full(lambda: self.store.update_state(starts=None))

    @staticmethod
    def _unless_disk_full(step) -> None:
        """Predicting goes on when nothing can be written."""
        try:
            step()
        except OSError as error:
            log.warning("could not be written: %s", error)

    # Predicting

    def predict(self, content: bytes, source: str) -> dict | None:
        """Predict one picture and write a JSON line. None when it cannot be read, or there is no model yet."""
        with self._lock:
            predictor = self._predictor
        if predictor is None:
            self._write({"source": source, "error": "no_model"})
            return None
        try:
            found = predictor.predict(content)
        except ImageError as error:
            self._write({"source": source, "error": error.code, "detail": str(error)})
            return None
        except Exception as error:  # whatever the runtime raises must not end the service
            self._failed(source, error)
            return None
        self._worked(found)
        model = {"name": predictor.model["name"], "version": predictor.model["version"]}
        self._write({"source": source, **found, "model": model})
        settings = self.store.state().get("settings", {})
        self._unless_disk_full(lambda: self._queue.consider(content, Path(source).name, found, settings))
        return found

    def _worked(self, found: dict) -> None:
        with self._lock:
            first = self._predictions == 0
            self._predictions += 1
            self._errors_in_a_row = 0
            self._latencies.append(found["latency_ms"])
        if first:
            self.stands()

    def _failed(self, source: str, error: Exception) -> None:
        log.exception("a prediction failed")
        self._write({"source": source, "error": "prediction_failed", "detail": str(error)[:300]})
        with self._lock:
            self._predictions += 1
            self._errors += 1
            self._errors_in_a_row += 1
            give_up = self._errors_in_a_row >= ERRORS_IN_A_ROW
        if give_up and self._puller is not None:
            if self._puller.fall_back(f"{ERRORS_IN_A_ROW} predictions in a row failed: {error}"[:400]):
                self.reload()
            with self._lock:
                self._errors_in_a_row = 0

    def _write(self, row: dict) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._output.write(json.dumps({"time": now, **row}, ensure_ascii=False) + "\n")
        self._output.flush()

    # Contact

    def keep_contact(self) -> None:
        """Poll, report, send pictures; when nobody answers, more and more seldom. Ends when `stopping` is set."""
        failures = 0
        while not self.stopping.is_set():
            try:
                self.contact_once()
                failures = 0
            except AgentError as error:
                failures += 1
                log.warning("%s", error)
            except Exception:  # a bug or a full disk must not end the contact for ever
                failures += 1
                log.exception("contact failed")
            # Read afterwards: the settings may just have come.
            poll = self.store.state().get("settings", {}).get("poll_seconds", 60)
            self.stopping.wait(min(poll * 2 ** min(failures, 6), LONGEST_WAIT_SECONDS) if failures else poll)
            self.stands()

    def contact_once(self) -> None:
        """One round. Raises `AgentError` when the studio is away or refuses."""
        if self._puller is None:
            raise NoModel("This device is not enrolled; it runs what it has.")
        try:
            if self._puller.pull():
                self.reload()
        finally:
            self._report()
        self._queue.send(self._puller.studio)

    def _report(self) -> None:
        assert self._puller is not None
        state = self.store.state()
        failed = state.get("failed")
        with self._lock:
            predictions, errors = self._predictions, self._errors
            latency = statistics.median(self._latencies) if self._latencies else None
        running = state.get("current")
        self._puller.studio.heartbeat(
            {
                "agent_version": __version__,
                "platform": describe_machine(),
                # Of a model that failed its test it is said that it fails, although another one runs.
                "deployment": failed["deployment"] if failed else running["deployment"] if running else None,
                "health": "failed" if failed else "ok",
                "problem": failed["problem"] if failed else "",
                "latency_ms": latency,
                "predictions": predictions,
                "errors": errors,
            }
        )
        with self._lock:  # said, so counted anew
            self._predictions -= predictions
            self._errors -= errors
