"""`vision.training` for tests that are not about the estimate of keras-retinanet: it says a millisecond a step.

Measuring it traces the network once more, which is a third of a training of two epochs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import vision.legacy_retinanet  # noqa: F401 - before anybody imports Keras 3
from tests.graphs import skip_optimizing
from vision.detection.work import DetectorTraining
from vision.engine import main


def _skip(cls, **_) -> None:
    cls.time_steps = lambda self, batch: (1e-3, 1e-3)


if __name__ == "__main__":
    skip_optimizing()
    DetectorTraining.__init_subclass__ = classmethod(_skip)
    sys.exit(main(Path(sys.argv[1])))
