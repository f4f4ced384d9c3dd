"""A base64 text inside of JSON, decoded piece by piece while it comes."""

from __future__ import annotations

import binascii
import re

from django.conf import settings

from storage import services as storage
from storage.cache import Incoming

# The alphabet for addresses is taken as well; line breaks are left out.
ALPHABET = bytes.maketrans(b"-_", b"+/")
BLANKS = b" \t\r\n="
ESCAPED = re.compile(rb"\\(?:/|u00([0-9a-fA-F]{2}))")
LONGEST_ESCAPE = 6


class Base64Content:
    """Writes what it decodes into a file on its way into the store.

    Attributes:
        incoming: None until something came, and of what is no base64 or too large.
        problem: a status of `ImageCreateStatus`, or "".
    """

    def __init__(self) -> None:
        self.incoming: Incoming | None = None
        self.problem = ""
        self._rest = b""

    def write(self, piece: bytes) -> None:
        if not self.problem:
            self._decode(self._rest + piece, is_last=False)

    def finish(self) -> None:
        if not self.problem:
            self._decode(self._rest, is_last=True)
        if self.incoming is not None:
            self.incoming.finish()

    def _decode(self, text: bytes, *, is_last: bool) -> None:
        text, held = (text, b"") if is_last else _without_half_an_escape(text)
        if b"\\" in text:
            text = ESCAPED.sub(_unescaped, text)
        text = text.translate(ALPHABET, BLANKS)
        end = len(text) if is_last else len(text) - len(text) % 4
        self._rest = text[end:] + held
        try:
            content = binascii.a2b_base64(text[:end] + b"=" * (-end % 4), strict_mode=True)
        except binascii.Error:
            self._give_up("ErrorImageFormat")
            return
        if content:
            self._keep(content)

    def _keep(self, content: bytes) -> None:
        if self.incoming is None:
            self.incoming = storage.receive()
        self.incoming.write(content)
        if self.incoming.size > settings.MAX_IMAGE_BYTES:
            self._give_up("ErrorImageSize")

    def _give_up(self, problem: str) -> None:
        self.problem, self._rest = problem, b""
        self.discard()
        self.incoming = None

    def discard(self) -> None:
        if self.incoming is not None:
            self.incoming.discard()


def _without_half_an_escape(text: bytes) -> tuple[bytes, bytes]:
    """The text up to an escape at its end that may not be whole, and that."""
    start = text.rfind(b"\\", max(0, len(text) - LONGEST_ESCAPE + 1))
    return (text, b"") if start < 0 or text[start + 1 : start + 2] == b"/" else (text[:start], text[start:])


def _unescaped(match: re.Match[bytes]) -> bytes:
    return b"/" if match[1] is None else bytes([int(match[1], 16)])
