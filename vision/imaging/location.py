"""Removing where an image was taken, without touching its pixels where the format allows that."""

from __future__ import annotations

import contextlib
import io
import re
import struct
from collections.abc import Iterator
from itertools import islice

import numpy as np
from PIL import Image

from .budget import DECODING
from .orientation import exif_of
from .preprocessing import decode_upright, decoding_bytes, open_image

GPS_IFD = 0x8825
EXIF_HEADER = b"Exif\x00\x00"
APP1, APP13, START_OF_SCAN, FILL = 0xE1, 0xED, 0xDA, 0xFF

# City, part of it, province and country (IPTC-NAA IIM 4.2, datasets 2:90, 2:92, 2:95, 2:101).
IPTC_HEADER, IPTC_PLACE = b"Photoshop 3.0\x00", re.compile(rb"\x1c\x02[\x5a\x5c\x5f\x65]")
# EXIF and XMP of another image in the file. Within a scan 0xFF has another byte behind it.
MOST_SEGMENTS = 64
LATER_APP1 = re.compile(rb"\xff\xe1(..)(Exif\x00\x00|http://ns\.adobe\.com/)", re.DOTALL)


def has_location(content: bytes) -> bool:
    """Whether the file names a place, in EXIF, XMP or IPTC, also of a further image in it."""
    with open_image(content) as image:
        if _names_a_place(exif_of(image)):
            return True
        if image.format in ("JPEG", "MPO") and any(map(_names_a_place, _later_exif(content))):
            return True
    if b"GPSLatitude" in content or b"photoshop:City" in content:
        return True
    at = content.find(IPTC_HEADER)
    return at >= 0 and IPTC_PLACE.search(content, at) is not None


def _names_a_place(exif: Image.Exif) -> bool:
    return GPS_IFD in exif and bool(exif.get_ifd(GPS_IFD))


def _later_exif(content: bytes) -> Iterator[Image.Exif]:
    """What can be read of the EXIF segments anywhere in a JPEG."""
    for match in islice(LATER_APP1.finditer(content), MOST_SEGMENTS):
        end = match.start() + 2 + int.from_bytes(match.group(1), "big")
        exif = Image.Exif()
        # Bytes that only look like EXIF make many kinds of errors.
        with contextlib.suppress(Exception):
            exif.load(content[match.start(2) : end])
            exif.get_ifd(GPS_IFD)
            yield exif


def without_location(content: bytes) -> bytes:
    """The same image without its place. Orientation, time and camera stay.

    JPEG and WebP keep their pixel data bit by bit. PNG and TIFF are written again without loss; HEIC, which cannot
    be edited in place, becomes a JPEG of quality 95.
    """
    if not has_location(content):
        return content
    with open_image(content) as image:
        kind = image.format
        exif = exif_of(image)
        exif.pop(GPS_IFD, None)
        clean = exif.tobytes()
        if kind in ("JPEG", "MPO"):
            return _rewritten_jpeg(content, clean)
        if kind == "WEBP":
            return _rewritten_webp(content, clean)
        with DECODING.hold(2 * decoding_bytes(image)):
            return _written_again(image, clean)


def _written_again(image: Image.Image, exif: bytes) -> bytes:
    target = io.BytesIO()
    if image.format == "HEIF":
        decode_upright(image).save(target, "JPEG", quality=95, subsampling=0)
    elif image.format == "TIFF":
        image.load()
        Image.fromarray(np.asarray(image)).save(target, "TIFF", compression="tiff_lzw")
    else:
        image.load()
        image.info.pop("exif", None)
        image.save(target, image.format, exif=exif)
    return target.getvalue()


def _rewritten_jpeg(content: bytes, exif: bytes) -> bytes:
    """Walk the segments up to the scan: new EXIF, no XMP, no IPTC (JPEG File Interchange Format, ITU T.81 B.1)."""
    out = bytearray(content[:2])
    position = 2
    written = False
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == FILL:  # any number of these may stand before a marker (B.1.1.2)
            position += 1
            continue
        if marker == START_OF_SCAN:
            break
        (length,) = struct.unpack(">H", content[position + 2 : position + 4])
        segment = content[position : position + 2 + length]
        position += 2 + length
        if marker == APP1 and segment[4:10] == EXIF_HEADER and not written:
            payload = exif if exif.startswith(EXIF_HEADER) else EXIF_HEADER + exif
            if len(payload) + 2 <= 0xFFFF:
                out += b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload
            written = True
        elif marker not in (APP1, APP13):
            out += segment
    return bytes(out) + _without_later_places(content[position:])


def _without_later_places(rest: bytes) -> bytes:
    """The scan and what comes behind it: phones put further images there, each with its own EXIF, whose places in the
    file are known. So they keep their length, and the EXIF has nothing in it but zeros."""
    clean = bytearray(rest)
    for match in LATER_APP1.finditer(rest):
        start, end = match.start(2), match.start() + 2 + int.from_bytes(match.group(1), "big")
        clean[start : min(end, len(rest))] = bytes(max(0, min(end, len(rest)) - start))
    return bytes(clean)


def _rewritten_webp(content: bytes, exif: bytes) -> bytes:
    """Replace the EXIF chunk and drop XMP (WebP container specification, RIFF)."""
    chunks = bytearray()
    position = 12
    while position + 8 <= len(content):
        name = content[position : position + 4]
        (length,) = struct.unpack("<I", content[position + 4 : position + 8])
        body = content[position + 8 : position + 8 + length]
        position += 8 + length + (length & 1)
        if name == b"XMP ":
            continue
        if name == b"EXIF":
            body = exif.removeprefix(EXIF_HEADER)
        elif name == b"VP8X":
            body = bytes([body[0] & ~0x04]) + body[1:]
        chunks += name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + bytes(chunks)
