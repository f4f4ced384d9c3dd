from __future__ import annotations

from django.db.models import Q, QuerySet

from inference.models import Model, Visibility
from projects.selectors import project_ids_of


def models_of(user) -> QuerySet[Model]:
    """Those of his projects, and those that others made public."""
    visible = Q(project__in=project_ids_of(user)) | Q(visibility=Visibility.PUBLIC, project__deleting_since=None)
    return Model.objects.filter(visible).select_related("project")
