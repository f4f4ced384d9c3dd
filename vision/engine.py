"""`python -m vision.engine FOLDER`: reads `request.json` in a folder, writes into `work` in it, reports by JSON lines.

Out, on standard output: `{"event": "estimate" | "progress" | "epoch" | "checkpoint" | "log" | "result" | "error", …}`.
In, on standard input: `cancel` or `interrupt`, a word a line. The end of the input means that the supervisor is
gone: the process ends at once, so that nobody trains what another may have taken over.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.training import layout
from vision.training.hooks import PREPARING
from vision.training.lean import collect_garbage_rarely, leave_out_unused_libraries

if TYPE_CHECKING:
    from vision.training.hooks import TrainingHooks
    from vision.training.resources import Estimate

SUPERVISOR_GONE = 75


class Reporter:
    """JSON lines to the supervisor, and its commands."""

    def __init__(self) -> None:
        # Whatever libraries print must not mix with the lines.
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self._wish = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, event: str, **content: Any) -> None:
        try:
            with self._lock:
                self._out.write(json.dumps({"event": event, **content}) + "\n")
                self._out.flush()
        except BrokenPipeError:
            os._exit(SUPERVISOR_GONE)

    def check(self) -> None:
        from vision.training.errors import Cancelled, Interrupted

        if self._wish == "cancel":
            raise Cancelled("cancelled by its user")
        if self._wish == "interrupt":
            raise Interrupted("asked to pause")

    def _listen(self) -> None:
        for line in sys.stdin:
            self._wish = line.strip()
        os._exit(SUPERVISOR_GONE)


class Eta:
    """Seconds left: the rate of this phase in the later half of its time, and the estimate of the phases that follow.

    A phase begins slowly, while TensorFlow traces its steps, and a machine is not equally busy all the time.
    """

    ORDER = ("decoding", "features", "training", "head", "fine_tuning", "export")
    SAMPLES = 200

    def __init__(self) -> None:
        self.by_phase: dict[str, float] = {}
        self._phase = ""
        self._started = 0.0
        self._samples: deque[tuple[float, int]] = deque()

    def seconds(self, phase: str, done: int, total: int, now: float | None = None) -> float | None:
        now = time.monotonic() if now is None else now
        if phase == PREPARING:
            return self._after(self._phase)
        if phase != self._phase:
            self._phase, self._started, self._samples = phase, now, deque([(now, done)])
        rate = self._rate(now, done)
        left = (total - done) / rate if rate else self.by_phase.get(phase)
        return None if left is None else round(left + (self._after(phase) or 0), 1)

    def _after(self, phase: str) -> float | None:
        """What the phases after one take together; None where that is not known."""
        known = [name for name in self.ORDER if name in self.by_phase]
        later = known[known.index(phase) + 1 :] if phase in known else []
        return round(sum(self.by_phase[name] for name in later), 1) if later else None

    def _rate(self, now: float, done: int) -> float | None:
        samples, passed = self._samples, now - self._started
        while len(samples) > 1 and samples[1][0] <= self._started + passed / 2:
            samples.popleft()
        since, first = samples[0]
        if now - samples[-1][0] >= passed / self.SAMPLES:
            samples.append((now, done))
        return (done - first) / (now - since) if now - since > 1 and done > first else None


def main(folder: Path) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.filterwarnings("ignore", module="keras")
    leave_out_unused_libraries()
    collect_garbage_rarely()
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole terminal; the supervisor decides
    reporter = Reporter()
    try:
        return _work(folder, reporter)
    except Exception as error:
        return _report_failure(error, reporter)


def _work(folder: Path, reporter: Reporter) -> int:
    request = json.loads((folder / layout.REQUEST).read_text())
    folder = layout.writable(folder)
    folder.mkdir(exist_ok=True)
    reporter.send("log", line="Starting: importing TensorFlow")
    if request.get("mode") in TOOLS:
        reporter.send("result", result=TOOLS[request["mode"]](request, folder, reporter))
        return 0
    from vision.training.hooks import TrainingHooks

    prepared = _detector(request) if request.get("task") == "detection" else _classifier(request)
    configuration, data, preflight, train = prepared
    if request.get("mode") == "preflight":
        reporter.send("result", result=preflight(configuration, data, folder).to_dict())
        return 0
    from vision.training.machine import hardware_in_use

    eta = Eta()

    def on_estimate(estimate: Estimate) -> None:
        eta.by_phase = dict(estimate.seconds_by_phase)
        reporter.send("estimate", estimate=estimate.to_dict())

    def on_progress(phase: str, done: int, total: int) -> None:
        reporter.check()
        left = eta.seconds(phase, done, total)
        reporter.send("progress", phase=phase, done=done, total=total, eta_seconds=left, **hardware_in_use())

    hooks = TrainingHooks(
        on_progress=on_progress,
        on_epoch=lambda entry: reporter.send("epoch", entry=entry),
        on_checkpoint=lambda: reporter.send("checkpoint"),
        log=lambda line: reporter.send("log", line=line),
        raise_if_cancelled=reporter.check,
    )
    result = train(configuration, data, folder, hooks, on_estimate)
    reporter.send("result", result=result.to_dict() | {"peak_memory_bytes": _peak_memory()})
    return 0


def _import(request: dict, folder: Path, reporter: Reporter) -> dict:
    from vision.training.errors import ConfigurationError

    try:
        from vision.legacy_retinanet.imports import PackageAnchors, import_model
    except ModuleNotFoundError as error:
        if error.name not in ("keras_retinanet", "keras_resnet", "tf_keras"):
            raise
        raise ConfigurationError(
            "Reading models of keras-retinanet needs its package, which is not installed here. Run "
            "`make keras-retinanet` on the server."
        ) from error
    anchors = request["anchors"]
    return import_model(
        Path(request["path"]),
        request["class_names"],
        (request["image_size"][0], request["image_size"][1]),
        folder,
        anchors=None if anchors is None else PackageAnchors(**anchors),
        images=request["images"],
        hooks=_hooks(reporter),
    ).to_dict()


def _export(request: dict, folder: Path, reporter: Reporter) -> dict:
    if request["export"]["engine"] == "keras_retinanet":
        import vision.legacy_retinanet  # noqa: F401 - decides which Keras this process has
    from vision.exporting.request import ExportRequest
    from vision.exporting.work import export_model

    exports = export_model(ExportRequest(**request["export"]), folder, _hooks(reporter))
    return {"exports": [export.to_dict() for export in exports]}


def _hooks(reporter: Reporter) -> TrainingHooks:
    """Of a job: log, progress and the wish to stop."""
    from vision.training.hooks import TrainingHooks

    return TrainingHooks(
        log=lambda line: reporter.send("log", line=line),
        on_progress=lambda phase, done, total: reporter.send("progress", done=done, total=total),
        raise_if_cancelled=reporter.check,
    )


def _upload(request: dict, folder: Path, reporter: Reporter) -> dict:
    from vision.model_import.request import UploadRequest
    from vision.model_import.work import import_upload

    return import_upload(UploadRequest(**request["upload"]), folder, _hooks(reporter)).to_dict()


def _outputs(request: dict, folder: Path, reporter: Reporter) -> dict:
    from vision.exporting.outputs import write_outputs

    return write_outputs(request["outputs"], folder, _hooks(reporter))


TOOLS = {"import": _import, "export": _export, "upload": _upload, "outputs": _outputs}


def _classifier(request: dict) -> tuple:
    from vision.training.configuration import Configuration
    from vision.training.data import Sample, TrainingData
    from vision.training.train import preflight, train

    splits = {split: [Sample(**sample) for sample in samples] for split, samples in request["splits"].items()}
    base = request.get("base")
    data = TrainingData(request["class_names"], splits)
    if base is not None:
        data = replace(data, start=Path(base["path"]), start_names=base.get("class_names", []))
    return Configuration.from_dict(request["configuration"]), data, preflight, train


def _detector(request: dict) -> tuple:
    from vision.detection.configuration import DetectionConfiguration
    from vision.detection.samples import DetectionData, DetectionSample, Start
    from vision.runtime.boxes import AnchorShapes

    splits = {split: [DetectionSample(**sample) for sample in rows] for split, rows in request["splits"].items()}
    base = request.get("base")
    start = None
    if base is not None:
        start = Start(base["path"], AnchorShapes.from_dict(base["anchors"]), tuple(base.get("class_names", ())))
    data = DetectionData(request["class_names"], splits, start)
    configuration = DetectionConfiguration.from_dict(request["configuration"])
    if configuration.is_keras_retinanet:
        from vision.legacy_retinanet.train import preflight_keras_retinanet, train_keras_retinanet

        return configuration, data, preflight_keras_retinanet, train_keras_retinanet
    from vision.detection.train import preflight_detector, train_detector

    return configuration, data, preflight_detector, train_detector


def _report_failure(error: Exception, reporter: Reporter) -> int:
    from vision.sandbox.full_disk import is_full_disk
    from vision.training.errors import EngineError

    if isinstance(error, EngineError):
        reporter.send("error", code=error.code, detail=str(error))
        return 3
    if is_full_disk(error):
        reporter.send("error", code="disk_full", detail="The disk is full. Free some space and start again.")
        return 3
    for line in traceback.format_exc().splitlines()[-30:]:
        reporter.send("log", line=line)
    reporter.send(
        "error",
        code="internal_error",
        detail=f"An unexpected error ended the training ({type(error).__name__}); see its log.",
    )
    return 1


def _peak_memory() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _die_with_parent() -> None:
    """Linux ends this process with its supervisor, even when that is killed (prctl PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
