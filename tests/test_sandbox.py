"""The sandbox, from inside: each attempt to leave it fails, and what eats the machine is ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.warm_processes import start_in_waiting
from vision.sandbox import landlock, protections, seccomp, selftest
from vision.sandbox import process as process_module
from vision.sandbox.limits import MIB, Limits
from vision.sandbox.process import start, start_python
from vision.sandbox.protections import SandboxMissing
from vision.sandbox.removal import remove_tree

needs_landlock = pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
needs_seccomp = pytest.mark.skipif(not seccomp.is_supported(), reason="this system has no filters of system calls")
SMALL = Limits(memory_bytes=256 * MIB, cpu_seconds=20, file_bytes=8 * MIB, folder_bytes=32 * MIB, threads=32)


# A process of its own, and one that was there and waited.
WAYS = pytest.mark.parametrize("start_module", [start_python, start_in_waiting], ids=["started", "waited"])


def attempt(
    folder: Path, limits: Limits = SMALL, start_module: selftest.Start = start_python, **attempts: list[str]
) -> dict[str, str]:
    found = selftest.attempt(attempts, folder=folder, limits=limits, start=start_module)
    return {one.attempt: one.answer for one in found}


@needs_landlock
@needs_seccomp
@WAYS
def test_every_way_out_is_closed_and_its_own_work_goes_on(tmp_path, start_module):
    database = tmp_path / "db.sqlite3"
    database.write_text("passwords")
    results = list(selftest.attempt_everything([database], start_module))
    assert len(results) >= 30
    assert [(one.attempt, one.answer) for one in results if not one.as_meant] == []


@pytest.fixture
def inside(tmp_path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@needs_landlock
@WAYS
def test_the_data_folder_and_the_code_folder_cannot_even_be_listed(inside, tmp_path, settings, start_module):
    answers = attempt(
        inside,
        start_module=start_module,
        list_another_job=[str(tmp_path)],
        read=[str(settings.DATA_DIR / "secret_key")],
    )
    assert all(answer.startswith("refused: Permission") for answer in answers.values()), answers
    answers = attempt(inside, start_module=start_module, list_another_job=[str(settings.BASE_DIR)])
    assert answers["list_another_job"].startswith("refused")


def test_it_lets_others_go_first_and_ends_first_when_memory_is_gone(inside):
    code = "import os; print(os.getpriority(os.PRIO_PROCESS, 0), open('/proc/self/oom_score_adj').read())"
    limits = Limits(niceness=10)
    process = start([sys.executable, "-c", code], folder=inside, limits=limits, stdout=subprocess.PIPE, text=True)
    assert process.communicate()[0].split() == [str(min(19, os.nice(0) + 10)), "500"]
    if Path("/proc/self/autogroup").exists():
        code = "print(open('/proc/self/autogroup').read())"
        process = start([sys.executable, "-c", code], folder=inside, limits=limits, stdout=subprocess.PIPE, text=True)
        assert process.communicate()[0].strip().endswith("nice 10")


@needs_landlock
def test_an_input_is_readable_only_where_it_was_named(inside, tmp_path):
    given, kept = tmp_path / "given.bin", tmp_path / "kept.bin"
    for path in (given, kept):
        path.write_bytes(b"x")
    code = "import sys; print([open(p).read() for p in sys.argv[1:2]]); open(sys.argv[2])"
    process = start(
        [sys.executable, "-c", code, given, kept], folder=inside, readable=(given,), stderr=subprocess.PIPE, text=True
    )
    out, errors = process.communicate()
    assert out == "['x']\n"
    assert "PermissionError" in errors


def test_the_environment_is_built_from_nothing(inside, monkeypatch):
    for name in (
        "MLSTUDIO_SECRET_KEY",
        "DATABASE_URL",
        "AWS_SECRET_ACCESS_KEY",
        "REDIS_URL",
        "MLSTUDIO_SMTP_PASSWORD",
        "TF_VAR_password",
        "NVIDIA_API_KEY",
        "OMP_TOKEN",
        "ANYTHING",
    ):
        monkeypatch.setenv(name, "hunter2-value")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    code = "import os, json; print(json.dumps([dict(os.environ), os.getcwd()]))"
    seen, folder = json.loads(start([sys.executable, "-c", code], folder=inside).communicate()[0])
    assert "hunter2-value" not in seen.values()
    assert seen["OMP_NUM_THREADS"] == "3"
    assert folder == str(inside)
    for name in ("HOME", "TMPDIR", "KERAS_HOME", "XDG_CACHE_HOME"):
        assert seen[name].startswith(str(inside))


@WAYS
def test_what_an_earlier_process_left_is_not_run(inside, start_module):
    """Neither in its homes, nor as a module beside it."""
    (inside / "json.py").write_text("raise SystemExit('taken over')")
    planted = inside / ".sandbox" / "code" / "vision"
    planted.mkdir(parents=True)
    (planted / "__init__.py").write_text("raise SystemExit('taken over')")
    assert attempt(inside, start_module=start_module, write_own_folder=["mine"]) == {"write_own_folder": "done"}


@WAYS
def test_memory_is_refused_by_the_kernel_and_the_process_can_say_so(inside, start_module):
    limits = replace(SMALL, memory_bytes=1024 * MIB, reserved_bytes=256 * MIB)  # before the watching thread kills it
    assert attempt(inside, limits, start_module, eat_memory=[str(MIB)]) == {"eat_memory": "refused: no memory"}


def ended_for(folder: Path, code: str, limits: Limits) -> str:
    """Why a process that does something and then waits was ended."""
    process = start(
        [sys.executable, "-c", f"import threading, time\n{code}\ntime.sleep(600)"], folder=folder, limits=limits
    )
    assert process.wait(timeout=60) == -signal.SIGKILL
    return process.exceeded


def test_a_process_that_uses_more_than_it_may_is_ended(inside):
    limits = Limits(memory_bytes=64 * MIB, reserved_bytes=1024 * MIB)
    assert ended_for(inside, f"held = b'x' * {128 * MIB}", limits) == "memory"


@WAYS
def test_one_file_grows_only_so_far(inside, start_module):
    answer = attempt(inside, start_module=start_module, fill_a_file=[str(64 * MIB)])
    assert answer == {"fill_a_file": "refused: File too large"}
    assert (inside / "large").stat().st_size <= 8 * MIB


def test_many_files_are_counted_together(inside):
    code = f"for n in range(40): open(str(n), 'wb').write(b'x' * {MIB})"
    assert ended_for(inside, code, SMALL) == "folder"
    assert ended_for(inside, "for n in range(9000): open(f'empty-{n}', 'wb')", SMALL) == "folder"


def test_a_full_disk_ends_it_before_others_notice(inside):
    assert ended_for(inside, "", Limits(free_bytes=1 << 60)) == "disk"


def test_a_killed_process_has_not_exceeded_its_threads(inside, monkeypatch):
    """Its first thread may be seen to have ended while the others end."""
    is_ending = threading.Event()
    monkeypatch.setattr(process_module, "_has_left_its_threads", lambda seen: is_ending.is_set())
    process = start([sys.executable, "-c", "import time; time.sleep(600)"], folder=inside, limits=SMALL)
    is_ending.set()
    time.sleep(0.2)
    process.kill()
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert process.exceeded == ""


def test_threads_without_end_are_ended(inside):
    code = "for _ in range(64): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    assert ended_for(inside, code, Limits(threads=32, reserved_bytes=1 << 40)) == "threads"


def test_a_loop_without_end_runs_out_of_cpu_time(inside):
    process = start_python(
        "vision.sandbox.attempts", json.dumps({"burn": []}), folder=inside, limits=Limits(cpu_seconds=1)
    )
    assert process.wait(timeout=30) == -signal.SIGXCPU


@needs_seccomp
def test_it_starts_no_other_process_unless_it_may(inside):
    run = [sys.executable, "-c", "import subprocess; print(subprocess.run(['/bin/true']).returncode)"]
    assert start(run, folder=inside).communicate()[0] == b""
    assert start(run, folder=inside, limits=Limits(processes=64)).communicate()[0] == b"0\n"


@needs_seccomp
def test_calls_that_are_newer_than_the_list_do_not_exist(inside):
    code = (
        "import ctypes; c = ctypes.CDLL(None, use_errno=True); "
        "print([(c.syscall(n), ctypes.get_errno()) for n in (452, 463, 9999, 0x40000000 + 39)])"
    )
    out = start([sys.executable, "-c", code], folder=inside).communicate()[0]
    assert out.decode().strip() == str([(-1, 38)] * 4)


def test_it_ends_with_the_process_that_started_it(inside):
    code = (
        "import sys, pathlib, time; from vision.sandbox.process import start; "
        "p = start([sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(600)'], "
        "folder=pathlib.Path(sys.argv[1])); p.stdout.readline(); print(p.pid, flush=True); time.sleep(600)"
    )
    root = Path(__file__).resolve().parent.parent
    parent = subprocess.Popen([sys.executable, "-c", code, inside], stdout=subprocess.PIPE, cwd=root)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    psutil.wait_procs([child], timeout=20)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_killing_it_kills_what_it_started(inside):
    code = "import subprocess; p = subprocess.Popen(['/bin/sleep', '600']); print(p.pid, flush=True); p.wait()"
    process = start([sys.executable, "-c", code], folder=inside, limits=Limits(processes=64))
    grandchild = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.wait()
    psutil.wait_procs([grandchild], timeout=20)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_a_program_that_is_not_there_is_an_error_and_nothing_runs_unprotected(inside):
    process = start(["/nowhere/program"], folder=inside, stderr=subprocess.PIPE)
    errors = process.communicate()[1]
    assert process.returncode == 70
    assert b"could not be set up" in errors


def test_where_the_kernel_lacks_it_the_doctor_says_so_and_require_refuses(inside, monkeypatch):
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    protections.missing.cache_clear()
    try:
        assert "Landlock" in protections.missing()[0]
        monkeypatch.setenv("MLSTUDIO_SANDBOX", "require")
        with pytest.raises(SandboxMissing, match="Landlock"):
            start([sys.executable, "-c", "pass"], folder=inside)
    finally:
        protections.missing.cache_clear()


def test_the_launcher_drops_the_powers_of_root(inside):
    if os.geteuid() != 0:
        pytest.skip("root only")
    code = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapBnd'))])"
    out = start([sys.executable, "-c", code], folder=inside).communicate()[0].decode()
    assert out.strip() == str(["0" * 16] * 2)


def test_what_is_left_open_still_has_no_secrets_and_has_its_limits(inside, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://user:password@host/studio")
    code = (
        "import os, resource, subprocess; subprocess.run(['/bin/true'], check=True); open('/etc/passwd').close(); "
        "print('DATABASE_URL' in os.environ, resource.getrlimit(resource.RLIMIT_FSIZE)[0])"
    )
    out = start([sys.executable, "-c", code], folder=inside, limits=SMALL, closed=False).communicate()[0]
    assert out.decode().strip() == f"False {8 * MIB}"


def test_a_program_that_it_left_behind_is_killed_with_it(inside):
    code = "import subprocess; print(subprocess.Popen(['/bin/sleep', '600']).pid, flush=True)"
    process = start([sys.executable, "-c", code], folder=inside, limits=Limits(processes=64))
    left = psutil.Process(int(process.stdout.readline()))
    process.wait()
    process.kill()
    psutil.wait_procs([left], timeout=20)
    assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE


def test_a_folder_is_removed_however_deep_and_closed_it_is(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    here = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(1500):
            Path("deep").mkdir()
            os.chdir("deep")
    finally:
        os.chdir(here)
    (folder / "closed").mkdir(mode=0o300)
    remove_tree(folder)
    assert not folder.exists()
    remove_tree(folder)
