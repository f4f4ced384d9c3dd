"""The agent in an environment of its own, made once a session from `pip install ./agent`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.studio import ROOT, Studio


def install_agent(folder: Path) -> Path:
    """A fresh virtual environment with the agent. Returns its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    programs = folder / "bin"
    command = [str(programs / "pip"), "install", "--quiet", "--disable-pip-version-check", str(ROOT / "agent")]
    subprocess.run(command, check=True, capture_output=True)
    return programs


MODEL_SCRIPT = """
import sys, keras
from keras import layers
keras.utils.set_random_seed(int(sys.argv[2]))
image = keras.Input((32, 32, 3))
x = layers.Rescaling(1 / 255)(image)
x = layers.Conv2D(8, 3, strides=2, activation="relu")(x)
x = layers.Flatten()(x)
x = layers.Dense(int(sys.argv[3]), activation="relu")(x)
keras.Model(image, layers.Dense(2, activation="softmax")(x)).save(sys.argv[1])
"""


def make_keras_file(path: Path, seed: int, width: int) -> None:
    """A small classifier with two outputs; its file grows with the width of its hidden layer."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", MODEL_SCRIPT, str(path), str(seed), str(width)]
    subprocess.run(command, check=True, env=environment, capture_output=True)


def upload_model(studio: Studio, project: str, path: Path, name: str) -> str:
    """The id of the model that the studio makes of the file, with the labels "open" and "shut"."""
    with open(path, "rb") as file:
        body = {"project": project, "labels": "open\nshut", "name": name}
        job = studio.call("POST", "models/", files={"file": (path.name, file)}, data=body)
    job = studio.wait_for_end(f"jobs/{job['id']}/")
    assert job["state"] == "succeeded", job
    return job["result"]["model"]


class Agent:
    """`mlstudio-agent` of that environment, with a folder of its own."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.folder = folder
        self._command = [str(programs / "mlstudio-agent"), "--folder", str(folder)]
        # Nothing of the studio's own environment reaches it.
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "LANG": "C.UTF-8"}

    def start(self, *arguments: str, python_path: Path | None = None, **options) -> subprocess.Popen:
        if python_path is not None:
            options["env"] = {**self._environment, "PYTHONPATH": str(python_path)}
        options.setdefault("env", self._environment)
        return subprocess.Popen(
            [*self._command, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )  # fmt: skip

    def call(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            text=True,
            capture_output=True,
            timeout=180,
            check=False,
        )

    def good(self, *arguments: str) -> str:
        done = self.call(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def state(self) -> dict:
        path = self.folder / "state.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def running(self) -> str | None:
        """Name of the current model."""
        current = self.state().get("current")
        return current["model"]["name"] if current else None

    def predict(self, *files: Path) -> list[dict]:
        return [json.loads(line) for line in self.good("run", *map(str, files)).splitlines()]
