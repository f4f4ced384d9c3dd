"""The images that an archive names: read and looked at some dozens at once, and made to fit the project."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from datasets.buckets import BucketContents
from datasets.containers import AnyContents
from datasets.examining import Inspect, StagedImage, examine_contents, inspect
from datasets.import_fitting import Fitted, Fitting
from datasets.outcomes import Outcome
from vision.formats.base import ImportWarning, ParsedAnnotation, Record
from vision.imaging.preprocessing import ImageError

GROUP = 32  # images that one thread reads, and one process looks at, at once
PART_BYTES = 2 << 20  # of them are in memory at once, and what the last one has more

# A record and its file, or why there is none.
Read = tuple[Record, bytes | ImageError]


@dataclass
class DecodedEntry:
    """What came of one file of the archive."""

    item: StagedImage | Outcome
    marks: list[ParsedAnnotation] = field(default_factory=list)
    remarks: list[ImportWarning] = field(default_factory=list)


@dataclass
class Surveyed:
    """An image that can be used, and what is said of it."""

    record: Record
    sha256: str
    fitted: Fitted


class ArchiveSource:
    """Decodes the images of an archive and puts their boxes in place."""

    def __init__(
        self, contents: AnyContents, links: BucketContents | None, fit: Fitting, look: Inspect, *, strip_location: bool
    ) -> None:
        self._contents = contents
        self._look = look
        self._links = links
        self.fit = fit
        self._strip_location = strip_location

    def examine(self, records: Sequence[Record]) -> list[DecodedEntry]:
        looked: list[DecodedEntry] = []
        try:
            for part in self._parts(records):
                looked += self._examined(part)
        except BaseException:
            discard(looked)
            raise
        return looked

    def _examined(self, part: Sequence[Read]) -> list[DecodedEntry]:
        files = [(content, record.path) for record, content in part if isinstance(content, bytes)]
        examined = iter(examine_contents(files, strip_location=self._strip_location, look=self._look))
        items = [(record, next(examined) if isinstance(read, bytes) else read) for record, read in part]
        return [
            DecodedEntry(_rejected(record, item)) if isinstance(item, ImageError) else self._fitted(record, item)
            for record, item in items
        ]

    def _fitted(self, record: Record, examined: StagedImage) -> DecodedEntry:
        fitted = self.fit(record, examined.width, examined.height, examined.orientation)
        examined.split = record.split
        examined.is_reviewed, examined.is_confirmed = fitted.is_reviewed, fitted.is_confirmed
        if self._links is not None:
            examined.linked_to = self._links.remote_id(record.path)
        remarks = fitted.remarks + [ImportWarning(record.path, code, detail) for code, detail in examined.notes]
        return DecodedEntry(examined, fitted.marks, remarks)

    def survey(self, records: Sequence[Record]) -> list[Surveyed | Outcome]:
        """As `examine`, without keeping anything."""
        return [surveyed for part in self._parts(records) for surveyed in self._surveyed(part)]

    def _surveyed(self, part: Sequence[Read]) -> Iterator[Surveyed | Outcome]:
        seen = iter(inspect([read for _, read in part if isinstance(read, bytes)], self._look))
        for record, read in part:
            facts = next(seen) if isinstance(read, bytes) else read
            if isinstance(facts, ImageError):
                yield _rejected(record, facts)
                continue
            assert isinstance(read, bytes)
            fitted = self.fit(record, facts.width, facts.height, facts.orientation)
            yield Surveyed(record, hashlib.sha256(read).hexdigest(), fitted)

    def _parts(self, records: Sequence[Record]) -> Iterator[list[Read]]:
        """The files of records, not many bytes at once."""
        part: list[Read] = []
        size = 0
        for record in records:
            try:
                content = self._content(record)
                size += len(content)
                part.append((record, content))
            except ImageError as error:
                part.append((record, error))
            if size >= PART_BYTES:
                yield part
                part, size = [], 0
        yield part

    def _content(self, record: Record) -> bytes:
        if record.path not in self._contents.entries:
            raise ImageError("missing_image", "The archive has no such file.")
        if refused := self._contents.refusal(record.path):
            raise ImageError(*refused)
        return self._contents.read(record.path)


def _rejected(record: Record, error: ImageError) -> Outcome:
    return Outcome(record.path, "rejected", None, error.code, str(error))


def discard(looked: Iterable[DecodedEntry]) -> None:
    """Remove the files that were not kept."""
    for outcome in looked:
        if isinstance(outcome.item, StagedImage):
            outcome.item.incoming.discard()


def groups_of(records: Sequence[Record]) -> list[Sequence[Record]]:
    """What is looked at at once."""
    return [records[start : start + GROUP] for start in range(0, len(records), GROUP)]
