"""What the engine imports for most of its requests. A process that waits for one imports this ahead of it.

Not keras-retinanet's Keras, which needs a process of its own.
"""

from __future__ import annotations

import importlib
import warnings

from vision.training.lean import collect_garbage_rarely, leave_out_unused_libraries

MODULES = (
    "vision.training.train",
    "vision.detection.train",
    "vision.exporting.work",
    "vision.exporting.outputs",
    "vision.model_import.work",
)

warnings.filterwarnings("ignore", module="keras")
leave_out_unused_libraries()
collect_garbage_rarely()
for name in MODULES:
    importlib.import_module(name)
