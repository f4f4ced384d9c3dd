"""What an import says in the end: the counts, a sentence, and remarks about the archive as a whole."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from common.words import counted
from datasets.archives import ZipContents
from datasets.containers import AnyContents
from datasets.copies import BOXES_DIFFER, SEVERAL_LABELS
from datasets.import_report import SHOWN_REJECTS, ImportReport
from datasets.models import Dataset
from datasets.parsing import ParsedArchive
from jobs.context import JobContext
from jobs.contracts import JobResult
from projects.models import Task
from storage import services as storage
from vision.formats.base import ImportWarning, is_text

IF_FOLDERS = " If the names of the folders are the labels, import the archive again with format=folder."
MOST_ABSENT = 20  # labels of a map that the archive does not have: looking for alike ones takes long


@dataclass(frozen=True)
class ImportResult(JobResult):
    """Counts are of images, `boxes` apart. `annotated` is what `labelled` was called in earlier versions."""

    format: str
    files: int
    created: int
    duplicates: int
    labelled: int
    annotated: int
    duplicates_labelled: int
    rejected: int
    rejected_by_code: dict[str, int]
    boxes: int
    to_review: int
    unread: list[str]
    remarks_by_code: dict[str, int]
    rejects: list[dict]
    note: str | None = None
    change: str | None = None


def about_archive(contents: AnyContents, parsed: ParsedArchive, dataset: Dataset) -> Iterator[ImportWarning]:
    for path in contents.repeated:
        yield ImportWarning(
            path, "duplicate_name", "The archive has this path more than once; this is the second file."
        )
    for path, code, detail in getattr(contents, "broken", ()):
        yield ImportWarning(path, code, detail)
    for path in () if isinstance(contents, ZipContents) else filter(is_text, contents.names):
        if (refused := contents.refusal(path)) is not None and refused[0] != "file_too_large":
            yield ImportWarning(path, *refused)
    if encoding := contents.guessed_encoding:
        example = next((name for name in contents.names if not name.isascii()), "")
        detail = (
            f"The archive does not say in which encoding its file names are; they were read as {encoding}, such as "
            f"{example!r}. If that is wrong, import it again with name_encoding."
        )
        yield ImportWarning("", "names_guessed", detail)
    yield from _about_task(parsed, dataset)


def _about_task(parsed: ParsedArchive, dataset: Dataset) -> Iterator[ImportWarning]:
    """What the project's task has no place for."""
    boxes, whole = parsed.holds["boxes"], parsed.holds["whole"]
    task = dataset.project.kind
    if task is Task.MULTILABEL:
        if boxes:
            detail = f"The archive has boxes ({boxes:,}). Here images have labels: each got those of its boxes."
            yield ImportWarning("", "boxes_as_labels", detail)
    elif boxes and whole and task.has_boxes:
        detail = f"The archive has labels of whole images, too ({whole:,}). This project has boxes: they were left out."
        yield ImportWarning("", "labels_without_boxes", detail)
    elif boxes and whole:
        detail = f"The archive has boxes, too ({boxes:,}). This project classifies whole images: they were left out."
        yield ImportWarning("", "boxes_in_classification", detail)
    elif whole and task.has_boxes:
        if parsed.format == "folder":
            detail = "Folder names are no labels in a detection project: the images are kept unlabelled."
            yield ImportWarning("", "folders_ignored", detail)
        else:
            detail = "The archive labels whole images, and this project needs boxes: the images are kept unlabelled."
            yield ImportWarning("", "labels_without_boxes", detail)


def about_label_map(parsed: ParsedArchive, label_map: Mapping[str, str | None]) -> Iterator[ImportWarning]:
    labels = set(parsed.labels)
    absent = [name for name in label_map if name not in labels]
    for position, name in enumerate(absent):
        if position == MOST_ABSENT:
            others = counted(len(absent) - position, "other label")
            detail = f"The archive has none of {others} that could be mapped or skipped."
            yield ImportWarning("", "label_not_found", detail)
            return
        alike = difflib.get_close_matches(name, parsed.labels, 1)
        hint = f" Did you mean {alike[0]!r}?" if alike else ""
        yield ImportWarning(
            "", "label_not_found", f"The archive has no label {name!r} that could be mapped or skipped.{hint}"
        )


def finish(context: JobContext, report: ImportReport, parsed: ParsedArchive) -> ImportResult:
    result = ImportResult(
        format=parsed.format,
        files=parsed.count,
        created=report.counts["created"],
        duplicates=report.counts["duplicate"],
        labelled=report.labelled,
        annotated=report.labelled,
        duplicates_labelled=report.codes["annotated"],
        rejected=report.counts["rejected"],
        rejected_by_code={code: count for code, count in report.codes.items() if code != "annotated"},
        boxes=report.boxes,
        to_review=report.to_review,
        unread=parsed.unread,
        remarks_by_code=dict(report.remark_codes),
        rejects=report.first_rejects(SHOWN_REJECTS),
        note=_note(parsed, report, context.job.project.task) or None,
    )
    keep_report(context, report)
    return result


def _note(parsed: ParsedArchive, report: ImportReport, task: str) -> str:
    if parsed.unread and not report.labelled:
        files = ", ".join(parsed.unread[:3]) + ("…" if len(parsed.unread) > 3 else "")
        return (
            f"No annotations were read: {files} {'is' if len(parsed.unread) == 1 else 'are'} in a format that is not "
            "read. The images are here without labels; import annotations in another format again and they get them."
            + (IF_FOLDERS if report.remark_codes["folders_ignored"] else "")
        )
    if report.remark_codes["folders_ignored"] and not Task(task).has_boxes and not report.labelled:
        return "The annotations of the archive are of none of its images, so that they got no labels." + IF_FOLDERS
    if report.imported.contradicted:
        return (
            "Some images are there more than once, and their copies say different things: they are left open. The "
            f"report names them ({SEVERAL_LABELS}, {BOXES_DIFFER})."
        )
    bare = report.counts["created"] + report.codes["annotated"] - report.labelled - report.to_review
    if parsed.format == "folder" and bare > 0 and Task(task).has_boxes:
        which = "1 image has" if bare == 1 else f"{bare:,} images have"
        return f"{which} no annotations: label them in the studio, or import a file of annotations for them."
    if parsed.format == "folder" and bare > 0:
        which = "1 image lies" if bare == 1 else f"{bare:,} images lie"
        return f"{which} in no folder that names a label and got none: label them in the studio."
    if report.to_review:
        which = "1 image has" if report.to_review == 1 else f"{report.to_review:,} images have"
        return (
            f"{which} annotations that could not all be understood: the others wait as suggestions to be confirmed. "
            "The report says what was left out."
        )
    return ""


def keep_report(context: JobContext, report: ImportReport) -> None:
    if report.path.stat().st_size:
        context.keep(report_blob=storage.keep_path(report.path, "application/x-ndjson"))
    report.path.unlink()
