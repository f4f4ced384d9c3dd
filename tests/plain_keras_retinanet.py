"""`training.engine` for trainings of keras-retinanet that are a few steps long: graphs are run as they are made."""

from __future__ import annotations

import sys
from pathlib import Path

import training.engine.legacy_keras  # noqa: F401 - before anybody imports Keras 3
from tests.graphs import skip_optimizing
from training.engine.__main__ import main

if __name__ == "__main__":
    skip_optimizing()
    sys.exit(main(Path(sys.argv[1])))
