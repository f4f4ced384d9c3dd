"""Watching one training: holds the lease, relays what the process says, turns its end into a state."""

from __future__ import annotations

import contextlib
import json
import queue
import time
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from common.words import counted
from inference.models import Resize
from inference.registry.registration import register_model
from inference.registry.staging import staged, with_labels
from jobs import queues, work
from jobs.engine.process import EngineProcess
from jobs.errors import LeaseLost, WorkCancelled, WorkFailed, WorkInterrupted, WorkMustWait
from jobs.models import WorkState
from storage import services as storage
from storage.errors import BlobMissing, InsufficientStorage, is_disk_full
from training.card import model_card
from training.data_warnings import data_warnings
from training.engine_folder import prepare_folder, work_folder
from training.measured import measured_by, thresholds_by_label
from training.models import TrainingRun
from training.speeds import keep_speeds, known_speeds, learn_speeds
from vision.analysis.predictions import OUTCOMES
from vision.runtime.metrics import is_uneven
from vision.sandbox.removal import remove_tree
from vision.training.result import TrainingResult

log = structlog.get_logger(__name__)

MAX_CRASHES = 3
STOP_SECONDS = 15.0
PROGRESS_SECONDS = 1.0
GIVE_WAY_CHECK_SECONDS = 10.0
# So long a run waits until it looks again whether there is space, or whether the store answers.
WAIT_SECONDS = 60.0
STORE_AWAY = "store_unavailable"
DISK_FULL = (
    "The server's disk is full. Nothing that was trained is lost: the training goes on by itself from its checkpoint "
    "when there is space."
)
# Figures of the validation split: classifiers, multilabel classifiers and detectors each have one of them.
COMPARED_BY = ("accuracy", "mean_average_precision", "ap50")
# Beside what the engine may write to: only the supervisor has made it.
RESULT = "result.json"


