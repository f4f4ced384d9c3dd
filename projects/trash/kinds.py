"""How each kind of thing in the trash is removed for good, and what shows it. Rooms above add theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from projects.models import Project
from projects.removal import remove_project
from projects.trash.models import TrashEntry, TrashKind


class Kind(Protocol):
    def remove(self, entry: TrashEntry) -> None:
        """In a transaction that holds the entry's project; large things go in the background."""

    def thumbnail(self, entry: TrashEntry) -> Path | None:
        """A small JPEG of one of the images."""

    def restore_rest(self, entry: TrashEntry) -> None:
        """Put back what can be, where something stands against the rest; nothing of what is one thing."""


class Projects:
    def remove(self, entry: TrashEntry) -> None:
        project = Project.objects.filter(pk=entry.project_id).first()
        if project is not None and not entry.is_empty:
            remove_project(project=project)

    def thumbnail(self, entry: TrashEntry) -> Path | None:
        return None

    def restore_rest(self, entry: TrashEntry) -> None:
        return None


KINDS: dict[str, Kind] = {TrashKind.PROJECT: Projects()}
