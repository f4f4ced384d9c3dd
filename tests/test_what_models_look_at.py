"""What a model sees in an image and where it looks, as vectors, as heat and as boxes that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.made_videos import bars
from vision.analysis.embedding import Embedder, project
from vision.analysis.saliency import CELLS, heat_over, occlusion_map
from vision.runtime.interpreters import ModelFileError
from vision.runtime.overlay import GREY, draw_boxes, with_boxes, with_label

# What a network sees


@given(st.integers(0, 10_000), st.integers(1, 300))
def test_projected_features_have_length_one_and_keep_their_neighbours(seed, width):
    features = np.random.default_rng(seed).normal(size=(6, width))
    found = project(features, 128)
    assert found.shape == (6, min(width, 128)) and np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    near = project(np.concatenate([features, features[:1] * 3]), 128)
    assert near[-1] == pytest.approx(near[0], abs=1e-5)  # how bright it is does not count
    assert np.isfinite(project(np.zeros((2, width)))).all()


def test_features_come_out_of_a_file_and_a_file_that_is_none_is_said(tmp_path, classifier_files):
    embedder = Embedder(classifier_files["litert-float32"], dimensions=16)
    first, second = (bars(number, embedder.image_size[::-1]) for number in (3, 900))
    one, other, again = embedder.run(first), embedder.run(second), embedder.run(first)
    assert one.shape == (16,) and (one == again).all() and not np.allclose(one, other)
    path = tmp_path / "model.tflite"
    path.write_bytes(b"no model")
    with pytest.raises(ModelFileError, match="cannot load"):
        Embedder(path)


@pytest.mark.parametrize("size", [(28, 28), (56, 42), (15, 200)])
def test_the_map_of_what_was_lost_is_highest_where_the_evidence_is(size):
    height, width = size
    pixels = np.full((height, width, 3), 128, np.uint8)
    top, left = height * 10 // 14, width * 3 // 14
    pixels[top : top + max(1, height // 14), left : left + max(1, width // 14)] = 255
    steps = []
    heat = occlusion_map(lambda image: float((image == 255).mean()), pixels, lambda *step: steps.append(step))
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert heat.shape == (CELLS, CELLS) and abs(row - 10) <= 2 and abs(column - 3) <= 2
    assert heat.min() == 0 and steps[0] == (0, 256) and steps == sorted(steps)
    assert (occlusion_map(lambda image: 0.5, pixels) == 0).all()


def test_heat_is_drawn_only_where_something_speaks_for_the_label():
    image = Image.new("RGB", (28, 14), (90, 120, 60))
    grey = np.asarray(image.convert("L").convert("RGB"))
    for cold in (np.zeros((CELLS, CELLS)), np.full((CELLS, CELLS), -1.0)):
        assert (np.asarray(heat_over(image, cold)) == grey).all()
    heat = np.zeros((CELLS, CELLS))
    heat[:, 12:] = 2
    drawn = np.asarray(heat_over(image, heat)).astype(int)
    assert (drawn[:, :14] == grey[:, :14]).all() and (drawn[:, -2:, 0] > drawn[:, -2:, 2] + 50).all()


# Boxes on images


@pytest.mark.parametrize("size", [(20, 20), (640, 480)])
@pytest.mark.parametrize("edges", [[0, 0, 20, 20], [-50, -50, 10, 10], [5, 5, 5, 5], [10, 10, 900, 900]])
def test_a_box_is_drawn_in_its_colour_whatever_its_edges(size, edges):
    image = Image.new("RGB", size, "white")
    rows = [{"label": "a", "score": 0.9, "box": edges, "track": 7}, {"label": "other", "score": 0.1, "box": edges}]
    drawn = with_boxes(image, rows, {"a": "#ff0000"})
    colors = {color for _, color in drawn.getcolors(1 << 20)}
    assert (255, 0, 0) in colors and image.getcolors() == [(size[0] * size[1], (255, 255, 255))]
    assert draw_boxes(image, rows, {}, "png").startswith(b"\x89PNG")
    assert draw_boxes(image, rows, {}, "jpeg").startswith(b"\xff\xd8")


def test_a_label_without_a_colour_is_grey_and_no_label_draws_nothing():
    image = Image.new("RGB", (200, 100), "white")
    drawn = with_label(image, [{"label": "a", "score": 0.5}, {"label": "b", "score": 0.1}], {})
    level = int(GREY[1:3], 16)
    assert (level,) * 3 in {color for _, color in drawn.getcolors(1 << 20)}
    assert (np.asarray(with_label(image, [], {})) == np.asarray(image)).all()
