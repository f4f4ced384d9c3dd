"""From the files of an archive to what they say: each annotation file is recognised and read by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from vision.formats import (
    coco,
    createml,
    cvat,
    datumaro,
    folder,
    label_maps,
    label_studio,
    labelme,
    not_read,
    table_claims,
    tables,
    via,
    voc,
    yolo,
)
from vision.formats.base import (
    Contents,
    FormatError,
    Parsed,
    Record,
    is_image,
    split_of_filename,
    split_of_word,
    stem,
)
from vision.formats.collection import Collection
from vision.formats.documents import WHOLE_BYTES, JsonFile
from vision.formats.encodings import decode, lines_of
from vision.formats.files import Files, is_note, is_side_name
from vision.formats.mentions import gives_labels, is_named_after_image, mentioned
from vision.formats.remarks import no_annotations
from vision.formats.side_tables import is_submission
from vision.formats.unread import UnreadFiles
from vision.words import counted

# Formats with one file for many images, which an archive of theirs has whatever is annotated.
WHOLE_FILES = ("coco", "csv", "createml", "label_studio", "via", "cvat", "datumaro")
# In this order: the more telling signs first.
JSON_READERS = (coco, datumaro, labelme, label_studio, createml, via)
FORMATS = ("folder", "coco", "voc", "yolo", "csv", "createml", "label_studio", "labelme", "via", "cvat", "datumaro")
FOLDERS_IGNORED = (
    "{file} speaks of images and was not understood, or of none that is here, so the names of folders were not taken "
    "as labels: the images stay unlabelled. If the folders are the labels, import the archive again with "
    "format=folder; if {file} has the labels, write them in a format that is read."
)
MOST_UNKNOWN = 1000  # files of unknown kinds that are looked into
# What code that takes values apart does when these are of another kind: one file of an archive is lost, not all.
UNFORESEEN = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


def read(contents: Contents, name: str = "auto") -> Parsed:
    """What an archive says about its images.

    Args:
        name: one of `FORMATS`, or `auto`: then every annotation file is read by what it is.

    Raises:
        FormatError: there are no annotations in the format that is asked for.
    """
    files = Files(contents)
    reader = _Reader(contents, files, name)
    if name != "folder":
        reader.read_all()
    return reader.finish()


class _Reader:
    """Reads the annotation files of an archive into one collection."""

    def __init__(self, contents: Contents, files: Files, format_name: str) -> None:
        self._contents = contents
        self._files = files
        self._format = format_name
        self._collection = Collection(contents, files.images)
        self._unread = UnreadFiles(contents, files, self._collection)
        self._yolo = yolo.YoloFiles(self._collection)
        self._written: folder.Written | None = None
        self._codes: dict[str, str] = {}
        self._classes: set[str] | None = None
        self._damaged = 0
        self._name_files: set[str] = set()
        self._recognised: set[str] = set()
        self._encodings: dict[str, list[str]] = {}
        self._class_lists: list[str] = []

    def read_all(self) -> None:
        """Files that others need first: class names before labels."""
        texts = self._files.texts
        for path in self._files.label_maps:
            self._guarded(path, self._read_label_map)
        unknown = self._files.unknown[:MOST_UNKNOWN]
        for path in texts:
            if path.rpartition("/")[2].lower() == not_read.IMAGES:
                self._guarded(path, self._find_numbers)
        first = [path for path in texts if yolo.is_names_file(path) or path.lower().endswith((".data", ".csv", ".tsv"))]
        for path in first:
            self._guarded(path, self._read_names)
        for path in texts:
            ending = self._files.endings.get(path) or PurePosixPath(path).suffix.lower()
            readers: dict[str, Callable[[str], None]] = {
                ".json": self._read_json,
                ".xml": self._read_xml,
                ".csv": self._read_table,
                ".tsv": self._read_table,
                ".txt": self._read_lines,
                ".jsonl": self._unread.add,
                ".ndjson": self._unread.add,
                ".manifest": self._unread.add,
            }
            if ending in readers and not (ending == ".txt" and path in self._name_files):
                self._guarded(path, readers[ending])
        if not self._collection.has_claims:
            for path in self._class_lists:
                self._unread.add(path, is_about_images=True)
        for path in self._files.binary:
            self._unread.add(path, is_about_images=True)
            self._files.others.remove(path)
        for path in unknown:
            if self._unread.is_text_about_images(path):
                self._unread.add(path, is_about_images=True)
                self._files.others.remove(path)
        self._yolo.settle_corners()
        self._yolo.put_folders_in_splits()
        self._yolo.declare()

    def finish(self) -> Parsed:
        collection = self._collection
        for place, count in self._files.masks.items():
            detail = f"{count:,} masks in {place} are no images of their own; they were left out."
            if count == 1:
                detail = f"1 mask in {place} is no image of its own; it was left out."
            collection.say("masks_left_out", detail, place)
        for encoding, names in self._encodings.items():
            files = counted(len(names), "file is", "files are")
            detail = f"{files} in no declared encoding and read as {encoding}, {names[0]} first."
            collection.say("encoding_guessed", detail, names[0])
        self._yolo.say_lacking()
        collection.leave_out_shifted()
        self._unread.say()
        is_read = collection.has_images
        lacks_names = self._format == yolo.GROUP and not self._yolo.has_names
        if lacks_names or (self._format in WHOLE_FILES and self._format not in self._recognised):
            self._refuse()
        if not is_read:
            return self._from_folders()
        parsed = collection.finish()
        return _with_others(parsed, self._files.others)

    def _refuse(self) -> None:
        """The format that the user names is not here."""
        if self._format == "yolo" and not self._yolo.has_names:
            raise FormatError(
                "no_class_names",
                "The archive has no data.yaml with names and no classes.txt, so class numbers mean nothing.",
            )
        raise FormatError("no_annotations", f"The archive has no annotations in the format {self._format}.")

    def _from_folders(self) -> Parsed:
        sources = self._unread.about_images or self._collection.sources
        rest = self._collection.finish()
        parsed = folder.read(self._files.images, self._written)
        if sources and parsed.labels and self._written is None:
            detail = FOLDERS_IGNORED.format(file=sources[0])
            self._collection.say("folders_ignored", detail, sources[0])
            _forget_labels(parsed)
        remarks = [remark for remark in rest.remarks if remark.code != "splits_incomplete"] + list(parsed.remarks)
        for record in parsed.records:
            record.split = record.split or self._collection.listed_splits.get(record.path)
        if self._damaged or rest.unread:
            remarks += [no_annotations(record.path) for record in parsed.records if not record.marks]
        parsed.remarks, parsed.unread = remarks, rest.unread
        return _with_others(parsed, self._files.others)

    def _guarded(self, path: str, read_file: Callable[[str], None]) -> None:
        """A damaged file is named and the others are read."""
        try:
            read_file(path)
        except FormatError as error:
            self._damaged += 1
            if self._unread.may_be_about_images(path):
                self._unread.about_images.append(path)
            self._collection.give_up(path, error.code, str(error))
        except UNFORESEEN as error:
            self._damaged += 1
            self._unread.about_images.append(path)
            detail = f"The file is not as others of its format are ({type(error).__name__}); it was not read."
            self._collection.give_up(path, "damaged_annotations", detail)

    def _wants(self, group: str) -> bool:
        self._recognised.add(group)
        return self._format in ("auto", group)

    def _text(self, path: str) -> str:
        text, guessed = decode(self._contents.content(path))
        if guessed:
            self._encodings.setdefault(guessed, []).append(path)
        return text

    # One file each

    def _find_numbers(self, path: str) -> None:
        self._unread.find_numbers(path, [line.strip() for line in lines_of(self._text(path)) if line.strip()])

    def _read_label_map(self, path: str) -> None:
        if self._contents.size(path) <= label_maps.MOST_CHARACTERS:
            self._collection.label_maps.add(path, self._text(path))

    def _read_names(self, path: str) -> None:
        if path.lower().endswith((".csv", ".tsv")):
            if not self._wants(table_claims.GROUP):
                return
            if tables.is_classes(path, self._text):
                self._classes = (self._classes or set()) | tables.read_classes(self._collection, path, self._text(path))
            elif "class" in path.rpartition("/")[2].lower():
                is_list = "class-descriptions" in path.rpartition("/")[2].lower()
                self._codes |= tables.class_codes(self._text(path), any_code=is_list)
            return
        if not self._wants(yolo.GROUP):
            return
        if path.lower().endswith(".data"):
            self._yolo.add(yolo.read_data_file(path, self._text(path)))
        elif self._is_label_file(path):
            return  # of an image that is called classes, say
        else:
            self._read_class_names(path)

    def _read_class_names(self, path: str) -> None:
        try:
            names = yolo.read_names(path, self._text(path))
        except FormatError as error:
            self._yolo.damaged[path] = str(error)  # other programs' settings need not be read: said where names lack
            return
        if names is not None:
            self._name_files.add(path)
            self._yolo.add(names)
            if path.rpartition("/")[2].lower() != yolo.EXAMPLE:
                self._collection.label_maps.add_list(path, names.names)

    def _is_label_file(self, path: str) -> bool:
        is_text = path.lower().endswith(".txt") and self._collection.index.has_stem(path)
        return is_text and yolo.is_label_file(lines_of(self._text(path)))

    def _read_json(self, path: str) -> None:
        if (written := self._read_written(path)) is not None:
            self._written = written
            return
        file = JsonFile(self._contents, path)
        if file.encoding:
            self._encodings.setdefault(file.encoding, []).append(path)
        for reader in JSON_READERS:
            if reader.is_it(file):
                if self._wants(reader.GROUP):
                    reader.read(self._collection, file)
                    if path in self._collection.unread:  # such as panoptic COCO
                        self._unread.about_images.append(path)
                return
        index = self._collection.index
        if not is_note(path) and (is_named_after_image(index, path) or gives_labels(index, file)):
            self._unread.add(path, is_about_images=True)
        elif not _is_side_file(file) and not is_note(path):
            self._unread.add(path)

    def _read_written(self, path: str) -> folder.Written | None:
        """Our own list of labels; others call their COCO files so, FiftyOne for one."""
        if path.rpartition("/")[2].lower() != folder.LABELS_FILE or self._contents.size(path) > WHOLE_BYTES:
            return None
        return folder.read_written(path, self._text(path))

    def _read_xml(self, path: str) -> None:
        root = self._root(path)
        if voc.is_it(root):
            if self._wants(voc.GROUP):
                voc.read(self._collection, path, root)
        elif cvat.is_it(root) and not cvat.is_video(root):
            if self._wants(cvat.GROUP):
                cvat.read(self._collection, path, root)
        elif cvat.is_video(root):
            self._unread.add(path, is_about_images=True)
        else:
            self._unread.add(path)

    def _root(self, path: str) -> Element:
        try:
            root = fromstring(self._text(path).lstrip("\ufeff \t\r\n"))
        except DefusedXmlException as error:
            raise FormatError("forbidden_xml", "The XML declares entities or a DTD; it is not read.") from error
        except (ParseError, ValueError, RecursionError) as error:
            raise FormatError("damaged_annotations", f"The XML cannot be read ({error}).") from error
        for element in root.iter():
            if isinstance(element.tag, str):
                element.tag = element.tag.rpartition("}")[2]  # without a namespace
        return root

    def _read_table(self, path: str) -> None:
        if not (self._wants(table_claims.GROUP) or self._wants(via.GROUP)) or tables.is_classes(path, self._text):
            return
        if is_submission(path):
            detail = "This is an example of answers for a competition, with made-up labels; it was left out."
            self._collection.say("example_left_out", detail, path)
            return
        text = self._text(path)
        if self._codes and tables.class_codes(text, any_code="class-descriptions" in path.rpartition("/")[2].lower()):
            return
        if not tables.read(self._collection, path, text, self._codes, self._classes):
            self._unread.add(path, is_about_images=tables.names_images(self._collection, text))

    def _read_lines(self, path: str) -> None:
        """A text is a label file of YOLO, a list of images, or a note."""
        lines = [line.strip(" \t\r") for line in lines_of(self._text(path))]
        rows = [line for line in lines if line]
        base = path.rpartition("/")[2].lower()
        has_image = self._collection.index.has_stem(path)
        if reason := self._unread.reason(path, rows, has_image):
            self._unread.add(path, is_about_images=True, reason=reason)
            return
        is_set = "imagesets" in path.lower().split("/")[:-1]
        split = self._yolo.lists().get(base) or split_of_word(stem(base))
        if is_set:
            if split and self._wants(voc.GROUP):
                voc.read_list(self._collection, path, rows, split)
            elif voc.is_class_list(rows):
                self._class_lists.append(path)
        elif rows and all(map(is_image, rows)):
            for row in rows if split or split_of_filename(path) else ():
                self._collection.put_in_split(path, row, split or split_of_filename(path) or "")
        elif split and rows and self._are_stems(rows):
            for row in rows:
                self._collection.put_in_split(path, row, split, is_stem=True)
        elif self._may_be_labels(rows, has_image) or (not rows and has_image):
            if self._wants(yolo.GROUP) and (has_image or not is_note(path)):
                self._yolo.read(path, lines)
        elif rows and not is_note(path) and self._unread.speaks_of_images(path, rows):
            self._unread.add(path, is_about_images=True)
        elif not is_note(path) and not is_side_name(path):
            self._files.others.append(path)

    def _may_be_labels(self, rows: Sequence[str], has_image: bool) -> bool:
        """Numbers between commas, or below names of images, are of other kinds, where no image is called so."""
        sample = rows[:20]
        return yolo.is_label_file(rows) and (
            has_image or not any("," in row or mentioned(self._collection.index, row) for row in sample)
        )

    def _are_stems(self, rows: Sequence[str]) -> bool:
        sample = rows[:20]
        return sum(self._collection.index.has_stem(row) for row in sample) * 2 > len(sample)


def _forget_labels(parsed: Parsed) -> None:
    records = list(parsed.records)
    for record in records:
        record.marks, record.is_annotated = [], False
    parsed.records, parsed.labels, parsed.holds = records, [], {"boxes": 0, "whole": 0}
    parsed.remarks = [remark for remark in parsed.remarks if remark.code != "folders_joined"]


def _is_side_file(file: JsonFile) -> bool:
    """Lists of labels and the like, which say nothing about an image: only plain values, or lists of them."""
    if not file.is_whole:
        return False
    values = list(file.items()) if file.is_list else [value for _, value in file.pairs()]
    flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
    return not any(isinstance(item, (dict, list)) for item in flat)


def _with_others(parsed: Parsed, others: list[str]) -> Parsed:
    """Files that are neither images nor annotations get a record, so that they are refused with a reason."""
    images = parsed.records

    def records() -> Iterator[Record]:
        yield from images
        for name in others:
            yield Record(name)

    parsed.records, parsed.count = records(), parsed.count + len(others)
    return parsed
