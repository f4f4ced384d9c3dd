"""Whole projects in the trash: they lose their members, from whom everything that anybody sees starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.core import serializers
from django.utils import timezone

from common.errors import NotFound
from projects import limits
from projects.changes.fields import FieldsBack
from projects.changes.models import Change, RowChange
from projects.changes.recording import note_rows
from projects.changes.undoing import PARTS, Differing
from projects.models import Invitation, InvitationLink, Membership, Project, Role
from projects.removal import cancel_work_of
from projects.selectors import is_live
from projects.trash.entries import put_into_trash, take_out
from projects.trash.models import TrashedMember, TrashEntry, TrashKind
from projects.trash.services import remove_for_good
from storage.database import atomic_again

IN_TRASH, NOT_IN_TRASH = {"in_trash": True}, {"in_trash": False}


@atomic_again
def trash_project(project: Project) -> None:
    """Move a project into the trash. What runs in it is cancelled; its members and invitations are kept aside.

    Raises:
        NotFound: somebody else was faster.
    """
    if not list(Project.objects.select_for_update().filter(is_live(), pk=project.pk).values_list("pk")):
        raise NotFound()
    invitations = [*Invitation.objects.filter(project=project), *InvitationLink.objects.filter(project=project)]
    entry = put_into_trash(
        project=project,
        kind=TrashKind.PROJECT,
        target=project.pk,
        name=project.name,
        count=project.image_count,
        facts={"invitations": serializers.serialize("json", invitations)},
    )
    members = Membership.objects.filter(project=project)
    TrashedMember.objects.filter(entry=entry).delete()
    TrashedMember.objects.bulk_create(
        TrashedMember(entry=entry, user_id=member.user_id, role=member.role, created_at=member.created_at)
        for member in members
    )
    members.delete()
    Invitation.objects.filter(project=project).delete()
    InvitationLink.objects.filter(project=project).delete()
    Project.objects.filter(pk=project.pk).update(trashed_since=timezone.now())
    cancel_work_of(project)
    note_rows("project", {project.pk: (NOT_IN_TRASH, IN_TRASH)})


@atomic_again
def restore_project(project: Project, user: User | None) -> None:
    """Give a project back to its members; `user` is its owner when nobody else who was is left.

    Raises:
        LimitReached: who made it has as many projects as are allowed.
    """
    if project.created_by is not None:
        limits.PROJECTS.require(project.created_by)
    Project.objects.filter(pk=project.pk).update(trashed_since=None)
    entry = take_out(kind=TrashKind.PROJECT, target=project.pk)
    members = [] if entry is None else list(TrashedMember.objects.filter(entry=entry).order_by("id"))
    for member in members:
        Membership.objects.create(project=project, user_id=member.user_id, role=member.role)
    if not any(member.role == Role.OWNER for member in members):
        Membership.objects.update_or_create(project=project, user=user, defaults={"role": Role.OWNER})
    for row in serializers.deserialize("json", "[]" if entry is None else entry.facts.get("invitations", "[]")):
        row.save()
    note_rows("project", {project.pk: (IN_TRASH, NOT_IN_TRASH)})


def remove_projects_in_trash_of(user: Any) -> None:
    """Remove the projects in the trash that only this user could restore, for good."""
    owners = TrashedMember.objects.filter(role=Role.OWNER)
    for entry in TrashEntry.objects.filter(kind=TrashKind.PROJECT, pk__in=owners.filter(user=user).values("entry")):
        if not owners.filter(entry=entry).exclude(user=user).exists():
            remove_for_good(entry)


class ProjectsBack:
    def changed_since(self, change: Change) -> Iterator[Differing]:
        project = change.project
        if self._rows(change) and project.deleting_since is not None:
            yield Differing("project", str(project.pk), project.name, "it was removed for good")
        elif change.action == "create_project" and (project.dataset_count or project.model_count):
            yield Differing("project", str(project.pk), project.name, "it is not empty any more")

    @atomic_again
    def put_back(self, change: Change, user: User | None) -> None:
        for row in self._rows(change):
            project = Project.objects.select_for_update(of=("self",)).select_related("created_by").get(pk=row.row)
            if row.before == NOT_IN_TRASH and project.trashed_since is not None:
                restore_project(project, user)
            elif row.before == IN_TRASH and project.trashed_since is None:
                trash_project(project)

    def _rows(self, change: Change) -> list[RowChange]:
        return list(RowChange.objects.filter(change=change, kind="project"))


class ProjectFieldsBack(FieldsBack):
    kind, model, noted = "project", Project, "project_fields"


def register() -> None:
    PARTS.extend([ProjectsBack(), ProjectFieldsBack()])
