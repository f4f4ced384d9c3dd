"""`vision.training` for trainings of keras-retinanet that are a few steps long: they are done before a graph is made.

`tests.untimed_keras_retinanet` trains with graphs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import vision.legacy_retinanet  # noqa: F401 - before anybody imports Keras 3
from tests.graphs import make_none
from vision.engine import main

if __name__ == "__main__":
    make_none()
    sys.exit(main(Path(sys.argv[1])))
