"""How boxes become what a detector is trained on: targets of anchors, changes of images, shapes of inputs, splits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.pictures import jpeg
from vision.detection.anchors import propose_anchors
from vision.detection.augment import MIN_SIDE, BoxAugmentation
from vision.detection.configuration import DetectionConfiguration
from vision.detection.folders import read_folder
from vision.detection.samples import DetectionSample, boxes_in_input, image_sizes, input_size
from vision.detection.targets import BACKGROUND, IGNORED, anchor_targets
from vision.runtime.boxes import AnchorShapes, anchors_for, decode_offsets, iou_matrix


def boxes(generator: np.random.Generator, count: int, side: int = 64) -> np.ndarray:
    corners = generator.uniform(0, side * 0.6, (count, 2))
    return np.concatenate([corners, corners + generator.uniform(4, side * 0.4, (count, 2))], 1).astype(np.float32)


@given(st.integers(0, 10_000), st.integers(0, 6))
def test_every_anchor_stands_for_its_best_box_for_background_or_for_nothing(seed, count):
    generator = np.random.default_rng(seed)
    anchors, own = anchors_for((64, 64), AnchorShapes(3, 5)), boxes(generator, count)
    labels = generator.integers(0, 3, count)
    targets = anchor_targets(anchors, own, labels)
    code = targets[:, 4]
    assert targets.shape == (len(anchors), 5) and set(code.tolist()) <= {BACKGROUND, IGNORED, 0.0, 1.0, 2.0}
    if not count:
        assert (code == BACKGROUND).all()
        return
    overlap = iou_matrix(anchors, own)
    assert (code[overlap.max(axis=1) >= 0.5] >= 0).all()
    between = (overlap.max(axis=1) >= 0.4) & (overlap.max(axis=1) < 0.5)
    assert (code[between & (code < 0)] == IGNORED).all()
    # What the positive anchors are asked for leads back to boxes of that label.
    found = decode_offsets(anchors[code >= 0], targets[code >= 0, :4])
    same = iou_matrix(found.astype(np.float32), own) > 0.98
    assert (same & (labels[None] == code[code >= 0][:, None])).any(axis=1).all()


@given(st.integers(0, 10_000))
def test_changes_keep_boxes_inside_and_on_what_they_are_about(seed):
    generator = np.random.default_rng(seed)
    own, labels = boxes(generator, 5), np.arange(5)
    pixels = np.full((64, 64, 3), 20, np.uint8)
    change = BoxAugmentation(True, True, scale=(0.6, 1.6), shift=0.2, brightness=0.2, contrast=0.2, saturation=0.2)
    changed, moved, kept = change.apply(pixels, own, labels, np.random.default_rng(seed))
    assert changed.shape == pixels.shape and changed.dtype == np.uint8 and len(moved) == len(kept) <= 5
    assert moved.size == 0 or (
        moved.min() >= 0 and moved.max() <= 64 and (moved[:, 2:] - moved[:, :2]).min() >= MIN_SIDE
    )
    again = change.apply(pixels, own, labels, np.random.default_rng(seed))
    assert (again[0] == changed).all() and (again[1] == moved).all()


def test_no_change_changes_nothing():
    generator = np.random.default_rng(1)
    pixels, own = generator.integers(0, 255, (32, 48, 3), dtype=np.uint8), boxes(generator, 3, 32)
    changed, moved, labels = BoxAugmentation().apply(pixels, own, np.arange(3), generator)
    assert (changed == pixels).all() and (moved == own).all() and labels.tolist() == [0, 1, 2]


@given(st.integers(0, 10_000), st.integers(1, 80))
def test_proposed_anchors_are_some_that_a_configuration_takes(seed, count):
    shapes = propose_anchors(boxes(np.random.default_rng(seed), count, 300))
    assert propose_anchors(boxes(np.random.default_rng(seed), count, 300)) == shapes
    DetectionConfiguration(anchor_sizes=shapes.sizes, anchor_ratios=shapes.ratios).resolved(100)
    assert list(shapes.ratios) == sorted(shapes.ratios)


@given(st.lists(st.tuples(st.integers(1, 4000), st.integers(1, 4000)), min_size=1, max_size=20), st.integers(2, 20))
def test_the_input_has_whole_cells_and_the_longer_side_that_was_asked_for(sizes, cells):
    height, width = input_size(sizes, 32 * cells)
    assert max(height, width) == 32 * cells and height % 32 == width % 32 == 0 and min(height, width) >= 32


def test_sizes_come_from_upright_headers_and_boxes_are_scaled_with_their_images(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(1, (96, 48)))
    (tmp_path / "b.jpg").write_bytes(b"no image")
    samples = [DetectionSample(name, str(tmp_path / name), [[12, 12, 24, 24]], [0]) for name in ("a.jpg", "b.jpg")]
    samples.append(DetectionSample("c", str(tmp_path / "missing.jpg"), [], []))
    assert image_sizes(samples) == [(96, 48), (1, 1), (1, 1)]
    first, *_, last = boxes_in_input(samples, {"a.jpg": (96, 48), "b.jpg": (1, 1), "c": (1, 1)}, (32, 64))
    assert first.tolist() == [[8, 8, 16, 16]] and last.shape == (0, 4)


def test_a_folder_is_split_where_nobody_has_and_the_same_way_each_time(tmp_path):
    rows = []
    for number in range(20):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(number, (32, 32)))
        rows.append(f"{number}.jpg,1,1,20,20,bolt")
    (tmp_path / "annotations.csv").write_text("\n".join([*rows, "20.jpg,1,1,20,20,bolt"]))
    (tmp_path / "20.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    (tmp_path / "21.jpg").write_bytes(jpeg(21))
    data, remarks = read_folder(tmp_path, seed=5)
    assert {split: len(samples) for split, samples in data.splits.items()} == {"train": 14, "validation": 3, "test": 3}
    assert data.class_names == ["bolt"] and {remark.filename for remark in remarks} >= {"20.jpg"}
    assert read_folder(tmp_path, seed=5)[0] == data and read_folder(tmp_path, seed=6)[0] != data
