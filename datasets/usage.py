"""What the images and videos of a user take: of all projects that the user made."""

from __future__ import annotations

from django.db.models import Sum

from datasets.models import Image, Video


def bytes_of(user) -> int:
    rows = (
        Image.objects.filter(dataset__project__created_by=user),
        Video.objects.filter(dataset__project__created_by=user),
    )
    return sum(found.aggregate(total=Sum("size"))["total"] or 0 for found in rows)
