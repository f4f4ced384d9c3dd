from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from projects.models import Project, Role
from projects.selectors import project_ids_of
from projects.trash.models import TrashedMember, TrashEntry, TrashKind


def trash_entries_of(user: User) -> QuerySet[TrashEntry]:
    """What was deleted from the user's projects, and projects that they owned."""
    inside = ~Q(kind=TrashKind.PROJECT) & Q(project__in=project_ids_of(user))
    owned = Q(kind=TrashKind.PROJECT) & Q(Exists(_roles(user, OuterRef("pk"))))
    return TrashEntry.objects.filter(inside | owned, is_empty=False).select_related(
        "project", "deleted_by", "change__project"
    )


def _roles(user: User, entry: OuterRef) -> QuerySet[TrashedMember]:
    return TrashedMember.objects.filter(entry=entry, user=user, role=Role.OWNER)


def projects_in_trash_of(user: User) -> QuerySet:
    """Keys of projects in the trash that the user owned."""
    entries = TrashEntry.objects.filter(kind=TrashKind.PROJECT, is_empty=False)
    return entries.filter(Exists(_roles(user, OuterRef("pk")))).values("project")


def is_in_trash(project: Project) -> bool:
    return project.trashed_since is not None
