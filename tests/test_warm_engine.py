"""The process that a worker keeps ready: taken, replaced, ended after a while, and not kept where it should not be."""

from __future__ import annotations

import psutil
import pytest

from jobs.engine import process as engine_process
from jobs.engine import warm
from jobs.engine.inputs import environment_of, largest_limits, limits_of, needs_other_keras
from jobs.engine.process import EngineProcess
from jobs.work import shutting_down
from tests.studio import wait_for
from tests.test_engine_process import REQUESTS, TRAINING, UPLOAD, exported, messages_of
from vision.engine_requests import PreflightRequest, TrainingRequest, write_request
from vision.exporting.request import OutputsRequest
from vision.model_import.request import PackageImportRequest
from vision.sandbox import surroundings
from vision.sandbox.limits import Limits

SECONDS = 60
ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock, settings, tmp_path):
    """A worker's, with a light module in place of Keras."""
    settings.WARM_ENGINE_MINUTES = 10
    settings.TEMPORARY_DIR = tmp_path / "tmp"
    engine = warm.WarmEngine("json", clock)
    engine.open()
    yield engine
    engine.close()


def ready(engine, environment=ENVIRONMENT) -> int:
    """Let it make one; its process."""
    engine.prepare(environment)
    wait_for(lambda: engine.waiting is not None and engine.waiting.is_ready, SECONDS)
    return engine.waiting.pid


def stays_without(engine) -> bool:
    """Whether it makes none; the thread that would has seen everything by then."""
    wait_for(lambda: engine._wanted is None, SECONDS)
    with engine._changed:
        return engine.waiting is None


def take(engine, tmp_path, environment=ENVIRONMENT, code="print(7)"):
    folder, errors = tmp_path / "job", tmp_path / "stderr.log"
    folder.mkdir(exist_ok=True)
    errors.touch()
    arguments = ("timeit", "-n", "1", "-r", "1", code)
    return engine.take(*arguments, environment=environment, folder=folder, stderr=errors, limits=Limits(niceness=10))


def test_what_waits_is_taken_by_one_and_replaced_after_it(engine, tmp_path):
    assert take(engine, tmp_path) is None  # the first work of a worker
    pid = ready(engine)
    process = take(engine, tmp_path)
    assert process.pid == pid and process.stdout.readline() == "7\n"
    assert take(engine, tmp_path) is None  # another piece of work at the same time starts one of its own
    process.wait()
    assert ready(engine) != pid


def test_it_ends_when_its_time_is_over_and_the_next_work_makes_another(engine, clock):
    first = psutil.Process(ready(engine))
    clock.now = 599
    engine.look()
    assert first.is_running()
    engine.prepare(ENVIRONMENT)  # work that did not take it: its time begins again
    wait_for(lambda: engine._until > 1000, SECONDS)
    clock.now = 1198
    engine.look()
    assert engine.waiting.pid == first.pid
    clock.now = 1200
    engine.look()
    assert engine.waiting is None and not first.is_running()
    assert ready(engine) != first.pid


def test_the_thread_that_keeps_it_ends_it_by_itself(settings, tmp_path):
    settings.WARM_ENGINE_MINUTES = 0.001
    settings.TEMPORARY_DIR = tmp_path / "tmp"
    engine = warm.WarmEngine("json")
    engine.open()
    engine.prepare(ENVIRONMENT)
    wait_for(lambda: engine._until > 0, SECONDS)
    wait_for(lambda: engine.waiting is None and not list(settings.TEMPORARY_DIR.iterdir()), SECONDS)


@pytest.mark.parametrize("reason", ["the setting is 0", "no worker", "shutting down", "memory is short"])
def test_none_is_made_where(engine, settings, monkeypatch, reason):
    if reason == "the setting is 0":
        settings.WARM_ENGINE_MINUTES = 0
    elif reason == "no worker":
        engine.close()
    elif reason == "shutting down":
        monkeypatch.setattr(shutting_down, "is_set", lambda: True)
    else:
        monkeypatch.setattr(warm, "available_memory", lambda: warm.FREE_BYTES - 1)
    engine.prepare(ENVIRONMENT)
    assert stays_without(engine)


