"""The sign digits (2,062 photographs of hands, 10 labels) cut into splits on disk, with the training engine on them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from tests.real_data import SIGN_DIGITS, WEIGHTS
from vision.engine_requests import TrainingRequest, write_request
from vision.training.configuration import Configuration
from vision.training.data import Sample

SPLITS = ("train", "validation", "test")


def is_here() -> bool:
    return SIGN_DIGITS.exists() and WEIGHTS.exists()


def unpack(folder: Path, per_label: dict[str, int], seed: int) -> None:
    """Write `folder/<split>/<label>/<name>`; the images beyond `per_label` are the test split."""
    with zipfile.ZipFile(SIGN_DIGITS) as archive:
        by_label: dict[str, list[str]] = {}
        for name in sorted(archive.namelist()):
            if name.lower().endswith((".jpg", ".jpeg", ".png")):
                by_label.setdefault(name.split("/")[-2], []).append(name)
        generator = random.Random(seed)
        for label, names in by_label.items():
            generator.shuffle(names)
            start = 0
            for split in SPLITS:
                end = start + per_label[split] if split in per_label else len(names)
                target = folder / split / label
                target.mkdir(parents=True)
                for name in names[start:end]:
                    (target / Path(name).name).write_bytes(archive.read(name))
                start = end


def train_with_the_engine(data: Path, work: Path, configuration: dict) -> tuple[float, dict]:
    """`(seconds from start to exported model, the result)` of a training process on the unpacked folders."""
    labels = sorted(path.name for path in (data / "train").iterdir())
    splits = {
        split: [
            Sample(str(path), str(path), labels.index(path.parent.name)) for path in sorted((data / split).rglob("*.*"))
        ]
        for split in SPLITS
    }
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    resolved = Configuration(**configuration).resolved().to_dict()
    request = TrainingRequest("classification", resolved, labels, splits)
    started = time.perf_counter()
    result = engine_result(work, request)
    return time.perf_counter() - started, result


def engine_result(work: Path, request: TrainingRequest) -> dict:
    """What a training process in a new folder answers."""
    work.mkdir(parents=True)
    write_request(work, request)
    with open(work / "stderr.log", "wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "vision.engine", str(work)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        assert process.stdout is not None
        messages = [json.loads(line) for line in process.stdout]
        process.wait()
    result = next((message["result"] for message in messages if message["event"] == "result"), None)
    assert result is not None, messages[-1]
    return result


def unpack_all(folder: Path) -> list[tuple[str, int]]:
    """Paths and labels of all photographs, in a fixed order."""
    found = []
    with zipfile.ZipFile(SIGN_DIGITS) as archive:
        for name in sorted(archive.namelist()):
            if name.lower().endswith((".jpg", ".jpeg", ".png")):
                label = int(name.split("/")[-2])
                target = folder / str(label) / Path(name).name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))
                found.append((str(target), label))
    return found


def train_on(
    work: Path,
    labelled: list[tuple[str, int]],
    test: list[tuple[str, int]],
    configuration: dict,
    seed: int,
    base: dict | None = None,
    names: list[str] | None = None,
) -> dict:
    """Train with the engine on four fifths of what is labelled; the last fifth of each label is for validation."""
    splits: dict[str, list[dict]] = {"train": [], "validation": [], "test": []}
    by_label: dict[int, list[str]] = {}
    for path, label in labelled:
        by_label.setdefault(label, []).append(path)
    for label, paths in by_label.items():
        cut = max(1, len(paths) // 5)
        for split, part in (("validation", paths[:cut]), ("train", paths[cut:])):
            splits[split] += [{"id": path, "path": path, "label": label} for path in part]
    splits["test"] = [{"id": path, "path": path, "label": label} for path, label in test]
    request = {
        "configuration": Configuration(**configuration, seed=seed).resolved().to_dict(),
        "class_names": names or [str(label) for label in range(10)],
        "splits": splits,
        "base": base,
    }
    return engine_result(work, request)
