"""In which encoding a text is: what it declares, else UTF-8, else what is detected."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
XML_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# What people's systems write when they do not write UTF-8. Nothing that only mainframes and museums have: a few bytes
# fit many encodings.
CANDIDATES = (
    "gb18030",
    "cp932",
    "big5",
    "cp949",
    "cp1251",
    "cp866",
    "koi8_r",
    "cp1252",
    "cp1250",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp874",
    "cp850",
    "cp437",
)
# What stands between words and says nothing about them: separators, marks of XML, JSON and CSV, endings of files. None
# of these is the second half of a character in any of the encodings.
ASCII_AROUND = re.compile(rb"""[/\s<>"',;:=]|\.[A-Za-z0-9]{1,5}(?=[/\s<>"',;:=]|$)""")
SAMPLE_BYTES = 100_000
# Below this the detector does not know more than that the bytes are possible.
UNSURE = 0.115


def decode(content: bytes) -> tuple[str, str]:
    """The text, and the encoding when it had to be guessed (else an empty string)."""
    for bom, encoding in BOMS:
        if content.startswith(bom):
            return content.decode(encoding, errors="replace"), ""
    if (declared := declared_encoding(content)) is not None:
        try:
            return content.decode(declared), ""
        except (UnicodeDecodeError, LookupError):
            pass
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        encoding = detect([content[:SAMPLE_BYTES]])
        return content.decode(encoding, errors="replace"), encoding


def lines_of(text: str) -> list[str]:
    """Lines end at line feeds, and at carriage returns where there are no line feeds, as old Macintosh programs write.

    Names may have other characters that count as line ends in Unicode.
    """
    return text.split("\n" if "\n" in text else "\r")


def declared_encoding(content: bytes) -> str | None:
    """What an XML declaration says, as a codec for text that Python has."""
    match = XML_DECLARATION.match(content[:500])
    if match is None:
        return None
    name = match.group(1).decode("ascii").lower()
    # People declare GB2312 for what is GBK, and ISO 8859-1 for what is Windows-1252: the larger sets have both.
    name = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "iso-8859-1": "cp1252"}.get(name, name)
    try:
        codec = codecs.lookup(name)
        return codec.name if codec._is_text_encoding else None
    except LookupError:
        return None


def detect(samples: Iterable[bytes]) -> str:
    """The encoding that all samples, which are not UTF-8, are most likely in."""
    import chardet  # loaded when it is needed: most archives are in UTF-8

    words = {word for sample in samples for word in ASCII_AROUND.split(sample) if not word.isascii()}
    content = b" ".join(sorted(words))[:SAMPLE_BYTES]
    guesses = chardet.detect_all(content, ignore_threshold=True, include_encodings=CANDIDATES, compat_names=False)
    ranked = [(str(guess["encoding"]), float(guess["confidence"])) for guess in guesses if guess["encoding"]]
    readable = [(name, confidence) for name, confidence in ranked if _is_readable(content, name)]
    if (not readable or readable[0][1] < UNSURE) and _is_common_chinese(content):
        return "gb18030"
    if readable:
        return readable[0][0]
    for name in ("cp437", "cp1252"):
        if _is_readable(content, name):
            return name
    return ranked[0][0] if ranked else "cp1252"


def _is_readable(content: bytes, encoding: str) -> bool:
    """Whether everything that is not ASCII becomes letters: names have few signs of other kinds."""
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return all(unicodedata.category(character)[0] in "LMN" for character in text if not character.isascii())


def _is_common_chinese(content: bytes) -> bool:
    """Whether all double bytes are among the 3,755 most frequent characters of GB 2312 (its rows 16 to 55)."""
    position = 0
    while position < len(content):
        if content[position] < 0x80:
            position += 1
            continue
        pair = content[position : position + 2]
        if len(pair) < 2 or not (0xB0 <= pair[0] <= 0xD7 and 0xA1 <= pair[1] <= 0xFE):
            return False
        position += 2
    return True
