"""The process that looks at images: `python -m vision.imaging`, in the sandbox.

In, on standard input, again and again: how many images come and how many bytes there are for the pixels of each, then
the length of each image, all as numbers of eight bytes, big-endian, and then the images. Out, on standard output, a
line of JSON for all of them, with an object for each: `{"facts": …}`, or `{"problem": code, "detail": …}`, or
`{"needs": bytes}` for one that takes more than there is when it is decoded.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from vision.imaging.budget import SMALL_BYTES
from vision.imaging.looking import look_at
from vision.imaging.preprocessing import ImageError

HEAD = struct.Struct(">QQ")


class NeedsRoom(Exception):
    """Decoding an image takes more memory than there is for it."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self.size_bytes = size_bytes


class Room:
    """Memory for pixels, of which the process that sends the images decides."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = max(size_bytes, SMALL_BYTES)

    @contextmanager
    def hold(self, size_bytes: int) -> Iterator[None]:
        if size_bytes > self._size_bytes:
            raise NeedsRoom(size_bytes)
        yield


def main() -> int:
    requests = os.fdopen(0, "rb", buffering=1 << 16)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while len(head := requests.read(HEAD.size)) == HEAD.size:
        count, room_bytes = HEAD.unpack(head)
        lengths = struct.unpack(f">{count}Q", requests.read(8 * count))
        room = Room(room_bytes)
        answers.write(json.dumps([_answer(requests.read(length), room) for length in lengths]).encode() + b"\n")
        answers.flush()
    return 0


def _answer(content: bytes, room: Room) -> dict:
    try:
        return {"facts": asdict(look_at(content, room))}
    except ImageError as error:
        return {"problem": error.code, "detail": str(error)}
    except NeedsRoom as needs:
        return {"needs": needs.size_bytes}


if __name__ == "__main__":
    sys.exit(main())
