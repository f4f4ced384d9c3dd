"""What an import says of single files: lines that become the report of its job."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from datasets.copies import ANNOTATED, DUPLICATE, ImageAnnotations, Imported
from datasets.outcomes import Outcome
from vision.formats.base import ImportWarning

CHUNK_BYTES = 1 << 20
SHOWN_REJECTS = 100
LOST_REPORT = (
    "The import was interrupted and its work folder is gone: what was said before about single files is lost. The "
    "counts include them, and no image was imported twice."
)


class ImportReport:
    """Counts, and a line for all that was not taken as it was, taken up again after a crash.

    Attributes:
        next: how many records are done.
        after: the key of the last image that is done, where records are of images that are here.

    Each attempt of a job writes a file of its own and begins with a copy of what the last batch that was written says:
    a holder that lost its lease without noticing adds its lines to a file that nobody reads any more.

    Args:
        path: the file of this attempt.
        position: of the job, as the last batch left it.
    """

    def __init__(self, path: Path, position: dict) -> None:
        self.path = path
        self.next = position.get("next", 0)
        self.after = position.get("after", "")
        self.counts = Counter(position.get("counts", {}))
        self.codes = Counter(position.get("codes", {}))
        self.remark_codes = Counter(position.get("remark_codes", {}))
        self.boxes = position.get("boxes", 0)
        self.labelled = position.get("labelled", 0)
        self.to_review = position.get("to_review", 0)
        self.imported = Imported()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _take_over(path, position):
            self.remark([ImportWarning("", "report_lost", LOST_REPORT)])
        elif position:
            self._remember()

    def _remember(self) -> None:
        """What the lines of attempts before say of images."""
        with open(self.path, encoding="utf-8") as file:
            for row in map(json.loads, file):
                if row["image"]:
                    self.imported.note(row["image"], row["code"])

    def add(self, outcomes: list[Outcome], files: int) -> None:
        self.next += files
        self.counts.update(outcome.kind for outcome in outcomes)
        self.codes.update(
            outcome.code for outcome in outcomes if outcome.kind == "rejected" or outcome.code == ANNOTATED
        )
        said = (
            outcome.code
            for outcome in outcomes
            if outcome.kind == "duplicate" and outcome.code not in (ANNOTATED, DUPLICATE)
        )
        self.remark_codes.update(said)
        with open(self.path, "a", encoding="utf-8") as file:
            for outcome in outcomes:
                if outcome.kind != "created":
                    row = {"outcome": outcome.kind, **outcome.to_dict(), "image": outcome.image_id}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def take(self, boxes: int, is_confirmed: bool, is_labelled: bool) -> None:
        """Count an image that got annotations."""
        if is_confirmed:
            self.boxes += boxes
            self.labelled += is_labelled
        else:
            self.to_review += boxes > 0

    def change(self, before: ImageAnnotations, after: ImageAnnotations) -> None:
        """Count an image whose annotations were `before` in this import and are `after` now."""
        for state, count in ((before, -1), (after, 1)):
            self.boxes += count * state.is_confirmed * sum(box is not None for _, box in state.marks)
            self.labelled += count * state.is_annotated
            self.to_review += count * (not state.is_confirmed and bool(state.marks))

    def remark(self, remarks: Iterable[ImportWarning]) -> None:
        """Lines about annotations that were changed or left out."""
        with open(self.path, "a", encoding="utf-8") as file:
            for remark in remarks:
                self.remark_codes[remark.code] += 1
                row = {"outcome": "remark", **asdict(remark), "image": None}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def position(self) -> dict:
        return {
            "next": self.next,
            "after": self.after,
            "counts": dict(self.counts),
            "codes": dict(self.codes),
            "remark_codes": dict(self.remark_codes),
            "boxes": self.boxes,
            "labelled": self.labelled,
            "to_review": self.to_review,
            "report": self.path.name,
            "report_bytes": self.path.stat().st_size,
        }

    def first_rejects(self, limit: int) -> list[dict]:
        rejects: list[dict] = []
        with open(self.path, encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                if row["outcome"] == "rejected":
                    rejects.append({key: row[key] for key in ("filename", "code", "detail")})
                if len(rejects) == limit:
                    break
        return rejects


def _take_over(path: Path, position: dict) -> bool:
    """Begin the file with what the attempt before has written. False when that is lost."""
    path.write_bytes(b"")
    left = position.get("report_bytes", 0)
    before = path.with_name(position.get("report") or f"{path.name[:36]}.jsonl")  # its name in earlier versions
    if not left:
        return True
    if not before.is_file() or before.stat().st_size < left:
        return False
    with open(before, "rb") as source, open(path, "wb") as copy:
        while chunk := source.read(min(left, CHUNK_BYTES)):
            copy.write(chunk)
            left -= len(chunk)
    return True
