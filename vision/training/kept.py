"""The better of two phases: fine-tuning may leave a network worse than the head before it."""

from __future__ import annotations

from pathlib import Path

from vision.training.checkpoint import get_values, load_checkpoint, save_checkpoint, set_values
from vision.training.hooks import TrainingHooks


class EarlierPhase:
    """Weights and validation score of the phase before, kept in the work folder for a resume."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "earlier-phase.npz"

    def keep(self, score: list[float], variables: list) -> None:
        """Raises `DiskFullError`."""
        save_checkpoint(self._path, {"score": score}, {"weights": get_values(variables)})

    def restore_if_better(self, score: list[float], variables: list, hooks: TrainingHooks) -> bool:
        """Give the variables the weights of the phase before, when its score was higher than this one."""
        found = load_checkpoint(self._path)
        if found is None or found[0]["score"] <= score:
            return False
        set_values(variables, found[1]["weights"])
        hooks.log(
            f"The head alone was better on the validation split ({found[0]['score'][0]:.4f} against {score[0]:.4f}): "
            "its network is kept, without fine-tuning"
        )
        return True
