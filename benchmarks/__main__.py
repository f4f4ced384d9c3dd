"""Runs benchmarks, each in a fresh process, and prints one table."""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
from pathlib import Path

import psutil

from benchmarks.rows import Row, table

NAMES = ("startup", "listing", "imports", "prediction", "classifier", "few_images")


def measure(name: str, folder: str, answers) -> None:
    os.environ["MLSTUDIO_DATA_DIR"] = str(Path(folder) / "data")
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    names = parser.parse_args().names or list(NAMES)
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(NAMES)}")
    rows: list[Row] = []
    for name in names:
        print(f"{name}…", file=sys.stderr, flush=True)
        rows += run_one(name)
    memory = psutil.virtual_memory().total / 2**30
    print(f"{os.cpu_count()} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f} at the end\n")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
