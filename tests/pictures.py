"""Images that tests make, from a seed."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image


def pixels(seed: int, size: tuple[int, int] = (48, 32)) -> np.ndarray:
    """Random blobs with texture, as photographs have: unlike for other seeds, alike after recompression."""
    generator = np.random.default_rng(seed)
    layers = [generator.integers(0, 255, (cells, cells, 3), dtype=np.uint8) for cells in (6, 24)]
    coarse, fine = (Image.fromarray(layer).resize(size, Image.Resampling.BICUBIC) for layer in layers)
    return np.asarray(Image.blend(coarse, fine, 0.4))


def encoded(seed: int, kind: str, size: tuple[int, int] = (48, 32), **options) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels(seed, size)).save(target, kind, **options)
    return target.getvalue()


def jpeg(seed: int, size: tuple[int, int] = (48, 32), **options) -> bytes:
    return encoded(seed, "JPEG", size, **{"quality": 92, **options})


def shape_jpeg(seed: int, kind: str, side: int = 32) -> bytes:
    """A bright disc or a bright cross on a dark ground: two labels that a tiny network learns."""
    generator = np.random.default_rng(seed)
    image = generator.integers(0, 70, (side, side, 3)).astype(np.float32)
    y, x = np.mgrid[:side, :side]
    cy, cx = generator.uniform(side * 0.4, side * 0.6, 2)
    if kind == "disc":
        mask = (x - cx) ** 2 + (y - cy) ** 2 < (side * 0.3) ** 2
    else:
        mask = (abs(x - cx) < side * 0.08) | (abs(y - cy) < side * 0.08)
    image[mask] = generator.integers(150, 255, 3)
    target = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(target, "JPEG", quality=90)
    return target.getvalue()


def scene(seed: int, side: int = 96) -> tuple[bytes, list[list[float]], list[int]]:
    """Bright squares (0) and dark discs (1) on grey noise, with their boxes."""
    generator = np.random.default_rng(seed)
    image = generator.normal(120, 12, (side, side, 3))
    marks, labels = [], []
    unit = side / 96
    for slot in generator.permutation(4)[: generator.integers(1, 4)]:
        size = int(generator.integers(20, 32) * unit)
        x, y = (int((place * 46 + generator.integers(2, 14)) * unit) for place in (slot % 2, slot // 2))
        label = int(generator.integers(0, 2))
        if label == 0:
            image[y : y + size, x : x + size] = 235
        else:
            rows, columns = np.mgrid[:side, :side]
            image[(rows - y - size / 2) ** 2 + (columns - x - size / 2) ** 2 < (size / 2) ** 2] = 20
        marks.append([float(x), float(y), float(x + size), float(y + size)])
        labels.append(label)
    target = io.BytesIO()
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(target, "PNG")
    return target.getvalue(), marks, labels


def shapes_zip(count: int, side: int = 32) -> bytes:
    """A zip with `count` discs and `count` crosses, a folder each."""
    return make_zip(
        {
            f"shapes/{kind}/{n}.jpg": shape_jpeg(n + 10_000 * (kind == "disc"), kind, side)
            for kind in ("disc", "cross")
            for n in range(count)
        }
    )


def scenes_zip(count: int, side: int = 96) -> bytes:
    """A zip of scenes with their boxes as CSV, three fifths of them to train."""
    rows, files = [], {}
    for number in range(count):
        content, marks, labels = scene(number, side)
        name = f"{('train', 'train', 'train', 'valid', 'test')[number % 5]}/{number}.png"
        files[name] = content
        rows += [
            f"{name},{','.join(map(str, mark))},{('square', 'disc')[label]}"
            for mark, label in zip(marks, labels, strict=True)
        ]
    return make_zip({**files, "annotations.csv": "\n".join(rows).encode()})


def make_zip(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has almost no data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


# Red grows to the right, green downwards, blue to the left; 64 x 48. There is no encoder among the requirements.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAA"
    "AAAERAAAEAAQAAAAABoQABAAAAAAAAAE0AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAA"
    "AADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkA"
    "AAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAA"
    "AAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAF"
    "VtZGF0AAAASSgBrxmA71BJd+Xmelk//3Xj3cw4zLZ8Uz6ZWRLJV2xQjYqQdhWSb0PdIjGh4s8+ODuSl7XXSibNsIj5wZLD/p9SkxhgNEwGfvU="
)
