from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from inference.models import Model, Visibility
from projects.models import Membership
from projects.selectors import is_live, project_ids_of


def models_of(user: User | None) -> QuerySet[Model]:
    """Those of the user's projects, and those that others made public."""
    visible = Q(project__in=project_ids_of(user)) | Q(is_live("project__"), visibility=Visibility.PUBLIC)
    mine = Membership.objects.filter(project=OuterRef("project"), user=user)
    return Model.objects.filter(visible).annotate(is_mine=Exists(mine)).select_related("project")


def listed(models: QuerySet[Model]) -> QuerySet[Model]:
    """With the names that a list shows, and without what is large."""
    named = models.select_related("snapshot__dataset", "base_model", "created_by")
    return named.defer(
        "metrics", "snapshot__counts", "snapshot__class_names", "base_model__metrics", "base_model__class_names"
    )
