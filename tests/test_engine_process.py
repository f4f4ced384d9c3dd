"""The engine's process: what it may read comes from named fields, and what it says is not believed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from jobs.engine import process as engine_process
from jobs.engine.files import made_file
from jobs.engine.inputs import environment_of, is_closed, limits_of, readable_of, uses_gpu
from jobs.engine.process import EngineProcess
from jobs.errors import WorkFailed
from vision.detection.samples import DetectionSample
from vision.engine_requests import (
    MODES,
    BackboneRequest,
    BaseModelFile,
    PreflightRequest,
    TrainingRequest,
    read_request,
    write_request,
)
from vision.exporting.request import ExportRequest, OutputsRequest
from vision.model_import.request import PackageAnchors, PackageImportRequest, UploadRequest
from vision.sandbox import landlock
from vision.sandbox.process import start
from vision.training.data import Sample
from vision.training.result import TrainingResult

needs_landlock = pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")


def exported(**values) -> ExportRequest:
    known = {
        "path": "/data/job/own.keras",
        "engine": "keras",
        "architecture": "small_cnn",
        "class_names": ["/etc/fstab"],
        "input_size": (64, 64),
        "resize": "stretch",
        "detector": {},
        "kinds": ["onnx"],
        "samples": [{"id": "1", "path": "/data/four.jpg"}],
        "source": "",
        "is_labelled": False,
        "calibration": ["/data/five.jpg"],
        "largest_drop": 0.02,
    }
    return ExportRequest(**known | values)


UPLOAD = UploadRequest(
    "/data/job/a.keras", "keras", ["/etc/group"], None, "rgb", "0_1", "stretch", ["/data/two.jpg"], 1
)
TRAINING = TrainingRequest(
    "classification",
    {"network": {"path": "/etc/shadow"}},
    ["/etc/passwd"],
    {"train": [Sample("/etc/hosts", "/data/one.jpg", 0)]},
)
REQUESTS = [
    (TRAINING, ["/data/one.jpg"]),
    (PreflightRequest(**vars(TRAINING)), ["/data/one.jpg"]),
    (
        TrainingRequest(
            "detection", {}, ["/etc/a"], {"test": [DetectionSample("1", "/data/6.jpg", [[0, 0, 1, 1]], [0])]}
        ),
        ["/data/6.jpg"],
    ),
    (TrainingRequest("classification", {}, [], {}, BaseModelFile("/data/job/base.keras", ["/etc/a"])), []),
    (UPLOAD, ["/data/two.jpg"]),
    (
        PackageImportRequest(
            "/data/job/a.h5", ["/etc/a"], (64, 96), PackageAnchors([32], [8], [1], [1]), ["/data/seven.jpg"]
        ),
        ["/data/seven.jpg"],
    ),
    (PackageImportRequest("/data/job/a.h5", ["/etc/a"], (64, 96), None, []), []),
    (OutputsRequest("keras", "/data/job/model.keras", ["/data/3.npy"]), ["/data/3.npy"]),
    (BackboneRequest("mobilenet_v2", 160), []),
    (exported(), ["/data/four.jpg", "/data/five.jpg"]),
]
OF_FILES = [request for request, _ in REQUESTS if not isinstance(request, TrainingRequest)]


@pytest.mark.parametrize(("request_", "paths"), REQUESTS)
def test_only_named_fields_say_what_is_read(request_, paths):
    assert list(request_.inputs) == paths
    assert not [path for path in readable_of(request_, Path("/data/job")) if path.startswith("/etc")]


@pytest.mark.parametrize("request_", [request for request, _ in REQUESTS])
def test_the_engine_reads_the_request_that_was_written(request_, tmp_path):
    write_request(tmp_path, request_)
    read = read_request(tmp_path)
    assert type(read) is type(request_)
    # JSON has lists where Python has tuples.
    assert json.dumps(read, default=vars) == json.dumps(request_, default=vars)
    assert list(read.inputs) == list(request_.inputs)


def test_each_kind_of_request_is_tried_here():
    assert {type(request) for request, _ in REQUESTS} == set(MODES.values())


@pytest.mark.parametrize("request_", OF_FILES)
def test_what_looks_into_files_sees_no_graphics_card_and_starts_nothing(request_, settings):
    assert not uses_gpu(request_)
    limits = limits_of(request_)
    assert limits.processes == 0
    assert limits.memory_bytes == settings.MODEL_IMPORT_MEMORY_BYTES


def test_a_named_file_must_be_its_own(tmp_path):
    folder, secret = tmp_path / "job", tmp_path / "secret"
    folder.mkdir()
    secret.write_text("x")
    (folder / "model.keras").write_text("x")
    (folder / "link").symlink_to(secret)
    (folder / "elsewhere").symlink_to(tmp_path)
    assert made_file(folder, str(folder / "model.keras")) == folder / "model.keras"
    for name in (
        secret,
        folder / "link",
        folder / "elsewhere" / "secret",
        folder / ".." / "secret",
        folder,
        folder / "missing",
    ):
        with pytest.raises(WorkFailed) as caught:
            made_file(folder, str(name))
        assert caught.value.code == "engine_file_missing"


@pytest.fixture
def in_place_of_the_engine(tmp_path, monkeypatch):
    """A function that starts a program of ours where the engine would start."""

    def begin(code: str) -> EngineProcess:
        write_request(tmp_path, UPLOAD)
        monkeypatch.setattr(
            engine_process,
            "start_python",
            lambda module, *arguments, **options: start([sys.executable, "-c", code, *arguments], **options),
        )
        return EngineProcess(tmp_path)

    return begin


def messages_of(process: EngineProcess) -> list[dict]:
    found = []
    while (message := process.next_message(timeout=60)) is not None:
        found.append(message)
    return found


def test_lines_that_are_no_messages_are_passed_over(in_place_of_the_engine):
    code = (
        "print('[' * 100000); print('3'); print('[1]'); print('{\"event\": 5}'); print('{\"a\": 1}'); "
        'import sys; sys.stdout.buffer.write(b\'\\xff\\n\'); print(\'{"event": "log", "line": "x"}\')'
    )
    assert messages_of(in_place_of_the_engine(code)) == [{"event": "log", "line": "x"}]


def test_endless_log_lines_are_cut_off(in_place_of_the_engine, monkeypatch):
    monkeypatch.setattr(engine_process, "LOG_LINES", 50)
    code = '[print(\'{"event": "log", "line": "x"}\') for _ in range(500)]; print(\'{"event": "result"}\')'
    events = [message["event"] for message in messages_of(in_place_of_the_engine(code))]
    assert events == ["log"] * 50 + ["result"]


def test_a_flood_that_nobody_reads_waits_and_ends_with_the_process(in_place_of_the_engine, monkeypatch):
    monkeypatch.setattr(engine_process, "WAITING_MESSAGES", 10)
    process = in_place_of_the_engine('while True: print(\'{"event": "epoch"}\')')
    process.next_message(timeout=60)
    process.kill()
    assert len(messages_of(process)) <= 12


@needs_landlock
def test_its_request_and_its_inputs_cannot_be_written(in_place_of_the_engine, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "pinned").write_text("x")
    code = """
