"""What is in a dataset, in figures."""

from __future__ import annotations

from django.db.models import Count

from datasets.models import Annotation, Dataset, Image
from datasets.selectors import is_labelled


def dataset_statistics(dataset: Dataset) -> dict:
    """Counts of a dataset by label, split, format and size of image."""
    images = Image.objects.filter(dataset=dataset)
    by_label = (
        Annotation.objects.filter(image__dataset=dataset)
        .values("label_id", "label__name", "image__split")
        .annotate(images=Count("image", distinct=True), annotations=Count("id"))
        .order_by("label__order")
    )
    labels: dict[str, dict] = {}
    for row in by_label:
        label = labels.setdefault(
            str(row["label_id"]),
            {"id": str(row["label_id"]), "name": row["label__name"], "images": 0, "annotations": 0, "by_split": {}},
        )
        label["images"] += row["images"]
        label["annotations"] += row["annotations"]
        label["by_split"][row["image__split"] or "none"] = row["images"]
    sizes = images.values("width", "height").annotate(images=Count("id")).order_by("-images")[:20]
    splits = {row["split"] or "none": row["n"] for row in images.values("split").annotate(n=Count("id"))}
    formats = {row["format"]: row["n"] for row in images.values("format").annotate(n=Count("id"))}
    annotated = images.filter(is_labelled()).count()
    total = images.count()
    return {
        "images": total,
        "annotated": annotated,
        "unannotated": total - annotated,
        "labels": list(labels.values()),
        "splits": splits,
        "formats": formats,
        "sizes": list(sizes),
    }
