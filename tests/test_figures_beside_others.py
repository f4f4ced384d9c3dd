"""Overlaps, thresholds, intervals and matches of detectors beside pycocotools, supervision, scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from scipy.spatial.distance import jensenshannon
from scipy.stats import binomtest
from sklearn import metrics as reference

from vision.analysis.box_table import BoxTable
from vision.analysis.curves import box_threshold_table, label_thresholds, precision_recall_curve, reliability
from vision.analysis.predictions import DetectorPredictions
from vision.analysis.selection import box_uncertainty, disagreement, labeling_order, margin_uncertainty
from vision.analysis.threshold_costs import threshold_costs
from vision.runtime.boxes import (
    AnchorShapes,
    Detections,
    anchors_for,
    decode_offsets,
    detections_from,
    encode_offsets,
    iou_matrix,
    suppress,
    thresholds_of,
)
from vision.runtime.detection_metrics import ap50_interval, coco_metrics, confusion_with_background, worst_images
from vision.runtime.matching import GroundTruth, boxes_taken, match
from vision.runtime.metrics import clustered_interval, is_uneven, wilson_interval
from vision.runtime.thresholds import FEWEST_BOXES, best_thresholds, is_sure, sure_of

NAMES = ["a", "b", "c"]


def boxes(generator: np.random.Generator, count: int) -> np.ndarray:
    corners = generator.integers(0, 60, (count, 2))
    return np.concatenate([corners, corners + generator.integers(8, 40, (count, 2))], axis=1).astype(np.float32)


def evaluated(seed: int, images: int = 12, labels: int = 3) -> tuple[list[GroundTruth], list[Detections]]:
    """Boxes and what a careless detector found: moved, of another label, twice, or nothing at all."""
    generator = np.random.default_rng(seed)
    truths, found = [], []
    for image in range(images):
        true = boxes(generator, int(generator.integers(0, 6)))
        own = generator.integers(0, labels, len(true))
        moved = np.concatenate([true + generator.normal(0, 3, true.shape), boxes(generator, 2)]).astype(np.float32)
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        guessed = np.concatenate([own, generator.integers(0, labels, 2)])
        guessed[generator.random(len(guessed)) < 0.2] = 0
        scores = generator.permutation(np.linspace(0.05, 0.99, len(moved))).astype(np.float32)
        scores[len(true) :] *= 0.4  # of what is not there it is less sure
        truths.append(GroundTruth(f"image {image}", true, own))
        found.append(Detections(moved, scores, guessed))
    return truths, found


@pytest.mark.parametrize("seed", range(4))
def test_overlaps_are_those_of_pycocotools(seed):
    generator = np.random.default_rng(seed)
    first, second = boxes(generator, 30), boxes(generator, 20)
    sized = [np.concatenate([one[:, :2], one[:, 2:] - one[:, :2]], axis=1).astype(float) for one in (first, second)]
    expected = coco_mask.iou(*sized, np.zeros(20, np.uint8))
    assert iou_matrix(first, second) == pytest.approx(expected, abs=1e-6)


def test_boxes_without_area_or_turned_round_overlap_with_nothing():
    odd = np.array([[5, 5, 5, 9], [9, 9, 5, 5], [0, 0, 10, 10]], np.float32)
    assert iou_matrix(odd, odd).tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert iou_matrix(odd[:0], odd).shape == (0, 3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_suppression_is_that_of_supervision(seed, threshold):
    supervision = pytest.importorskip("supervision", reason="a tool to compare with, of requirements-dev.txt")
    generator = np.random.default_rng(seed)
    own, labels = boxes(generator, 200), generator.integers(0, 3, 200)
    scores = generator.permutation(np.linspace(0.01, 0.99, 200)).astype(np.float32)
    theirs = supervision.Detections(own, confidence=scores, class_id=labels).with_nms(threshold)
    kept = suppress(own, scores, labels, threshold, limit=200)
    assert sorted(scores[kept].tolist()) == sorted(theirs.confidence.tolist())
    assert (np.diff(scores[kept]) <= 0).all()


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_offsets_of_any_pair_lead_back_to_the_box(seed, count):
    generator = np.random.default_rng(seed)
    anchors, own = boxes(generator, count), boxes(generator, count)
    assert decode_offsets(anchors, encode_offsets(anchors, own)) == pytest.approx(own, abs=1e-2)


@pytest.mark.parametrize("size", [(32, 32), (33, 65), (8, 200)])
def test_every_cell_of_every_level_has_its_anchors_and_their_area_follows_the_size_alone(size):
    shapes = AnchorShapes(min_level=3, max_level=5, sizes=(2.0, 3.0), ratios=(0.5, 1.0, 2.0), factors=(1.0, 1.0, 0.5))
    found = anchors_for(size, shapes)
    cells = [-(-size[0] // 2**level) * -(-size[1] // 2**level) for level in (3, 4, 5)]
    assert len(found) == sum(cells) * shapes.per_cell == sum(cells) * 6
    sides = found[:, 2:] - found[:, :2]
    first = np.sqrt(np.prod(sides[:6], axis=1))
    assert first == pytest.approx([16, 24, 16, 24, 16, 24], rel=1e-5)
    last = np.sqrt(np.prod(sides[-6:], axis=1))  # cells of 32 pixels at half of their size
    assert last == pytest.approx([32, 48, 32, 48, 32, 48], rel=1e-5)
    assert sides[:6, 1] / sides[:6, 0] == pytest.approx([0.5, 0.5, 1, 1, 2, 2], rel=1e-5)
    assert AnchorShapes.from_dict(shapes.to_dict()) == shapes


def test_a_wild_output_gives_finite_boxes_inside_of_the_image():
    anchors = anchors_for((64, 64), AnchorShapes())
    raw = np.random.default_rng(1).normal(0, 300, (len(anchors), 6)).astype(np.float32)
    found = detections_from(anchors, raw, (40, 64), score_threshold=0.0, limit=50)
    assert 0 < len(found.scores) <= 50 and np.isfinite(found.boxes).all()
    assert found.boxes.min() >= 0 and found.boxes[:, 2].max() <= 64 and found.boxes[:, 3].max() <= 40
    assert detections_from(anchors, raw, (40, 64), score_threshold=1.1).boxes.shape == (0, 4)


def test_each_label_has_its_own_lowest_score():
    detector = {"score_threshold": 0.3, "label_thresholds": {"b": 0.9, "gone": 0.1}}
    assert thresholds_of(detector, NAMES) == [0.3, 0.9, 0.3]
    assert thresholds_of({"score_threshold": 0.3, "label_thresholds": None}, NAMES) == [0.3] * 3
    scores, labels = np.array([0.3, 0.89, 0.9, 0.29]), np.array([0, 1, 1, 2])
    assert is_sure(scores, labels, [0.3, 0.9, 0.3]).tolist() == [True, False, True, False]
    assert is_sure(scores, labels, 0.5).tolist() == [False, True, True, False]


@pytest.mark.parametrize("seed", range(3))
def test_a_table_of_all_boxes_matches_as_image_by_image(tmp_path, seed):
    truths, found = evaluated(seed)
    DetectorPredictions(truths, found, NAMES).save(tmp_path / "outcomes.npz")
    table = BoxTable.load(tmp_path / "outcomes.npz")
    assert table.keys == [truth.id for truth in truths] and table.class_names == NAMES
    for threshold in (0.0, 0.5, [0.2, 0.6, 0.9]):
        sure = table.sure(threshold)
        for image, truth in enumerate(truths):
            kept = sure_of(found[image], threshold)
            true_rows, rows = sure.rows_of(image)
            own = sure.hits[rows]
            assert np.where(own >= 0, own - true_rows.start, -1).tolist() == boxes_taken(truth, kept).tolist()
            again, detections = sure.of_image(image)
            assert again.id == truth.id and (detections.boxes == kept.boxes).all()
            assert sure.best[image] == pytest.approx(kept.scores.max(initial=0.0))
        worst = {row["image"]: row["false_positives"] + row["misses"] for row in worst_images(truths, found, threshold)}
        errors = dict(zip(sure.keys, sure.errors.tolist(), strict=True))
        assert {key: count for key, count in errors.items() if count} == worst
        pairs = int((sure.pairs >= 0).sum())
        matrix = confusion_with_background(truths, found, 3, threshold)
        assert matrix[:3, :3].sum() == pairs and matrix.sum() == pairs + sure.free(sure.pairs).sum() + (
            len(sure.image) - pairs
        )


@pytest.mark.parametrize("seed", range(3))
def test_a_confusion_matrix_has_the_row_sums_of_the_truth_and_the_column_sums_of_what_was_found(seed):
    truths, found = evaluated(seed)
    matrix = confusion_with_background(truths, found, 3, 0.4)
    true = np.bincount(np.concatenate([truth.labels for truth in truths]), minlength=3)
    sure = np.bincount(np.concatenate([sure_of(one, 0.4).labels for one in found]), minlength=3)
    assert matrix[:3].sum(axis=1).tolist() == true.tolist() and matrix[3, 3] == 0
    assert matrix[:, :3].sum(axis=0).tolist() == sure.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_the_best_threshold_is_the_best_of_all_that_there_are(seed):
    matches = match(*evaluated(seed, images=60), 3)
    chosen = best_thresholds(matches)
    total = int(matches.boxes_of.sum())

    def f1(threshold: float) -> float:
        kept = matches.score >= threshold
        return 2 * int(matches.hit[kept].sum()) / (int(kept.sum()) + total)

    assert chosen["all"]["f1"] == pytest.approx(max(f1(score) for score in matches.score))
    assert f1(chosen["all"]["threshold"]) == pytest.approx(chosen["all"]["f1"])
    assert matches.score.min() < chosen["all"]["threshold"] < matches.score.max()
    kept = matches.score >= chosen["all"]["threshold"]
    assert chosen["all"]["precision"] == pytest.approx(reference.precision_score(matches.hit[kept], kept[kept]))


@pytest.mark.parametrize(("count", "has_own"), [(FEWEST_BOXES - 1, False), (FEWEST_BOXES, True)])
def test_a_label_with_few_boxes_has_the_threshold_of_all(count, has_own):
    box = np.array([[0, 0, 10, 10]], np.float32)
    truths, found = [], []
    for number in range(100 + count):
        label = np.array([0 if number < 100 else 1])
        score = np.array([0.8 if label[0] == 0 else 0.2], np.float32)
        truths.append(GroundTruth(str(number), box, label))
        found.append(Detections(box, score, label))
    for number in range(60):  # false alarms of the frequent label between both
        truths.append(GroundTruth(f"none {number}", box[:0], np.zeros(0, int)))
        found.append(Detections(box, np.array([0.5], np.float32), np.array([0])))
    chosen = best_thresholds(match(truths, found, 2))
    assert (chosen[1]["threshold"] == chosen["all"]["threshold"]) is not has_own
    assert chosen[1]["recall"] == (1.0 if has_own else 0.0) or chosen["all"]["threshold"] <= 0.2


def test_thresholds_of_nothing_are_a_half():
    nothing = match([GroundTruth("a", np.zeros((0, 4), np.float32), np.zeros(0, int))], [_none()], 2)
    assert best_thresholds(nothing)["all"] == {"threshold": 0.5, "f1": 0.0, "precision": 0.0, "recall": 0.0}
    assert ap50_interval(nothing) is None


def _none() -> Detections:
    return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, int))


@pytest.mark.parametrize("seed", range(2))
def test_the_interval_of_ap50_holds_what_pycocotools_measures_and_repeats(seed):
    truths, found = evaluated(seed, images=40)
    matches = match(truths, found, 3)
    low, high = ap50_interval(matches)
    assert low < coco_metrics(truths, found, NAMES)["ap50"] < high
    assert ap50_interval(matches) == [low, high]


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_s_interval_is_that_of_scipy(successes, total):
    successes = min(successes, total)
    expected = binomtest(successes, total).proportion_ci(0.95, "wilson")
    assert wilson_interval(successes, total) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_boxes_that_are_missed_together_make_a_wider_interval_and_never_a_narrower_one():
    together = clustered_interval(np.array([10, 0] * 10), np.full(20, 10))
    apart = clustered_interval(np.full(20, 5), np.full(20, 10))
    single = wilson_interval(100, 200)
    assert together[1] - together[0] > 2 * (single[1] - single[0]) and apart == pytest.approx(single)
    assert clustered_interval(np.array([3]), np.array([4])) == wilson_interval(3, 4)
    assert clustered_interval(np.zeros(0), np.zeros(0)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("counts", "uneven"),
    [([10, 15], False), ([10, 16], True), ([10, 0, 15], False), ([7], False), ([], False), ([0, 0], False)],
)
def test_labels_are_uneven_beyond_half_more(counts, uneven):
    assert is_uneven(counts) is uneven


@pytest.mark.parametrize("seed", range(3))
def test_what_a_threshold_costs_is_what_scikit_learn_counts(seed):
    generator = np.random.default_rng(seed)
    scores, right = generator.random(80).round(2), generator.random(80) < 0.7
    unfound = 9  # that no answer was given for
    total = int(right.sum()) + unfound
    for row in threshold_costs(scores, right, total)[::10]:
        kept = scores >= row["threshold"]
        truth, answer = np.r_[right, np.ones(unfound, bool)], np.r_[kept, np.zeros(unfound, bool)]
        (_, wrong), (missed, hits) = reference.confusion_matrix(truth, answer, labels=[False, True])
        assert (row["right"], row["wrong"], row["missed"], row["left"]) == (hits, wrong, missed, int((~kept).sum()))
        assert row["recall"] == pytest.approx(reference.recall_score(truth, answer, zero_division=0))
        assert row["f1"] == pytest.approx(reference.f1_score(truth, answer, zero_division=0))
        expected = reference.precision_score(truth, answer, zero_division=0) if kept.any() else None
        assert row["precision"] == (None if expected is None else pytest.approx(expected))


def test_a_score_of_just_the_threshold_reaches_it():
    scores = np.arange(101) / 100
    rows = threshold_costs(scores, np.ones(101, bool), 101)
    assert [row["threshold"] for row in rows] == scores.tolist() and [row["left"] for row in rows] == list(range(101))


def test_what_a_threshold_costs_without_answers():
    rows = threshold_costs(np.zeros(0), np.zeros(0, bool), 0)
    assert len(rows) == 101 and rows[0]["precision"] is rows[0]["recall"] is rows[0]["f1"] is None
    assert threshold_costs(np.zeros(0), np.zeros(0, bool), 4)[50]["recall"] == 0


def test_label_thresholds_are_those_of_scikit_learn():
    generator = np.random.default_rng(4)
    scores, positive = generator.random(60), generator.random(60) < 0.4
    for row in label_thresholds(scores, positive):
        found = scores >= row["threshold"]
        assert row["f1"] == pytest.approx(reference.f1_score(positive, found, zero_division=0))
        assert row["recall"] == pytest.approx(reference.recall_score(positive, found))
        assert (row["precision"] is None) == (not found.any())


def test_boxes_that_nothing_found_count_in_the_recall():
    scores, right = np.array([0.9, 0.8, 0.4]), np.array([True, False, True])
    curve = precision_recall_curve(scores, right, total=4)
    assert curve["recall"] == [0.25, 0.25, 0.5] and curve["average_precision"] == pytest.approx(0.25 + 0.25 * 2 / 3)
    assert precision_recall_curve(scores[:0], right[:0], total=4)["average_precision"] == 0
    matches = match(*evaluated(0), 3)
    assert box_threshold_table(matches)[0]["recall"] == matches.hit.sum() / matches.boxes_of.sum()


@pytest.mark.parametrize("bins", [1, 5, 15])
def test_bins_of_confidence_hold_every_answer_once(bins):
    generator = np.random.default_rng(bins)
    confidence, right = np.r_[generator.random(50), 0.0, 1.0], np.r_[generator.random(50) < 0.5, True, False]
    rows = reliability(confidence, right, bins)
    assert sum(row["count"] for row in rows) == 52
    assert all(row["from"] <= row["confidence"] <= row["to"] for row in rows)
    assert sum(row["count"] * row["accuracy"] for row in rows) == pytest.approx(right.sum())


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_disagreement_is_the_divergence_of_scipy_and_has_no_direction(seed, classes):
    one, other = np.random.default_rng(seed).dirichlet(np.ones(classes), (2, 9))
    expected = [jensenshannon(a, b, base=2) ** 2 for a, b in zip(one, other, strict=True)]
    assert disagreement(one, other) == pytest.approx(expected, abs=1e-9)
    assert disagreement(other, one) == pytest.approx(disagreement(one, other))


def test_doubt_is_largest_at_the_threshold_and_one_label_alone_has_none():
    at, near, far = box_uncertainty([np.array([0.3]), np.array([0.35]), np.array([0.95])], 0.3)
    assert at > near > far and margin_uncertainty(np.ones((3, 1))).tolist() == [0, 0, 0]
    for threshold in (0.0, 1.0):
        assert np.isfinite(box_uncertainty([np.array([0.0, 0.5, 1.0])], threshold)).all()


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(0, 45))
def test_an_order_of_images_names_each_once_and_begins_with_the_greatest_doubt(seed, count, ranked):
    generator = np.random.default_rng(seed)
    doubt, vectors = generator.random(count), generator.normal(size=(count, 8)).astype(np.float32)
    order = labeling_order(doubt, vectors, ranked=ranked)
    assert sorted(order) == list(range(count)) and order[0] == doubt.argmax()
    rest = doubt[order[min(ranked, count) :]]
    assert (np.diff(rest) <= 0).all()
