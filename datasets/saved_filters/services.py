from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from common.errors import Forbidden, Invalid
from datasets.saved_filters.models import SavedFilter
from projects.models import Project, Role
from projects.permissions import require_role

# Of one person in one project.
MOST = 100


def saved_filters_of(user: User, project: Project) -> QuerySet[SavedFilter]:
    """The user's own filters of the project, and those that others share."""
    return SavedFilter.objects.filter(Q(created_by=user) | Q(is_shared=True), project=project).select_related(
        "created_by"
    )


def save_filter(*, project: Project, user: User, name: str, query: dict, is_shared: bool = False) -> SavedFilter:
    """Keep a filter under a name.

    Raises:
        Forbidden: viewers share nothing.
        Invalid: the name is taken, or the user has too many.
    """
    _require_sharing(project, user, is_shared)
    if SavedFilter.objects.filter(project=project, created_by=user).count() >= MOST:
        detail = f"You may keep {MOST} filters in a project: delete one that you no longer need."
        raise Invalid(detail, attr="name", code="limit_reached")
    row = SavedFilter(project=project, created_by=user, name=name, query=query, is_shared=is_shared)
    return _stored(row)


def change_filter(*, saved: SavedFilter, user: User, **changes: Any) -> SavedFilter:
    """Rename, replace or share a filter of one's own.

    Raises:
        Forbidden: it is somebody else's, or viewers share nothing.
        Invalid: the name is taken.
    """
    if saved.created_by_id != user.pk:
        raise Forbidden("Only who saved a filter changes it: save it under a name of your own.")
    _require_sharing(saved.project, user, changes.get("is_shared", False))
    for name, value in changes.items():
        setattr(saved, name, value)
    return _stored(saved)


def delete_filter(*, saved: SavedFilter, user: User) -> None:
    """Delete a filter of one's own; owners of the project also delete what others share.

    Raises:
        Forbidden
    """
    if saved.created_by_id != user.pk:
        require_role(saved.project, user, Role.OWNER)
    saved.delete()


def _require_sharing(project: Project, user: User, is_shared: bool) -> None:
    if is_shared:
        require_role(project, user, Role.EDITOR)


def _stored(row: SavedFilter) -> SavedFilter:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        detail = f"You have a filter {row.name!r} in this project: choose another name, or change that one."
        raise Invalid(detail, attr="name", code="unique") from error
    return row
