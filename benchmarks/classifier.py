"""Transfer training on 1,000 photographs: the studio's engine beside the `fit` loop of every Keras tutorial."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.rows import Row, at_least
from benchmarks.sign_digits import is_here, train_with_the_engine, unpack
from tests.real_data import WEIGHTS

EPOCHS = int(os.environ.get("MLSTUDIO_BENCH_EPOCHS", 20))
SIDE = 160

PLAIN = """
import json, sys
import keras
data, weights, side, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
keras.utils.set_random_seed(42)
load = lambda split: keras.utils.image_dataset_from_directory(
    f"{data}/{split}", label_mode="categorical", image_size=(side, side), batch_size=32, seed=1, verbose=False)
train, validation, test = load("train"), load("validation"), load("test")
body = keras.applications.MobileNetV2(input_shape=(side, side, 3), include_top=False, weights=None)
body.load_weights(weights)
body.trainable = False
image = keras.Input((side, side, 3))
x = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
x = keras.layers.GlobalAveragePooling2D()(body(x, training=False))
x = keras.layers.Dropout(0.2)(x)
model = keras.Model(image, keras.layers.Dense(10, activation="softmax")(x))
model.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=validation, epochs=epochs, verbose=0)
model.save(f"{data}/plain.keras")
print(json.dumps(model.evaluate(test, verbose=0, return_dict=True)["accuracy"]))
"""


def run(folder: Path) -> list[Row]:
    if not is_here():
        return [Row("transfer training", "not measured: no photographs and weights here", "")]
    data = folder / "photographs"
    unpack(data, {"train": 75, "validation": 25}, seed=1)
    weights = next((WEIGHTS / "models").glob("mobilenet_v2_*1.0*no_top*"))
    configuration = {
        "architecture": "mobilenet_v2",
        "image_size": SIDE,
        "epochs": EPOCHS,
        "early_stopping": 0,
        "fine_tune": False,
    }
    before = _cpu_seconds()
    ours, result = train_with_the_engine(data, folder / "work", configuration)
    our_cpu, before = _cpu_seconds() - before, _cpu_seconds()
    started = time.perf_counter()
    command = [sys.executable, "-c", PLAIN, str(data), str(weights), str(SIDE), str(EPOCHS)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    plain, plain_cpu = time.perf_counter() - started, _cpu_seconds() - before
    accuracy, plain_accuracy = result["metrics"]["accuracy"], json.loads(done.stdout.splitlines()[-1])
    return [
        at_least(
            f"transfer training, MobileNetV2 at {SIDE} px, 1,000 photographs, {EPOCHS} epochs, start to usable model",
            f"{ours:.0f} s, test accuracy {accuracy:.3f}",
            f"plain fit {plain:.0f} s, test accuracy {plain_accuracy:.3f}",
            plain / ours,
            6,
        ),
        at_least(
            "the same in seconds of a core, which a busy machine changes less",
            f"{our_cpu:.0f} s",
            f"plain fit {plain_cpu:.0f} s",
            plain_cpu / our_cpu,
            5,
        ),
    ]


def _cpu_seconds() -> float:
    """Of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
