"""Writing groups of duplicates: those of a search, and what was decided about one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from django.contrib.auth.models import User
from django.db import transaction

from datasets.duplicate_groups.models import DuplicateGroup, DuplicateMember
from datasets.models import Dataset

INSERT_CHUNK = 1000


@transaction.atomic
def replace_groups(*, dataset: Dataset, groups: Sequence[dict]) -> None:
    """Keep what a search found in place of what the one before did.

    Args:
        groups: as `find_duplicates` makes them, in their order.
    """
    earlier = DuplicateGroup.objects.filter(dataset=dataset)
    kept = dict(earlier.filter(is_kept=True).values_list("signature", "kept_by"))
    DuplicateMember.objects.filter(group__dataset=dataset)._raw_delete(using=earlier.db)
    earlier._raw_delete(using=earlier.db)
    for start in range(0, len(groups), INSERT_CHUNK):
        part = groups[start : start + INSERT_CHUNK]
        rows = [_row(dataset, rank, group, kept) for rank, group in enumerate(part, start=start + 1)]
        DuplicateGroup.objects.bulk_create(rows)
        members = (
            DuplicateMember(group=row, image_id=image["id"])
            for row, group in zip(rows, part, strict=True)
            for image in group["images"]
        )
        DuplicateMember.objects.bulk_create(members, batch_size=INSERT_CHUNK)


def _row(dataset: Dataset, rank: int, group: dict, kept: dict) -> DuplicateGroup:
    signature = signature_of(image["id"] for image in group["images"])
    return DuplicateGroup(
        dataset=dataset,
        rank=rank,
        signature=signature,
        is_exact=group["is_exact"],
        is_leak=group["is_leak"],
        has_label_conflict=group["has_label_conflict"],
        by_features=group["by_features"],
        is_kept=signature in kept,
        kept_by_id=kept.get(signature),
    )


def signature_of(keys: Iterable[str]) -> str:
    """sha256 of the keys of a group's images, in any order."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()


def decide_group(*, group: DuplicateGroup, user: User, is_kept: bool) -> DuplicateGroup:
    """All of its images stay as they are, and no later search shows the group again; or that is taken back."""
    group.is_kept, group.kept_by = is_kept, user if is_kept else None
    group.save(update_fields=["is_kept", "kept_by"])
    return group
