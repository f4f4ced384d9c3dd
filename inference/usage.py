"""What the files of models take."""

from __future__ import annotations

from django.db.models import QuerySet, Sum

from inference.models import ModelFile
from projects.models import Project


def bytes_of(projects: QuerySet[Project]) -> int:
    return ModelFile.objects.filter(model__project__in=projects).aggregate(total=Sum("blob__size"))["total"] or 0
