"""Runs a model once in a process of its own: a file that crashes its runtime ends this process, not the agent.

python -m mlstudio_agent.selftest entry.json model-file
"""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from pathlib import Path

from .errors import ModelFailed

SECONDS = 120


def check(entry: dict, path: Path) -> None:
    """Raises `ModelFailed` when the model does not load, does not answer, or takes its process down."""
    command = [sys.executable, "-m", "mlstudio_agent.selftest", json.dumps(entry), str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelFailed(f"The model did not answer within {SECONDS} s.") from error
    if done.returncode < 0:
        raise ModelFailed(f"The model crashed its runtime (signal {-done.returncode}).")
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise ModelFailed(lines[-1][:400] if lines else f"The self-test ended with status {done.returncode}.")


def main(entry: dict, path: Path) -> int:
    import numpy as np
    from PIL import Image

    from .predictor import Predictor

    try:
        predictor = Predictor(entry, path)
    except ModelFailed as error:
        print(error, file=sys.stderr)  # noqa: T201 - the parent reads it
        return 1
    made = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(made).save(content, "PNG")
    found = predictor.predict(content.getvalue())
    scores = [prediction["score"] for prediction in found["labels"] + found["boxes"]]
    is_classifier = entry["model"]["task"] != "detection"
    if not all(math.isfinite(score) for score in scores) or (is_classifier and not scores):
        print("The model answers with something that is no number.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), Path(sys.argv[2])))
