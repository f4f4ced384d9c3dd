"""Gives schemathesis ids of things that exist, so that it gets past the 404s."""

import atexit
import gc
import json
import os
import re
import zlib

import schemathesis

# The schema of 200 operations stays as long as the process: going through it for garbage again and again is expensive.
gc.set_threshold(10_000)
atexit.register(gc.freeze)

HOUSE = json.loads(os.environ["STUDIO_HOUSE"])
# What is systematic makes 13,000 requests, most of them the same mistake at every parameter of every operation: of
# those one in this many is sent, a different one at each place.
ONE_IN = 1 if os.environ.get("MLSTUDIO_TEST_THOROUGH") else 6
MISTAKES = (
    "Incorrect type",
    "Unspecified HTTP method",
    "Object with",
    "Malformed",
    "Unsupported",
    "Enum value",
    "All required",
)


@schemathesis.hook
def filter_case(context, case):
    """Whether the case is sent. Nothing is left out in `make test-thorough`."""
    words = str(getattr(getattr(case.meta, "phase", None), "data", None) and case.meta.phase.data.description)
    if not any(mistake in words for mistake in MISTAKES):
        return True
    shape = (case.method, case.path, words, repr(case.query), repr(case.body))
    return zlib.crc32(repr(shape).encode("utf-8", "surrogatepass")) % ONE_IN == 0


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Put a real id where the path names a kind of thing; deletions keep their made-up ids. Streams end soon."""
    if case.path == "/api/v1/events/" and not {"seconds"} & set(case.query or {}):
        case.query = {**(case.query or {}), "seconds": 0}
    elif case.path == "/api/v1/events/" and str(case.query["seconds"]).isdigit():
        case.query["seconds"] = min(1, int(str(case.query["seconds"])[:4]))
    if case.method.upper() == "DELETE":
        return
    for kind, parameter in re.findall(r"([a-z-]+)/\{([a-z_]+)\}", case.path):
        if kind in HOUSE and parameter in (case.path_parameters or {}) and zlib.crc32(str(case.query).encode()) % 5:
            case.path_parameters[parameter] = HOUSE[kind]


@schemathesis.serializer("application/offset+octet-stream")
def part_of_an_upload(context, value):
    """Bytes as they are."""
    return value if isinstance(value, bytes) else b"part"


# Texts that break what is careless with them; the generators of schemathesis make none of the long and deep ones.
NASTY = ["a\x00b", "9" * 5000, "x" * 100_000, "\u2028\ufffe", "1e999", "-9223372036854775809", "../" * 50, "=1+1"]


def _nasty(value, seed: int):
    """The value with one text or number in it replaced."""
    if isinstance(value, dict) and value:
        name = sorted(value)[seed % len(value)]
        return {**value, name: _nasty(value[name], seed // 7)}
    if isinstance(value, list) and value:
        return [_nasty(value[0], seed // 7), *value[1:]]
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return NASTY[seed % len(NASTY)]
    return value


@schemathesis.hook
def map_body(context, body):
    """Every eighth body has one value that no schema would think of, and some are nested very deeply."""
    seed = zlib.crc32(repr(body).encode("utf-8", "surrogatepass"))
    if seed % 8 or not isinstance(body, (dict, list)):
        return body
    if seed % 40 == 0 and isinstance(body, dict) and body:
        deep: list = []
        for _ in range(300):
            deep = [deep]
        return {**body, sorted(body)[0]: deep}
    return _nasty(body, seed // 8)


@schemathesis.hook
def map_query(context, query):
    seed = zlib.crc32(repr(query).encode("utf-8", "surrogatepass"))
    if not query or seed % 8:
        return query
    return {name: value[:6000] if isinstance(value, str) else value for name, value in _nasty(query, seed // 8).items()}
