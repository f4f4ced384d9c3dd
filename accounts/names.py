"""Names that people give: what counts as the same name of an account, which are refused because people would confuse
them, and what no name of anything has."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache

from rest_framework.serializers import ValidationError

# Scripts that are written together (Unicode Technical Standard 39, "highly restrictive").
TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)
# Control characters, halves of characters, ends of lines and of paragraphs: all that str.splitlines() splits on.
UNSEEN = ("Cc", "Cs", "Zl", "Zp")
# What turns the direction of writing (Unicode Standard Annex 9).
TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
WITHOUT_INK = (*UNSEEN, "Cf", "Zs")
NEUTRAL = {"COMMON", "INHERITED"}


def cleaned(name: str) -> str:
    """What is counted and compared: without blanks around it, in one spelling, in lower case."""
    return unicodedata.normalize("NFKC", name.strip()).casefold().strip()


def hashed(*parts: str) -> str:
    """A key of fixed length; no two texts share one."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def skeleton(name: str) -> str:
    """The same for names that look alike, as UTS 39 has it: аlice with a Cyrillic а is alice, and so is ALICE."""
    prototypes = _prototypes()
    same = "".join(prototypes.get(character, character) for character in cleaned(name))
    # A capital I, which lower case has made an i, looks like an l.
    return same.casefold().replace("i", "l")


def mixes_scripts(name: str) -> bool:
    """Whether letters of alphabets are mixed that nobody writes together."""
    from confusable_homoglyphs import categories

    scripts = set(categories.unique_aliases(name)) - NEUTRAL
    return len(scripts) > 1 and not any(scripts <= allowed for allowed in TOGETHER)


def is_one_line(text: str) -> bool:
    """Whether it is one line, read in the order in which it is written."""
    return not any(
        unicodedata.category(character) in UNSEEN or unicodedata.bidirectional(character) in TURNING
        for character in text
    )


def is_visible(text: str) -> bool:
    """Whether anything of it is seen: a name of blanks without width looks like none, or like any other such name."""
    return any(unicodedata.category(character) not in WITHOUT_INK for character in text)


def in_one_line(text: str) -> str:
    """A name that came with a file: what is not seen or ends a line becomes a blank."""
    if is_one_line(text):
        return text
    return " ".join("".join(char if is_one_line(char) else " " for char in text).split())


class OneLineName:
    """For serializers with a `name`, which others write into lists, tables and files with a name a line."""

    def validate_name(self, value: str) -> str:
        if value and not (is_one_line(value) and is_visible(value)):
            raise ValidationError(
                "A name is one line of text that can be seen, without control characters.", code="invalid_name"
            )
        return value


@cache
def _prototypes() -> dict[str, str]:
    """From each character to the one that all that look like it are written as."""
    from confusable_homoglyphs.confusables import confusables_data as lookalikes

    # The data list both directions; a prototype is what several lead to.
    return {
        character: others[0]["c"]
        for character, others in lookalikes.items()
        if len(others) == 1 and len(character) == 1 and len(lookalikes.get(others[0]["c"], ())) > 1
    }
