"""What the engine's process does without."""

from __future__ import annotations

import atexit
import gc
import sys
from types import ModuleType
from typing import cast

UNUSED = ("matplotlib", "sklearn")
# New containers until the youngest are looked at; Python's own number is 700, and one import makes a million.
COLLECT_AFTER = 10_000


def leave_out_unused_libraries() -> None:
    """Call it before Keras is imported, in a process of the engine's own.

    Keras imports scikit-learn and matplotlib where they are installed, for wrappers and drawings that no training
    uses: a third of the time that the process takes to start. From here on they count as missing.
    """
    for name in UNUSED:
        sys.modules.setdefault(name, cast(ModuleType, None))  # how Python says that there is no such module


def collect_garbage_rarely() -> None:
    """Call it before Keras is imported, in a process of the engine's own.

    Importing TensorFlow and making a graph create what stays, which the collector goes through again and again. At the
    end of the process nothing is collected: the system takes all of it at once.
    """
    gc.set_threshold(COLLECT_AFTER)
    atexit.register(gc.freeze)
