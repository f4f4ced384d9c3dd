"""One benchmark in a process and a data folder of its own."""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rows import Row


def measure(name: str, folder: str, answers, arguments: Sequence[str] = ()) -> None:
    os.environ["MLSTUDIO_DATA_DIR"] = str(Path(folder) / "data")
    os.environ["MLSTUDIO_TESTS_DIR"] = folder  # where the studio of tests keeps the database that it copies
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
    os.environ.setdefault("MLSTUDIO_LOG_LEVEL", "WARNING")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    module = importlib.import_module(f"benchmarks.{name}")
    parser = module.options() if hasattr(module, "options") else argparse.ArgumentParser(f"python -m benchmarks {name}")
    answers.put(module.run(Path(folder), **vars(parser.parse_args(arguments))))


def run_one(name: str, arguments: Sequence[str] = ()) -> list[Row]:
    folder = tempfile.mkdtemp(prefix=f"mlstudio-bench-{name}-")
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=measure, args=(name, folder, answers, arguments))
    try:
        process.start()
        while process.is_alive() and answers.empty():
            process.join(0.2)
        return answers.get(timeout=5) if not answers.empty() else [Row(name, "failed, see above", "")]
    finally:
        process.join(30)
        shutil.rmtree(folder, ignore_errors=True)
