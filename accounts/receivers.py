from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import logins
from accounts.models import AccountKey, KeyKind
from accounts.names import skeleton


@receiver(post_save, sender=get_user_model())
def note_name(sender: type, instance: User, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """However an account is made, its name is taken for those that register later."""
    if created and not raw:
        AccountKey.objects.get_or_create(
            kind=KeyKind.NAME, key=skeleton(instance.username)[:450], defaults={"user": instance}
        )


@receiver(user_logged_in)
def note_login(sender: type, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Sessions of the administration are logins too."""
    if hasattr(request, "session"):
        logins.note_session(request, user)
