"""Whether a text that nobody reads speaks of images that are here: then the names of their folders are no labels."""

from __future__ import annotations

import re
from itertools import islice

from datasets.formats.base import IMAGE_SUFFIXES, ending_of
from datasets.formats.names import ImageIndex

MOST_NAMES = 1000
_ENDING = rf"(?:{'|'.join(suffix[1:] for suffix in IMAGE_SUFFIXES)})(?![A-Za-z0-9])"
# A word that ends as images do, or all that stands between quotes.
WORD = re.compile(rf"[^\s\"'<>|,;=()\[\]{{}}/\\]+\.{_ENDING}", re.IGNORECASE)
QUOTED = re.compile(rf"[\"'>/]([^\"'<>/\n]{{1,200}}\.{_ENDING})[\"'<?]", re.IGNORECASE)


def mentioned(index: ImageIndex, text: str) -> bool:
    """Whether an image is named in it."""
    words = (match.group(0) for match in islice(WORD.finditer(text), MOST_NAMES))
    quoted = (match.group(1) for match in islice(QUOTED.finditer(text), MOST_NAMES))
    return any(map(index.has_stem, words)) or any(map(index.has_stem, quoted))


def is_named_after_image(index: ImageIndex, name: str) -> bool:
    """`a.json` or `a.jpg.json` of `a.jpg`."""
    base = name.rpartition("/")[2]
    return index.has_stem(base) or index.has_stem(base.removesuffix(ending_of(base)))
