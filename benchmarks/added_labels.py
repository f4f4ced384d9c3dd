"""Two labels added: a model of eight sign digits is trained further on all ten, beside one that starts again.

A quarter of the photographs is only measured on. Do both still know the old labels, and is the difference more than
luck?
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from benchmarks.sign_digits import is_here, train_on, unpack_all
from tests.real_data import WEIGHTS
from vision.analysis.comparison import mcnemar
from vision.imaging.preprocessing import load_pixels
from vision.runtime.interpreters import LiteRTClassifier

SEED = 7
NEW = 2
# So few photographs of the new labels, as somebody has who adds one.
NEW_IMAGES = 30
CONFIGURATION = {"architecture": "mobilenet_v2_035", "image_size": 96, "fine_tune": True, "fine_tune_epochs": 5}


def run(folder: Path) -> list[Row]:
    if not is_here():
        return [Row("labels added", "not measured: no photographs and weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    images = unpack_all(folder / "images")
    random.Random(SEED).shuffle(images)
    cut = len(images) // 4
    test, rest = images[:cut], images[cut:]
    old = [one for one in rest if one[1] < 10 - NEW]
    added = [[one for one in rest if one[1] == label][:NEW_IMAGES] for label in range(10 - NEW, 10)]
    old_test = [one for one in test if one[1] < 10 - NEW]
    names = [str(label) for label in range(10)]
    first = train_on(folder / "first", old, old_test, CONFIGURATION, SEED, names=names[: 10 - NEW])
    every = old + [one for label in added for one in label]
    base = {"path": first["files"]["keras"], "anchors": None, "class_names": names[: 10 - NEW]}
    further = {
        "architecture": "mobilenet_v2_035",
        "weights": "base",
        "image_size": first["configuration"]["image_size"],
    }
    further |= {"fine_tune": True, "fine_tune_epochs": 5}
    second = train_on(folder / "second", every, test, further, SEED, base=base)
    third = train_on(folder / "third", every, test, CONFIGURATION, SEED)
    right = {name: _right(one, test) for name, one in (("further", second), ("again", third))}
    right["before"] = _right(first, old_test)
    is_old = np.array([label < 10 - NEW for _, label in test])
    against_before = mcnemar(right["before"], right["further"][is_old])
    against_again = mcnemar(right["again"], right["further"])
    return [
        Row(
            f"eight labels, {len(old_test)} test photographs: before, trained further with ten, trained again with ten",
            f"{right['before'].mean():.3f}, {right['further'][is_old].mean():.3f}, {right['again'][is_old].mean():.3f}",
            f"further less before {_told(against_before)}",
        ),
        Row(
            f"the two new labels, {NEW_IMAGES} photographs each: trained further, trained again",
            f"{right['further'][~is_old].mean():.3f}, {right['again'][~is_old].mean():.3f}",
            f"{int((~is_old).sum())} test photographs",
        ),
        Row(
            f"all ten labels, {len(test)} test photographs: trained further, trained again",
            f"{right['further'].mean():.3f}, {right['again'].mean():.3f}",
            f"further less again {_told(against_again)}",
        ),
    ]


def _right(result: dict, test: list[tuple[str, int]]) -> np.ndarray:
    network = LiteRTClassifier(result["files"]["litert-float32"])
    said = [int(network.predict(load_pixels(path, network.image_size)).argmax()) for path, _ in test]
    return np.array(said) == np.array([label for _, label in test])


def _told(found: dict) -> str:
    low, high = found["interval"]
    word = "significant" if found["is_significant"] else "not significant"
    return f"{found['difference']:+.3f} ({low:+.3f} to {high:+.3f}), p = {found['p_value']:.3g}, {word}"
