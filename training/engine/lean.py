"""What the engine's process does without."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

UNUSED = ("matplotlib", "sklearn")


def leave_out_unused_libraries() -> None:
    """Call it before Keras is imported, in a process of the engine's own.

    Keras imports scikit-learn and matplotlib where they are installed, for wrappers and drawings that no training
    uses: a third of the time that the process takes to start. From here on they count as missing.
    """
    for name in UNUSED:
        sys.modules.setdefault(name, cast(ModuleType, None))  # how Python says that there is no such module
