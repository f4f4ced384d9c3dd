"""How requests are read and rows are written: names without regard to case, lists with commas, two forms of time."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from custom_vision.errors import Refused
from projects.parsers import JSONParser

MOST_TAKEN, USUALLY_TAKEN = 256, 50
# Their keys are the user's own words.
OPEN = frozenset({"metadata", "augmentationmethods"})
# Versions whose SDKs take 207 for an error: Python 1.0 and 2.0 use them.
WITHOUT_207 = re.compile(r"^/*[^/]+/+v3(?:\.[0-2])?/", re.IGNORECASE)


class Query:
    """The query of a request. Empty values count as absent."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in values.items() if value != ""}

    def text(self, name: str) -> str | None:
        return self._values.get(name.lower())

    def words(self, name: str) -> list[str]:
        """A list, as `a,b`."""
        return [word for word in (self.text(name) or "").split(",") if word]

    def ids(self, name: str, most: int) -> list[uuid.UUID]:
        """Raises `BadRequestInvalidIds`, `BadRequestExceededBatchSize`."""
        return ids_of(self.words(name), most, name)

    def id(self, name: str) -> uuid.UUID | None:
        text = self.text(name)
        return None if text is None else ids_of([text], 1, name)[0]

    def flag(self, name: str, default: bool = False) -> bool:
        text = self.text(name)
        return default if text is None else text.lower() in ("true", "1", "yes")

    def number(self, name: str, default: float) -> float:
        text = self.text(name)
        try:
            number = default if text is None else float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number < 1e9:
            raise Refused("BadRequest", f"{name} must be a number of at least 0, received {text!r}.")
        return number

    def page(self) -> slice:
        """`take` and `skip`."""
        skip = int(self.number("skip", 0))
        return slice(skip, skip + min(int(self.number("take", USUALLY_TAKEN)), MOST_TAKEN))


def ids_of(texts: Any, most: int, name: str = "ids") -> list[uuid.UUID]:
    """Ids in any case, each once, in order.

    Raises:
        Refused: `BadRequestInvalidIds`, `BadRequestExceededBatchSize`.
    """
    if texts is None:
        return []
    if not isinstance(texts, list):
        raise Refused("BadRequestInvalidIds", f"{name} must be a list of ids.")
    if len(texts) > most:
        raise Refused("BadRequestExceededBatchSize", f"{name} has {len(texts)} ids; at most {most} are taken at once.")
    try:
        return list(dict.fromkeys(uuid.UUID(str(text)) for text in texts))
    except ValueError as error:
        raise Refused("BadRequestInvalidIds", f"{name} has something that is no id.") from error


def id_or_none(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def body_of(request: HttpRequest) -> Any:
    """The JSON of a request, as it came; `{}` where there is none."""
    content = request.body.strip()
    return json_of(content) if content else {}


def json_of(content: bytes) -> Any:
    return JSONParser().parse(io.BytesIO(content.removeprefix(b"\xef\xbb\xbf")), None, {"encoding": "utf-8"})


def fields_of(request: HttpRequest) -> dict[str, Any]:
    """The object in a request's body with its names in lower case: programs write `url`, `Url` and `URL`."""
    data = folded(body_of(request))
    if not isinstance(data, dict):
        raise Refused("BadRequest", "The body must be a JSON object.")
    return data


def folded(data: Any) -> Any:
    if isinstance(data, list):
        return [folded(item) for item in data]
    if not isinstance(data, dict):
        return data
    return {name.lower(): value if name.lower() in OPEN else folded(value) for name, value in data.items()}


def text_of(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return None if value is None else str(value)


def number_in(data: Mapping[str, Any], name: str) -> int:
    """0 where it is missing. Raises `BadRequest`."""
    text = text_of(data, name) or "0"
    if not text.isdigit() or len(text) > 9:
        raise Refused("BadRequest", f"{name} must be a number of at least 0, received {text[:20]!r}.")
    return int(text)


def batch_status(request: HttpRequest, is_successful: bool) -> int:
    """The status of the answer to a batch: its body says the rest, in every version."""
    return 200 if is_successful or WITHOUT_207.match(request.path_info) else 207


# Times


def zoned(moment: datetime | None) -> str | None:
    """Of projects, iterations and predictions."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def naive(moment: datetime) -> str:
    """Of images, their tags and regions: UTC without saying so, in steps of 100 ns."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"
