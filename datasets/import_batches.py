"""Images of an archive, batch by batch: decoded ahead in threads, written in one transaction each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from django.db import transaction

from datasets import services
from datasets.buckets import BucketContents
from datasets.containers import AnyContents
from datasets.dry_runs import Surveyed
from datasets.formats.base import Mark, Record, Remark
from datasets.imaging.preprocessing import ImageError
from datasets.import_fitting import Fitting
from datasets.import_report import ImportReport
from datasets.ingest import Examined, Outcome, add_images, examine_content, look_at
from datasets.models import Label
from storage import services as storage

BATCH = 256


class ArchiveSource:
    """Decodes the images of an archive and puts their boxes in place."""

    def __init__(
        self, contents: AnyContents, links: BucketContents | None, fit: Fitting, *, strip_location: bool
    ) -> None:
        self._contents = contents
        self._links = links
        self.fit = fit
        self._strip_location = strip_location

    def examine(self, record: Record) -> Looked:
        try:
            content = self._content(record)
            examined = examine_content(content, record.path, strip_location=self._strip_location)
        except ImageError as error:
            return Looked(Outcome(record.path, "rejected", None, error.code, str(error)))
        fitted = self.fit(record, examined.width, examined.height, examined.orientation)
        examined.split = record.split
        examined.is_reviewed, examined.is_confirmed = fitted.is_reviewed, fitted.is_confirmed
        if self._links is not None:
            examined.linked_to = self._links.remote_id(record.path)
        remarks = fitted.remarks + [Remark(record.path, code, detail) for code, detail in examined.notes]
        return Looked(examined, fitted.marks, remarks)

    def survey(self, record: Record) -> Surveyed | Outcome:
        """As `examine`, without keeping anything."""
        try:
            content = self._content(record)
            facts = look_at(content)
        except ImageError as error:
            return Outcome(record.path, "rejected", None, error.code, str(error))
        return Surveyed(
            record, hashlib.sha256(content).hexdigest(), self.fit(record, facts.width, facts.height, facts.orientation)
        )

    def _content(self, record: Record) -> bytes:
        if record.path not in self._contents.entries:
            raise ImageError("missing_image", "The archive has no such file.")
        if refused := self._contents.refusal(record.path):
            raise ImageError(*refused)
        return self._contents.read(record.path)


@dataclass
class Looked:
    """What came of one file of the archive."""

    item: Examined | Outcome
    marks: list[Mark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def examined_ahead(pool: ThreadPoolExecutor, read: Callable, entries: Iterable[Record]) -> Iterator:
    """`(batch, futures)` for all records; while one batch is written to the database, the next is decoded."""
    batches: list[tuple[list[Record], list[Future]]] = []
    try:
        entries = iter(entries)
        while batch := list(islice(entries, BATCH)):
            batches.append((batch, [pool.submit(read, entry) for entry in batch]))
            if len(batches) == 2:
                yield batches.pop(0)
        while batches:
            yield batches.pop(0)
    finally:
        for _, futures in batches:
            _forget(futures)


def _forget(futures: list[Future]) -> None:
    for future in futures:
        if not future.cancel() and not future.exception() and isinstance(future.result().item, Examined):
            future.result().item.incoming.discard()


def import_batch(context, dataset, batch, results, report: ImportReport, total: int, labels: list[str]) -> None:
    examined: list[Examined] = []
    outcomes: list[Outcome] = []
    remarks: list[Remark] = []
    try:
        wanted: dict[str, None] = dict.fromkeys(labels)
        looked = [future.result() for future in results]
        for one in looked:
            if isinstance(one.item, Outcome):
                outcomes.append(one.item)
            else:
                examined.append(one.item)
                wanted.update(dict.fromkeys(mark.label for mark in one.marks))
            remarks += one.remarks
        storage.stage(item.incoming for item in examined)  # before the transaction, in which nobody else can write
        with transaction.atomic():
            known = services.ensure_labels(project=dataset.project, names=list(wanted))
            for one in looked:
                if isinstance(one.item, Examined):
                    _mark(one.item, one.marks, known)
            added = add_images(
                dataset=dataset, items=examined, user=context.job.created_by, source=f"import:{context.job.pk}"
            )
            report.remark(remarks)
            report.add(outcomes + added, len(batch))
            for item, outcome in zip(examined, added, strict=True):
                if outcome.kind == "created" or outcome.code == "annotated":
                    report.take(len(item.boxes), item.is_confirmed, bool(item.label or item.boxes or item.is_reviewed))
            context.report(report.next, total, position=report.position())
    except BaseException:
        _forget(results)
        raise
    finally:
        for item in examined:
            item.incoming.discard()


def _mark(item: Examined, marks: list[Mark], labels: dict[str, Label]) -> None:
    for mark in marks:
        if mark.box is None:
            item.label = labels[mark.label]
        else:
            item.boxes.append((labels[mark.label], mark.box))
