"""Detectors after so many minutes of training, through a studio: BCCD with its official lists, and sets of few images.

python -m benchmarks detector_minutes --minutes 8 20 --architectures retinanet_mobilenet_v2 retinanet_resnet18

Each training gets the setting `minutes`; weights are used where they are here. Every training measures the test list,
too: choose by the validation list.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.rows import Row
from tests.real_data import FOLDER, WEIGHTS
from tests.studio import Studio
from vision.training.architectures import ARCHITECTURES

SETS = {
    "bccd": FOLDER / "bccd-voc.zip",
    "chess": FOLDER / "formats" / "chess.zip",
    "sharks": FOLDER / "formats" / "sharks-tiny-coco.zip",
}
DETECTORS = [name for name, architecture in ARCHITECTURES.items() if architecture.task == "detection"]
# On a machine that others use, a training takes a multiple of its minutes.
PATIENCE = 6


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks detector_minutes")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["bccd"])
    parser.add_argument("--minutes", type=float, nargs="+", default=[8.0], help="of each training; several: in turn")
    parser.add_argument(
        "--architectures", nargs="+", choices=DETECTORS, default=["retinanet_mobilenet_v2", "retinanet_resnet18"]
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    return parser


def run(folder: Path, sets: list[str], minutes: list[float], architectures: list[str], seeds: list[int]) -> list[Row]:
    studio = Studio(folder / "data", MLSTUDIO_WEIGHTS_DIR=os.environ.get("MLSTUDIO_WEIGHTS_DIR", str(WEIGHTS))).start()
    rows = []
    try:
        studio.register()
        for name in sets:
            if not SETS[name].exists():
                rows.append(Row(f"a detector after minutes, {name}", f"left out: no {SETS[name].name}", ""))
                continue
            project = _project(studio, SETS[name])
            for limit in minutes:
                for architecture in architectures:
                    for seed in seeds:
                        wanted = {"project": project, "architecture": architecture, "minutes": limit, "seed": seed}
                        rows.append(_row(studio, name, wanted))
                        print(rows[-1], flush=True)  # the others take hours
    finally:
        studio.stop()
    return rows


def _project(studio: Studio, archive: Path) -> str:
    project = studio.call("POST", "projects/", json={"name": archive.stem, "task": "detection"})
    dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": archive.stem})
    with open(archive, "rb") as file:
        files = {"file": (archive.name, file, "application/zip")}
        job = studio.call("POST", f"datasets/{dataset['id']}/imports/", files=files)
    ended = studio.wait_for_end(f"jobs/{job['id']}/")
    assert ended["state"] == "succeeded", ended
    return project["id"]


def _row(studio: Studio, name: str, wanted: dict) -> Row:
    asked = studio.call("POST", "trainings/", json=wanted)
    ended = studio.wait_for_end(f"trainings/{asked['id']}/", PATIENCE * 60 * wanted["minutes"] + 600)
    what = f"{name}, {wanted['minutes']:g} minutes of {wanted['architecture']}, seed {wanted['seed']}"
    if ended["state"] != "succeeded":
        return Row(what, ended["state"], str(ended["error"]))
    model = studio.call("GET", f"models/{ended['model']}/")
    metrics, configuration = model["metrics"], ended["configuration"]
    low, high = metrics["ap50_interval"]
    start = "from scratch" if configuration["weights"] == "none" else f"from {configuration['weights']}"
    return Row(
        f"{what}, {start}",
        f"validation AP50 {ended['score']:.3f}, test AP50 {metrics['ap50']:.3f} ({low:.3f} to {high:.3f})",
        f"{configuration['image_size']} px, {len(ended['history'])} epochs; estimated "
        f"{ended['estimate']['seconds'] / 60:.1f} minutes, took {ended['actual']['seconds'] / 60:.1f}",
    )
