from __future__ import annotations

from django.db.models import QuerySet

from projects.selectors import project_ids_of
from training.models import TrainingRun


def trainings_of(user) -> QuerySet[TrainingRun]:
    return TrainingRun.objects.filter(project__in=project_ids_of(user)).select_related("project")