def test_it_ends_when_memory_gets_short(engine, monkeypatch):
    ready(engine)
    monkeypatch.setattr(warm, "available_memory", lambda: warm.FREE_BYTES // 2)
    engine.look()
    assert engine.waiting is not None
    monkeypatch.setattr(warm, "available_memory", lambda: warm.FREE_BYTES // 2 - 1)
    engine.look()
    assert engine.waiting is None


def test_one_that_died_is_not_taken_and_is_replaced(engine, tmp_path):
    pid = ready(engine)
    psutil.Process(pid).kill()
    wait_for(lambda: not engine.waiting.is_alive, SECONDS)
    assert take(engine, tmp_path) is None
    assert ready(engine) != pid


def test_one_that_dies_when_it_is_taken_lets_the_work_start_as_before(engine, tmp_path, monkeypatch):
    pid = ready(engine)
    psutil.Process(pid).kill()
    monkeypatch.setattr(type(engine.waiting), "is_ready", True)
    assert take(engine, tmp_path) is None and engine.waiting is None
    monkeypatch.undo()


def test_after_three_that_could_not_be_closed_no_more_are_made(engine, tmp_path, monkeypatch):
    for _ in range(warm.MOST_REFUSALS):
        psutil.Process(ready(engine)).kill()
        with monkeypatch.context() as patch:
            patch.setattr(type(engine.waiting), "is_ready", True)
            assert take(engine, tmp_path) is None
    engine.prepare(ENVIRONMENT)
    assert stays_without(engine)


@pytest.mark.parametrize("difference", ["another Keras", "other threads", "newer code"])
def test_it_is_left_to_what_is_like_it(engine, tmp_path, monkeypatch, difference):
    """What libraries read at their import cannot be given to it later."""
    pid = ready(engine)
    with monkeypatch.context() as patch:
        if difference == "another Keras":
            patch.setenv("TF_USE_LEGACY_KERAS", "1")
        elif difference == "other threads":
            patch.setenv("TF_NUM_INTRAOP_THREADS", "7")
        else:
            patch.setattr(surroundings, "code_version", lambda: (0, 0))
        assert take(engine, tmp_path) is None
    assert engine.waiting.pid == pid
    assert take(engine, tmp_path).pid == pid


@pytest.mark.parametrize("has_cards", [False, True])
def test_where_there_are_graphics_cards_work_that_sees_them_has_a_process_of_its_own(
    engine, tmp_path, monkeypatch, has_cards
):
    monkeypatch.setattr(surroundings, "has_gpu_devices", lambda: has_cards)
    ready(engine)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert (take(engine, tmp_path, environment={}) is None) is has_cards


def test_newer_code_replaces_it(engine, monkeypatch):
    pid = ready(engine)
    monkeypatch.setattr(surroundings, "code_version", lambda: (0, 0))
    engine.prepare(ENVIRONMENT)
    wait_for(lambda: engine.waiting is not None and engine.waiting.pid != pid, SECONDS)


def test_closing_ends_what_waits_and_not_what_works(engine, tmp_path):
    ready(engine)
    process = take(engine, tmp_path, code="import time; print(7, flush=True); time.sleep(600)")
    assert process.stdout.readline() == "7\n"
    waits = psutil.Process(ready(engine))
    engine.close()
    assert not waits.is_running() and process.poll() is None
    process.kill()
    process.wait()


def test_what_needs_the_keras_of_keras_retinanet_never_waits():
    package = {"architecture": "keras_retinanet_resnet50"}
    theirs = [
        TrainingRequest("detection", package, [], {}),
        PreflightRequest("detection", package, [], {}),
        exported(engine="keras_retinanet"),
    ]
    assert all(map(needs_other_keras, theirs))
    for request, _ in REQUESTS:
        assert needs_other_keras(request) is isinstance(request, PackageImportRequest)


@pytest.mark.parametrize("request_", [TRAINING, UPLOAD])
def test_no_work_may_more_than_what_waits(request_):
    limits, largest = limits_of(request_), largest_limits()
    names = ("data_bytes", "file_bytes", "open_files", "cpu_seconds")
    assert all(getattr(limits, name) <= getattr(largest, name) for name in names)
    assert limits.niceness >= largest.niceness


def test_the_engine_works_in_the_process_that_waited(engine, tmp_path, monkeypatch):
    """Its messages, its log of errors and its end are those of any other, and then the next one waits."""
    request = OutputsRequest("keras", str(tmp_path / "none.keras"), [])
    folder = tmp_path / "request"
    folder.mkdir()
    write_request(folder, request)
    pid = ready(engine, environment_of(request))
    monkeypatch.setattr(warm, "ENGINE", engine)
    monkeypatch.setattr(engine_process, "start_python", None)
    process = EngineProcess(folder)
    assert process.pid == pid and process.memory_bytes() > 0
    messages = messages_of(process)
    assert [message["event"] for message in messages][-1] == "error", messages
    assert messages[0] == {"event": "log", "line": "Starting: importing TensorFlow"}
    assert (folder / "stderr.log").exists() and process.wait() == 3
    process.kill()
    wait_for(lambda: engine.waiting is not None and engine.waiting.pid != pid, SECONDS)


def test_the_thread_that_keeps_it_outlives_an_error(engine, monkeypatch):
    replace, failures = engine._replace, []

    def fails_once(environment):
        if not failures:
            failures.append(environment)
            raise KeyError("something that nobody thought of")
        replace(environment)

    monkeypatch.setattr(engine, "_replace", fails_once)
    engine.prepare(ENVIRONMENT)
    wait_for(lambda: failures, SECONDS)
    assert ready(engine) > 0


def test_a_worker_that_starts_removes_what_a_killed_one_left(engine, settings):
    ready(engine)
    left = settings.TEMPORARY_DIR / f"{warm.FOLDER}left"
    left.mkdir()
    other = warm.WarmEngine("json")
    other.open()
    other.close()
    assert not left.exists() and engine.waiting.folder.is_dir()
