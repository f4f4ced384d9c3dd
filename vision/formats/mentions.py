"""Whether a text that nobody reads speaks of images that are here: then the names of their folders are no labels."""

from __future__ import annotations

import re
from itertools import islice

from vision.formats.base import IMAGE_SUFFIXES, ending_of, is_image
from vision.formats.documents import JsonFile
from vision.formats.names import ImageIndex

MOST_NAMES = 1000
SAMPLE = 50
STRING = re.compile(r'"([^"\n]{1,200})"')
_ENDING = rf"(?:{'|'.join(suffix[1:] for suffix in IMAGE_SUFFIXES)})(?![A-Za-z0-9])"
# A word that ends as images do, or all that stands between quotes.
WORD = re.compile(rf"[^\s\"'<>|,;=()\[\]{{}}/\\]{{1,200}}\.{_ENDING}", re.IGNORECASE)
QUOTED = re.compile(rf"[\"'>/]([^\"'<>/\n]{{1,200}}\.{_ENDING})[\"'<?]", re.IGNORECASE)

# Keys that only annotations have; some name their images by numbers.
KEYS = re.compile(
    r'"(?:bbox(?:es)?|boxes|bounding_?box(?:es)?|gt_?boxes|annotations?|image_?id|segmentation|polygons?|shapes|regions|keypoints|'
    r'predictions|category_id|class_id)"\s*:',
    re.IGNORECASE,
)


def mentioned(index: ImageIndex, text: str) -> bool:
    """Whether an image is named in it, or something that is said of images alone."""
    if KEYS.search(text):
        return True
    words = (match.group(0) for match in islice(WORD.finditer(text), MOST_NAMES))
    quoted = (match.group(1) for match in islice(QUOTED.finditer(text), MOST_NAMES))
    return any(map(index.has_stem, words)) or any(map(index.has_stem, quoted)) or names_most(index, text)


def names_most(index: ImageIndex, text: str) -> bool:
    """Whether most of the first images are named without their endings: `{"labels": {"000001": 0, …}}`."""
    return _are_most(index, set(STRING.findall(text)))


def _are_most(index: ImageIndex, names: set[str]) -> bool:
    sample = [image.rpartition("/")[2] for image in islice(index.images, SAMPLE)]
    return sum(name.removesuffix(ending_of(name)) in names for name in sample) * 2 > len(sample)


def gives_labels(index: ImageIndex, file: JsonFile) -> bool:
    """Whether an object has a value for each image, or lists of images that do not lie in folders of these names."""
    pairs = list(islice(file.pairs(), SAMPLE)) if file.is_object and file.is_whole else []
    plain = {key: value for key, value in pairs if isinstance(value, (str, int, float))}
    if any(is_image(key) and index.has_stem(key) for key in plain):
        return True
    is_list_of_classes = all(map(str.isdecimal, plain)) and len(set(plain.values())) == len(plain)
    if len(plain) > 1 and not is_list_of_classes and _are_most(index, set(plain)):
        return True
    return any(
        image is not None and key not in image.split("/")
        for key, value in pairs
        if isinstance(value, list)
        for image in (index.by_path(name).image for name in value[:SAMPLE] if isinstance(name, str))
    )


def is_named_after_image(index: ImageIndex, name: str) -> bool:
    """`a.json` or `a.jpg.json` of `a.jpg`."""
    base = name.rpartition("/")[2]
    return index.has_stem(base) or index.has_stem(base.removesuffix(ending_of(base)))
