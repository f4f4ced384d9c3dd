"""Runs benchmarks, each in a fresh process, and prints one table."""

from __future__ import annotations

import argparse
import os
import sys

import psutil

from benchmarks.fresh import run_one
from benchmarks.rows import Row, table

NAMES = (
    "startup", "listing", "imports", "formats", "prediction", "classifier", "few_images", "detector", "storage",
    "exports", "edge", "base_model", "active_learning", "label_errors", "added_labels", "event_streams", "live_events",
    "search", "comparing", "fairness", "scale", "removal", "trash", "pages", "large_project",
    "first_model", "live_model", "live_boxes", "engine_start", "detector_minutes", "detector_options",
    "features_map", "map_page", "multilabel",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all; options after it are its own"
    )
    chosen, options = parser.parse_known_args()
    names = chosen.names or list(NAMES)
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if options and len(names) > 1:
        parser.error(f"{' '.join(options)} can be said to one benchmark at a time, received {len(names)}")
    rows: list[Row] = []
    for name in names:
        print(f"{name}…", file=sys.stderr, flush=True)
        rows += run_one(name, options)
    memory = psutil.virtual_memory().total / 2**30
    print(f"{os.cpu_count()} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f} at the end\n")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
