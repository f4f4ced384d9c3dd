"""One benchmark in a process and a data folder of its own."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import shutil
import tempfile
from pathlib import Path

from benchmarks.rows import Row


def measure(name: str, folder: str, answers) -> None:
    os.environ["MLSTUDIO_DATA_DIR"] = str(Path(folder) / "data")
    os.environ["MLSTUDIO_TESTS_DIR"] = folder  # where the studio of tests keeps the database that it copies
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
    os.environ.setdefault("MLSTUDIO_LOG_LEVEL", "WARNING")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    answers.put(importlib.import_module(f"benchmarks.{name}").run(Path(folder)))


def run_one(name: str) -> list[Row]:
    folder = tempfile.mkdtemp(prefix=f"mlstudio-bench-{name}-")
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=measure, args=(name, folder, answers))
    try:
        process.start()
        while process.is_alive() and answers.empty():
            process.join(0.2)
        return answers.get(timeout=5) if not answers.empty() else [Row(name, "failed, see above", "")]
    finally:
        process.join(30)
        shutil.rmtree(folder, ignore_errors=True)
