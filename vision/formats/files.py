"""The files of an archive by what they are: images, masks of images, texts, notes, and what nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vision.formats import label_maps
from vision.formats.base import Contents, begins_an_image, ending_by_content, ending_of, is_image, is_text, stem
from vision.formats.names import ANNOTATION_FOLDERS, IMAGE_FOLDERS

MASK_FOLDERS = {
    "segmentationclass",
    "segmentationobject",
    "segmentationclassaug",
    "masks",
    "mask",
    "ground_truth",
    "groundtruth",
    "trimaps",
    "gtfine",
    "gtcoarse",
}
# What some tools call masks beside their images.
MASK_ENDINGS = ("_mask", "-mask", "_seg", "_segmentation")
# What folders of masks have behind the name of the folder of their images, and masks there behind that of the image.
BESIDE_FOLDERS = ("_masks", "_mask", "_labels", "_annotations", "_gt", "-masks")
BESIDE_ENDINGS = (*MASK_ENDINGS, "_l", "_gt", "_label")
# Cityscapes: `x_gtFine_labelIds.png` of `x_leftImg8bit.png`.
CITYSCAPES = re.compile(r"(.+)_gt(?:fine|coarse)_[a-z]+", re.IGNORECASE)
MASK_SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".gif")
# Lists of labels and of sizes, which say nothing about an image that is not said elsewhere.
SIDE_FILES = {"labelmap.txt", "label_colors.txt", "labels.txt", "synsets.txt", "images.meta", "batches.meta"}
# Annotations in files that are no text.
BINARY_ENDINGS = (".tfrecord", ".tfrecords", ".record", ".datum", ".arrow", ".parquet", ".mat", ".pkl", ".npz",
                  ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers", ".h5", ".hdf5", ".pickle", ".feather",
                  ".avro", ".orc", ".sqlite", ".sqlite3", ".rec", ".tfrec")  # fmt: skip
# What is packed in ways that are not read inside of an archive, annotations perhaps.
PACKED_ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz", ".zip")
NOTES = ("readme", "license", "licence", "notes", "citation", "changelog", "copying", "attribution", "requirements")
NOTE_ENDINGS = (".md", ".rst", ".html", ".htm", ".pdf", ".css", ".js", ".py", ".sh", ".ipynb", ".log", ".ini", ".cfg",
                ".cache", ".pbtxt", ".lock", ".bib", ".docx", ".db")  # fmt: skip


class Files:
    """The files of an archive by what they are."""

    def __init__(self, contents: Contents) -> None:
        self.images: list[str] = []
        self.texts: list[str] = []
        self.others: list[str] = []
        self.label_maps: list[str] = []
        self.endings: dict[str, str] = {}  # of texts whose names have none
        for name in contents.names:
            if is_image(name):
                self.images.append(name)
            elif is_text(name):
                self.texts.append(name)
            elif name.lower().endswith(label_maps.ENDING):
                self.label_maps.append(name)
            elif not ending_of(name) or not name.lower().endswith(NOTE_ENDINGS):
                self._add_by_content(name, contents.head(name))
        self.others = [name for name in self.others if not is_note(name) and not is_side_name(name)]
        self.binary = [name for name in self.others if name.lower().endswith((*BINARY_ENDINGS, *PACKED_ENDINGS))]
        binary = set(self.binary)
        self.unknown = [name for name in self.others if name not in binary]
        self.masks = self._take_out_masks()

    def _add_by_content(self, name: str, head: bytes) -> None:
        if begins_an_image(head):
            self.images.append(name)
        elif not is_note(name) and (ending := ending_by_content(name, head)):
            self.texts.append(name)
            self.endings[name] = ending
        else:
            self.others.append(name)

    def _take_out_masks(self) -> dict[str, int]:
        """Masks are no images of the dataset: folder → how many of them have an image of their name elsewhere."""
        masks: dict[str, int] = {}
        if not may_have_masks(self.images):
            return masks
        names = {stem(image) for image in self.images if not _is_mask(image)}
        paths = {_without_ending(image) for image in self.images}
        kept = []
        for image in self.images:
            is_mask = _is_mask(image) and _of_masked(image) in names
            is_beside = _is_beside_image(image, paths) or _is_beside_folder(image, paths)
            if is_mask or is_beside or _is_called_mask_of(image, paths):
                place = image.rpartition("/")[0]
                masks[place] = masks.get(place, 0) + 1
            else:
                kept.append(image)
        self.images = kept
        return masks


def may_have_masks(images: Iterable[str]) -> bool:
    """Whether the name of an image, or of a folder, is one that masks have."""
    return any(
        _is_mask(image) or _may_be_mask(image) or _is_called_mask(image) or _may_be_beside_folder(image)
        for image in images
    )


def _is_mask(image: str) -> bool:
    return any(part.lower() in MASK_FOLDERS for part in image.split("/")[:-1])


def _may_be_mask(image: str) -> bool:
    """Whether an image without loss lies in a folder for annotations."""
    folders = image.lower().split("/")[:-1]
    return image.lower().endswith(MASK_SUFFIXES) and any(part in ANNOTATION_FOLDERS for part in folders)


def _is_beside_image(image: str, paths: set[str]) -> bool:
    """Whether it is `labels/train/a.png` of `images/train/a.jpg`."""
    if not _may_be_mask(image):
        return False
    *folders, _ = image.lower().split("/")
    name = _of_masked(image).lower()
    return any(
        "/".join([*folders[:position], beside.lower(), *folders[position + 1 :], name]) in paths
        for position, part in enumerate(folders)
        if part in ANNOTATION_FOLDERS
        for beside in IMAGE_FOLDERS
    )


def _may_be_beside_folder(image: str) -> bool:
    folders = image.lower().split("/")[:-1]
    return image.lower().endswith(MASK_SUFFIXES) and any(part.endswith(BESIDE_FOLDERS) for part in folders)


def _is_beside_folder(image: str, paths: set[str]) -> bool:
    """Whether it is `train_masks/a_mask.png` of `train/a.jpg`."""
    if not _may_be_beside_folder(image):
        return False
    *folders, _ = image.lower().split("/")
    name = stem(image).lower()
    names = {name, *(name.removesuffix(ending) for ending in BESIDE_ENDINGS)}
    return any(
        "/".join([*folders[:position], part.removesuffix(ending), *folders[position + 1 :], beside]) in paths
        for position, part in enumerate(folders)
        for ending in BESIDE_FOLDERS
        if part.endswith(ending)
        for beside in names
    )


def _is_called_mask(image: str) -> bool:
    return image.lower().endswith(MASK_SUFFIXES) and stem(image).lower().endswith(MASK_ENDINGS)


def _is_called_mask_of(image: str, paths: set[str]) -> bool:
    """Whether it is `a_mask.png` of `a.jpg` in the same folder."""
    if not _is_called_mask(image):
        return False
    folder, slash, _ = image.rpartition("/")
    return f"{folder}{slash}{_of_masked(image)}".lower() in paths


def _without_ending(path: str) -> str:
    return path.lower().removesuffix(ending_of(path).lower())


def _of_masked(mask: str) -> str:
    """The name of the image that a mask belongs to, without its ending."""
    name = stem(mask)
    if named := CITYSCAPES.fullmatch(name):
        return f"{named.group(1)}_leftImg8bit"
    ending = next((ending for ending in MASK_ENDINGS if name.lower().endswith(ending)), "")
    return name.removesuffix(name[len(name) - len(ending) :]) if ending else name


def is_note(name: str) -> bool:
    return name.rpartition("/")[2].lower().lstrip("_-. ").startswith(NOTES)


def is_side_name(name: str) -> bool:
    return name.rpartition("/")[2].lower() in SIDE_FILES
