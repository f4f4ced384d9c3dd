"""Gives schemathesis ids of things that exist, so that it gets past the 404s."""

import json
import os
import re
import zlib

import schemathesis

HOUSE = json.loads(os.environ["STUDIO_HOUSE"])


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Put a real id where the path names a kind of thing; deletions keep their made-up ids."""
    if case.method.upper() == "DELETE":
        return
    for kind, parameter in re.findall(r"([a-z-]+)/\{([a-z_]+)\}", case.path):
        if kind in HOUSE and parameter in (case.path_parameters or {}) and zlib.crc32(str(case.query).encode()) % 5:
            case.path_parameters[parameter] = HOUSE[kind]


@schemathesis.serializer("application/offset+octet-stream")
def part_of_an_upload(context, value):
    """Bytes as they are."""
    return value if isinstance(value, bytes) else b"part"
