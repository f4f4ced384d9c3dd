"""From the files of an archive to what they say: each annotation file is recognised and read by itself."""

from __future__ import annotations

import math
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
    TEXT_SUFFIXES,
    UNKNOWN_BYTES,
    Contents,
    FormatError,
    Parsed,
    Record,
    folder_of,
    folders_around,
    is_image,
    split_of_filename,
    split_of_word,
    stem,
)
from vision.formats.collection import Collection
from vision.formats.documents import WHOLE_BYTES, JsonFile
from vision.formats.encodings import decode, lines_of
from vision.formats.files import PACKED_ENDINGS, Files, is_note, is_side_name
from vision.formats.mentions import gives_labels, is_named_after_image, mentioned, names_most
from vision.formats.remarks import no_annotations
from vision.formats.shapes import number
from vision.formats.side_tables import is_submission
from vision.words import counted

# Formats with one file for many images, which an archive of theirs has whatever is annotated.
WHOLE_FILES = ("coco", "csv", "createml", "label_studio", "via", "cvat", "datumaro")
# In this order: the more telling signs first.
JSON_READERS = (coco, datumaro, labelme, label_studio, createml, via)
FORMATS = ("folder", "coco", "voc", "yolo", "csv", "createml", "label_studio", "labelme", "via", "cvat", "datumaro")
READ = (
    "Read are COCO, Pascal VOC, YOLO, CSV (keras-retinanet, TensorFlow, Open Images, labels of whole images), "
    "CreateML, Label Studio, LabelMe, VIA, CVAT for images and Datumaro."
)
FOLDERS_IGNORED = (
    "{file} speaks of images and was not understood, or of none that is here, so the names of folders were not taken "
    "as labels: the images stay unlabelled. If the folders are the labels, import the archive again with "
    "format=folder; if {file} has the labels, write them in a format that is read."
)
SHOWN_UNREAD = 100
SAMPLE_BYTES = 100_000
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

    def __init__(self, contents: Contents, files: Files, wanted: str) -> None:
        self._contents = contents
        self._files = files
        self._wanted = wanted
        self._collection = Collection(contents, files.images)
        self._yolo = yolo.YoloFiles(self._collection)
        self._written: folder.Written | None = None
        self._codes: dict[str, str] = {}
        self._classes: set[str] | None = None
        self._damaged = 0
        self._name_files: set[str] = set()
        self._recognised: set[str] = set()
        self._encodings: dict[str, list[str]] = {}
        self._class_lists: list[str] = []
        self._numbered: dict[str, str] = {}  # folder → the list in it that gives images numbers
        self._reasons: dict[str, str] = {}  # why a file is not read, where that is known
        self._about_images: list[str] = []  # files that are not read and speak of images

    def read_all(self) -> None:
        """Files that others need first: class names before labels."""
        texts = self._files.texts
        for name in self._files.label_maps:
            self._guarded(name, self._read_label_map)
        unknown = self._files.unknown[:MOST_UNKNOWN]
        for name in texts:
            if name.rpartition("/")[2].lower() == not_read.IMAGES:
                self._guarded(name, self._find_numbers)
        first = [name for name in texts if yolo.is_names_file(name) or name.lower().endswith((".data", ".csv", ".tsv"))]
        for name in first:
            self._guarded(name, self._read_names)
        for name in texts:
            ending = self._files.endings.get(name) or PurePosixPath(name).suffix.lower()
            readers: dict[str, Callable[[str], None]] = {
                ".json": self._read_json,
                ".xml": self._read_xml,
                ".csv": self._read_table,
                ".tsv": self._read_table,
                ".txt": self._read_lines,
                ".jsonl": self._say_unread,
                ".ndjson": self._say_unread,
                ".manifest": self._say_unread,
            }
            if ending in readers and not (ending == ".txt" and name in self._name_files):
                self._guarded(name, readers[ending])
        if not self._collection.has_claims:
            for name in self._class_lists:
                self._say_unread_about_images(name)
        for name in self._files.binary:
            self._say_unread_about_images(name)
            self._files.others.remove(name)
        for name in unknown:
            if self._is_text_about_images(name):
                self._say_unread_about_images(name)
                self._files.others.remove(name)
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
        self._say_unread_files()
        is_read = collection.has_images
        lacks_names = self._wanted == yolo.GROUP and not self._yolo.has_names
        if lacks_names or (self._wanted in WHOLE_FILES and self._wanted not in self._recognised):
            self._refuse()
        if not is_read:
            return self._from_folders()
        parsed = collection.finish()
        return _with_others(parsed, self._files.others)

    def _refuse(self) -> None:
        """The format that the user names is not here."""
        if self._wanted == "yolo" and not self._yolo.has_names:
            raise FormatError(
                "no_class_names",
                "The archive has no data.yaml with names and no classes.txt, so class numbers mean nothing.",
            )
        raise FormatError("no_annotations", f"The archive has no annotations in the format {self._wanted}.")

    def _from_folders(self) -> Parsed:
        sources = self._about_images or self._collection.sources
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

    def _guarded(self, name: str, read_file: Callable[[str], None]) -> None:
        """A damaged file is named and the others are read."""
        try:
            read_file(name)
        except FormatError as error:
            self._damaged += 1
            if self._may_be_about_images(name):
                self._about_images.append(name)
            self._collection.give_up(name, error.code, str(error))
        except UNFORESEEN as error:
            self._damaged += 1
            self._about_images.append(name)
            detail = f"The file is not as others of its format are ({type(error).__name__}); it was not read."
            self._collection.give_up(name, "damaged_annotations", detail)

    def _wants(self, group: str) -> bool:
        self._recognised.add(group)
        return self._wanted in ("auto", group)

    def _text(self, name: str) -> str:
        text, guessed = decode(self._contents.content(name))
        if guessed:
            self._encodings.setdefault(guessed, []).append(name)
        return text

    # One file each

    def _read_label_map(self, name: str) -> None:
        if self._contents.size(name) <= label_maps.MOST_CHARACTERS:
            self._collection.label_maps.add(name, self._text(name))

    def _read_names(self, name: str) -> None:
        if name.lower().endswith((".csv", ".tsv")):
            if not self._wants(table_claims.GROUP):
                return
            if tables.is_classes(name, self._text):
                self._classes = (self._classes or set()) | tables.read_classes(self._collection, name, self._text(name))
            elif "class" in name.rpartition("/")[2].lower():
                is_list = "class-descriptions" in name.rpartition("/")[2].lower()
                self._codes |= tables.class_codes(self._text(name), any_code=is_list)
            return
        if not self._wants(yolo.GROUP):
            return
        if name.lower().endswith(".data"):
            self._yolo.add(yolo.read_data_file(name, self._text(name)))
        elif self._is_label_file(name):
            return  # of an image that is called classes, say
        else:
            self._read_class_names(name)

    def _read_class_names(self, name: str) -> None:
        try:
            names = yolo.read_names(name, self._text(name))
        except FormatError as error:
            self._yolo.damaged[name] = str(error)  # other programs' settings need not be read: said where names lack
            return
        if names is not None:
            self._name_files.add(name)
            self._yolo.add(names)
            if name.rpartition("/")[2].lower() != yolo.EXAMPLE:
                self._collection.label_maps.add_list(name, names.names)

    def _is_label_file(self, name: str) -> bool:
        is_text = name.lower().endswith(".txt") and self._collection.index.has_stem(name)
        return is_text and yolo.is_label_file(lines_of(self._text(name)))

    def _read_json(self, name: str) -> None:
        if (written := self._read_written(name)) is not None:
            self._written = written
            return
        file = JsonFile(self._contents, name)
        if file.encoding:
            self._encodings.setdefault(file.encoding, []).append(name)
        for reader in JSON_READERS:
            if reader.is_it(file):
                if self._wants(reader.GROUP):
                    reader.read(self._collection, file)
                    if name in self._collection.unread:  # such as panoptic COCO
                        self._about_images.append(name)
                return
        index = self._collection.index
        if not is_note(name) and (is_named_after_image(index, name) or gives_labels(index, file)):
            self._say_unread_about_images(name)
        elif not _is_side_file(file) and not is_note(name):
            self._say_unread(name)

    def _read_written(self, name: str) -> folder.Written | None:
        """Our own list of labels; others call their COCO files so, FiftyOne for one."""
        is_one = name.rpartition("/")[2].lower() == folder.LABELS_FILE and self._contents.size(name) <= WHOLE_BYTES
        return folder.read_written(name, self._text(name)) if is_one else None

    def _read_xml(self, name: str) -> None:
        root = self._root(name)
        if voc.is_it(root):
            if self._wants(voc.GROUP):
                voc.read(self._collection, name, root)
        elif cvat.is_it(root) and not cvat.is_video(root):
            if self._wants(cvat.GROUP):
                cvat.read(self._collection, name, root)
        elif cvat.is_video(root):
            self._say_unread_about_images(name)
        else:
            self._say_unread(name)

    def _root(self, name: str) -> Element:
        try:
            root = fromstring(self._text(name).lstrip("\ufeff \t\r\n"))
        except DefusedXmlException as error:
            raise FormatError("forbidden_xml", "The XML declares entities or a DTD; it is not read.") from error
        except (ParseError, ValueError, RecursionError) as error:
            raise FormatError("damaged_annotations", f"The XML cannot be read ({error}).") from error
        for element in root.iter():
            if isinstance(element.tag, str):
                element.tag = element.tag.rpartition("}")[2]  # without a namespace
        return root

    def _read_table(self, name: str) -> None:
        if not (self._wants(table_claims.GROUP) or self._wants(via.GROUP)) or tables.is_classes(name, self._text):
            return
        if is_submission(name):
            detail = "This is an example of answers for a competition, with made-up labels; it was left out."
            self._collection.say("example_left_out", detail, name)
            return
        text = self._text(name)
        if self._codes and tables.class_codes(text, any_code="class-descriptions" in name.rpartition("/")[2].lower()):
            return
        if not tables.read(self._collection, name, text, self._codes, self._classes):
            if tables.names_images(self._collection, text):
                self._about_images.append(name)
            self._say_unread(name)

    def _read_lines(self, name: str) -> None:
        """A text is a label file of YOLO, a list of images, or a note."""
        lines = [line.strip(" \t\r") for line in lines_of(self._text(name))]
        rows = [line for line in lines if line]
        base = name.rpartition("/")[2].lower()
        has_image = self._collection.index.has_stem(name)
        if reason := self._reason(name, rows, has_image):
            self._reasons[name] = reason
            self._say_unread_about_images(name)
            return
        is_set = "imagesets" in name.lower().split("/")[:-1]
        split = self._yolo.lists().get(base) or split_of_word(stem(base))
        if is_set:
            if split and self._wants(voc.GROUP):
                voc.read_list(self._collection, name, rows, split)
            elif voc.is_class_list(rows):
                self._class_lists.append(name)
        elif rows and all(map(is_image, rows)):
            for row in rows if split or split_of_filename(name) else ():
                self._collection.put_in_split(name, row, split or split_of_filename(name) or "")
        elif split and rows and self._are_stems(rows):
            for row in rows:
                self._collection.put_in_split(name, row, split, is_stem=True)
        elif self._may_be_labels(rows, has_image) or (not rows and has_image):
            if self._wants(yolo.GROUP) and (has_image or not is_note(name)):
                self._yolo.read(name, lines)
        elif rows and not is_note(name) and self._speaks_of_images(name, rows):
            self._say_unread_about_images(name)
        elif not is_note(name) and not is_side_name(name):
            self._files.others.append(name)

    def _find_numbers(self, name: str) -> None:
        rows = [line.strip() for line in lines_of(self._text(name)) if line.strip()]
        if not_read.is_list_by_number(self._collection.index, rows):
            self._numbered[folder_of(name)] = name

    def _reason(self, name: str, rows: Sequence[str], has_image: bool) -> str:
        """What a text is, where its format is known and not read."""
        numbers = next((self._numbered[folder] for folder in folders_around(name) if folder in self._numbered), "")
        if numbers and name != numbers and not has_image and not_read.begin_with_numbers(rows):
            return not_read.BY_NUMBER.format(list=numbers)
        return not_read.reason(rows)

    def _may_be_labels(self, rows: Sequence[str], has_image: bool) -> bool:
        """Numbers between commas, or below names of images, are of other kinds, where no image is called so."""
        sample = rows[:20]
        return yolo.is_label_file(rows) and (
            has_image or not any("," in row or mentioned(self._collection.index, row) for row in sample)
        )

    def _are_stems(self, rows: Sequence[str]) -> bool:
        sample = rows[:20]
        return sum(self._collection.index.has_stem(row) for row in sample) * 2 > len(sample)

    def _speaks_of_images(self, name: str, rows: Sequence[str]) -> bool:
        """Whether a text is named after an image, names images in its lines, or is a table of numbers."""
        sample = rows[:20]
        named = sum(
            self._collection.index.has_stem(row.rpartition(" ")[0].replace('"', "")) for row in sample if " " in row
        )
        index = self._collection.index
        mentions = sum(mentioned(index, row) for row in sample)
        return (
            is_named_after_image(index, name)
            or max(named, mentions) * 2 > len(sample)
            or (mentions > 1 and mentions * 2 == len(sample))  # below a line or two that say what stands there
            or (mentions > 0 and yolo.is_label_file(rows))  # names of images, and boxes below each
            or all(map(_is_numbers, sample))
        )

    def _is_text_about_images(self, name: str) -> bool:
        """Whether a file of an unknown ending is a text that speaks of images, as JSON by lines in `.odgt` does."""
        head = self._contents.head(name, UNKNOWN_BYTES)
        if not head or b"\0" in head:
            return False
        text = decode(head)[0]
        rows = [row for row in lines_of(text) if row.strip()]
        return self._speaks_of_images("", rows) or names_most(self._collection.index, text)

    def _say_unread_about_images(self, name: str) -> None:
        self._about_images.append(name)
        self._say_unread(name)

    def _say_unread(self, name: str) -> None:
        """An annotation file that nobody reads, and whether it speaks of images that are here."""
        self._collection.unread.append(name)
        if not self._about_images and self._may_be_about_images(name):
            self._about_images.append(name)

    def _may_be_about_images(self, name: str) -> bool:
        """Whether a file that was not read speaks of images that are here; of one without content nobody knows."""
        if not (name in self._files.endings or name.lower().endswith(TEXT_SUFFIXES)):
            return False
        index = self._collection.index
        head = self._contents.head(name, SAMPLE_BYTES)
        return not head or is_named_after_image(index, name) or mentioned(index, decode(head)[0])

    def _say_unread_files(self) -> None:
        unread = self._collection.unread
        for name in unread[:SHOWN_UNREAD]:
            detail = f"This annotation file is in a format that is not read. {READ}"
            if name in self._reasons:
                detail = self._reasons[name]
            elif name.lower().endswith(PACKED_ENDINGS):
                detail = (
                    "This file is packed in a way that is not read inside of an archive. Unpack it and import again."
                )
            self._collection.say("unknown_annotations", detail, name)
        if len(unread) > SHOWN_UNREAD:
            more = ("more file is in a format that is", "more files are in formats that are")
            detail = f"{counted(len(unread) - SHOWN_UNREAD, *more)} not read."
            self._collection.say("unknown_annotations", detail, unread[SHOWN_UNREAD])


def _forget_labels(parsed: Parsed) -> None:
    records = list(parsed.records)
    for record in records:
        record.marks, record.is_annotated = [], False
    parsed.records, parsed.labels, parsed.holds = records, [], {"boxes": 0, "whole": 0}
    parsed.remarks = [remark for remark in parsed.remarks if remark.code != "folders_joined"]


def _is_numbers(row: str) -> bool:
    """Five or more numbers, and nothing else."""
    values = row.replace(",", " ").split()
    return len(values) >= 5 and all(math.isfinite(number(value)) for value in values)


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
