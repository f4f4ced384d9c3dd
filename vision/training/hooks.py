"""What a training says while it works, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# What a training does before its first step, and between two stretches: it builds the network, times and traces it.
PREPARING = "preparing"


@dataclass
class TrainingHooks:
    """What the engine says to the outside while it works. Every function may be left out.

    Attributes:
        on_progress: `(phase, done, total)` in steps.
        on_epoch: one entry of the history.
        on_checkpoint: called after a checkpoint is safe on disk.
        log: one line for people.
        raise_if_cancelled: raises `Cancelled` or `Interrupted` when the training must stop.
    """

    on_progress: Callable[[str, int, int], None] = lambda phase, done, total: None
    on_epoch: Callable[[dict], None] = lambda entry: None
    on_checkpoint: Callable[[], None] = lambda: None
    log: Callable[[str], None] = lambda line: None
    raise_if_cancelled: Callable[[], None] = lambda: None
