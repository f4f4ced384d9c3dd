"""Asking somebody into a project. Nobody is put into a stranger's project, and nobody learns here who has an account.

An invitation is made for any name; only one whose name an account had at that moment can ever be accepted.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.errors import InvalidInvitation
from accounts.names import cleaned
from common.errors import Invalid
from projects.errors import AlreadyMember
from projects.models import Invitation, Membership, Project
from projects.selectors import by_an_owner, project_ids_of
from projects.services import add_member
from storage.database import atomic_again

VALID = timedelta(days=30)
MOST = 200
MOST_CANDIDATES = 20


def add_or_invite(*, project: Project, user: User, username: str, role: str) -> Membership | Invitation:
    """Make somebody a member at once, when they share a project with `user` or a member of the staff asks; invite
    everybody else.

    Raises:
        AlreadyMember
        Invalid: too many invitations wait.
    """
    invited = User.objects.filter(username=username, is_active=True).first()
    if invited is not None and Membership.objects.filter(project=project, user=invited).exists():
        raise AlreadyMember()
    if invited is not None and (user.is_staff or _know_each_other(user, invited)):
        return add_member(project=project, user=invited, role=role)
    return _invite(project=project, user=user, username=username, invited=invited, role=role)


def _know_each_other(user: User, other: User) -> bool:
    return Membership.objects.filter(user=other, project__in=project_ids_of(user)).exists()


def candidates_for(project: Project, user: User, text: str) -> QuerySet:
    """Whom `user` may add at once: who shares a project with them; for a member of the staff, everybody."""
    people = User.objects.filter(is_active=True, username__istartswith=text.strip())
    if not user.is_staff:
        people = people.filter(Exists(Membership.objects.filter(user=OuterRef("pk"), project__in=project_ids_of(user))))
    is_member = Exists(Membership.objects.filter(user=OuterRef("pk"), project=project))
    return people.exclude(pk=user.pk).annotate(is_member=is_member).order_by("username")[:MOST_CANDIDATES]


@atomic_again
def _invite(*, project: Project, user: User, username: str, invited: User | None, role: str) -> Invitation:
    Project.objects.select_for_update().get(pk=project.pk)
    if Invitation.objects.filter(project=project).count() >= MOST:
        raise Invalid(f"{MOST} invitations wait already: withdraw some.", attr="username")
    invitation, _ = Invitation.objects.update_or_create(
        project=project,
        name_key=cleaned(username)[:150],
        defaults={
            "username": username,
            "user": invited,
            "role": role,
            "invited_by": user,
            "is_declined": False,
            "expires_at": timezone.now() + VALID,
        },
    )
    return invitation


def invitations_to(user: User) -> QuerySet[Invitation]:
    """What waits for this user's answer."""
    return _usable().filter(user=user, is_declined=False).select_related("project", "invited_by")


def invitations_of(project: Project) -> QuerySet[Invitation]:
    """What its owners see: also what was declined, which would tell that there is such a user."""
    return _usable().filter(project=project)


def _usable() -> QuerySet[Invitation]:
    """Also by who asked: an owner who was removed could come back by an account of theirs that they had asked."""
    return Invitation.objects.filter(by_an_owner("invited_by"), expires_at__gt=timezone.now())


@transaction.atomic
def accept(*, invitation: Invitation) -> Membership:
    """Raises `AlreadyMember`, `InvalidInvitation`."""
    role, user, project = invitation.role, invitation.user, invitation.project
    assert user is not None  # it was found among those of a user
    if not _usable().filter(pk=invitation.pk).delete()[0]:
        raise InvalidInvitation()
    return add_member(project=project, user=user, role=role)


def decline(*, invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(is_declined=True)


def delete_old_invitations() -> int:
    over = Q(expires_at__lt=timezone.now()) | ~Q(by_an_owner("invited_by"))
    return Invitation.objects.filter(over).delete()[0]
