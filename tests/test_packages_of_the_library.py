"""`pip install './vision[…]'` brings what the code imports: the studio's own environment would hide what is missing."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.studio import ROOT

# keras-retinanet and Keras 2 are set up by a command of their own, in a process of their own.
LEGACY = ROOT / "vision" / "legacy_retinanet"
PROJECT = tomllib.loads((ROOT / "vision" / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# What reads a folder of annotated images and trains on it, as the README shows.
TRAINING = ("detection", "formats", "imaging", "training")


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """Each module that is imported from elsewhere, with the file that does; also those inside of functions."""
    for path in sorted(folder.rglob("*.py")):
        if path.is_relative_to(LEGACY):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for top in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"vision", "tf_keras"}:
                yield top, str(path.relative_to(ROOT))


def plain(name: str) -> str:
    return re.split(r"[^\w.-]", name)[0].lower().replace("_", "-")


def test_each_import_is_in_an_extra():
    listed = {plain(line) for lines in (PROJECT["dependencies"], *EXTRAS.values()) for line in lines}
    assert missing(ROOT / "vision", listed) == []


@pytest.mark.parametrize("folder", TRAINING)
def test_training_needs_its_own_extra_alone(folder):
    listed = {plain(line) for line in PROJECT["dependencies"] + EXTRAS["training"]}
    optional = {plain(line) for name in ("exporting", "heic") for line in EXTRAS[name]}
    assert missing(ROOT / "vision" / folder, listed | optional) == []


def missing(folder: Path, listed: set[str]) -> list[str]:
    known = packages_distributions()
    return [
        f"{path} imports {top}"
        for top, path in imported(folder)
        if not {plain(name) for name in known.get(top, [top])} & listed
    ]
