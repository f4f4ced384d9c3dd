"""JSON from strangers: what cannot be kept or answered is refused before anything looks at it."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework import parsers
from rest_framework.exceptions import ParseError
from rest_framework.utils.json import strict_constant

# Python's codecs include ones that unpack: a few kilobytes would become gigabytes.
TEXT_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1"}
MAX_DEPTH = 100
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JSONParser(parsers.JSONParser):
    """Refuses documents that are nested too deeply, numbers that no float holds, and halves of characters."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        encoding = (parser_context or {}).get("encoding", settings.DEFAULT_CHARSET)
        if encoding.lower() not in TEXT_CHARSETS:
            raise ParseError("JSON parse error - send it as UTF-8.")
        raw = stream.read()
        try:
            text = codecs.decode(raw, encoding)
            data = json.loads(text, parse_constant=strict_constant, parse_float=_finite)
        except RecursionError as error:
            raise _too_deep() from error
        except (ValueError, LookupError) as error:  # also of an encoding that is none, and of endless digits
            raise ParseError(f"JSON parse error - {str(error)[:200]}") from error
        if _is_deeper(data, MAX_DEPTH):
            raise _too_deep()
        if SURROGATE.search(raw):
            _check_characters(data)
        return data


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _too_deep() -> ParseError:
    return ParseError(f"JSON parse error - nested more than {MAX_DEPTH} levels deep.")


def _is_deeper(data: Any, levels: int) -> bool:
    level = [data]
    for _ in range(levels):
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _check_characters(data: Any) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ParseError("JSON parse error - a text has half of a surrogate pair.") from error
