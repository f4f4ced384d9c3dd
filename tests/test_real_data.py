"""The tour on real photographs with real pretrained weights."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.real_data import SIGN_DIGITS, WEIGHTS
from tests.studio import ROOT, Studio

pytestmark = [pytest.mark.slow, pytest.mark.real_data]


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    running = Studio(tmp_path_factory.mktemp("real") / "data", MLSTUDIO_WEIGHTS_DIR=str(WEIGHTS)).start()
    yield running
    running.stop()


@pytest.mark.long
@pytest.mark.parametrize("architecture", ["mobilenet_v2_035", pytest.param("mobilenet_v2", marks=pytest.mark.thorough)])
def test_the_quickstart_makes_a_good_model_of_the_sign_digits(studio, architecture):
    command = [sys.executable, "examples/quickstart.py", str(SIGN_DIGITS), "--url", studio.url]
    command += ["--architecture", architecture, "--set", "fine_tune=false", "--set", "image_size=96"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Imported 2062 images, 0 duplicates, 0 rejected" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("Test accuracy")]
    assert float(line.split()[2]) >= 0.9, line


def test_architectures_say_which_weights_are_here(studio):
    studio.register()
    rows = {row["name"]: row for row in studio.call("GET", "architectures/")}
    assert rows["mobilenet_v2"]["weights_available"] and rows["mobilenet_v2_035"]["initial_weights"] == "imagenet"
    assert rows["mobilenet_v2"]["is_default"] and not rows["resnet50"]["weights_available"]
