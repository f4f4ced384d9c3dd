from __future__ import annotations

from django.db.models import QuerySet
from projects.selectors import project_ids_of

from inference.models import Model


def models_of(user) -> QuerySet[Model]:
    return Model.objects.filter(project__in=project_ids_of(user)).select_related("project")
