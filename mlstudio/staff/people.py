"""The users of the studio, as its staff sees and changes them."""

from __future__ import annotations

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.services import log_out_everywhere
from common.errors import Forbidden
from projects.models import Project
from projects.selectors import is_live

log = structlog.get_logger(__name__)


def everybody() -> QuerySet:
    """All users, each with the number of projects that they made."""
    made = Project.objects.filter(is_live(), created_by=OuterRef("pk")).order_by()
    count = made.values("created_by").annotate(count=Count("pk")).values("count")
    return User.objects.annotate(project_count=Coalesce(Subquery(count, output_field=IntegerField()), 0))


def may_change(by: User, user: User) -> bool:
    """Whether one may let the other in or not: nobody themselves, and the staff only superusers."""
    return by.pk != user.pk and (by.is_superuser or not (user.is_staff or user.is_superuser))


def may_change_staff(by: User, user: User) -> bool:
    """Whether one may make the other staff, or end that."""
    return by.is_superuser and by.pk != user.pk


@transaction.atomic
def change_user(*, by: User, user: User, is_active: bool | None = None, is_staff: bool | None = None) -> None:
    """Let a user in or not, and make them staff or not. Who is let in no more is logged out everywhere.

    Raises:
        Forbidden: it is one's own account, or the change takes a superuser.
    """
    if by.pk == user.pk:
        raise Forbidden("Your own account is changed by somebody else of the staff.", code="own_account")
    # One after another: of two superusers who end each other's rights at one moment, the second is none any more.
    rows = {row.pk: row for row in User.objects.select_for_update().filter(pk__in=[by.pk, user.pk]).order_by("pk")}
    by, target = rows[by.pk], rows[user.pk]
    changes = {name: value for name, value in (("is_active", is_active), ("is_staff", is_staff)) if value is not None}
    changes = {name: value for name, value in changes.items() if getattr(target, name) != value}
    is_allowed = may_change(by, target) and by.is_active and by.is_staff
    if changes and not (is_allowed and ("is_staff" not in changes or may_change_staff(by, target))):
        raise Forbidden("Who belongs to the staff is decided by superusers (`manage.py createsuperuser`).")
    for name, value in changes.items():
        setattr(target, name, value)
        setattr(user, name, value)
    if changes:
        target.save(update_fields=list(changes))
        log.info("user_changed", by=by.pk, user=target.pk, **changes)
    if changes.get("is_active") is False:
        log_out_everywhere(user=target)
