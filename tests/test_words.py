"""Numbers in sentences: counts agree with their nouns, and sizes have one unit, in what people read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.words import counted, format_bytes

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    path
    for folder in (
        "accounts",
        "agent",
        "common",
        "custom_vision",
        "datasets",
        "edge",
        "examples",
        "fastdfs",
        "inference",
        "jobs",
        "mlstudio",
        "projects",
        "storage",
        "training",
        "vision",
        "webhooks",
    )
    for path in (ROOT / folder).rglob("*.py")
]
# What settings are written in, as the documentation says.
ABOUT_SETTINGS = {"mlstudio/environment.py"}


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (12_345, "12,345 images")]
)
def test_counts(count, said):
    assert counted(count, "image") == said


def test_a_plural_of_its_own():
    assert [counted(count, "box", "boxes") for count in (1, 2)] == ["1 box", "2 boxes"]


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (3_400_000, "3.4 MB"),
        (536_870_912, "537 MB"),
        (20 * 10**9, "20 GB"),
        (5 * 10**15, "5,000 TB"),
    ],
)
def test_sizes_are_powers_of_a_thousand(size, said):
    assert format_bytes(size) == said


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a file that are no docstrings; what is put into them stands as `{}`."""
    tree = ast.parse(path.read_text())
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.lineno, node.value


def found(pattern: str) -> list[str]:
    return [
        f"{name}:{line}: {text[:80]}"
        for path in SOURCES
        if (name := path.relative_to(ROOT).as_posix()) not in ABOUT_SETTINGS
        for line, text in texts(path)
        if re.search(pattern, text)
    ]


def test_one_unit_of_sizes():
    assert not (wrong := found(r"\b[KMG]iB\b")), "\n".join(wrong)


def test_words_that_nobody_says():
    assert not (wrong := found(r"\banew\b|\btold to run\b")), "\n".join(wrong)


def test_refusals_name_no_parameters():
    """Pages show them to people, who cannot send a query or JSON."""
    places = ("edge/errors.py", "projects/uses.py")
    wrong = [text for place in places for _, text in texts(ROOT / place) if re.search(r"=true|\{\"|\?\w+=", text)]
    assert not wrong


def test_pages_write_numbers_and_days_in_their_own_language():
    """Not in that of the browser, and days as everywhere: `ui/numbers.ts` has a function for each."""
    pages = [path for path in (ROOT / "frontend" / "src").rglob("*.ts*") if ".test." not in path.name]
    wrong = [
        path.name
        for path in pages
        if re.search(r"toLocale\w*\(\)|new Date\([^)]*\)\.toLocale\w*\([\w.]*\)", path.read_text())
    ]
    assert len(pages) > 200 and not wrong
