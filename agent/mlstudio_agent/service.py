"""The agent as it runs: predicts what comes in, and beside that polls, reports and, if asked to, sends images back."""

from __future__ import annotations

import json
import logging
import platform
import statistics
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from vision.imaging.preprocessing import ImageError

from . import __version__
from .errors import AgentError, NoModel
from .predictor import sure_enough
from .puller import Loaded, Puller, load
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
        feedback: whether images that the model is unsure of are kept and sent to the studio.
    """

    def __init__(
        self, store: Store, output: TextIO | None = None, *, for_long: bool = False, feedback: bool = False
    ) -> None:
        self.store = store
        self._output = output or sys.stdout
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._loaded: Loaded | None = None
        self._seen: tuple | None = None
        self.feedback = feedback
        self.is_output_closed = False
        self.is_asked = False  # by other programs: then the output may end
        self._latencies: deque = deque(maxlen=200)
        self._predictions = self._errors = self._errors_in_a_row = 0
        self._queue = UncertainQueue(store.queue)
        self.stopping = threading.Event()
        try:
            self._puller: Puller | None = Puller(store)
        except AgentError:
            self._puller = None
        self._for_long = for_long
        if for_long:
            self._unless_disk_full(self._survive_crashes)
        self.reload()

    # The model

    @property
    def loaded(self) -> dict | None:
        """The manifest's entry of the model that predicts now, whatever lies on the disk."""
        with self._lock:
            return None if self._loaded is None else self._loaded.entry

    def reload(self) -> None:
        """Load what is current; without a model the service waits for one."""
        with self._loading:
            self._seen = _current_of(self.store.state())
            try:
                loaded: Loaded | None = load(self.store)
            except NoModel as error:
                log.warning("%s", error)
                loaded = None
            with self._lock:
                self._loaded = loaded
            if self._seen is not None and (loaded is None or loaded.problem):
                # What is current cannot be used: the next poll looks at all of it again.
                self._unless_disk_full(lambda: self.store.update_state(etag=""))
        if loaded is not None and self._for_long:
            log.info("loaded %s", title(loaded.entry))

    def _refresh(self, state: dict) -> None:
        """Load again when the disk has another model than when it was loaded: another process may have pulled."""
        if _current_of(state) != self._seen and not self._loading.locked():
            self.reload()

    def _survive_crashes(self) -> None:
        """A start is counted until a prediction has worked; too many mean that the model takes the process down."""
        state = self.store.state()
        current = state.get("current")
        if current is None:
            return
        starts = state.get("starts") or {}
        count = starts.get("count", 0) + 1 if starts.get("sha256") == current["file"]["sha256"] else 1
        if count > CRASHES and self._puller is not None:
            if self._puller.fall_back(f"The agent crashed {CRASHES} times with this model."):
                log.error("returned to the last good model")
            count = 0
        self.store.update_state(starts={"sha256": current["file"]["sha256"], "count": count})

    def stands(self) -> None:
        """The model did not take the process down: it has worked, or run for a while, or ended as it should."""
        if self.store.state().get("starts"):
            self._unless_disk_full(lambda: self.store.update_state(starts=None))

    @staticmethod
    def _unless_disk_full(step: Callable[[], object]) -> None:
        """Predicting goes on when nothing can be written."""
        try:
            step()
        except OSError as error:
            log.warning("could not be written: %s", error)

    # Predicting

    def predict(self, content: bytes, source: str) -> dict:
        """Predict one image and write a JSON line, which is returned.

        It has `error` and `detail` when there is no model (`no_model`), the image cannot be read (a code of
        `ImageError`), or the runtime fails (`prediction_failed`).
        """
        state = self.store.state()
        self._refresh(state)
        with self._lock:
            loaded = self._loaded
        if loaded is None:
            return self._write(
                source, error="no_model", detail="This device has no model yet: nothing is deployed to it."
            )
        try:
            found = loaded.predictor.predict(content)
        except ImageError as error:
            return self._write(source, error=error.code, detail=str(error))
        except Exception as error:  # whatever the runtime raises must not end the service
            return self._failed(source, error)
        self._worked(found)
        model = {key: loaded.entry["model"][key] for key in ("name", "version")}
        if self.feedback:
            settings = state.get("settings", {})
            self._unless_disk_full(lambda: self._queue.consider(content, Path(source).name, found, settings))
        return self._write(source, **sure_enough(found, loaded.entry["model"]), model=model)

    def _worked(self, found: dict) -> None:
        with self._lock:
            first = self._predictions == 0
            self._predictions += 1
            self._errors_in_a_row = 0
            self._latencies.append(found["latency_ms"])
        if first:
            self.stands()

    def _failed(self, source: str, error: Exception) -> dict:
        log.exception("a prediction failed")
        row = self._write(source, error="prediction_failed", detail=str(error)[:300])
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
        return row

    def _write(self, source: str, **found: Any) -> dict:
        row = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "source": source, **found}
        if not self.is_output_closed:
            try:
                self._output.write(json.dumps(row, ensure_ascii=False) + "\n")
                self._output.flush()
            except BrokenPipeError:  # `| head` has seen enough
                self.is_output_closed = True
                if not self.is_asked:
                    log.info("nobody reads the output any more: ending")
                    self.stopping.set()
        return row

    # Contact

    def keep_contact(self) -> None:
        """Poll, report, send images; when nobody answers, more and more seldom. Ends when `stopping` is set."""
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
            self._puller.pull()
        finally:
            self._refresh(self.store.state())
            self._report()
        if self.feedback:
            self._queue.send(self._puller.studio)

    def _report(self) -> None:
        assert self._puller is not None
        state = self.store.state()
        failed = state.get("failed")
        with self._lock:
            predictions, errors = self._predictions, self._errors
            latency = statistics.median(self._latencies) if self._latencies else None
            loaded = self._loaded
        deployment = None if loaded is None else loaded.entry["deployment"]
        if failed is None and self._seen is not None and (loaded is None or loaded.problem):
            problem = "it cannot be loaded" if loaded is None else loaded.problem
            failed = {"deployment": self._seen[0], "problem": f"The model on the disk is not used: {problem}"[:500]}
        answer = self._puller.studio.heartbeat(
            {
                "agent_version": __version__,
                "platform": describe_machine(),
                # Of a model that failed it is said that it fails, although another one runs.
                "deployment": failed["deployment"] if failed else deployment,
                "health": "failed" if failed else "ok",
                "problem": failed["problem"] if failed else "",
                "latency_ms": latency,
                "predictions": predictions,
                "errors": errors,
            }
        )
        self._keep_interval(answer)
        with self._lock:  # said, so counted from here
            self._predictions -= predictions
            self._errors -= errors

    def _keep_interval(self, answer: dict) -> None:
        """The group's interval holds from the first contact on, also before there is a model."""
        settings = self.store.state().get("settings", {})
        if answer.get("poll_seconds") and settings.get("poll_seconds") != answer["poll_seconds"]:
            self.store.update_state(settings={**settings, "poll_seconds": answer["poll_seconds"]})


def _current_of(state: dict) -> tuple | None:
    """What tells one current model from another: its deployment, its file, and what is said of its labels."""
    entry = state.get("current")
    return None if not entry else (entry["deployment"], entry["file"]["sha256"], json.dumps(entry["model"]))


def title(entry: dict | None) -> str:
    """Of a manifest's entry, for people."""
    return "no model" if entry is None else f"{entry['model']['name']} v{entry['model']['version']}"
