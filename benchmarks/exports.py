"""Every kind of export of a classifier and a detector, each run in a fresh environment with its runtime alone."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from tests.pictures import scenes_zip, shapes_zip
from tests.real_data import FOLDER
from tests.studio import Studio
from vision.runtime.boxes import iou_matrix
from vision.runtime.kinds import KINDS

PICTURES = 20
SURE = 0.5


def run(folder: Path) -> list[Row]:
    """On the real data where it is, else on generated images."""
    studio = Studio(folder / "data", MLSTUDIO_WEIGHTS_DIR=str(FOLDER / "weights" / "keras")).start()
    try:
        studio.register()
        rows = _rows(studio, "classification", folder)
        rows += _rows(studio, "detection", folder)
    finally:
        studio.stop()
    return rows


def _rows(studio: Studio, task: str, folder: Path) -> list[Row]:
    model, pictures = _trained(studio, task, folder / task)
    rows = []
    for kind in KINDS:
        job = studio.call("POST", f"models/{model['id']}/exports/", json={"bundle_of": kind, "largest_drop": 1})
        job = studio.wait_for_end(f"jobs/{job['id']}/", 900)
        assert job["state"] == "succeeded", job
        (report,) = job["result"]["exports"]
        bundle = folder / task / kind
        content = studio.client.get(f"models/{model['id']}/files/bundle/").content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(bundle)
        (program,) = bundle.iterdir()
        found = _in_fresh_environment(program, pictures, folder)
        rows.append(_row(studio, task, model, kind, report, found, pictures))
    return rows


def _row(studio, task: str, model: dict, kind: str, report: dict, found: list[dict], pictures: list[Path]) -> Row:
    quality, name = ("accuracy", "accuracy") if task == "classification" else ("ap50", "AP50")
    files = [("files", (path.name, path.read_bytes())) for path in pictures]
    expected = studio.call("POST", f"models/{model['id']}/predict/", files=files)["predictions"]
    if task == "classification":
        same = sum(a["labels"][0]["label"] == b["labels"][0]["label"] for a, b in zip(found, expected, strict=True))
        agreement = f"first label {same} of {len(pictures)}"
    else:
        agreement = f"boxes {_common(found, expected):.3f}"
    return Row(
        f"{task}, {KINDS[kind].title}: size, {name}, one image",
        f"{report['size'] / 1e6:.2f} MB, {report[quality]:.4f}, {report['latency_ms']:.2f} ms",
        f"Keras {report[f'keras_{quality}']:.4f}; agreement {report['agreement']:.4f}; in a fresh environment with "
        f"{KINDS[kind].runtime}: {agreement}",
        None,
        f"largest difference {report['largest_difference']:.1e}",
    )


def _common(found: list[dict], expected: list[dict]) -> float:
    """F1 of the boxes of both, of one label and with an overlap of half."""
    common = total = 0
    for first, second in zip(found, expected, strict=True):
        ours, theirs = first["boxes"], second["boxes"]
        total += len(ours) + len(theirs)
        if not ours or not theirs:
            continue
        overlap = iou_matrix(*(np.array([one["box"] for one in boxes], np.float32) for boxes in (ours, theirs)))
        different = np.array([one["label"] for one in ours])[:, None] != np.array([one["label"] for one in theirs])
        overlap[different] = 0
        while overlap.max(initial=0) >= SURE:
            row, column = np.unravel_index(overlap.argmax(), overlap.shape)
            overlap[row], overlap[:, column] = 0, 0
            common += 2
    return common / total if total else 1.0


def _in_fresh_environment(program: Path, pictures: list[Path], folder: Path) -> list[dict]:
    """What the bundle's program says where nothing but its requirements is installed."""
    requirements = (program / "requirements.txt").read_text()
    venv = folder / "venvs" / "-".join(sorted(requirements.split()))
    if not venv.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        command = [str(venv / "bin" / "pip"), "install", "--quiet", "-r", str(program / "requirements.txt")]
        subprocess.run(command, check=True, capture_output=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [str(venv / "bin" / "python"), "predict.py", *map(str, pictures)]
    done = subprocess.run(command, cwd=program, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def _trained(studio: Studio, task: str, folder: Path) -> tuple[dict, list[Path]]:
    """A model, and images of its test split as files."""
    folder.mkdir()
    project = studio.call("POST", "projects/", json={"name": task, "task": task})["id"]
    dataset = studio.call("POST", "datasets/", json={"project": project, "name": "d"})["id"]
    job = studio.call("POST", f"datasets/{dataset}/imports/", files={"file": ("data.zip", _data(task))})
    assert studio.wait_for_end(f"jobs/{job['id']}/", 600)["state"] == "succeeded"
    wanted = {"project": project, **_settings(task)}
    run = studio.wait_for_end(f"trainings/{studio.call('POST', 'trainings/', json=wanted)['id']}/", 3000)
    assert run["state"] == "succeeded", run["error"]
    model = studio.call("GET", f"models/{run['model']}/")
    images = studio.call("GET", f"images/?dataset={dataset}&page_size={PICTURES}")["results"]
    pictures = []
    for image in images:
        pictures.append(folder / f"{image['id']}{Path(image['filename']).suffix}")
        pictures[-1].write_bytes(studio.client.get(f"images/{image['id']}/file/").content)
    return model, pictures


def _data(task: str) -> bytes:
    if not FOLDER.is_dir():
        return shapes_zip(200) if task == "classification" else scenes_zip(60)
    name = "sign-digits-folders.zip" if task == "classification" else "bccd-voc.zip"
    return (FOLDER / name).read_bytes()


def _settings(task: str) -> dict:
    if not FOLDER.is_dir():
        small = {"architecture": "small_cnn", "image_size": 32, "epochs": 5}
        return small if task == "classification" else {"image_size": 128, "epochs": 2}
    return {"architecture": "mobilenet_v2_035", "image_size": 96} if task == "classification" else {"epochs": 9}
