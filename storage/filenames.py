"""Names of files from strangers: as they are kept, and as they are written where others unpack them."""

from __future__ import annotations

import re
import unicodedata

MOST = 255
# Windows opens a device under these names, whatever ending they have.
RESERVED = re.compile(r"^(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\..*)?$", re.IGNORECASE)
FORBIDDEN = re.compile(r'[<>:"|?*]')
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
DRIVE = re.compile(r"^[A-Za-z]:")


def clean_filename(name: str, otherwise: str = "image") -> str:
    """A file name without folders, drives and control characters, in composed Unicode, at most 255 characters."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join("_" if _is_unwritable(character) else character for character in DRIVE.sub("", name)).strip()
    if name.strip(".") == "":
        return otherwise
    return name if len(name) <= MOST else name[:200] + name[-55:]


def portable_filename(name: str, otherwise: str = "image") -> str:
    """A name that every system can unpack: also without what Windows forbids, reserves and drops."""
    name = FORBIDDEN.sub("_", clean_filename(name, otherwise)).rstrip(". ") or otherwise
    return f"_{name}" if RESERVED.match(name) else name


def is_safe_path(path: str) -> bool:
    """Whether a path of an archive stays below the folder it is unpacked in, on every system."""
    if "\\" in path or DRIVE.match(path) or any(_is_unwritable(character) for character in path):
        return False
    return not {"", ".", ".."} & {part.strip(" ") for part in path.split("/")}


def _is_unwritable(character: str) -> bool:
    """Control characters, line ends of all kinds, halves of characters, and what turns the direction of writing."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in TURNING
