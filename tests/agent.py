"""The agent in an environment of its own, made once a session from `pip install ./vision ./fastdfs ./agent`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.studio import ROOT, Studio


def install_agent(folder: Path) -> Path:
    """A fresh virtual environment with the agent, by the pip of this one. Returns its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    programs = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python")]
    packages = [str(ROOT / name) for name in ("vision", "fastdfs", "agent")]
    command = [*pip, "install", "--quiet", "--disable-pip-version-check", *packages]
    subprocess.run(command, check=True, capture_output=True)
    return programs


def make_keras_file(path: Path, seed: int, width: int) -> None:
    """A small classifier with two outputs; its file grows with the width of its hidden layer."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    image = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(width, activation="relu")(x)
    keras.Model(image, layers.Dense(2, activation="softmax")(x)).save(path)


def upload_model(studio: Studio, project: str, path: Path, name: str) -> str:
    """The id of the job that makes a model of the file, with the labels "open" and "shut"."""
    with open(path, "rb") as file:
        body = {"project": project, "labels": "open\nshut", "name": name}
        return studio.call("POST", "models/", files={"file": (path.name, file)}, data=body)["id"]


def uploaded_model(studio: Studio, job: str) -> str:
    """The id of the model that the job made."""
    ended = studio.wait_for_end(f"jobs/{job}/")
    assert ended["state"] == "succeeded", ended
    return ended["result"]["model"]


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
        )

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
