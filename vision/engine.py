"""`python -m vision.engine FOLDER`: reads `request.json` in a folder, writes into `work` in it, reports by JSON lines.

Out, on standard output:
`{"event": "speeds" | "estimate" | "progress" | "epoch" | "checkpoint" | "log" | "result" | "error", …}`.
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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from vision.engine_requests import BackboneRequest, PreflightRequest, TrainingRequest, read_request
from vision.exporting.request import ExportRequest, OutputsRequest
from vision.model_import.request import PackageImportRequest, UploadRequest
from vision.training import layout
from vision.training.hooks import PREPARING
from vision.training.lean import collect_garbage_rarely, leave_out_unused_libraries

if TYPE_CHECKING:
    from vision.detection.samples import DetectionSample
    from vision.training.data import AnySample
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
        self._command = ""
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

        if self._command == "cancel":
            raise Cancelled("cancelled by its user")
        if self._command == "interrupt":
            raise Interrupted("asked to pause")

    def _listen(self) -> None:
        for line in sys.stdin:
            self._command = line.strip()
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
    request = read_request(folder)
    folder = layout.writable(folder)
    folder.mkdir(exist_ok=True)
    reporter.send("log", line="Starting: importing TensorFlow")
    if isinstance(request, TrainingRequest):
        reporter.send("result", result=_training(request, folder, reporter))
    else:
        reporter.send("result", result=TOOLS[type(request)](request, folder, reporter))
    return 0


def _training(request: TrainingRequest, folder: Path, reporter: Reporter) -> dict:
    """The estimate of a preflight, or the result of a training."""
    prepared = _detector(request) if request.task == "detection" else _classifier(request)
    # After it: both import TensorFlow, which brings Keras 3 unless keras-retinanet has brought its own Keras before.
    from vision.training.hooks import TrainingHooks
    from vision.training.machine import hardware_in_use

    configuration, data, preflight, train = prepared
    if isinstance(request, PreflightRequest):
        estimate = preflight(configuration, data, folder)
        return {**estimate.to_dict(), "speeds": vars(estimate.speeds)}

    eta = Eta()

    def on_estimate(estimate: Estimate) -> None:
        eta.by_phase = dict(estimate.seconds_by_phase)
        if estimate.speeds is not None:
            reporter.send("speeds", speeds=vars(estimate.speeds))
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
    result = train(configuration, data, folder, hooks, on_estimate, request.known)
    return replace(result, peak_memory_bytes=_peak_memory()).to_dict()


def _import(request: PackageImportRequest, folder: Path, reporter: Reporter) -> dict:
    from vision.training.errors import ConfigurationError

    try:
        from vision.legacy_retinanet.imports import import_model
    except ModuleNotFoundError as error:
        if error.name not in ("keras_retinanet", "keras_resnet", "tf_keras"):
            raise
        raise ConfigurationError(
            "Reading models of keras-retinanet needs its package, which is not installed here. Run "
            "`make keras-retinanet` on the server."
        ) from error
    return import_model(
        Path(request.path),
        request.class_names,
        (request.image_size[0], request.image_size[1]),
        folder,
        anchors=request.anchors,
        images=request.images,
        hooks=_hooks(reporter),
    ).to_dict()


def _export(request: ExportRequest, folder: Path, reporter: Reporter) -> dict:
    if request.engine == "keras_retinanet":
        import vision.legacy_retinanet  # noqa: F401 - decides which Keras this process has
    from vision.exporting.work import export_model

    exports = export_model(request, folder, _hooks(reporter))
    return {"exports": [export.to_dict() for export in exports]}


def _hooks(reporter: Reporter) -> TrainingHooks:
    """Of a job: log, progress and the command to stop."""
    from vision.training.hooks import TrainingHooks

    return TrainingHooks(
        log=lambda line: reporter.send("log", line=line),
        on_progress=lambda phase, done, total: reporter.send("progress", done=done, total=total),
        raise_if_cancelled=reporter.check,
    )


def _upload(request: UploadRequest, folder: Path, reporter: Reporter) -> dict:
    from vision.model_import.work import import_upload

    return import_upload(request, folder, _hooks(reporter)).to_dict()


def _outputs(request: OutputsRequest, folder: Path, reporter: Reporter) -> dict:
    from vision.exporting.outputs import write_outputs

    return write_outputs(request, folder, _hooks(reporter))


def _backbone(request: BackboneRequest, folder: Path, reporter: Reporter) -> dict:
    from vision.training.backbone_file import write_backbone

    return write_backbone(request, folder)


TOOLS: dict[type, Callable[..., dict]] = {
    PackageImportRequest: _import,
    ExportRequest: _export,
    UploadRequest: _upload,
    OutputsRequest: _outputs,
    BackboneRequest: _backbone,
}


def _classifier(request: TrainingRequest) -> tuple:
    from vision.training.configuration import Configuration
    from vision.training.data import TrainingData
    from vision.training.train import preflight, train

    splits = cast("dict[str, list[AnySample]]", request.splits)
    data = TrainingData(request.class_names, splits, task=request.task)
    if request.base is not None:
        data = replace(data, start=Path(request.base.path), start_names=request.base.class_names)
    if request.backbone is not None:
        data = replace(data, backbone=Path(request.backbone))
    return Configuration.from_dict(request.configuration), data, preflight, train


def _detector(request: TrainingRequest) -> tuple:
    from vision.detection.configuration import DetectionConfiguration
    from vision.detection.samples import DetectionData, Start
    from vision.runtime.boxes import AnchorShapes

    start = None
    if (base := request.base) is not None:
        assert base.anchors is not None  # every detector has them
        start = Start(base.path, AnchorShapes.from_dict(base.anchors), tuple(base.class_names))
    data = DetectionData(request.class_names, cast("dict[str, list[DetectionSample]]", request.splits), start)
    configuration = DetectionConfiguration.from_dict(request.configuration)
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
