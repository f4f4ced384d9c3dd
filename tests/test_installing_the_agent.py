"""No registry has the agent, nor what it needs of this repository: each command that installs it names all packages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.studio import ROOT

PLACES = [
    ROOT / "README.md",
    ROOT / "docs" / "edge.md",
    ROOT / "agent" / "README.md",
    ROOT / "agent" / "Dockerfile",
    ROOT / "frontend" / "src" / "devices" / "enrolling.ts",
]


def project(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def needed() -> set[str]:
    """The folders of the agent and of what it depends on."""
    folders = {project(path.parent)["name"]: path.parent.name for path in ROOT.glob("*/pyproject.toml")}
    names = {re.split(r"[^\w-]", line)[0] for line in project(ROOT / "agent")["dependencies"]}
    return {"agent"} | {folders[name] for name in names if name in folders}


@pytest.mark.parametrize("place", PLACES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_names_all_packages(place):
    commands = [line for line in re.findall(r"pip install (.*)", place.read_text()) if re.search(r"/agent\b", line)]
    assert commands and needed() == {"agent", "vision", "fastdfs"}
    for command in commands:
        assert needed() <= set(re.findall(r"/(\w+)\b", command)), command
