"""What the model files of a user take: of all projects that the user made."""

from __future__ import annotations

from django.db.models import Sum

from inference.models import ModelFile


def bytes_of(user) -> int:
    return ModelFile.objects.filter(model__project__created_by=user).aggregate(total=Sum("blob__size"))["total"] or 0
