"""The lines of the documentation: each page runs as it stands, in the shell of the README's tour."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.made_videos import made_video
from tests.pictures import scenes_zip, shape_jpeg, shapes_zip
from tests.studio import ROOT, Studio
from tests.test_readme import commands, tour

# Pages with lines for the README's shell, in an order in which each finds what it needs.
PAGES = ("imports", "improving", "models", "edge", "detection")
# Lines that need another machine, its administrator, or a compiler. Other tests run what they run.
ELSEWHERE = ("sudo ", "docker ", "resnet50_csv_50.h5", "manage.py ")
DEFINED = re.compile(r"^(?:export )?([A-Z_]+)=|^(\w+)\(\)", re.MULTILINE)
USED = re.compile(r"\$\{?([A-Z_]+)")
# What `eval` of the quickstart's last line sets.
SET_BY_QUICKSTART = {"PROJECT", "DATASET", "SNAPSHOT", "TRAINING", "MODEL"}


def lines_of(page: str) -> list[str]:
    """The blocks of a page that the shell is given; indented ones and those for elsewhere left out."""
    text = (ROOT / "docs" / f"{page}.md").read_text()
    return [block for block in commands(text) if "curl " in block and not any(word in block for word in ELSEWHERE)]


@pytest.mark.parametrize("page", PAGES)
def test_lines_use_only_what_was_defined(page):
    defined = {name for found in DEFINED.findall("".join(commands(tour()))) for name in found if name}
    assert lines_of(page)
    for block in lines_of(page):
        defined |= {name for found in DEFINED.findall(block) for name in found if name}
        assert not set(USED.findall(block)) - defined, block
        assert "MODEL/" not in block.replace("$MODEL/", ""), block


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_every_page_runs_as_it_stands(tmp_path):
    """All pages in one shell after the tour of the README. What may take an hour there takes few epochs here."""
    _make_files(tmp_path)
    studio = Studio(tmp_path / "data", MLSTUDIO_WEBHOOK_HOSTS="127.0.0.1").start()
    script = 'set -e -o pipefail\ncurl() { command curl --fail-with-body "$@"; }\n' + "".join(commands(tour()))
    for page in PAGES:
        script += f"\necho '== {page}' >&2\n" + "\necho '--'\n".join(lines_of(page))
    script = script.replace("http://localhost:8000", studio.url)
    script = script.replace("https://hooks.example.com/", "http://127.0.0.1:9/")  # no such host
    script = script.replace("--task detection", "--task detection --set epochs=2 --set image_size=96")
    script = script.replace("examples/", f"{ROOT}/examples/")
    try:
        with open(tmp_path / "answers.txt", "w") as answers:
            done = subprocess.run(
                ["bash", "-c", script], cwd=tmp_path, stdout=answers, stderr=subprocess.PIPE, text=True, timeout=2300
            )
    finally:
        studio.stop()
    assert done.returncode == 0, done.stderr[-2000:] + (tmp_path / "answers.txt").read_text()[-2000:]
    assert (tmp_path / "seen.jpg").stat().st_size > 1000 and (tmp_path / "explanation.png").stat().st_size > 1000


def _make_files(folder) -> None:
    import keras

    (folder / "photographs.zip").write_bytes(shapes_zip(60))
    (folder / "boxes.zip").write_bytes(scenes_zip(40))
    (folder / "photograph.jpg").write_bytes(shape_jpeg(1000, "disc"))
    (folder / "line3.mp4").write_bytes(made_video(60))
    (folder / "day.mp4").write_bytes(made_video(90))
    layers = keras.layers
    network = keras.Sequential(
        [
            layers.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    network.save(folder / "model.keras")
    (folder / "labels.txt").write_text("cross\ndisc\n")
    (folder / "network.json").write_text(json.dumps(json.loads(network.to_json())))
