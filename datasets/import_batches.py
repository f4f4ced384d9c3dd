"""Images of an archive, batch by batch: decoded and put on the disk ahead, written in one transaction each."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice

from django.db import transaction

from datasets import services
from datasets.buckets import BucketContents
from datasets.containers import AnyContents
from datasets.dry_runs import Surveyed
from datasets.formats.base import Mark, Record, Remark
from datasets.image_readers import Look
from datasets.imaging.preprocessing import ImageError
from datasets.import_fitting import Fitting
from datasets.import_report import ImportReport
from datasets.ingest import Examined, Outcome, add_images, examine_content
from datasets.models import Label
from storage import services as storage

BATCH = 256
AHEAD = 3  # batches: one is decoded, one put on the disk, one written to the database


class ArchiveSource:
    """Decodes the images of an archive and puts their boxes in place."""

    def __init__(
        self, contents: AnyContents, links: BucketContents | None, fit: Fitting, look: Look, *, strip_location: bool
    ) -> None:
        self._contents = contents
        self._look = look
        self._links = links
        self.fit = fit
        self._strip_location = strip_location

    def examine(self, record: Record) -> Looked:
        try:
            content = self._content(record)
            examined = examine_content(content, record.path, strip_location=self._strip_location, look=self._look)
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
            facts = self._look(content)
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


@dataclass
class Batch:
    """Records on their way into the database.

    Attributes:
        examined: a `Looked` of each record.
        staged: is done when all of their files are on the disk.
    """

    records: list[Record]
    examined: list[Future]
    staged: Future

    def looked(self) -> list[Looked]:
        """What came of each record, once nothing has to wait for the disk any more."""
        found = [future.result() for future in self.examined]
        self.staged.result()
        return found

    def forget(self) -> None:
        """Remove the files that were not kept."""
        self.staged.cancel()
        waiting = [future for future in self.examined if not future.cancel()]
        wait([*waiting, self.staged])
        for future in waiting:
            if not future.exception() and isinstance(future.result().item, Examined):
                future.result().item.incoming.discard()


def examined_ahead(
    pool: ThreadPoolExecutor, read: Callable[[Record], Looked], entries: Iterable[Record]
) -> Generator[Batch]:
    """All records. While one batch is written to the database, the next is put on the disk and a third is decoded."""
    batches: deque[Batch] = deque()
    with ThreadPoolExecutor(1) as disk:
        try:
            entries = iter(entries)
            while records := list(islice(entries, BATCH)):
                futures = [pool.submit(read, record) for record in records]
                batches.append(Batch(records, futures, disk.submit(_stage, futures)))
                if len(batches) == AHEAD:
                    yield batches.popleft()
            while batches:
                yield batches.popleft()
        finally:
            for batch in batches:
                batch.forget()


def _stage(futures: list[Future]) -> None:
    """Before the transaction, in which nobody else can write."""
    wait(futures)
    items = [future.result().item for future in futures if not future.cancelled() and not future.exception()]
    storage.stage(item.incoming for item in items if isinstance(item, Examined))


def import_batch(context, dataset, batch: Batch, report: ImportReport, total: int, labels: list[str]) -> None:
    examined: list[Examined] = []
    outcomes: list[Outcome] = []
    remarks: list[Remark] = []
    try:
        wanted: dict[str, None] = dict.fromkeys(labels)
        looked = batch.looked()
        for one in looked:
            if isinstance(one.item, Outcome):
                outcomes.append(one.item)
            else:
                examined.append(one.item)
                wanted.update(dict.fromkeys(mark.label for mark in one.marks))
            remarks += one.remarks
        with transaction.atomic():
            known = services.ensure_labels(project=dataset.project, names=list(wanted))
            for one in looked:
                if isinstance(one.item, Examined):
                    _mark(one.item, one.marks, known)
            added = add_images(
                dataset=dataset, items=examined, user=context.job.created_by, source=f"import:{context.job.pk}"
            )
            report.remark(remarks)
            report.add(outcomes + added, len(batch.records))
            for item, outcome in zip(examined, added, strict=True):
                if outcome.kind == "created" or outcome.code == "annotated":
                    report.take(len(item.boxes), item.is_confirmed, bool(item.label or item.boxes or item.is_reviewed))
            context.report(report.next, total, position=report.position())
    except BaseException:
        batch.forget()
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
