"""What an import would do, without doing it: formats, labels, splits, duplicates, and what would not be taken."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from datasets.copies import ALREADY_ANNOTATED, BOXES_DIFFER, SEVERAL_LABELS, box_of
from datasets.import_fitting import Fitted
from datasets.import_report import SHOWN_REJECTS, ImportReport
from datasets.import_source import Surveyed, groups_of
from datasets.models import Dataset, Image
from datasets.natural_order import natural_key
from datasets.outcomes import Outcome
from datasets.parsing import ParsedArchive
from jobs.context import JobContext
from jobs.contracts import JobResult
from vision.formats.base import ImportWarning, ParsedAnnotation, Record
from vision.formats.boxes import clean_label, on_grid

BATCH = 256


@dataclass(frozen=True)
class DryRunResult(JobResult):
    """What an import would do. Counts are of images, `boxes` and those of labels apart."""

    dry_run: bool
    format: str
    files: int
    images: int
    labelled: int
    to_review: int
    boxes: int
    labels: list[dict]
    splits: dict[str, int]
    duplicates: dict[str, int]
    rejected: int
    rejected_by_code: dict[str, int]
    remarks_by_code: dict[str, int]
    rejects: list[dict]
    unread: list[str]


@dataclass
class _Copies:
    """What was said of an image so far: a digest of it, none where nothing was, and what of it was counted."""

    path: str
    label: str = ""
    digest: bytes = b""
    labelled: int = 0
    to_review: int = 0
    boxes: int = 0


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
    seen: dict[str, _Copies] = field(default_factory=dict)

    def add(self, item: Surveyed, known: Mapping[str, bytes]) -> Iterator[ImportWarning]:
        """Count an image once, however many copies the archive has; a remark where they say different things."""
        self.images += 1
        copies = self.seen.get(item.sha256)
        if copies is not None:
            self.in_archive += 1
            yield from self._join(copies, item)
            return
        copies = self.seen[item.sha256] = _Copies(item.record.path)
        self.in_dataset += item.sha256 in known
        yield from _beside_others(item, known.get(item.sha256, b""))
        self.splits[item.record.split or "none"] += 1
        _count_labels(self, item.record)
        self._take(copies, item.fitted)

    def _take(self, copies: _Copies, fitted: Fitted, *, is_confirmed: bool = True) -> None:
        copies.digest = _digest(fitted.marks, fitted.is_reviewed)
        copies.label = fitted.marks[0].label if fitted.marks else ""
        is_confirmed = is_confirmed and fitted.is_confirmed
        copies.to_review = int(bool(fitted.marks) and not is_confirmed)
        copies.labelled = int(is_confirmed and bool(fitted.marks or fitted.is_reviewed))
        copies.boxes = sum(mark.box is not None for mark in fitted.marks) if is_confirmed else 0
        self._count(copies, 1)

    def _count(self, copies: _Copies, by: int) -> None:
        self.labelled += by * copies.labelled
        self.to_review += by * copies.to_review
        self.boxes += by * copies.boxes

    def _join(self, copies: _Copies, item: Surveyed) -> Iterator[ImportWarning]:
        digest = _digest(item.fitted.marks, item.fitted.is_reviewed)
        if not digest or digest == copies.digest:
            return
        _count_labels(self, item.record)
        if not copies.digest:
            self._take(copies, item.fitted)
            return
        self._count(copies, -1)
        is_whole = any(mark.box is None for mark in item.fitted.marks)
        copies.labelled = copies.boxes = 0
        copies.to_review = int(not is_whole)
        self._count(copies, 1)
        said = f"The same image is in the archive as {copies.path!r}"
        if is_whole:
            labels = f"{copies.label!r} instead of {item.fitted.marks[0].label!r}"
            detail = f"{said}, with the label {labels}: it would be kept unlabelled."
            yield ImportWarning(item.record.path, SEVERAL_LABELS, detail)
        else:
            detail = f"{said}, with other boxes: all of them would wait as suggestions."
            yield ImportWarning(item.record.path, BOXES_DIFFER, detail)


def _digest(marks: Iterable[ParsedAnnotation], is_reviewed: bool) -> bytes:
    """Of what is said of an image; empty where nothing is."""
    rows = sorted((mark.label, () if mark.box is None else on_grid(mark.box)) for mark in marks)
    return hashlib.blake2b(repr(rows).encode(), digest_size=16).digest() if rows or is_reviewed else b""


def survey_archive(
    context: JobContext,
    dataset: Dataset,
    parsed: ParsedArchive,
    report: ImportReport,
    pool: ThreadPoolExecutor,
    survey: Callable[[Sequence[Record]], list[Surveyed | Outcome]],
    present: dict[str, Image],
) -> DryRunResult:
    """Look at everything that an import would take. An interrupted dry run begins again.

    Args:
        present: images of the dataset by name, when the archive has annotations alone: these images are not looked at.
    """
    counts = _Survey()
    records = iter(parsed.records(0))
    done = 0
    while batch := list(islice(records, BATCH)):
        if present:
            _count_annotations(counts, batch, present)
            outcomes: list[Outcome] = []
        else:
            looked = [outcome for group in pool.map(survey, groups_of(batch)) for outcome in group]
            outcomes = [outcome for outcome in looked if isinstance(outcome, Outcome)]
            items = [outcome for outcome in looked if isinstance(outcome, Surveyed)]
            known = _known(dataset, [item.sha256 for item in items])
            for item in items:
                report.remark((*item.fitted.remarks, *counts.add(item, known)))
        report.add(outcomes, len(batch))
        done += len(batch)
        context.report(done, parsed.count)
    return _result(dataset, parsed, counts, report)


def _known(dataset: Dataset, shas: Iterable[str]) -> dict[str, bytes]:
    """Of the images that the dataset has already, by their content: a digest of what was said of them."""
    rows = Image.objects.filter(dataset=dataset, blob__sha256__in=list(shas)).select_related("blob")
    return {
        row.blob.sha256: _digest(
            [ParsedAnnotation(annotation.label.name, box_of(annotation)) for annotation in row.annotations.all()],
            row.reviewed,
        )
        for row in rows.prefetch_related("annotations__label")
    }


def _beside_others(item: Surveyed, present: bytes) -> Iterator[ImportWarning]:
    """That an image was annotated otherwise before."""
    digest = _digest(item.fitted.marks, item.fitted.is_reviewed)
    if digest and present and digest != present:
        detail = "The dataset has this image with other annotations; it would be left as it is."
        yield ImportWarning(item.record.path, ALREADY_ANNOTATED, detail)


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


def _result(dataset: Dataset, parsed: ParsedArchive, counts: _Survey, report: ImportReport) -> DryRunResult:
    names = sorted({*parsed.labels, *counts.label_annotations}, key=natural_key)
    return DryRunResult(
        dry_run=True,
        format=parsed.format,
        files=parsed.count,
        images=counts.images,
        labelled=counts.labelled,
        to_review=counts.to_review,
        boxes=counts.boxes,
        labels=_labels(dataset, names, counts),
        splits=dict(counts.splits),
        duplicates={"in_archive": counts.in_archive, "in_dataset": counts.in_dataset},
        rejected=report.counts["rejected"],
        rejected_by_code=dict(report.codes),
        remarks_by_code=dict(report.remark_codes),
        rejects=report.first_rejects(SHOWN_REJECTS),
        unread=parsed.unread,
    )


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
