"""What members do with a project."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from projects import limits
from projects.changes.recording import note_rows
from projects.errors import AlreadyMember, LastOwner
from projects.models import Membership, Project, Role, Task
from projects.removal import remove_project
from projects.trash.entries import keeps_deleted
from projects.trash.projects import IN_TRASH, NOT_IN_TRASH, trash_project
from projects.uses import in_words, require_unused
from storage.database import atomic_again

COUNTS = ("label_count", "dataset_count", "image_count", "model_count")


@atomic_again
def create_project(*, user: User, name: str, description: str = "", task: str = Task.CLASSIFICATION) -> Project:
    """A project with its first owner. Raises `LimitReached`."""
    limits.PROJECTS.require(user)
    project = Project.objects.create(name=name, description=description, task=task, created_by=user)
    Membership.objects.create(project=project, user=user, role=Role.OWNER)
    return project


def note_new_project(project: Project) -> None:
    """In the change that made it: taking that back puts the project into the trash."""
    note_rows("project", {project.pk: (IN_TRASH, NOT_IN_TRASH)})


def content_of(project: Project) -> dict[str, int]:
    """What is deleted with a project: how many of each kind."""
    return {
        "labels": project.label_count,
        "datasets": project.dataset_count,
        "images": project.image_count,
        "models": project.model_count,
    }


def delete_project(*, project: Project, force: bool = False) -> None:
    """Delete a project with everything in it, into the trash if what is deleted is kept there.

    Raises:
        InUse: work, devices or users of a model need it, and `force` is not set.
    """
    require_unused(project, force=force, along=in_words(content_of(project)))
    if keeps_deleted():
        trash_project(project)
    else:
        remove_project(project=project)


def adjust_counts(project_id: uuid.UUID, **changes: int) -> None:
    """Add to the kept counts, for example `image_count=-3`; the caller's transaction holds the change itself."""
    unknown = set(changes) - set(COUNTS)
    if unknown:
        raise ValueError(f"unknown counts {sorted(unknown)}, known are {COUNTS}")
    # Never below zero: a count that has drifted must not keep anybody from deleting what is there.
    Project.objects.filter(pk=project_id).update(
        **{name: Greatest(F(name) + value, 0) for name, value in changes.items()}
    )


def add_member(*, project: Project, user: User, role: str) -> Membership:
    try:
        with transaction.atomic():
            return Membership.objects.create(project=project, user=user, role=role)
    except IntegrityError as error:
        raise AlreadyMember() from error


@atomic_again
def change_role(*, membership: Membership, role: str) -> Membership:
    _lock(membership.project_id)
    if membership.role == Role.OWNER and role != Role.OWNER:
        _require_other_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


@atomic_again
def remove_member(*, membership: Membership) -> None:
    _lock(membership.project_id)
    if membership.role == Role.OWNER:
        _require_other_owner(membership)
    Membership.objects.filter(pk=membership.pk).delete()


@atomic_again
def leave_all_projects(*, user: User) -> None:
    """Delete the projects that only this user has. Refuses when others would be left without an owner."""
    for membership in Membership.objects.filter(user=user).select_related("project"):
        others = Membership.objects.filter(project=membership.project).exclude(user=user)
        if not others.exists():
            require_unused(membership.project, force=None)
            remove_project(project=membership.project)
        elif membership.role == Role.OWNER and not others.filter(role=Role.OWNER).exists():
            raise LastOwner(
                f"The project {membership.project.name!r} would be left without an owner: "
                "make another member owner, or delete the project first."
            )


def _lock(project_id: uuid.UUID) -> None:
    Project.objects.select_for_update().get(pk=project_id)


def _require_other_owner(membership: Membership) -> None:
    owners = Membership.objects.filter(project_id=membership.project_id, role=Role.OWNER).exclude(pk=membership.pk)
    if not owners.exists():
        raise LastOwner()
