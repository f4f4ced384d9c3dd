"""Which image of an archive an annotation file means.

The exact path comes first, then the same path in another form, then the end of the path. The bare name counts only
where nothing contradicts it: the annotation names no folder, or one image alone can be meant and nothing else is about
it. What could mean several images means none of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from vision.formats.base import ending_of, folder_of, is_image, split_of_path

# Folders of annotation files and of the images beside them, as tools name them.
ANNOTATION_FOLDERS = {
    "labels",
    "label",
    "annotations",
    "annotation",
    "ann",
    "anns",
    "xml",
    "xmls",
    "json",
    "jsons",
    "txt",
}
IMAGE_FOLDERS = ("images", "image", "JPEGImages", "img", "imgs")
# How alike two paths are: the same, in another Unicode form or encoding, but for case, but for the ending.
SAME, OTHER_FORM, OTHER_CASE, OTHER_ENDING = 4, 3, 2, 1
# Where a path leads: to the image, to the end of the image's path, to an image of that name in another folder.
PLACE, TAIL, NAME = 3, 2, 0
RANKS = {
    (PLACE, SAME): 12,
    (PLACE, OTHER_FORM): 11,
    (PLACE, OTHER_CASE): 10,
    (TAIL, SAME): 9,
    (TAIL, OTHER_FORM): 8,
    (TAIL, OTHER_CASE): 7,
    (PLACE, OTHER_ENDING): 6,
    (TAIL, OTHER_ENDING): 5,
    (NAME, SAME): 4,
    (NAME, OTHER_FORM): 3,
    (NAME, OTHER_CASE): 2,
    (NAME, OTHER_ENDING): 1,
}
# What Label Studio puts before the name of an uploaded file, and before that of one that it fetched.
UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}(?:-|__)(?=.)")
ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
CERTAIN = RANKS[PLACE, OTHER_FORM]  # from here on the path itself says which image it is
BY_NAME = RANKS[NAME, SAME]  # up to here only the name does


@dataclass(frozen=True, slots=True)
class Match:
    """The image that is meant, and how sure that is; `image` is None when there is none, or more than one."""

    image: str | None = None
    rank: int = 0
    is_ambiguous: bool = False


NONE = Match()


class ImageIndex:
    """The images of an archive by their names.

    Args:
        images: paths in composed Unicode with forward slashes.
    """

    def __init__(self, images: Sequence[str]) -> None:
        self.images = images
        self._by_stem: dict[str, str | list[str]] = {}
        for image in images:
            key = _key(_stem(image.rpartition("/")[2]))
            known = self._by_stem.get(key)
            if known is None:
                self._by_stem[key] = image
            elif isinstance(known, str):
                self._by_stem[key] = [known, image]
            else:
                known.append(image)

    def by_path(self, path: str, folder: str = ".", split: str | None = None) -> Match:
        """The image at `path` as an annotation file in `folder` writes it.

        Args:
            split: which split the annotation file speaks of, which decides between equals.
        """
        path = clean_path(path)
        name = path.rpartition("/")[2]
        candidates = dict.fromkeys((*self._named(_stem(name)), *self._named(name)))
        match = self._best(candidates, lambda image: _rank_of_path(path, folder, image), folder, split)
        return match if match is not NONE else self._uploaded(name, folder, split)

    def by_stem(self, annotations: str, split: str | None = None, filename: str = "") -> Match:
        """The image that the file `annotations` is named after.

        Args:
            filename: the image's name as the file gives it: it decides between images that differ in their ending.
        """
        stem = annotations.rpartition("/")[2]
        candidates: Iterable[str] = dict.fromkeys((*self._named(_stem(stem)), *self._named(_inner_stem(stem))))
        folder = folder_of(annotations)
        match = self._best(candidates, lambda image: _rank_of_stem(annotations, image), folder, split)
        if match.is_ambiguous and filename:
            base = clean_path(filename).rpartition("/")[2]
            named = [image for image in candidates if image.rpartition("/")[2] == base]
            return self._best(named, lambda image: _rank_of_stem(annotations, image), folder, split)
        return match if match is not NONE else self._uploaded(stem, folder, split)

    def _uploaded(self, name: str, folder: str, split: str | None) -> Match:
        """The image that was uploaded under a name of which only the end is its own; spaces are underscores there."""
        rank = RANKS[NAME, OTHER_ENDING]  # whatever fits better has it
        for uploaded in _uploaded_names(name):
            if candidates := self._named(_stem(uploaded)):
                return self._best(candidates, lambda image: (rank, 0), folder, split)
        return NONE

    def has_stem(self, name: str) -> bool:
        """Whether an image anywhere has this name, whatever its ending."""
        base = name.rpartition("/")[2]
        names = (_stem(base), base, _inner_stem(base), *map(_stem, _uploaded_names(base)))
        return any(map(self._named, names))

    def _named(self, stem: str) -> Sequence[str]:
        images = self._by_stem.get(_key(stem), ())
        return (images,) if isinstance(images, str) else images

    def _best(
        self,
        candidates: Iterable[str],
        rank_of: Callable[[str], tuple[int, int] | None],
        folder: str,
        split: str | None,
    ) -> Match:
        ranked: dict[tuple[int, int], list[str]] = {}
        for image in candidates:
            if rank := rank_of(image):
                ranked.setdefault(rank, []).append(image)
        if not ranked:
            return NONE
        best = max(ranked)
        chosen = _the_one(ranked[best], folder, split)
        return Match(chosen, best[0], is_ambiguous=chosen is None)


def _uploaded_names(name: str) -> tuple[str, ...]:
    if not UPLOAD_PREFIX.match(name):
        return ()
    own = UPLOAD_PREFIX.sub("", name)
    return own, own.replace("_", " ")


def clean_path(path: str) -> str:
    """A path as archives have them: forward slashes, no drive, no scheme, no `.` and `..`."""
    path = unicodedata.normalize("NFC", path.strip()).replace("\\", "/")
    if ADDRESS.match(path):  # what is behind the path of an address says who may read it
        path = path.partition("?")[0].partition("#")[0]
    return "/".join(_walked(path.split("/")))


def _walked(parts: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for part in parts:
        if part == "..":
            del kept[-1:]
        elif part not in ("", ".") and not (len(part) == 2 and part[1] == ":"):
            kept.append(part)
    return kept


def _rank_of_path(path: str, folder: str, image: str) -> tuple[int, int] | None:
    """How well a path fits an image: a rank, and how near to the annotation file the path had to be taken from."""
    best: tuple[int, int] | None = None
    bases = list(_bases(folder))
    for distance, base in enumerate(bases):
        if form := _likeness(f"{base}/{path}" if base else path, image):
            best = max(best or (0, 0), (RANKS[PLACE, form], -distance))
    if best is not None and best[0] >= RANKS[PLACE, OTHER_CASE]:
        return best
    said, own = path.split("/"), image.split("/")
    shared = min(len(said), len(own))
    for level, count in ((TAIL, shared), (NAME, 1)):
        if form := _likeness("/".join(said[-count:]), "/".join(own[-count:])):
            return max(best or (0, 0), (RANKS[level, form], 0))
    return best


def _rank_of_stem(annotations: str, image: str) -> tuple[int, int] | None:
    said = _stem(annotations)
    own = _stem(image)
    for distance, place in enumerate(_places_beside(said)):
        if (form := _likeness(place, own)) > OTHER_ENDING:
            return RANKS[PLACE, form], -distance
        if annotations.rpartition("/")[2] and (form := _likeness(place, image)) > OTHER_ENDING:
            return RANKS[PLACE, form], -distance  # `a.jpg.txt` for `a.jpg`
    splits = split_of_path(annotations), split_of_path(image)
    if None not in splits and splits[0] != splits[1]:
        return None  # `valid/labels/1.txt` is of another image than `train/images/1.jpg`
    form = _likeness(said.rpartition("/")[2], own.rpartition("/")[2])
    if form <= OTHER_ENDING:
        form = _likeness(said.rpartition("/")[2], image.rpartition("/")[2])
    return (RANKS[NAME, form], 0) if form > OTHER_ENDING else None


def _places_beside(path: str) -> Iterator[str]:
    """Where the image of an annotation file lies: beside it, or in the folder of images beside its folder."""
    yield path
    parts = path.split("/")
    for position in range(len(parts) - 2, -1, -1):
        if parts[position].lower() in ANNOTATION_FOLDERS:
            rest = parts[position + 1 :]
            for name in IMAGE_FOLDERS:
                yield "/".join([*parts[:position], name, *rest])
            yield "/".join([*parts[:position], *rest])


def _bases(folder: str) -> Iterator[str]:
    """The folder of the annotation file and those around it, up to the top of the archive."""
    parts = [] if folder in ("", ".") else folder.split("/")
    for count in range(len(parts), -1, -1):
        yield "/".join(parts[:count])


def _the_one(images: Sequence[str], folder: str, split: str | None) -> str | None:
    """The only one; of several the one in the split that is meant; else the only one that is nearest."""
    if len(images) == 1:
        return images[0]
    if split is not None:
        inside = [image for image in images if split_of_path(image) == split]
        if len(inside) == 1:
            return inside[0]
    own = folder.split("/")
    shared = [_shared(own, image.split("/")) for image in images]
    most = max(shared)
    return images[shared.index(most)] if most > 0 and shared.count(most) == 1 else None


def _shared(mine: Sequence[str], others: Sequence[str]) -> int:
    count = 0
    for folder, other_folder in zip(mine, others, strict=False):
        if folder != other_folder:
            break
        count += 1
    return count


def _likeness(name: str, other_name: str) -> int:
    if name == other_name:
        return SAME
    name, other_name = _plain(name), _plain(other_name)
    if name == other_name:
        return OTHER_FORM
    name, other_name = name.casefold(), other_name.casefold()
    if name == other_name:
        return OTHER_CASE
    return OTHER_ENDING if _stem(name) == _stem(other_name) else 0


def _plain(path: str) -> str:
    if path.isascii() and "%" not in path:
        return path
    return unicodedata.normalize("NFC", unquote(path))


def _stem(path: str) -> str:
    ending = ending_of(path)
    return path[: -len(ending)] if ending else path


def _inner_stem(name: str) -> str:
    """`a` of `a.jpg.txt`, which some tools write for `a.jpg`; else the name."""
    inner = _stem(name)
    return _stem(inner) if is_image(inner) else name


@lru_cache(maxsize=4096)
def _key(stem: str) -> str:
    return _plain(stem).casefold()
