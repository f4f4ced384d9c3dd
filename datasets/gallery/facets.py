"""How many images each choice of a filter would leave: a filter's own choice does not count for itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from django.db.models import Count

from datasets.gallery import codes
from datasets.gallery.scope import Scope
from datasets.gallery.selection import Selection, carriers_in, images_in
from datasets.models import ANY_LABEL, Dataset, ImageLabel, Label

# Rows of (dataset, code, how many images).
Rows = list[tuple]


def count_facets(selection: Selection, around: Scope) -> dict:
    """Counts beside each filter. `around`: the datasets that could be chosen instead of those of the selection."""
    pattern, chosen = selection.pattern, set(selection.scope.datasets)
    everywhere = _rows(replace(selection, scope=around, pattern=codes.Pattern()))
    rows = [(code, n) for dataset, code, n in everywhere if dataset in chosen]

    def by(mask: int, names: Callable[[int], Iterable]) -> Counter:
        rest = pattern.without(mask)
        return _sum((name, n) for code, n in rows if rest.takes(code) for name in names(code))

    return {
        "total": sum(n for code, n in rows if pattern.takes(code)),
        **_by_label(selection),
        "splits": _listed(by(codes.SPLIT_MASK, lambda code: [codes.split_of(code)])),
        "origins": _listed(by(codes.ORIGIN_MASK, codes.origins_of)),
        "image_formats": _listed(by(codes.FORMAT_MASK, lambda code: [codes.format_of(code)])),
        **{
            name: by(bit, lambda code, bit=bit: [bool(code & bit)])  # type: ignore[misc]
            for name, bit in (
                ("annotated", codes.ANNOTATED),
                ("reviewed", codes.REVIEWED),
                ("has_suggestions", codes.SUGGESTED),
            )
        },
        "datasets": _datasets(around, everywhere, pattern),
    }


def _listed(counted: Counter) -> list[dict]:
    return [{"value": value, "count": count} for value, count in sorted(counted.items())]


def _sum(pairs: Iterable[tuple]) -> Counter:
    counted: Counter = Counter()
    for name, n in pairs:
        counted[name] += n
    return counted


def _rows(selection: Selection) -> Rows:
    if selection.is_counted:
        return selection.scope.counts_by_dataset([selection.one_label or ANY_LABEL])
    carriers = carriers_in(selection)
    if carriers is not None:
        counted = carriers.order_by().values_list("dataset_key", "facets")
        return list(counted.annotate(n=Count("image", distinct=True)))
    images = images_in(selection).order_by().exclude(facets=None)
    return list(images.values_list("dataset", "facets").annotate(n=Count("pk")))


def _by_label(selection: Selection) -> dict:
    """Of each label, and of images without one, with all filters but those for labels."""
    others = selection.without_labels()
    if others.is_counted:
        counts = others.scope.counts()
        pairs = [(label, code, n) for (label, code), n in counts.items()]
    else:
        images = images_in(others)
        anything = images.order_by().values_list("facets").annotate(n=Count("pk"))
        rows = ImageLabel.objects.filter(image__in=images.order_by().values("pk")).order_by()
        pairs = [(ANY_LABEL, code, n) for code, n in anything]
        pairs += list(rows.values_list("label", "facets").annotate(n=Count("pk")))
    taken = [(label, code, n) for label, code, n in pairs if others.pattern.takes(code)]
    images_by_label = _sum((label, n) for label, _, n in taken)
    bare = sum(n for label, code, n in taken if label == ANY_LABEL and not code & codes.ORIGIN_MASK)
    labels = Label.objects.filter(project__in=selection.scope.projects())
    named = [{"id": label.pk, "name": label.name, "count": images_by_label[label.pk]} for label in labels]
    return {"labels": named, "unlabelled": bare}


def _datasets(around: Scope, rows: Rows, pattern: codes.Pattern) -> list[dict]:
    counted = _sum((dataset, n) for dataset, code, n in rows if pattern.takes(code))
    datasets = Dataset.objects.filter(pk__in=around.datasets).order_by("name", "id")
    return [{"id": dataset.pk, "name": dataset.name, "count": counted[dataset.pk]} for dataset in datasets]
