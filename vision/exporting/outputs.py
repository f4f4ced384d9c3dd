"""What a file that needs TensorFlow says of images: for evaluations of exported files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vision.exporting.request import OutputsRequest
from vision.exporting.runners import runner_for
from vision.training.hooks import TrainingHooks


def write_outputs(request: OutputsRequest, folder: Path, hooks: TrainingHooks) -> dict:
    """Run the file on each image and write what it said beside it.

    Returns:
        `count`; output n is in `folder/output-n.npy`.
    """
    run = runner_for(request.kind, Path(request.path))
    for number, path in enumerate(request.images):
        hooks.raise_if_cancelled()
        hooks.on_progress("images", number, len(request.images))
        np.save(folder / f"output-{number}.npy", run(np.load(path)))
    return {"count": len(request.images)}
