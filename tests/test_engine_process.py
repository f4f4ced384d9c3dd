"""The engine's process: what it may read comes from named fields, and what it says is not believed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from jobs.errors import WorkFailed
from training import process as training_process
from training.engine_inputs import inputs_of, is_closed, limits_of, readable_of, uses_gpu
from training.process import EngineProcess, made_file
from vision.sandbox import landlock
from vision.sandbox.process import start
from vision.training import layout

needs_landlock = pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")


def test_only_named_fields_say_what_is_read():
    request = {
        "mode": "train",
        "class_names": ["/etc/passwd"],
        "configuration": {"network": {"path": "/etc/shadow"}},
        "splits": {"train": [{"id": "/etc/hosts", "path": "/data/one.jpg", "label": 0}]},
        "upload": {"images": ["/data/two.jpg"], "class_names": ["/etc/group"]},
        "outputs": {"images": ["/data/3.npy"]},
        "export": {
            "samples": [{"id": "1", "path": "/data/four.jpg"}],
            "calibration": ["/data/five.jpg"],
            "class_names": ["/etc/fstab"],
        },
    }
    assert set(inputs_of(request)) == {
        f"/data/{name}" for name in ("one.jpg", "two.jpg", "3.npy", "four.jpg", "five.jpg")
    }
    assert not [path for path in readable_of(request, Path("/data/job")) if path.startswith("/etc")]


@pytest.mark.parametrize("mode", ["upload", "import", "outputs", "export"])
def test_what_looks_into_files_sees_no_graphics_card_and_starts_nothing(mode, settings):
    assert not uses_gpu({"mode": mode})
    limits = limits_of({"mode": mode})
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
        (tmp_path / layout.REQUEST).write_text(json.dumps({"mode": "upload", "upload": {"images": []}}))
        monkeypatch.setattr(
            training_process,
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
    monkeypatch.setattr(training_process, "LOG_LINES", 50)
    code = '[print(\'{"event": "log", "line": "x"}\') for _ in range(500)]; print(\'{"event": "result"}\')'
    events = [message["event"] for message in messages_of(in_place_of_the_engine(code))]
    assert events == ["log"] * 50 + ["result"]


def test_a_flood_that_nobody_reads_waits_and_ends_with_the_process(in_place_of_the_engine, monkeypatch):
    monkeypatch.setattr(training_process, "WAITING_MESSAGES", 10)
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

    (tmp_path / layout.REQUEST).write_text(json.dumps({"mode": "upload"}))
    monkeypatch.setattr("vision.sandbox.protections.missing", lambda: ("no Landlock",))
    monkeypatch.setenv("MLSTUDIO_SANDBOX", "require")
    with pytest.raises(WorkFailed, match="no Landlock") as caught:
        EngineProcess(tmp_path)
    assert caught.value.code == "sandbox_missing"
    with pytest.raises(VideoProblem) as problem:
        probe(tmp_path / "video.mp4")
    assert problem.value.code == "sandbox_missing"


def test_trainings_can_be_left_open_and_files_of_strangers_cannot(settings):
    assert is_closed({"mode": "train"}) and is_closed({"mode": "upload"})
    settings.SANDBOX = "files"
    assert not is_closed({"mode": "train"})
    assert all(is_closed({"mode": mode}) for mode in ("upload", "import", "outputs", "export"))


def test_the_engine_reads_the_images_that_the_studio_takes(monkeypatch):
    from training.engine_inputs import environment_of

    monkeypatch.setenv("MLSTUDIO_MAX_IMAGE_PIXELS", "90000000")
    monkeypatch.setenv("MLSTUDIO_SECRET_KEY", "x")
    environment = environment_of({"mode": "train"})
    assert environment["MLSTUDIO_MAX_IMAGE_PIXELS"] == "90000000" and "MLSTUDIO_SECRET_KEY" not in environment
