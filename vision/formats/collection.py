"""What all annotation files of an archive say together: each image is found, what is said of it is joined.

The rules that every reader follows (`docs/imports.md` tells users the same):

1. An annotation that cannot be used leaves its image not annotated, never empty, and is named with file, line, reason.
2. Images are found as `vision.formats.names` says; what is ambiguous is reported, not decided by position.
3. All annotation files are joined; boxes that several files have are taken once.
4. Values count by their meaning: `"1"`, `1` and `1.0` are the same class.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from vision.formats.base import (
    NO_SPLIT_FOLDERS,
    Contents,
    ImportWarning,
    Parsed,
    ParsedAnnotation,
    Record,
    folder_of,
    split_of_word,
    splits_of_paths,
)
from vision.formats.boxes import MAX_LABEL, clean_label
from vision.formats.claims import FIELDS, FRACTIONS, PIXELS, WHOLE, Claim
from vision.formats.class_numbers import ClassNumbers
from vision.formats.fractions import Span, take_out_fractions
from vision.formats.label_maps import LabelMaps
from vision.formats.matching import ClaimMatcher
from vision.formats.names import NONE, ImageIndex
from vision.formats.remarks import RemarkLog, about_splits, no_annotations
from vision.formats.shapes import number

# Where several files speak of one image, which of them these are is said once for each pair, not for each image.
JOINED = "{count} have annotations in {first} and in {second}: they were joined, equal ones were taken once."

Edges = tuple[float, float, float, float]


class Collection:
    """Gathers what readers find in the files of an archive.

    Args:
        images: the paths of all images.
    """

    def __init__(self, contents: Contents, images: Sequence[str]) -> None:
        self.contents = contents
        self.index = ImageIndex(images)
        self.unread: list[str] = []
        self.class_numbers = ClassNumbers()
        self.label_maps = LabelMaps()
        self._labels: dict[str, int] = {}
        self._declared: dict[str, None] = {}
        self._used: set[str] = set()
        self._whole: set[int] = set()  # ids of labels that files give images with labels of whole images
        self._groups: dict[str, list[Claim]] = defaultdict(list)
        self._lists: list[tuple[str, str, str, bool]] = []
        self._remarks = RemarkLog()
        self._matcher = ClaimMatcher(self.index, self._remarks)
        self.listed_splits: dict[str, str] = {}

    # What readers call

    def declare(self, labels: Iterable[object]) -> None:
        """Labels that a file lists, in its order, whether or not anything has them."""
        self._declared.update(dict.fromkeys(name for name in map(clean_label, map(str, labels)) if name))

    def claim(
        self,
        group: str,
        source: str,
        *names: str,
        filename: str = "",
        number: int = 0,
        split: str | None = None,
        size: tuple[int, int] | None = None,
        is_annotated: bool = True,
    ) -> Claim:
        """Say that `source` speaks of the image `names`, or of the one that it is named after.

        Args:
            group: the format. What is said about pixels or fractions holds for all files of a format.
        """
        claim = Claim(source, names, filename, number, split, size, is_annotated)
        self._groups[group].append(claim)
        return claim

    def add(
        self, claim: Claim, label: object, edges: Sequence[float] | None, number: int, kind: float = PIXELS
    ) -> None:
        """Put an annotation on an image: `edges` are `(x_min, y_min, x_max, y_max)`, or None for the whole image."""
        name = clean_label(str(label))
        if name is None:
            detail = f"The label {str(label)[:40]!r} is empty or longer than {MAX_LABEL} characters; it was left out."
            self.leave_out(claim, "bad_label", detail, number)
            return
        self._used.add(name)
        if edges is None:
            claim.marks.extend((self._id(name), WHOLE, number, 0, 0, 0, 0))
            return
        x_min, y_min, x_max, y_max = edges
        if x_min > x_max or y_min > y_max:
            self.say("corners_swapped", "The corners of the box are swapped; they were put in order.", claim, number)
            x_min, x_max, y_min, y_max = min(x_min, x_max), max(x_min, x_max), min(y_min, y_max), max(y_min, y_max)
        claim.marks.extend((self._id(name), kind, number, x_min, y_min, x_max, y_max))

    def named(self, claim: Claim, label: str, position: int, *, with_lists: bool = False) -> str:
        """A label as the archive's list of classes calls it, where it is a number; nothing of one that was left out.

        Args:
            with_lists: whether lists count that are made for other formats.
        """
        classes = self.label_maps.of(claim.source, with_lists=with_lists)
        if classes is None:
            return label
        name, reason = classes.meaning(label)
        if classes.numbers and (reason or name != label):
            self.class_numbers.use(classes.source, classes.source, classes.numbers, int(number(label)), claim)
        if reason:
            self.leave_out(claim, "unknown_label", f"Line or object {position}: {reason}; it was left out.", position)
        return name

    def leave_out(self, claim: Claim, code: str, detail: str, number: int = 0) -> None:
        """An annotation that cannot be used: its image stays open for a better file."""
        claim.left_out += 1
        self.say(code, detail, claim, number)

    def ignore(self, claim: Claim, code: str, detail: str, number: int = 0) -> None:
        """An annotation of something that is there and is not learnt, such as a crowd."""
        claim.ignored += 1
        self.say(code, detail, claim, number)

    def say_outline(self, claim: Claim, what: str, number: int) -> None:
        """That a box is the one around another shape: once for an image, however many it has."""
        if not claim.has_outline:
            claim.has_outline = True
            self.say("outline_as_box", f"{what}: the box around it was taken, as for all of this image.", claim, number)

    def say(self, code: str, detail: str, about: Claim | str, number: int = 0) -> None:
        """A remark about an image, or about the annotation file `about`."""
        if isinstance(about, str):
            self._remarks.add(ImportWarning(about, code, detail, about, number))
        else:
            image = about.names[0] if about.names else about.source
            self._remarks.add(ImportWarning(image, code, detail, about.source, number))

    def give_up(self, source: str, code: str, detail: str) -> None:
        """A file that could not be read to its end: what it has said of images so far is not all."""
        for claims in self._groups.values():
            for claim in claims:
                claim.left_out += claim.source == source
        self.say(code, detail, source)

    def claims_of(self, group: str) -> Sequence[Claim]:
        """What the files of a format have said so far."""
        return self._groups.get(group, ())

    def leave_out_shifted(self) -> None:
        """Annotations whose class numbers count from another number than their names."""
        for claims, detail in self.class_numbers.shifted():
            if not any(claim.marks for claim in claims):
                continue  # what is beyond the list was said
            for claim in claims:
                del claim.marks[:]
                claim.left_out += 1
            self.say("class_numbers_shifted", detail, claims[0].source)

    def put_in_split(self, source: str, name: str, split: str, *, is_stem: bool = False) -> None:
        """What a list of images or a file of settings says about splits. Names of absent images leave no trace."""
        self._lists.append((source, name, split, is_stem))

    # What comes of it

    @property
    def has_claims(self) -> bool:
        """Whether any file that was read speaks of an image."""
        return any(self._groups.values())

    @property
    def sources(self) -> list[str]:
        """The files that were read and speak of images, the first of each format."""
        return [claims[0].source for claims in self._groups.values() if claims]

    @property
    def has_images(self) -> bool:
        """Whether an image that is here is spoken of, or may be."""
        matches = (self._matcher.match(claim) for claims in self._groups.values() for claim in claims)
        return any(match.image is not None or match.is_ambiguous for match in matches)

    def finish(self) -> Parsed:
        """Find the images and join what is said about each."""
        matched = self._matcher.images_of(self._groups)
        self._groups.clear()
        recognised = self._in_fractions(matched)
        by_image: dict[str, list[tuple[Claim, bool]]] = defaultdict(list)
        counts: Counter[str] = Counter()
        holds = {"boxes": 0, "whole": 0}
        for group, pairs in matched.items():
            counts[group] = len(pairs)
            for claim, image in pairs:
                by_image[image].append((claim, claim.source in recognised or group in recognised))
                whole = sum(kind == WHOLE for kind in claim.marks[1::FIELDS])
                if whole:
                    self._whole.update(map(int, claim.marks[0::FIELDS]))
                holds["whole"] += whole
                holds["boxes"] += len(claim.marks) // FIELDS - whole
        self._say_joined(by_image)
        self._leave_twins_open(by_image)
        splits = self._splits(by_image)
        self._say_unannotated(by_image)
        labels = [name for name in self._declared if name] + [
            name for name in self._labels if name not in self._declared
        ]
        return Parsed(
            self._records(by_image, splits),
            len(self.index.images),
            labels,
            self._remarks,
            counts.most_common(1)[0][0] if any(counts.values()) else "folder",
            self.unread,
            holds,
        )

    def _id(self, name: str) -> int:
        return self._labels.setdefault(name, len(self._labels))

    def _in_fractions(self, matched: dict[str, list[tuple[Claim, str]]]) -> set[str]:
        """Formats in pixels whose boxes all lie between 0 and about 1, and files for many images: these are fractions.

        What looks like a fraction in a file of pixels is left out.
        """
        result = set()
        for group, pairs in matched.items():
            spans: dict[str, Span] = defaultdict(Span)
            for claim, _ in pairs:
                spans[claim.source].add(claim)
            together = Span.of(spans.values())
            if together.is_fractions:
                result.add(group)
                self._say_fractions(pairs[0][0].source, together)
                continue
            for source, span in spans.items():
                if span.is_fractions and span.has_narrow and span.images > 1:
                    result.add(source)
                    self._say_fractions(source, span)
            self._leave_out_mixed([claim for claim, _ in pairs if claim.source not in result], spans)
        return result

    def _say_fractions(self, source: str, span: Span) -> None:
        which = "The only box lies" if span.count == 1 else f"All {span.count:,} boxes lie"
        detail = f"{which} between 0 and {max(1.0, span.largest):.4g}, which was read as fractions of the image's size."
        self._remarks.add(ImportWarning(source, "fractions", detail, source))

    def _leave_out_mixed(self, claims: list[Claim], spans: dict[str, Span]) -> None:
        for claim in claims:
            if spans[claim.source].has_narrow:
                for number in take_out_fractions(claim):
                    detail = (
                        "The box lies between 0 and 1, as fractions of the image do, and others are in pixels: nobody "
                        "knows which of both it is in; it was left out."
                    )
                    self.leave_out(claim, "mixed_units", detail, number)

    def _say_joined(self, by_image: dict[str, list[tuple[Claim, bool]]]) -> None:
        joined: Counter[tuple[str, str]] = Counter()
        for pairs in by_image.values():
            sources = list(dict.fromkeys(claim.source for claim, _ in pairs if claim.marks))
            if len(sources) > 1:
                joined[sources[0], sources[1]] += 1
        for (first, second), count in joined.items():
            images = "1 image" if count == 1 else f"{count:,} images"
            detail = JOINED.format(count=images, first=first, second=second).replace("1 image have", "1 image has")
            self._remarks.add(ImportWarning(second, "joined", detail, second))

    def _leave_twins_open(self, by_image: dict[str, list[tuple[Claim, bool]]]) -> None:
        """Two files of one path, with different content: nobody can know which of them annotations mean."""
        for image in self.contents.ambiguous:
            for claim, _ in by_image.get(image, ()):
                detail = "The archive has two different files of this path, and annotations may mean either."
                self.leave_out(claim, "ambiguous_image", detail)

    def _say_unannotated(self, by_image: dict[str, list[tuple[Claim, bool]]]) -> None:
        for image in self.index.images if by_image else ():
            if image not in by_image:
                self._remarks.add(no_annotations(image))

    def _splits(self, by_image: dict[str, list[tuple[Claim, bool]]]) -> dict[str, str]:
        """What lists, annotation files and folders say, in this order."""
        splits = splits_of_paths(self.index.images)
        for image, pairs in by_image.items():
            if split := next((claim.split for claim, _ in pairs if claim.split), None):
                splits[image] = split
        listed: dict[str, str] = {}
        for source, name, split, is_stem in self._lists:
            if is_stem:
                path = f"{folder_of(source)}/{name}.txt"  # as if a file were named after the image
                match = self.index.by_stem(path) if self.index.has_stem(name) else NONE
            else:
                match = self.index.by_path(name, folder_of(source))
            if match.image is not None:
                listed.setdefault(match.image, split)
        self.listed_splits = listed
        splits |= listed
        self._lists.clear()
        if (detail := about_splits(splits.values(), len(self.index.images))) is not None:
            self._remarks.add(ImportWarning("", "splits_incomplete", detail))
        return splits

    def _records(self, by_image: dict[str, list[tuple[Claim, bool]]], splits: dict[str, str]) -> Iterator[Record]:
        names = list(self._labels)
        by_folder = {names[label].casefold(): names[label] for label in self._whole}
        for image in self.index.images:
            record = Record(image, split=splits.get(image))
            ignored = 0
            for claim, is_fraction in by_image.pop(image, ()):
                record.is_annotated |= claim.is_annotated
                record.left_out += claim.left_out
                ignored += claim.ignored
                record.size = record.size or claim.size
                record.marks += _marks(claim, names, is_fraction)
            record.marks += _mark_of_folder(record, by_folder)
            record.is_annotated &= bool(record.marks) or not (ignored or record.left_out)
            yield record


def _mark_of_folder(record: Record, labels: dict[str, str]) -> list[ParsedAnnotation]:
    """The label that the image's folder is called like, where files say that the image has another."""
    if not record.marks or any(mark.box is not None for mark in record.marks):
        return []
    folder = next((part for part in reversed(record.path.split("/")[:-1]) if not _says_no_label(part)), "")
    label = labels.get(folder.casefold())
    if label is None or any(mark.label.casefold() == folder.casefold() for mark in record.marks):
        return []
    return [ParsedAnnotation(label, source=f"the folder {folder}")]


def _says_no_label(folder: str) -> bool:
    return split_of_word(folder) is not None or folder.lower() in NO_SPLIT_FOLDERS


def _marks(claim: Claim, names: list[str], is_fraction: bool) -> Iterator[ParsedAnnotation]:
    for at in range(0, len(claim.marks), FIELDS):
        label, kind, number, *edges = claim.marks[at : at + FIELDS]
        box = None if kind == WHOLE else (edges[0], edges[1], edges[2], edges[3])
        is_relative = kind == FRACTIONS or (kind == PIXELS and is_fraction)
        yield ParsedAnnotation(names[int(label)], box, is_relative, claim.source, int(number))
