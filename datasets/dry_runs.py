"""What an import would do, without doing it: formats, labels, splits, duplicates, and what would not be taken."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from datasets.formats.base import Record
from datasets.formats.boxes import clean_label
from datasets.import_report import ImportReport
from datasets.import_source import Surveyed, groups_of
from datasets.ingest import Outcome
from datasets.models import Dataset, Image
from datasets.natural_order import natural_key
from datasets.parsing import Said
from projects.jobs import JobContext

BATCH = 256


@dataclass
class _Survey:
    """Counts over all images."""

    images: int = 0
    labelled: int = 0
    to_review: int = 0
    boxes: int = 0
    in_archive: int = 0
    in_dataset: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    label_images: Counter[str] = field(default_factory=Counter)
    label_annotations: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)

    def add(self, item: Surveyed, known: set[str]) -> None:
        """Count an image, unless the archive has had it already."""
        self.images += 1
        if item.sha256 in self.seen:
            self.in_archive += 1
            return
        self.seen.add(item.sha256)
        _count_labels(self, item.record)
        self.in_dataset += item.sha256 in known
        self.splits[item.record.split or "none"] += 1
        fitted = item.fitted
        self.to_review += bool(fitted.marks) and not fitted.is_confirmed
        self.labelled += fitted.is_confirmed and bool(fitted.marks or fitted.is_reviewed)
        self.boxes += sum(mark.box is not None for mark in fitted.marks) if fitted.is_confirmed else 0


def survey_archive(
    context: JobContext, dataset: Dataset, said: Said, report: ImportReport, pool: ThreadPoolExecutor,
    survey: Callable[[Sequence[Record]], list[Surveyed | Outcome]], present: dict[str, Image],
) -> dict:  # fmt: skip
    """Look at everything that an import would take. An interrupted dry run begins again.

    Args:
        present: images of the dataset by name, when the archive has annotations alone: these images are not looked at.
    """
    counts = _Survey()
    records = iter(said.records(0))
    done = 0
    while batch := list(islice(records, BATCH)):
        if present:
            _count_annotations(counts, batch, present)
            outcomes: list[Outcome] = []
        else:
            looked = [one for group in pool.map(survey, groups_of(batch)) for one in group]
            outcomes = [one for one in looked if isinstance(one, Outcome)]
            items = [one for one in looked if isinstance(one, Surveyed)]
            known = _known(dataset, [item.sha256 for item in items])
            for item in items:
                counts.add(item, known)
                report.remark(item.fitted.remarks)
        report.add(outcomes, len(batch))
        done += len(batch)
        context.report(done, said.count)
    return _result(dataset, said, counts, report)


def _known(dataset: Dataset, shas: Iterable[str]) -> set[str]:
    rows = Image.objects.filter(dataset=dataset, blob__sha256__in=list(shas))
    return set(rows.values_list("blob__sha256", flat=True))


def _count_annotations(counts: _Survey, batch: list[Record], present: dict[str, Image]) -> None:
    for record in batch:
        if record.path in present and (record.marks or record.is_annotated):
            counts.images += 1
            counts.splits[record.split or "none"] += 1
            counts.labelled += not record.left_out
            counts.to_review += record.left_out > 0
            counts.boxes += sum(mark.box is not None for mark in record.marks)
            _count_labels(counts, record)


def _count_labels(counts: _Survey, record: Record) -> None:
    names = [name for name in (clean_label(mark.label) for mark in record.marks) if name is not None]
    counts.label_annotations.update(names)
    counts.label_images.update(set(names))


def _result(dataset: Dataset, said: Said, counts: _Survey, report: ImportReport) -> dict:
    names = sorted({*said.labels, *counts.label_annotations}, key=natural_key)
    return {
        "dry_run": True,
        "format": said.format,
        "files": said.count,
        "images": counts.images,
        "labelled": counts.labelled,
        "to_review": counts.to_review,
        "boxes": counts.boxes,
        "labels": _labels(dataset, names, counts),
        "splits": dict(counts.splits),
        "duplicates": {"in_archive": counts.in_archive, "in_dataset": counts.in_dataset},
        "rejected": report.counts["rejected"],
    }


def _labels(dataset: Dataset, names: list[str], counts: _Survey) -> list[dict]:
    """Each label of the archive, and the project's label that it becomes or resembles."""
    own = set(dataset.project.labels.values_list("name", flat=True))
    alike: dict[str, list[str]] = defaultdict(list)
    for name in own:
        alike[_key(name)].append(name)
    return [
        {
            "name": name,
            "images": counts.label_images[name],
            "annotations": counts.label_annotations[name],
            "label": name if name in own else None,
            "similar": [other for other in sorted(alike[_key(name)]) if other != name],
        }
        for name in names
    ]


def _key(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
