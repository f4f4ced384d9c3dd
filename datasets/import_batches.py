"""Images of an archive, batch by batch: decoded and put on the disk ahead, written in one transaction each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

from django.db import transaction

from datasets.examining import StagedImage
from datasets.import_report import ImportReport
from datasets.import_source import DecodedEntry, discard, groups_of
from datasets.ingest import add_images
from datasets.labels import ensure_labels
from datasets.models import Dataset, Label
from datasets.outcomes import Outcome
from jobs.context import JobContext
from storage import services as storage
from storage.durability import FileSystem
from vision.formats.base import ImportWarning, ParsedAnnotation, Record

BATCH = 256
AHEAD = 3  # batches: one is decoded, one put on the disk, one written to the database


@dataclass
class Batch:
    """Records on their way into the database.

    Attributes:
        examined: of some records each, a list with a `DecodedEntry` of each.
        staged: is done when all of their files are on the disk.
    """

    records: list[Record]
    examined: list[Future]
    staged: Future

    def looked(self) -> list[DecodedEntry]:
        """What came of each record, once nothing has to wait for the disk any more."""
        looked = [outcome for future in self.examined for outcome in future.result()]
        self.staged.result()
        return looked

    def forget(self) -> None:
        """Remove the files that were not kept."""
        self.staged.cancel()
        waiting = [future for future in self.examined if not future.cancel()]
        wait([*waiting, self.staged])
        for future in waiting:
            if not future.exception():
                discard(future.result())


def examined_ahead(
    pool: ThreadPoolExecutor, read: Callable[[Sequence[Record]], list[DecodedEntry]], entries: Iterable[Record]
) -> Generator[Batch]:
    """All records. While one batch is written to the database, the next is put on the disk and a third is decoded."""
    batches: deque[Batch] = deque()
    with storage.writing_many() as file_system, ThreadPoolExecutor(1) as disk:
        try:
            entries = iter(entries)
            while records := list(islice(entries, BATCH)):
                futures = [pool.submit(read, group) for group in groups_of(records)]
                batches.append(Batch(records, futures, disk.submit(_stage, futures, file_system)))
                if len(batches) == AHEAD:
                    yield batches.popleft()
            while batches:
                yield batches.popleft()
        finally:
            for batch in batches:
                batch.forget()


def _stage(futures: list[Future], file_system: FileSystem | None) -> None:
    """Before the transaction, in which nobody else can write."""
    wait(futures)
    done = [future.result() for future in futures if not future.cancelled() and not future.exception()]
    items = [looked.item for group in done for looked in group]
    storage.stage((item.incoming for item in items if isinstance(item, StagedImage)), file_system)


def import_batch(
    context: JobContext, dataset: Dataset, batch: Batch, report: ImportReport, total: int, labels: list[str]
) -> None:
    examined: list[StagedImage] = []
    outcomes: list[Outcome] = []
    remarks: list[ImportWarning] = []
    try:
        names: dict[str, None] = dict.fromkeys(labels)
        looked = batch.looked()
        for image in looked:
            if isinstance(image.item, Outcome):
                outcomes.append(image.item)
            else:
                examined.append(image.item)
                names.update(dict.fromkeys(mark.label for mark in image.marks))
            remarks += image.remarks
        with transaction.atomic():
            known = ensure_labels(project=dataset.project, names=list(names))
            for image in looked:
                if isinstance(image.item, StagedImage):
                    _mark(image.item, image.marks, known, is_single=dataset.project.kind.has_single_labels)
            added = add_images(
                dataset=dataset,
                items=examined,
                user=context.job.created_by,
                source=f"import:{context.job.pk}",
                earlier=report.imported,
            )
            report.remark(remarks)
            report.add(outcomes + added, len(batch.records))
            for before, after in (outcome.change for outcome in added if outcome.change is not None):
                report.change(before, after)
            context.report(report.next, total, position=report.position())
    except BaseException:
        batch.forget()
        raise
    finally:
        for item in examined:
            item.incoming.discard()


def _mark(item: StagedImage, marks: list[ParsedAnnotation], labels: dict[str, Label], *, is_single: bool) -> None:
    for mark in marks:
        if mark.box is None and is_single:
            item.label = labels[mark.label]
        else:
            item.boxes.append((labels[mark.label], mark.box))
