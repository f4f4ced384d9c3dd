"""Random kills and faults against a whole studio: nothing acknowledged is lost, no figure is wrong, nothing hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.studio import ROOT

SQLITE_ROUNDS, POSTGRES_ROUNDS = 1000, 200
SECONDS_A_ROUND = 300


def rounds() -> int:
    usual = POSTGRES_ROUNDS if os.environ.get("MLSTUDIO_TEST_DATABASE_URL") else SQLITE_ROUNDS
    return int(os.environ.get("MLSTUDIO_TEST_ROUNDS", usual))


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.thorough
@pytest.mark.timeout(0)  # `subprocess` has a limit by the number of rounds
def test_every_promise_holds_whatever_goes_wrong(tmp_path):
    summary = tmp_path / "summary.json"
    seed = os.environ.get("MLSTUDIO_TEST_SEED", "1")
    command = [sys.executable, "-m", "tests.campaign", "--rounds", str(rounds()), "--seed", seed]
    command += ["--folder", str(tmp_path / "campaign"), "--summary", str(summary)]
    # The tests of this process have the folder; the campaign's studio has one of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    done = subprocess.run(command, cwd=ROOT, env=environment, timeout=rounds() * SECONDS_A_ROUND)
    assert done.returncode == 0
    seen = json.loads(summary.read_text())
    assert seen["rounds"] == rounds()
    assert not seen["violations"], json.dumps(seen["violations"], indent=1)