class Supervisor:
    """One claimed run, from its folder to its ending."""

    def __init__(self, run: TrainingRun) -> None:
        self.run = run
        self.folder = work_folder(run.pk)
        self._result: TrainingResult | None = None
        self._crashes = 0
        self._last_write = 0.0
        self._turn_ends = time.monotonic() + settings.TRAINING_TURN_MINUTES * 60
        self._progress: dict = run.progress

    def supervise(self) -> None:
        """Train to an end and record it. Leaves the run alone when its lease was lost."""
        try:
            self._check()
            self._result = _kept_result(self.folder)
            if self._result is None:
                self._prepare()
            while self._result is None:
                self._run_process()
            self._succeed(self._result)
        except LeaseLost:
            log.warning("lease_lost", work=str(self.run.pk))
            return
        except WorkInterrupted:
            work.release(self.run)
            return
        except WorkMustWait as must_wait:
            self._wait(must_wait.code, must_wait.detail)
            return
        except (InsufficientStorage, OSError, DatabaseError) as error:
            if not isinstance(error, InsufficientStorage) and not is_disk_full(error):
                raise
            self._wait("disk_full", DISK_FULL)
            return
        except WorkCancelled:
            self._end(WorkState.CANCELLED)
        except WorkFailed as error:
            work.record_event(self.run, "log", {"line": f"Failed: {error.detail}"})
            self._end(WorkState.FAILED, error.code, error.detail)
        remove_tree(self.folder)

    def _wait(self, code: str, detail: str) -> None:
        """Back to the queue with everything that was trained; the folder stays."""
        work.postpone(self.run, code=code, detail=detail, seconds=WAIT_SECONDS)

    def _check(self) -> None:
        if self.run.attempts > settings.MAX_ATTEMPTS:
            times = counted(settings.MAX_ATTEMPTS, "time")
            raise WorkFailed("worker_lost", f"The trainer died {times} over this training.")
        if self.run.cancel_requested:
            raise WorkCancelled()
        if self.run.starts_from and self.run.base_model is None:
            raise WorkFailed(
                "base_model_deleted",
                f"The base model {self.run.starts_from} was deleted meanwhile. Choose another one.",
            )

    def _prepare(self) -> None:
        storage.ensure_free_space(0)  # what the training needs beyond that is estimated, and compared, by the engine
        try:
            known = known_speeds(self.run.configuration, self.run.snapshot)
            prepare_folder(
                self.folder, self.run.snapshot, self.run.configuration, base=self.run.base_model, known=known
            )
        except BlobMissing as error:  # an image is lost, or the store is away
            waits = error.code == STORE_AWAY
            raise (WorkMustWait if waits else WorkFailed)(error.code, error.detail) from error
        work.renew(self.run)

    def _run_process(self) -> None:
        process = EngineProcess(self.folder)
        log.info("training_process_started", work=str(self.run.pk), pid=process.pid)
        try:
            self._relay(process)
        except (WorkCancelled, WorkInterrupted) as stop:
            self._stop(process, "cancel" if isinstance(stop, WorkCancelled) else "interrupt")
            raise
        finally:
            process.kill()
        if self._result is None:
            self._crashed(process)

    def _relay(self, process: EngineProcess) -> None:
        while True:
            try:
                message = process.next_message(timeout=PROGRESS_SECONDS)
            except queue.Empty:
                message = {"event": "silence"}
            if message is None:
                return
            self._take(message)
            if time.monotonic() - self._last_write >= PROGRESS_SECONDS:
                self._write()
            work.check_shutdown()
            self._check_turn()

    def _check_turn(self) -> None:
        """Raises `WorkInterrupted` when the turn is over and another user has nothing but trainings that wait."""
        now = time.monotonic()
        if not settings.TRAINING_TURN_MINUTES or now < self._turn_ends:
            return
        if queues.must_give_way(self.run):
            line = "Other users wait: the training pauses at its checkpoint and goes on when its turn comes again."
            work.record_event(self.run, "log", {"line": line})
            raise WorkInterrupted()
        self._turn_ends = now + GIVE_WAY_CHECK_SECONDS

    def _take(self, message: dict) -> None:
        event = message.pop("event")
        if event == "progress":
            self._progress = message
        elif event == "epoch":
            self._take_epoch(message["entry"])
        elif event == "log":
            work.record_event(self.run, "log", message)
        elif event == "speeds":
            keep_speeds(message["speeds"])
        elif event == "estimate":
            estimate = message["estimate"]
            estimate["warnings"] = [*estimate.get("warnings", ()), *data_warnings(self.run.snapshot)]
            if estimate != self.run.estimate:  # a resumed training says the same again
                self._write(estimate=estimate)
                work.record_event(self.run, "estimate", estimate)
        elif event == "checkpoint":
            self._crashes = 0
            if self.run.attempts > 1:  # what gets on is not what kills its trainers
                self._write(attempts=1)
        elif event == "result":
            self._result = TrainingResult.from_dict(message["result"])
            _keep_result(self.folder, message["result"])
        elif event == "error":
            raise _ending(message["code"], message["detail"])

    def _take_epoch(self, entry: dict) -> None:
        # After a resume the epochs since the checkpoint are trained again: the later entry counts.
        history = [row for row in self.run.history if row["epoch"] < entry["epoch"]] + [entry]
        self._write(history=history)
        work.record_event(self.run, "epoch", entry)

    def _write(self, **changes: Any) -> None:
        self._last_write = time.monotonic()
        if self._progress != self.run.progress:
            changes["progress"] = self._progress
            work.record_event(self.run, "progress", self._progress)
        work.renew(self.run, **changes)

    def _stop(self, process: EngineProcess, command: str) -> None:
        """Let the process end by itself (it writes its checkpoint first when interrupted), for a while."""
        process.ask(command)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            try:
                if process.next_message(timeout=0.5) is None:
                    return
            except queue.Empty:
                continue

    def _crashed(self, process: EngineProcess) -> None:
        if process.exceeded == "disk":
            raise WorkMustWait("disk_full", DISK_FULL)
        self._crashes += 1
        reason = process.how_it_died()
        for line in process.stderr_tail():
            work.record_event(self.run, "log", {"line": line[:2000]})
        log.error("training_process_died", work=str(self.run.pk), reason=reason, crashes=self._crashes)
        if self._crashes >= MAX_CRASHES:
            raise WorkFailed(
                "training_process_died",
                f"The training process died {self._crashes} times without progress: {reason}. "
                "A smaller batch_size or image_size needs less memory.",
            )
        work.record_event(
            self.run, "log", {"line": f"The training process died: {reason}. Continuing from the last checkpoint."}
        )

    def _succeed(self, result: TrainingResult) -> None:
        run = self.run
        seconds = (time.time() - run.started_at.timestamp()) if run.started_at else result.seconds
        actual = {"seconds": round(seconds, 1), "memory_bytes": result.peak_memory_bytes}
        files = model_card(run, result, actual, self.folder)
        configuration = result.configuration
        height, width = result.input_size
        outcomes, curves = measured_by(run, result, self.folder)
        with (
            staged(with_labels(files, result.class_names)) as ready,
            staged(outcomes) as measured,
            transaction.atomic(),
        ):
            # finish() first: it is the conditional update that makes sure of one model only.
            score = _score(result.validation_metrics)
            work.finish(run, WorkState.SUCCEEDED, actual=actual, history=result.history, score=score)
            model = register_model(
                project=run.project,
                name=run.model_name,
                class_names=result.class_names,
                architecture=configuration["architecture"],
                input_size=(height, width),
                detector=result.detector or {},
                base_model=run.base_model,
                resize=configuration.get("resize", Resize.STRETCH),
                parameters=result.parameters,
                label_thresholds=thresholds_by_label(result),
                metrics=result.metrics,
                mistakes=result.mistakes,
                curves=curves,
                outcomes=measured.get(OUTCOMES),
                files=ready,
                training=run.pk,
                snapshot=run.snapshot,
                user=run.created_by,
            )
            TrainingRun.objects.filter(pk=run.pk).update(model=model)
            work.record_event(run, "model", {"id": str(model.pk), "version": model.version})
        learn_speeds(run, result.history, result.configuration)

    def _end(self, state: WorkState, code: str = "", detail: str = "") -> None:
        try:
            work.finish(self.run, state, error_code=code, error_detail=detail)
        except LeaseLost:
            log.warning("lease_lost", work=str(self.run.pk))


