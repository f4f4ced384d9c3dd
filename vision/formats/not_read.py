"""Texts in formats that are known and not read: what they are, and what their users can do."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from vision.formats.base import is_image
from vision.formats.names import ImageIndex
from vision.formats.shapes import number

SAMPLE = 20
EDGES = 8  # of four corners
IMAGES = "images.txt"
NUMBERED = re.compile(r"\d+[ \t]+(\S.*)")
HEADER = re.compile(r"(?:imagesource|gsd)\s*:", re.IGNORECASE)
KITTI_VALUES = (14, 15)
BY_NUMBER = (
    "Its lines begin with the numbers that {list} gives the images, as those of CUB-200 do, which are not read. If the "
    "folders of the images are their labels, import the archive again with format=folder."
)
WIDER_FACE = (
    "This is a list as WIDER FACE has it, with the name of an image, a count, and a box in each line below, which is "
    "not read. Write its boxes as COCO or Pascal VOC; if the folders are the labels, import it with format=folder."
)
DOTA = (
    "Its lines are four corners, a label and a difficulty, as in DOTA, which is not read. Write them as COCO, as "
    "turned boxes of YOLO, or as a table with the columns filename,x1,y1,x2,y2,x3,y3,x4,y4,class."
)
ICDAR = "Its lines are four corners and a text, as in ICDAR, which is not read. Write them as COCO or Pascal VOC."
KITTI = "Its lines are objects as in KITTI, which is not read. Write its boxes as COCO or Pascal VOC."


def reason(rows: Sequence[str]) -> str:
    """What a text is by its first lines; empty when it may be something that is read."""
    sample = [row.split() for row in rows[:SAMPLE] if not HEADER.match(row)]
    if sample and all(map(_is_dota, sample)):
        return DOTA
    if sample and all(map(_is_kitti, sample)):
        return KITTI
    if rows and all(map(_is_icdar, rows[:SAMPLE])):
        return ICDAR
    return WIDER_FACE if _is_wider_face(rows) else ""


def is_list_by_number(index: ImageIndex, rows: Sequence[str]) -> bool:
    """Whether lines are a number and an image that is here: `1 001.Albatross/a.jpg`."""
    matches = [NUMBERED.fullmatch(row) for row in rows[:SAMPLE]]
    names = [match.group(1) for match in matches if match is not None]
    return bool(names) and len(names) == len(matches) and any(map(index.has_stem, names))


def begin_with_numbers(rows: Sequence[str]) -> bool:
    """Whether lines are a whole number and something else."""
    return bool(rows) and all(NUMBERED.fullmatch(row) for row in rows[:SAMPLE])


def _is_dota(cells: Sequence[str]) -> bool:
    return len(cells) in (9, 10) and all(map(_is_number, cells[:EDGES])) and not _is_number(cells[EDGES])


def _is_icdar(row: str) -> bool:
    cells = row.lstrip("\ufeff").split(",")
    return len(cells) > EDGES and all(map(_is_number, cells[:EDGES])) and not _is_number(cells[EDGES])


def _is_kitti(cells: Sequence[str]) -> bool:
    return len(cells) - 1 in KITTI_VALUES and not _is_number(cells[0]) and all(map(_is_number, cells[1:]))


def _is_wider_face(rows: Sequence[str]) -> bool:
    if len(rows) < 3 or not is_image(rows[0]) or not rows[1].isdecimal():
        return False
    values = rows[2].split()
    return len(values) >= 4 and all(map(_is_number, values))


def _is_number(cell: str) -> bool:
    return math.isfinite(number(cell))
