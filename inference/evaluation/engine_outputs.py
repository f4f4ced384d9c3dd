"""Evaluations of files that need TensorFlow: it runs them in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from inference.models import FileKind, Model
from inference.registry.registration import copy_file
from jobs.context import JobContext
from jobs.engine.files import made_file
from jobs.engine.process import EngineProcess, result_of
from jobs.errors import WorkFailed
from jobs.services import WORK_FOLDERS
from vision.engine_requests import write_request
from vision.exporting.request import OutputsRequest
from vision.sandbox.removal import remove_tree
from vision.training import layout

WORK_FOLDERS.add("engine-runs")
FILENAMES = {FileKind.KERAS: "model.keras", FileKind.SAVED_MODEL: "model.zip"}


def run_in_the_engine(context: JobContext, model: Model, kind: str, images: list[Path]) -> Iterator[np.ndarray]:
    """The file's output for each image, in their order."""
    folder = context.work_path("engine-runs")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path = folder / FILENAMES[FileKind(kind)]
        if not copy_file(model=model, kind=kind, target=path):
            raise WorkFailed("model_without_file", f"{model} has no {kind} file any more.")
        write_request(folder, OutputsRequest(str(kind), str(path), [str(image) for image in images]))
        process = EngineProcess(folder)
        try:
            result_of(process, context, "evaluation_died")
        finally:
            process.kill()
        for number in range(len(images)):
            yield np.load(made_file(folder, str(layout.writable(folder) / f"output-{number}.npy")))
    finally:
        remove_tree(folder)
