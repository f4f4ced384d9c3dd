"""What images and videos take."""

from __future__ import annotations

from django.db.models import QuerySet, Sum

from datasets.models import Image, Video
from projects.models import Project


def bytes_of(projects: QuerySet[Project]) -> int:
    rows = (Image.objects.filter(dataset__project__in=projects), Video.objects.filter(dataset__project__in=projects))
    return sum(files.aggregate(total=Sum("size"))["total"] or 0 for files in rows)
