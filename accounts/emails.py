"""Changing a mail address: it changes when the person who reads its mail confirms it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import mail
from accounts.errors import InvalidEmailLink
from accounts.models import AccountKey, EmailChange, KeyKind
from accounts.names import cleaned, hashed

VALID = timedelta(days=1)


def is_taken(email: str, *, by_other_than: User | None = None) -> bool:
    """Whether an account has this address, in whatever case."""
    others = User.objects.exclude(pk=by_other_than.pk) if by_other_than is not None else User.objects.all()
    keys = AccountKey.objects.filter(kind=KeyKind.EMAIL, key=email_key(email))
    if by_other_than is not None:
        keys = keys.exclude(user=by_other_than)
    return others.filter(email__iexact=email).exists() or keys.exists()


def email_key(email: str) -> str:
    return cleaned(email)[:450]


@transaction.atomic
def request_change(*, user: User, email: str) -> None:
    """Send a link to the new address. All goes the same way when another account has it, except what the mail says."""
    secret = secrets.token_urlsafe(32)
    EmailChange.objects.update_or_create(user=user, defaults={"email": email, "digest": hashed(secret)})
    if is_taken(email, by_other_than=user):
        mail.send(
            to=email,
            subject="Your address at ML Studio",
            text="Hello,\n\nsomebody wanted to use this address for another account of ML Studio. It stays yours, and "
            "nothing has changed. If it was you: you have an account with this address already.\n",
        )
        return
    mail.send(
        to=email,
        subject="Confirm your address for ML Studio",
        text=f"Hello {user.username},\n\nto use this address for your account, open within a day\n\n"
        f"  {settings.PUBLIC_URL}/email-confirm/?{urlencode({'token': secret})}\n\n"
        "and press the button there. Programs send instead\n\n"
        f"  POST {settings.PUBLIC_URL}/api/v1/auth/email/confirm/\n"
        f'  {{"token": "{secret}"}}\n\n'
        "If it was not you who asked, ignore this mail; nothing has changed.\n",
    )


def pending_change(*, token: str) -> EmailChange:
    """What a link would do. Nothing is changed.

    Raises:
        InvalidEmailLink: also when another account has taken the address meanwhile.
    """
    return _wanted(EmailChange.objects.all(), token)


def _wanted(changes: QuerySet[EmailChange], token: str) -> EmailChange:
    since = timezone.now() - VALID
    wanted = changes.select_related("user").filter(digest=hashed(token), created_at__gte=since).first()
    if wanted is None or is_taken(wanted.email, by_other_than=wanted.user):
        raise InvalidEmailLink()
    return wanted


@transaction.atomic
def confirm_change(*, token: str) -> EmailChange:
    """Give the account the address that the mail went to. A link works once. Returns what was done.

    Raises:
        InvalidEmailLink: also when another account has taken the address meanwhile.
    """
    wanted = _wanted(EmailChange.objects.select_for_update(of=("self",)), token)
    user, before = wanted.user, wanted.user.email
    try:
        with transaction.atomic():
            AccountKey.objects.filter(user=user, kind=KeyKind.EMAIL).delete()
            AccountKey.objects.create(user=user, kind=KeyKind.EMAIL, key=email_key(wanted.email))
    except IntegrityError as error:
        raise InvalidEmailLink() from error
    user.email = wanted.email
    user.save(update_fields=["email"])
    wanted.delete()
    if before:
        mail.send(
            to=before,
            subject="Your address at ML Studio was changed",
            text=f"Hello {user.username},\n\nyour account has another mail address now. If it was not you, tell the "
            "operator of the studio.\n",
        )
    return wanted


def delete_old_changes() -> int:
    return EmailChange.objects.filter(created_at__lt=timezone.now() - VALID).delete()[0]
