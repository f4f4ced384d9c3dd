from __future__ import annotations

from django.db.models import QuerySet

from datasets.models import Snapshot, SnapshotImage
from storage.database import relations_to


def needed_snapshots(snapshots: QuerySet[Snapshot]) -> set:
    """Keys of snapshots that a training, a model or an evaluation refers to: they stay, without their images."""
    return {
        pk
        for relation in relations_to(Snapshot)
        if relation.related_model is not SnapshotImage
        for pk in relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": snapshots})
        .values_list(relation.field.attname, flat=True)
        .distinct()
    }