import json, os, sys
from pathlib import Path
folder = Path(sys.argv[1])
def attempt(do):
    try:
        do()
    except OSError as error:
        return type(error).__name__
    return "done"
found = [attempt(lambda: (folder / name).open("a")) for name in ("request.json", "images/pinned", "new", "work/new")]
print(json.dumps({"event": "result", "found": found, "cwd": os.getcwd()}))
"""
    (answer,) = messages_of(in_place_of_the_engine(code))
    assert answer["found"] == ["PermissionError"] * 3 + ["done"]
    assert answer["cwd"] == str(tmp_path / "work")


def test_a_process_that_was_ended_for_its_memory_says_so(in_place_of_the_engine, settings):
    settings.MODEL_IMPORT_MEMORY_BYTES = 64 << 20
    process = in_place_of_the_engine("held = [b'x' * (1 << 20) for _ in range(200)]; import time; time.sleep(60)")
    assert messages_of(process) == []
    assert "GB of memory" in process.how_it_died()


def test_where_the_sandbox_is_required_and_missing_the_job_says_so(tmp_path, monkeypatch):
    from vision.video.facts import VideoProblem
    from vision.video.reading import probe

    write_request(tmp_path, UPLOAD)
    monkeypatch.setattr("vision.sandbox.protections.missing", lambda: ("no Landlock",))
    monkeypatch.setenv("MLSTUDIO_SANDBOX", "require")
    with pytest.raises(WorkFailed, match="no Landlock") as caught:
        EngineProcess(tmp_path)
    assert caught.value.code == "sandbox_missing"
    with pytest.raises(VideoProblem) as problem:
        probe(tmp_path / "video.mp4")
    assert problem.value.code == "sandbox_missing"


def test_trainings_can_be_left_open_and_files_of_strangers_cannot(settings):
    assert is_closed(TRAINING) and all(map(is_closed, OF_FILES))
    settings.SANDBOX = "files"
    assert not is_closed(TRAINING)
    assert all(map(is_closed, OF_FILES))


def test_the_engine_reads_the_images_that_the_studio_takes(monkeypatch):
    monkeypatch.setenv("MLSTUDIO_MAX_IMAGE_PIXELS", "90000000")
    monkeypatch.setenv("MLSTUDIO_SECRET_KEY", "x")
    environment = environment_of(TRAINING)
    assert environment["MLSTUDIO_MAX_IMAGE_PIXELS"] == "90000000" and "MLSTUDIO_SECRET_KEY" not in environment


def test_a_result_that_an_earlier_release_left_is_read():
    """It named no size for classifiers, and the memory of the process beside the fields."""
    early = {
        "configuration": {"image_size": 96},
        "class_names": ["a", "b"],
        "files": {},
        "metrics": {},
        "validation_metrics": {},
        "mistakes": [],
        "history": [],
        "versions": {},
        "parameters": 1,
        "seconds": 2.0,
        "litert_difference": 0.0,
        "peak_memory_bytes": 5,
        "of a later release": 1,
    }
    result = TrainingResult.from_dict(early)
    assert (result.input_size, result.detector, result.peak_memory_bytes) == ((96, 96), None, 5)
    detector = TrainingResult.from_dict(early | {"input_size": [96, 128], "detector": {"anchors": {}}})
    assert list(detector.input_size) == [96, 128] and detector.detector == {"anchors": {}}
    again = TrainingResult.from_dict(json.loads(json.dumps(detector.to_dict())))
    assert again == detector
