"""Kept counts of images by facets, compared with what is there."""

from __future__ import annotations

from collections import Counter

import structlog
from django.db import transaction
from django.db.models import Count, QuerySet

from datasets.gallery.keeping import CHUNK, settle
from datasets.locking import lock_datasets
from datasets.models import ANY_LABEL, Dataset, FacetCount, Image, ImageLabel
from datasets.selectors import live_datasets
from projects.models import Project

log = structlog.get_logger(__name__)


def correct_facets() -> int:
    """Returns how many counts, images without a code and images of no list were wrong."""
    settled = _settle_lost() + _settle_strayed()
    return settled + sum(_correct(dataset) for dataset in live_datasets() if _differences(dataset))


def _settle_lost() -> int:
    """Images that something made or changed without computing their code."""
    return _settle_again(Image.objects.filter(facets=None, dataset__in=live_datasets()))


def _settle_strayed() -> int:
    """Images that name the trash of a project and are not in it: of datasets whose labels were changed while they lay
    there, before images of such datasets went on naming their project."""
    trashes = Project.objects.filter(trash_of__isnull=False).values("pk")
    return _settle_again(Image.objects.filter(project_key__in=trashes, dataset__in=live_datasets()))


def _settle_again(images: QuerySet[Image]) -> int:
    lost = list(images.values_list("pk", flat=True)[:100_000])
    for start in range(0, len(lost), CHUNK):
        with transaction.atomic():
            settle(lost[start : start + CHUNK])
    return len(lost)


def _differences(dataset: Dataset) -> Counter:
    """(label, code) → by how much the kept count is too low."""
    images = Image.objects.filter(dataset=dataset).exclude(facets=None).order_by().values_list("facets")
    # By their labels, of which there is an index.
    carried = ImageLabel.objects.filter(label__project=dataset.project_id, dataset_key=dataset.pk).order_by()
    actual = Counter({(ANY_LABEL, code): n for code, n in images.annotate(n=Count("pk"))})
    actual.update(
        {(label, code): n for label, code, n in carried.values_list("label", "facets").annotate(n=Count("pk"))}
    )
    kept = FacetCount.objects.filter(dataset=dataset).values_list("label_key", "facets", "images")
    actual.subtract({(label, code): n for label, code, n in kept})
    return Counter({key: n for key, n in actual.items() if n})


@transaction.atomic
def _correct(dataset: Dataset) -> int:
    """With the dataset and its counts held, for what looked wrong may have been a change on its way."""
    lock_datasets([dataset.pk])
    list(FacetCount.objects.select_for_update().filter(dataset=dataset).order_by("pk").values_list("pk"))
    differences = _differences(dataset)
    for (label, code), n in differences.items():
        row, _ = FacetCount.objects.get_or_create(dataset=dataset, label_key=label, facets=code)
        FacetCount.objects.filter(pk=row.pk).update(images=row.images + n)
    if differences:
        log.warning("facets_corrected", dataset=str(dataset.pk), counts=len(differences))
    return len(differences)
