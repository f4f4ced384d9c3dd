"""What users do with their accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from knox.settings import knox_settings

from accounts import logins, mail
from accounts.emails import email_key
from accounts.errors import InvalidResetLink, RegistrationClosed, WrongCredentials
from accounts.models import AccountKey, KeyKind, Token, TokenKind, TokenScope
from accounts.names import skeleton
from accounts.signals import account_deleting
from common.errors import Invalid


@dataclass(frozen=True)
class Invitations:
    """What rooms above do with the invitation that somebody registers with.

    Attributes:
        check: raises `InvalidInvitation` for a wrong one.
        accept: makes the new user (`user=`) what the invitation (`token=`) says.
    """

    check: Callable[[str], object]
    accept: Callable[..., object]


INVITATIONS: list[Invitations] = []


def require_registration(*, invitation: str) -> None:
    """Raises `RegistrationClosed` or `InvalidInvitation`, before anything is said about names that are taken."""
    if invitation:
        for invitations in INVITATIONS:
            invitations.check(invitation)
    elif not settings.REGISTRATION_OPEN:
        raise RegistrationClosed()


@transaction.atomic
def register(*, username: str, email: str, password: str, invitation: str = "") -> User:
    """A new user; with an invitation, a member of its project too, also where registration is closed.

    Raises:
        RegistrationClosed, InvalidInvitation
    """
    require_registration(invitation=invitation)
    try:
        with transaction.atomic():
            user = User.objects.create_user(username=username, email=email, password=password)
            AccountKey.objects.create(user=user, kind=KeyKind.EMAIL, key=email_key(email))
    except IntegrityError as error:  # two at once; the serializer has checked before
        raise _taken() from error
    if not AccountKey.objects.filter(user=user, kind=KeyKind.NAME).exists():
        raise _taken()  # another account looks like it
    if invitation:
        for invitations in INVITATIONS:
            invitations.accept(token=invitation, user=user)
    return user


def _taken() -> Invalid:
    return Invalid("A user with that username already exists.", attr="username", code="unique")


def looks_taken(username: str) -> bool:
    """Whether an account has this name, or one that people would take for it."""
    return AccountKey.objects.filter(kind=KeyKind.NAME, key=skeleton(username)[:450]).exists()


def log_in(*, request: HttpRequest, username: str, password: str) -> User:
    """The user with these credentials. Raises `WrongCredentials`, whichever of the two is wrong."""
    user = authenticate(request, username=username, password=password)
    if user is None:
        raise WrongCredentials()
    return user


@transaction.atomic
def issue_login_token(*, user: User, user_agent: str = "") -> tuple[Token, str]:
    token, secret = Token.objects.create(user=user, expiry=knox_settings.TOKEN_TTL, kind=TokenKind.LOGIN)
    logins.note_token(token, user_agent=user_agent)
    return token, secret


def issue_personal_token(
    *,
    user: User,
    name: str,
    expires_in_days: int | None,
    scope: str = TokenScope.ALL,
    project: UUID | None = None,
) -> tuple[Token, str]:
    """A named token for a script or a device. The second value is shown once and stored nowhere.

    Args:
        project: the only one that a token for predictions is for; None: all that its user sees.

    Raises:
        Invalid: a project that the user does not see, or one for a token that does more than predict.
    """
    if project is not None and scope != TokenScope.PREDICT:
        detail = "Only a token for predictions is for one project: leave project out, or choose the scope predict."
        raise Invalid(detail, attr="project", code="project_needs_predict")
    if project is not None and not user.memberships.filter(project=project).exists():
        raise Invalid("You have no such project.", attr="project", code="does_not_exist")
    expiry = None if expires_in_days is None else timedelta(days=expires_in_days)
    kind = TokenKind.PERSONAL
    return Token.objects.create(user=user, expiry=expiry, kind=kind, name=name, scope=scope, project=project)


def log_out_everywhere(*, user: User) -> None:
    """End every login; personal tokens stay, they are revoked one by one."""
    user.auth_token_set.filter(kind=TokenKind.LOGIN).delete()
    logins.end_sessions(user)


@transaction.atomic
def change_password(
    *, user: User, new_password: str, keep_token: Token | None = None, keep_session: str | None = None
) -> None:
    """Set a password and end all other logins."""
    user.set_password(new_password)
    user.save(update_fields=["password"])
    others = user.auth_token_set.filter(kind=TokenKind.LOGIN)
    if keep_token is not None:
        others = others.exclude(pk=keep_token.pk)
    others.delete()
    logins.end_sessions(user, but=keep_session)


def send_password_reset(*, email: str) -> None:
    """Mail a reset link to every active user with this address. Silent when there is none, so nothing leaks."""
    for user in User.objects.filter(email__iexact=email, is_active=True):
        uid = urlsafe_base64_encode(force_bytes(user.pk))
        token = default_token_generator.make_token(user)
        mail.send(
            to=user.email,
            subject="Reset your ML Studio password",
            text=f"Hello {user.username},\n\nsomeone asked to reset your password. If it was you, open\n\n"
            f"  {settings.PUBLIC_URL}/reset/{uid}/{token}\n\n"
            "and choose a new one. Programs send instead\n\n"
            f"  POST {settings.PUBLIC_URL}/api/v1/auth/password/reset/confirm/\n"
            f'  {{"uid": "{uid}", "token": "{token}", "new_password": "…"}}\n\n'
            "If it was not you, ignore this mail; nothing has changed.\n",
        )


@transaction.atomic
def reset_password(*, user: User, new_password: str) -> None:
    """Set a password and end all that let anybody in: logins, sessions and personal tokens, which a mail lists."""
    names = list(user.auth_token_set.filter(kind=TokenKind.PERSONAL).values_list("name", flat=True))
    user.set_password(new_password)
    user.save(update_fields=["password"])
    user.auth_token_set.all().delete()
    logins.end_sessions(user)
    ended = "".join(f"  - {name}\n" for name in names) or "  (there were none)\n"
    mail.send(
        to=user.email,
        subject="Your ML Studio password was reset",
        text=f"Hello {user.username},\n\nyour password was reset. All logins have ended, and so have your personal "
        f"tokens; make new ones for what you still use:\n\n{ended}\n"
        "If it was not you, tell the operator of the studio.\n",
    )


def user_of_reset_link(*, uid: str, token: str) -> User:
    """The user whose reset link this is. Raises `InvalidResetLink`."""
    try:
        user = User.objects.get(pk=int(urlsafe_base64_decode(uid)), is_active=True)
    except (ValueError, OverflowError, User.DoesNotExist) as error:
        raise InvalidResetLink() from error
    if not default_token_generator.check_token(user, token):
        raise InvalidResetLink()
    return user


@transaction.atomic
def delete_account(*, user: User) -> None:
    """Delete the user and what only they have. Rooms above may refuse (see `account_deleting`)."""
    account_deleting.send(sender=User, user=user)
    user.delete()


def delete_expired_tokens() -> int:
    deleted, _ = Token.objects.filter(expiry__lt=timezone.now()).delete()
    return deleted
