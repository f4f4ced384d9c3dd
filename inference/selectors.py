from __future__ import annotations

from django.db.models import QuerySet

from inference.models import Model
from projects.selectors import project_ids_of


def models_of(user) -> QuerySet[Model]:
    return Model.objects.filter(project__in=project_ids_of(user)).select_related("project")
