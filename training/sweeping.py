"""Removing what trainings left in the work folder."""

from __future__ import annotations

from training.engine_folder import work_folder
from training.models import TrainingRun
from vision.sandbox.removal import remove_tree


def sweep_work_folders() -> int:
    """Remove folders of trainings that have ended or are gone."""
    root = work_folder("x").parent
    removed = 0
    for folder in root.iterdir() if root.is_dir() else ():
        run = TrainingRun.objects.filter(pk=folder.name).only("state").first()
        if run is None or run.has_ended:
            remove_tree(folder)
            removed += 1
    return removed
