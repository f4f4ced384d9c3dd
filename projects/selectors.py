"""Reads that start from what a user may see."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from jobs.models import Job
from projects.models import Membership, Project, Role


def is_live(path: str = "") -> Q:
    """Of projects, or of what belongs to one at this path: neither in the trash nor being removed.

    What starts from memberships needs no such condition.
    """
    return Q(**{f"{path}deleting_since": None, f"{path}trashed_since": None})


def projects_of(user: User) -> QuerySet[Project]:
    """Projects this user is a member of."""
    return Project.objects.filter(memberships__user=user)


def project_ids_of(user: User | None) -> QuerySet:
    """For `project__in=`: the planner reads it once, however many rows are listed."""
    return Membership.objects.filter(user=user).values("project_id")


def jobs_of(user: User) -> QuerySet[Job]:
    return (
        Job.objects.filter(project__in=project_ids_of(user))
        .select_related("project", "report_blob", "output_blob", "created_by")
        .prefetch_related("files__blob")
    )


def by_an_owner(maker: str) -> Exists:
    """Of rows with a `project`: whether who made them, whom the field `maker` names, is an owner of it now. What an
    owner handed out ends with their membership, their role or their account."""
    owners = Membership.objects.filter(role=Role.OWNER, user__is_active=True)
    return Exists(owners.filter(project=OuterRef("project"), user=OuterRef(maker)))


def role_in(project: Project, user: User) -> Role | None:
    role = Membership.objects.filter(project=project, user=user).values_list("role", flat=True).first()
    return Role(role) if role else None