def _ending(code: str, detail: str) -> Exception:
    if code == "cancelled":
        return WorkCancelled()
    return WorkMustWait("disk_full", DISK_FULL) if code == "disk_full" else WorkFailed(code, detail)


def _keep_result(folder: Path, result: dict) -> None:
    """What a whole training came to, so that nothing is trained again when its model cannot be registered now."""
    unfinished = folder / f"{RESULT}.partial"
    with contextlib.suppress(OSError):  # without it the training goes on from its last checkpoint
        unfinished.write_text(json.dumps(result))
        unfinished.replace(folder / RESULT)


def _kept_result(folder: Path) -> TrainingResult | None:
    """The result of an earlier attempt, as long as all its files are there."""
    try:
        result = TrainingResult.from_dict(json.loads((folder / RESULT).read_text()))
    except (OSError, ValueError):
        return None
    paths = [*result.files.values(), *filter(None, [result.outcomes])]
    return result if all(Path(path).is_file() for path in paths) else None


def _score(validation: dict) -> float | None:
    """What trainings are compared by. The test split has no say in which is better."""
    found = next((validation[name] for name in COMPARED_BY if name in validation), None)
    if is_uneven([row.get("support", 0) for row in validation.get("per_class", ())]):
        found = validation.get("balanced_accuracy", found)
    return None if found is None else float(found)
