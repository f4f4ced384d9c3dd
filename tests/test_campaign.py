"""Random kills and faults against whole studios: nothing acknowledged is lost, no figure is wrong, nothing hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.studio import ROOT

SQLITE_ROUNDS, POSTGRES_ROUNDS = 1000, 200
SECONDS_A_ROUND = 300


def rounds() -> int:
    usual = POSTGRES_ROUNDS if os.environ.get("MLSTUDIO_TEST_DATABASE_URL") else SQLITE_ROUNDS
    return int(os.environ.get("MLSTUDIO_TEST_ROUNDS", usual))


def campaigns() -> int:
    """How many at once, each with a studio of its own: rounds wait more than they compute."""
    usual = 2 * (os.cpu_count() or 1)
    return max(1, min(int(os.environ.get("MLSTUDIO_TEST_CAMPAIGNS", usual)), rounds() // 10))


def start(folder: Path, seed: int, share: int) -> subprocess.Popen:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.campaign", "--rounds", str(share), "--seed", str(seed)]
    command += ["--folder", str(folder / "campaign"), "--summary", str(folder / "summary.json")]
    # The tests of this process have the folder; the campaign's studio has one of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    with open(folder / "log", "wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.thorough
@pytest.mark.timeout(0)  # each process has a limit by the number of rounds
def test_every_promise_holds_whatever_goes_wrong(tmp_path):
    share = -(-rounds() // campaigns())
    first = int(os.environ.get("MLSTUDIO_TEST_SEED", "1"))
    running = {seed: start(tmp_path / str(seed), seed, share) for seed in range(first, first + campaigns())}
    try:
        ended = {seed: process.wait(600 + share * SECONDS_A_ROUND) for seed, process in running.items()}
    finally:
        for process in running.values():
            process.terminate()
    for seed, code in ended.items():
        assert code == 0, (tmp_path / str(seed) / "log").read_text()[-3000:]
    seen = [json.loads((tmp_path / str(seed) / "summary.json").read_text()) for seed in ended]
    assert sum(one["rounds"] for one in seen) >= rounds()
    violations = [violation for one in seen for violation in one["violations"]]
    assert not violations, json.dumps(violations, indent=1)
