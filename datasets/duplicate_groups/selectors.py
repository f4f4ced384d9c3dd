from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from datasets.duplicate_groups.models import DuplicateGroup, DuplicateMember
from datasets.gallery.rows import grid_rows
from datasets.models import Dataset, Image
from jobs.models import Job
from projects.selectors import project_ids_of

# Of a group that is larger, the first are shown.
MOST_SHOWN = 60


def duplicate_groups_of(user: User) -> QuerySet[DuplicateGroup]:
    """Groups of which two images at least are still there."""
    rows = DuplicateGroup.objects.filter(dataset__project__in=project_ids_of(user)).select_related("dataset__project")
    present = _present(user).filter(group=OuterRef("pk"))
    return rows.alias(second=Subquery(present.values("pk")[1:2])).filter(second__isnull=False)


def _present(user: User) -> QuerySet[DuplicateMember]:
    """Members whose images are there: a deleted one has no row, or lies in no project that the user sees."""
    return DuplicateMember.objects.filter(image__dataset__project__in=project_ids_of(user))


def summary_of(*, dataset: Dataset, user: User) -> dict:
    """What a search of the dataset has found that is still open, and the last job that searched."""
    groups = duplicate_groups_of(user).filter(dataset=dataset)
    counts = groups.aggregate(
        open=Count("pk", filter=Q(is_kept=False)),
        exact=Count("pk", filter=Q(is_kept=False, is_exact=True)),
        leaks=Count("pk", filter=Q(is_kept=False, is_leak=True)),
        label_conflicts=Count("pk", filter=Q(is_kept=False, has_label_conflict=True)),
        by_features=Count("pk", filter=Q(is_kept=False, by_features=True)),
        kept=Count("pk", filter=Q(is_kept=True)),
    )
    jobs = Job.objects.filter(project=dataset.project_id, kind="duplicates", parameters__dataset=str(dataset.pk))
    return {**counts, "job": jobs.order_by("-pk").first()}


def with_images(groups: Sequence[DuplicateGroup], user: User) -> list[DuplicateGroup]:
    """Give groups their `rows`: light rows of the images that are still there, the earliest first."""
    keys: dict = {}
    members = _present(user).filter(group__in=[group.pk for group in groups]).order_by("image_id")
    for group_pk, image_pk in members.values_list("group", "image"):
        keys.setdefault(group_pk, []).append(image_pk)
    shown = [pk for own in keys.values() for pk in own[:MOST_SHOWN]]
    facts = {
        str(row.pop("id")): row  # type: ignore[misc]
        for row in Image.objects.filter(pk__in=shown).values("id", "size", "format", "group", "created_at")
    }
    rows = {row["id"]: {**row, **facts[row["id"]]} for row in grid_rows(shown) if row["id"] in facts}
    for group in groups:
        own = keys.get(group.pk, [])
        group.rows = [rows[str(pk)] for pk in own if str(pk) in rows]  # type: ignore[attr-defined]
        group.left_out = max(0, len(own) - MOST_SHOWN)  # type: ignore[attr-defined]
    return list(groups)
