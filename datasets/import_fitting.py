"""From what an archive says of an image to what its project can have: places, names, and how sure it all is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from datasets.models import Dataset
from datasets.parsing import ParsedArchive
from projects.models import Task
from vision.formats.base import ImportWarning, ParsedAnnotation, Record
from vision.formats.boxes import Placed, to_pixel_boxes


@dataclass(frozen=True)
class Fitted:
    """What of an image's annotations goes into the project.

    Attributes:
        is_reviewed: whether they are all that there is to say about the image.
        is_confirmed: False when others could not be understood: a person has to look at the image.
    """

    marks: list[ParsedAnnotation]
    remarks: list[ImportWarning]
    is_reviewed: bool
    is_confirmed: bool


@dataclass(frozen=True)
class Fitting:
    """Makes annotations of an archive fit the project: its task, and the names of its labels.

    Attributes:
        is_of_whole_images: the archive has labels of whole images and no boxes: no label says nothing of boxes.
    """

    task: Task
    ignores_folders: bool
    label_map: Mapping[str, str | None]
    is_of_whole_images: bool = False

    @classmethod
    def of(cls, dataset: Dataset, parsed: ParsedArchive, label_map: Mapping[str, str | None]) -> Fitting:
        task = dataset.project.kind
        ignores_folders = task.has_boxes and parsed.format == "folder"
        is_of_whole_images = bool(parsed.holds["whole"]) and not parsed.holds["boxes"]
        return cls(task, ignores_folders, label_map, is_of_whole_images)

    def label(self, name: str) -> str | None:
        """The project's name of a label, or None when it is left out."""
        return self.label_map.get(name, name)

    def __call__(self, record: Record, width: int, height: int, orientation: int) -> Fitted:
        if self.ignores_folders:
            return Fitted([], [], False, True)
        placed = to_pixel_boxes(record, width, height, orientation)
        if self.task is Task.MULTILABEL:
            return self._labels_of_image(record, placed)
        is_whole = self.task is Task.CLASSIFICATION
        fitting = [mark for mark in placed.marks if (mark.box is None) == is_whole]
        named = [(mark, self.label(mark.label)) for mark in fitting]
        marks = [ParsedAnnotation(name, mark.box) for mark, name in named if name is not None]
        remarks, left_out = placed.remarks, placed.left_out
        if is_whole and len({mark.label for mark in marks}) > 1:
            detail = (
                f"The image has several labels ({_named(named)}) and this project gives each image one; it was kept "
                "unlabelled."
            )
            remarks, marks, left_out = (
                [*remarks, ImportWarning(record.path, "several_labels", detail)],
                [],
                left_out + 1,
            )
        if is_whole and not marks:
            return Fitted([], remarks, False, True)
        is_empty = not marks and bool(placed.ignored or placed.marks)  # what is there is only left out
        is_reviewed = record.is_annotated and not left_out and not is_empty
        return Fitted(marks, remarks, is_reviewed and not (self.is_of_whole_images and not marks), not left_out)

    def _labels_of_image(self, record: Record, placed: Placed) -> Fitted:
        """Each label once, also that of boxes: what is marked on an image is on it."""
        names = dict.fromkeys(self.label(mark.label) for mark in placed.marks)
        marks = [ParsedAnnotation(name, None) for name in names if name is not None]
        # What is left out by a map says nothing of the other labels; what was not understood may be any label.
        is_empty = not marks and bool(placed.ignored)
        is_reviewed = record.is_annotated and not placed.left_out and not is_empty
        return Fitted(marks, placed.remarks, is_reviewed, not placed.left_out)


def _named(marks: Iterable[tuple[ParsedAnnotation, str | None]]) -> str:
    """The labels, and which file says which where several do."""
    names = list(dict.fromkeys((name, mark.source) for mark, name in marks if name is not None))
    has_one_source = len({source for _, source in names}) < 2
    return ", ".join(repr(name) if has_one_source else f"{name!r} ({source})" for name, source in names[:5])
