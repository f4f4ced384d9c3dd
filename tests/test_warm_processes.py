"""A process that has waited: closed before it reads its work, as one that was started for it, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.warm_processes import enter, run_in_waiting, start_in_waiting, waiting
from vision.sandbox import warm
from vision.sandbox.limits import MIB, Limits
from vision.sandbox.process import start
from vision.sandbox.warm import NotEntered

ROOT = Path(__file__).resolve().parent.parent
SMALL = Limits(memory_bytes=256 * MIB, cpu_seconds=20, file_bytes=8 * MIB, folder_bytes=32 * MIB, niceness=3)
STATE = """
import json, os, resource
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
names = ("RLIMIT_CORE", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CPU")
print(json.dumps({
    "environment": dict(os.environ), "folder": os.getcwd(), "niceness": os.getpriority(os.PRIO_PROCESS, 0),
    "limits": {name: resource.getrlimit(getattr(resource, name)) for name in names},
    "memory": open("/proc/self/oom_score_adj").read(),
    **{name: status[name].split() for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "Seccomp_filters")},
}))
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="it is about what Linux has")


@pytest.fixture
def inside(tmp_path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


def is_gone(process: psutil.Process) -> bool:
    psutil.wait_procs([process], timeout=20)
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@linux
def test_it_has_what_one_has_that_was_started_for_the_work(inside, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://user:password@host/studio")
    options = {"folder": inside, "limits": SMALL, "environment": {"CUDA_VISIBLE_DEVICES": "-1"}}
    cold = json.loads(start([sys.executable, "-c", STATE], **options).communicate()[0])
    warm_one = json.loads(run_in_waiting(STATE, **options).stdout.readline())
    # How a shell or Python names what runs.
    for state in (cold, warm_one):
        state["environment"].pop("LC_CTYPE", None)
    assert warm_one == cold
    assert "DATABASE_URL" not in cold["environment"]


@linux
def test_it_waits_without_secrets(monkeypatch):
    monkeypatch.setenv("MLSTUDIO_SECRET_KEY", "hunter2-value")
    process = waiting()
    try:
        assert "hunter2-value" not in psutil.Process(process.pid).environ().values()
    finally:
        process.end()
    assert not process.folder.exists()


def test_its_errors_go_where_those_of_the_work_belong(inside):
    process = start_in_waiting(
        "timeit", "-n", "1", "-r", "1", "import sys; print('wrong', file=sys.stderr)", folder=inside
    )
    process.wait(timeout=60)
    assert "wrong" in (inside.parent / "stderr.log").read_text()


def test_what_is_said_to_it_after_its_work_has_begun_reaches_the_work(inside):
    process = run_in_waiting("import sys; print(sys.stdin.readline().strip())", folder=inside)
    process.stdin.write("cancel\n")
    process.stdin.flush()
    assert process.stdout.readline() == "cancel\n"


@linux
def test_more_memory_than_the_work_may_take_ends_it(inside):
    limits = Limits(memory_bytes=64 * MIB, reserved_bytes=1024 * MIB)
    process = run_in_waiting(f"import time; held = b'x' * {128 * MIB}; time.sleep(600)", folder=inside, limits=limits)
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert process.exceeded == "memory"


@linux
def test_where_another_thread_would_stay_open_nothing_runs(inside, monkeypatch):
    """OpenBLAS makes threads when numpy is imported."""
    monkeypatch.setattr(warm, "ONE_THREAD", {"OPENBLAS_NUM_THREADS": "2"})
    process = waiting("numpy")
    if psutil.Process(process.pid).num_threads() == 1:
        process.end()
        pytest.skip("this numpy makes no threads")
    with pytest.raises(NotEntered):
        enter(process, "timeit", "-n", "1", "-r", "1", "open('made', 'w')", folder=inside)
    assert not (inside / "made").exists() and not process.folder.exists()


@linux
def test_numpy_has_its_threads_again_when_the_work_begins(inside, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    process = waiting("numpy")
    deadline = time.monotonic() + 10  # the thread that imported it ends a moment after it is joined
    while psutil.Process(process.pid).num_threads() > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert psutil.Process(process.pid).num_threads() == 1
    code = "import os; print(os.environ['OPENBLAS_NUM_THREADS'], len(os.listdir('/proc/self/task')))"
    done = enter(process, "timeit", "-n", "1", "-r", "1", code, folder=inside)
    assert done.stdout.readline() == "2 2\n"


def test_one_that_died_says_so_before_anything_began(inside):
    process = waiting()
    psutil.Process(process.pid).kill()
    with pytest.raises(NotEntered):
        enter(process, "timeit", folder=inside)
    assert not process.is_ready and not process.folder.exists()


def test_one_that_cannot_import_is_never_ready():
    process = waiting("no_such_module")
    assert not process.is_ready
    process.end()


@pytest.mark.parametrize("has_work", [False, True], ids=["waiting", "at its work"])
def test_it_ends_with_the_process_that_started_it(tmp_path, has_work):
    code = (
        "import sys, time; from pathlib import Path; from tests.warm_processes import *\n"
        "process = waiting(); print(process.pid, flush=True)\n"
        "folder = Path(sys.argv[1]); folder.mkdir()\n"
        "if sys.argv[2] == 'True':\n"
        "    work = enter(process, 'timeit', '-n', '1', '-r', '1', "
        "'import time; print(1, flush=True); time.sleep(600)', folder=folder)\n"
        "    work.stdout.readline()\n"
        "print('there', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "job"), str(has_work)]
    parent = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    child = psutil.Process(int(parent.stdout.readline()))
    assert parent.stdout.readline() == "there\n"
    parent.kill()
    parent.wait()
    assert is_gone(child)


def test_what_a_killed_worker_left_is_removed_and_nothing_else(tmp_path):
    left, other = tmp_path / "warm-engine-left", tmp_path / "warm-engine-file"
    (left / "home").mkdir(parents=True)
    other.write_bytes(b"")
    (tmp_path / "warm-engine-link").symlink_to(tmp_path)
    process = waiting(folder=tmp_path / "warm-engine-held")
    try:
        assert warm.remove_left_behind(tmp_path.glob("warm-engine-*")) == 1
        assert process.folder.is_dir() and not left.exists() and other.exists() and tmp_path.exists()
    finally:
        process.end()
    assert not process.folder.exists() and warm.remove_left_behind(tmp_path.glob("warm-engine-*")) == 0
