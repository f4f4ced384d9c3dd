"""Numbers in sentences for people: counts with their nouns, sizes in one unit everywhere."""

from __future__ import annotations


def counted(count: int, singular: str, plural: str = "") -> str:
    """`1 image`, `1,200 images`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def format_bytes(count: float) -> str:
    """`512 bytes`, `3.4 MB`, `20 GB`: powers of 1,000, as the pages and the settings' `GB` have them."""
    size, unit = float(count), ""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    if unit == "bytes":
        return counted(int(size), "byte")
    return f"{size:.1f} {unit}" if size < 10 else f"{size:,.0f} {unit}"
