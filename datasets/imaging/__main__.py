"""The process that looks at images: `python -m datasets.imaging`, in the sandbox.

In, on standard input: eight bytes of length, big-endian, and an image of so many bytes, again and again. Out, on
standard output, a line of JSON each: `{"facts": …}`, or `{"problem": code, "detail": …}`. Before an image that is large
when it is decoded comes `{"needs": bytes}`; a byte on standard input then says that there is room.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import BinaryIO

from datasets.imaging.budget import SMALL_BYTES
from datasets.imaging.looking import look_at
from datasets.imaging.preprocessing import ImageError

LENGTH_BYTES = 8


class AskedBudget:
    """Memory for pixels, of which the process that sends the images decides."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests = requests
        self._answers = answers

    @contextmanager
    def hold(self, size_bytes: int) -> Iterator[None]:
        if size_bytes > SMALL_BYTES:
            _say(self._answers, {"needs": size_bytes})
            self._requests.read(1)
        yield


def main() -> int:
    requests = os.fdopen(0, "rb", buffering=1 << 20)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    budget = AskedBudget(requests, answers)
    while len(head := requests.read(LENGTH_BYTES)) == LENGTH_BYTES:
        content = requests.read(int.from_bytes(head, "big"))
        try:
            answer: dict = {"facts": asdict(look_at(content, budget))}
        except ImageError as error:
            answer = {"problem": error.code, "detail": str(error)}
        _say(answers, answer)
    return 0


def _say(answers: BinaryIO, message: dict) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
