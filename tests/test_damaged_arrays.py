"""Files of arrays beside the live model: damaged in any place, and read by many threads at once."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
import pytest

from inference.embeddings.stores import folder_of
from inference.live_model.box_fitting import BoxGuesses, BoxState, read_box_guesses
from inference.live_model.box_fitting import _write as write_boxes
from inference.live_model.files import Guesses, LiveState, read_guesses, write_guesses
from tests.test_live_model import folders, fresh, guesses, keeper, work
from vision.analysis.array_files import UNREADABLE, read_arrays

pytestmark = pytest.mark.any_database("files beside the live model")
__all__ = ["folders", "fresh", "keeper"]
STATE = LiveState(1, "2026-01-01T00:00:00+00:00", "e", ["a", "b"], [1, 1], 0, 0, 1.0, 3, 0.1, "s")
BOXES = BoxState(1, "2026-01-01T00:00:00+00:00", "e", ["a", "b"], [1, 1], 2, 0, 0, 3, 0.1, "s")
COLUMNS = {
    "ids": np.arange(6, dtype=np.uint64).reshape(3, 2),
    "labels": np.array([0, 1, 1], np.uint16),
    "confidences": np.full(3, 0.5, np.float32),
    "margins": np.full(3, 0.5, np.float32),
}


@pytest.fixture
def written(project):
    write_guesses(project, Guesses(STATE, *COLUMNS.values()))
    write_boxes(project, BoxGuesses(BOXES, *list(COLUMNS.values())[:3]))
    return folder_of(project) / "live"


@pytest.fixture
def busy_parsers() -> Iterator[None]:
    """Threads take turns in the middle of Python's parser, as they may under load."""
    before = gc.get_threshold()

    def give_way(*_: object) -> None:
        time.sleep(0)

    gc.callbacks.append(give_way)
    gc.set_threshold(20)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(give_way)


def test_threads_that_read_at_once(tmp_path, busy_parsers):
    path = tmp_path / "x.npz"
    np.savez(path, **{name: np.zeros((3, width + 1)) for width, name in enumerate("abcdef")})

    def read(_: int) -> int:
        return len(read_arrays(path))

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(read, range(600))) == {6}


@pytest.mark.parametrize("name", ["guesses.npz", "boxes.npz"])
def test_bytes_that_changed_are_an_answer_or_none(project, written, name):
    path, random = written / name, np.random.default_rng(0)
    content = path.read_bytes()
    for turn in range(250):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 1 + turn % 4):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged[: random.integers(1, len(content))] if turn % 5 == 0 else damaged)
        for found in (read_guesses(project), read_box_guesses(project)):
            assert found is None or [found.state.labels[place] for place in found.labels]


@pytest.mark.parametrize(
    "wrong",
    [{"ids": COLUMNS["ids"][:2]}, {"ids": COLUMNS["ids"].ravel()}, {"ids": COLUMNS["ids"].astype(float)},
     {"labels": np.array([0, 1, 2], np.uint16)}, {"labels": np.array([0, 1, -1])}, {"labels": COLUMNS["labels"][:2]},
     {"confidences": np.zeros((3, 2), np.float32)}, {"confidences": np.zeros(4, np.float32)}],
)  # fmt: skip
def test_columns_that_do_not_fit_together(project, written, wrong):
    for name, state in (("guesses.npz", STATE), ("boxes.npz", BOXES)):
        np.savez(written / name, state=np.array(json.dumps(asdict(state))), **(COLUMNS | wrong))
    assert read_guesses(project) is None and read_box_guesses(project) is None


def test_what_is_no_file_of_arrays(tmp_path):
    path = tmp_path / "x.npz"
    for content in (b"", b"PK\3\4", b"\x93NUMPY", b"\x93NUMPY\1\0v\0{", b"x" * 99):
        path.write_bytes(content)
        with pytest.raises(UNREADABLE):
            read_arrays(path)


def test_a_label_that_was_deleted_is_not_guessed_any_more(api, project, fresh, keeper):
    """Also before the live model has learned again."""
    work()
    label = guesses(api, project)["results"][0]["label"]
    answer = api.delete(f"/api/v1/projects/{project.pk}/labels/{label}/?images=unlabel")
    assert answer.status_code == 204
    page = guesses(api, project)
    assert {row["label"] for row in page["results"]}.isdisjoint({label}) and 0 < page["count"] < 40
