"""Invitations by link: who has it becomes a member, with the account they have or with one that they make for it."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import mail
from accounts.errors import InvalidInvitation
from accounts.names import hashed
from common.errors import Invalid
from projects.errors import AlreadyMember
from projects.models import InvitationLink, Membership, Project
from projects.selectors import by_an_owner
from projects.services import add_member
from storage.database import atomic_again

MOST = 200


@atomic_again
def make_link(
    *, project: Project, user: User, role: str, uses: int = 1, expires_in_days: int = 7, email: str = ""
) -> tuple[InvitationLink, str]:
    """A link, and the secret that makes it one, which is kept nowhere. With an address it is mailed there.

    Raises:
        Invalid: too many links wait.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    if links_of(project).count() >= MOST:
        raise Invalid(f"{MOST} invitation links wait already: withdraw some.", attr="project")
    secret = secrets.token_urlsafe(24)
    link = InvitationLink.objects.create(
        project=project,
        digest=hashed(secret),
        role=role,
        uses_left=uses,
        email=email,
        created_by=user,
        expires_at=timezone.now() + timedelta(days=expires_in_days),
    )
    if email:
        transaction.on_commit(lambda: _mail(link, secret, user))
    return link, secret


def _mail(link: InvitationLink, secret: str, user: User) -> None:
    mail.send(
        to=link.email,
        subject="You are invited to a project in ML Studio",
        text=f"Hello,\n\n{user.get_username()} invites you to the project {link.project.name}. Open\n\n"
        f"  {settings.PUBLIC_URL}/join/{secret}\n\n"
        f"until {link.expires_at:%Y-%m-%d} (UTC), with an account that you have or with a new one. If you do not know "
        "who that is, ignore this mail.\n",
    )


def links_of(project: Project | uuid.UUID) -> QuerySet[InvitationLink]:
    """Those that still let somebody in."""
    return _usable().filter(project=project).select_related("created_by")


def _usable() -> QuerySet[InvitationLink]:
    return InvitationLink.objects.filter(
        by_an_owner("created_by"), uses_left__gt=0, expires_at__gt=timezone.now(), project__deleting_since=None
    )


def link_with(token: str) -> InvitationLink:
    """What a link leads to. Raises `InvalidInvitation`."""
    link = _usable().filter(digest=hashed(token)).select_related("project", "created_by").first()
    if link is None:
        raise InvalidInvitation()
    return link


@atomic_again
def join(*, token: str, user: User) -> Membership:
    """Become a member by a link; that is one use of it.

    Raises:
        InvalidInvitation: it is unknown, over, used up or withdrawn.
        AlreadyMember: nothing is used up.
    """
    link = link_with(token)
    if Membership.objects.filter(project=link.project, user=user).exists():
        raise AlreadyMember("You are a member of this project already.")
    if not _usable().filter(pk=link.pk).update(uses_left=F("uses_left") - 1):
        raise InvalidInvitation()
    return add_member(project=link.project, user=user, role=link.role)


def delete_old_links() -> int:
    over = Q(expires_at__lt=timezone.now()) | Q(uses_left=0) | ~Q(by_an_owner("created_by"))
    return InvitationLink.objects.filter(over).delete()[0]
