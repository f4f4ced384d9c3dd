"""The tour of the README: every line works as it stands, one after another."""

from __future__ import annotations

import re
import subprocess

import pytest
from django.urls import resolve

from tests.pictures import shapes_zip
from tests.studio import ROOT, Studio

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TOUR = "## Five minutes with curl"


def commands(text: str) -> list[str]:
    """The blocks of a part of the README that a shell is given; not the answers."""
    return [block for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) if not block.startswith("{")]


def tour() -> str:
    return (ROOT / "README.md").read_text().partition(TOUR)[2].partition("\n## ")[0]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_address_in_the_documentation_exists(document):
    addresses = re.findall(r"\$API/([\w$./-]*)", document.read_text())
    for address in addresses:
        parts = [
            "01a217cd-56f7-717d-89ae-40808d954bc1" if re.fullmatch(r"\$?[A-Z0-9_]+", part) else part
            for part in address.split("/")
        ]
        resolve("/api/v1/" + "/".join(parts))


def test_the_tour_has_commands_and_answers():
    assert len(commands(tour())) >= 6 and 'PROJECT"}' not in tour()


@pytest.mark.thorough
@pytest.mark.slow
def test_the_tour_runs_as_it_stands(tmp_path):
    content = shapes_zip(60)
    (tmp_path / "photographs.zip").write_bytes(content)
    from tests.pictures import shape_jpeg

    (tmp_path / "photograph.jpg").write_bytes(shape_jpeg(1000, "disc"))
    studio = Studio(tmp_path / "data").start()
    try:
        script = "set -e -o pipefail\n" + "".join(commands(tour()))
        script = script.replace("http://localhost:8000", studio.url)
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=500)
    finally:
        studio.stop()
    assert done.returncode == 0, done.stderr[-2000:]
    assert "# Screws" in done.stdout and '"score"' in done.stdout and "'created': 120" in done.stdout
    assert [path.name for path in tmp_path.glob("*.tflite")] == ["Screws-v1-model-float32.tflite"]
