"""Detectors: boxes in numpy against hand-computed cases, the letterbox, targets, augmentation, metrics, a training."""

from __future__ import annotations

import dataclasses
import functools
import io
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.engines import SMALL_RESNET, step_by_step
from tests.environment import THOROUGH
from tests.pictures import jpeg, scene, scenes_zip
from vision.detection.augment import BoxAugmentation
from vision.detection.checks import check_boxes
from vision.detection.configuration import DetectionConfiguration
from vision.detection.targets import BACKGROUND, IGNORED, anchor_targets
from vision.imaging.letterbox import PADDING_GREY, Letterbox, load_letterboxed
from vision.runtime.boxes import (
    AnchorShapes,
    Detections,
    anchors_for,
    decode_offsets,
    detections_from,
    encode_offsets,
    iou_matrix,
    suppress,
)
from vision.runtime.detection_metrics import (
    ap50_interval,
    coco_metrics,
    confusion_with_background,
    detection_metrics,
    worst_images,
)
from vision.runtime.matching import GroundTruth, match
from vision.runtime.metrics import clustered_interval, wilson_interval
from vision.runtime.thresholds import best_thresholds
from vision.training.errors import ConfigurationError, DataError, WeightsError

SHAPES = AnchorShapes(sizes=(2.0,), ratios=(1.0,))
SMALL_HEADS = {"filters": 32, "head_convolutions": 1}


def boxes(*rows) -> np.ndarray:
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


# Geometry


def test_overlaps_by_hand():
    overlap = iou_matrix(boxes((0, 0, 10, 10)), boxes((0, 0, 10, 10), (5, 0, 15, 10), (20, 20, 30, 30), (3, 3, 3, 9)))
    assert overlap[0] == pytest.approx([1, 1 / 3, 0, 0])


def test_anchors_by_hand():
    anchors = anchors_for((64, 128), SHAPES)
    assert len(anchors) == 8 * 16 + 4 * 8 + 2 * 4 + 1 * 2 + 1 * 1
    assert anchors[0] == pytest.approx([4 - 8, 4 - 8, 4 + 8, 4 + 8])
    assert anchors[1] == pytest.approx([12 - 8, 4 - 8, 12 + 8, 4 + 8])  # rows first, then down
    tall = anchors_for((64, 64), AnchorShapes(sizes=(2.0,), ratios=(4.0,)))[0]
    assert (tall[3] - tall[1]) / (tall[2] - tall[0]) == pytest.approx(4)
    assert (tall[3] - tall[1]) * (tall[2] - tall[0]) == pytest.approx(16 * 16)


@given(st.lists(st.tuples(*[st.floats(0, 500, width=32)] * 4), min_size=1, max_size=20))
def test_offsets_there_and_back(rows):
    made = boxes(*[(x, y, x + w + 1, y + h + 1) for x, y, w, h in rows])
    anchors = np.tile(boxes((100, 100, 164, 132)), (len(made), 1))
    back = decode_offsets(anchors, encode_offsets(anchors, made))
    assert np.allclose(back, made, atol=0.05)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (3, 5), (9000, 700), (1, 200), (320, 256), (100, 100)])
def test_the_letterbox_there_and_back(size):
    width, height = size
    letterbox = Letterbox.fit(width, height, (256, 320))
    assert letterbox.content_size[0] <= 256 and letterbox.content_size[1] <= 320
    whole = letterbox.to_input(boxes((0, 0, width, height)))
    assert whole[0, 2:] == pytest.approx(letterbox.content_size[::-1], abs=1)
    inside = boxes((0, 0, width, height), (width * 0.25, height * 0.1, width * 0.5, height * 0.7))
    assert np.allclose(
        letterbox.to_image(letterbox.to_input(inside), width, height), inside, atol=1e-2 * max(size) / 320
    )


@pytest.mark.parametrize("size", [(200, 100), (100, 200)])
def test_a_marked_corner_lies_where_the_letterbox_says(size):
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[-20:, -20:] = 255  # the lower right corner
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    seen = load_letterboxed(target.getvalue(), (64, 64))
    x_min, y_min, x_max, y_max = (
        Letterbox.fit(*size, (64, 64)).to_input(boxes((size[0] - 20, size[1] - 20, *size)))[0].round().astype(int)
    )
    assert seen[y_min + 1 : y_max - 1, x_min + 1 : x_max - 1].min() > 200
    assert seen[: y_min - 2, :x_max].max() < 60
    assert np.all(seen[-1, -1] == PADDING_GREY)


def test_an_upright_photograph_is_letterboxed_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = jpeg(1, (80, 40), exif=exif)
    assert np.all(load_letterboxed(turned, (64, 64))[:, -20:] == PADDING_GREY)


def test_suppression_keeps_the_best_of_each_label():
    found = boxes((0, 0, 10, 10), (1, 0, 11, 10), (1, 0, 11, 10), (50, 50, 60, 60))
    scores, labels = np.array([0.8, 0.9, 0.7, 0.1]), np.array([0, 0, 1, 0])
    assert suppress(found, scores, labels, 0.5, 10).tolist() == [1, 2, 3]
    assert suppress(found, scores, labels, 0.95, 10).tolist() == [1, 0, 2, 3]
    assert suppress(found, scores, labels, 0.5, 2).tolist() == [1, 2]
    assert suppress(boxes(), np.zeros(0), np.zeros(0), 0.5, 2).tolist() == []


@pytest.mark.parametrize("limit", [1, 7, 300, 5000])
@pytest.mark.parametrize("count", [1, 127, 128, 129, 700])
def test_suppression_of_many_boxes_is_the_greedy_one(count, limit):
    random = np.random.default_rng(count)
    corners = random.uniform(0, 300, (count, 2))
    found = np.concatenate([corners, corners + random.uniform(5, 80, (count, 2))], axis=1).astype(np.float32)
    scores, labels = random.choice([0.2, 0.5, 0.9], count), random.integers(0, 3, count)
    overlap, left, greedy = iou_matrix(found, found), np.argsort(-scores, kind="stable").tolist(), []
    while left and len(greedy) < limit:
        best = left.pop(0)
        greedy.append(best)
        left = [one for one in left if overlap[best, one] <= 0.4 or labels[one] != labels[best]]
    assert suppress(found, scores, labels, 0.4, limit).tolist() == greedy


def test_raw_output_becomes_boxes_of_the_picture():
    anchors = anchors_for((64, 64), SHAPES)
    raw = np.full((len(anchors), 6), -9.0, np.float32)
    raw[:, :4] = 0
    raw[70, 5] = 2.0  # the label 1 at one anchor of level 4
    raw[:1, 4] = 0.5
    found = detections_from(anchors, raw, (64, 40), score_threshold=[0.7, 0.3])
    assert found.labels.tolist() == [1] and found.scores[0] == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert found.boxes[0] == pytest.approx(np.clip(anchors[70], 0, [40, 64, 40, 64]))


# Targets


def test_targets_by_hand():
    anchors = boxes((0, 0, 10, 10), (0, 0, 10, 14), (0, 0, 10, 22), (50, 50, 60, 60), (80, 80, 90, 90))
    targets = anchor_targets(anchors, boxes((0, 0, 10, 10), (58, 58, 60, 60)), np.array([3, 1]))
    assert targets[:, 4].tolist() == [3, 3, IGNORED, 1, BACKGROUND]  # the small box gets its nearest anchor
    assert targets[0, :4] == pytest.approx([0, 0, 0, 0])
    assert np.allclose(decode_offsets(anchors[3:4], targets[3:4, :4]), [[58, 58, 60, 60]], atol=1e-3)
    assert np.all(anchor_targets(anchors, boxes(), np.zeros(0, int))[:, 4] == BACKGROUND)


def test_the_loss_by_hand():
    from vision.detection.losses import RetinaNetLoss

    y_true = np.zeros((1, 3, 5), np.float32)
    y_true[0, :, 4] = [1, BACKGROUND, IGNORED]
    y_pred = np.zeros((1, 3, 6), np.float32)
    y_pred[0, 0, 0] = 2.0  # one offset is wrong by 2
    focal = 0.5**2 * np.log(2)
    expected = focal * (0.25 + 0.75) + 2 * focal * 0.75 + (2.0 - 0.25)
    assert float(RetinaNetLoss(2)(y_true, y_pred)) == pytest.approx(expected, rel=1e-5)
    y_true[0, :, 4] = BACKGROUND
    assert np.isfinite(float(RetinaNetLoss(2)(y_true, y_pred * 100)))


@given(st.integers(0, 10_000))
def test_boxes_move_with_the_picture(seed):
    """A white box on black stays under its box, whatever happens to the image."""
    generator = np.random.default_rng(seed)
    x, y = generator.integers(20, 60, 2)
    pixels = np.zeros((96, 128, 3), np.uint8)
    pixels[y : y + 24, x : x + 30] = 255
    augmentation = BoxAugmentation(True, True, (0.8, 1.25), 0.1)
    seen, moved, labels = augmentation.apply(pixels, boxes((x, y, x + 30, y + 24)), np.array([5]), generator)
    assert labels.tolist() == [5] and seen.shape == pixels.shape
    left, top, right, bottom = moved[0].round().astype(int)
    assert seen[top + 2 : bottom - 2, left + 2 : right - 2].min() > 200
    bright = np.argwhere((seen > 200).all(axis=2))
    assert bright.min(axis=0) == pytest.approx([top, left], abs=2) and bright.max(axis=0) == pytest.approx(
        [bottom - 1, right - 1], abs=2
    )


def test_a_box_that_leaves_the_picture_is_gone():
    augmentation = BoxAugmentation(scale=(4.0, 4.0))
    _, moved, labels = augmentation.apply(
        np.zeros((64, 64, 3), np.uint8),
        boxes((0, 0, 8, 8), (28, 28, 36, 36)),
        np.array([1, 2]),
        np.random.default_rng(0),
    )
    assert labels.tolist() == [2] and moved[0] == pytest.approx([16, 16, 48, 48])


# Metrics


def one_image(truth, found) -> tuple[list[GroundTruth], list[Detections]]:
    """`truth`: (label, box); `found`: (label, score, box)."""
    labels, made = zip(*truth, strict=True) if truth else ((), ())
    found_labels, scores, found_boxes = zip(*found, strict=True) if found else ((), (), ())
    return (
        [GroundTruth("one", boxes(*made), np.array(labels, int))],
        [Detections(boxes(*found_boxes), np.array(scores, np.float32), np.array(found_labels, int))],
    )


A, B, FAR = (0, 0, 100, 100), (200, 200, 300, 300), (400, 400, 450, 450)


def test_average_precision_by_hand():
    """Two boxes; found: one (0.9), a wrong one (0.8), the other (0.7): precision 1 up to recall 1/2, then 2/3."""
    truths, found = one_image([(0, A), (0, B)], [(0, 0.9, A), (0, 0.8, FAR), (0, 0.7, B)])
    figures = coco_metrics(truths, found, ["x"])
    expected = (51 * 1.0 + 50 * 2 / 3) / 101
    assert figures["ap50"] == pytest.approx(expected, abs=1e-6) and figures["ap"] == pytest.approx(expected, abs=1e-6)
    assert figures["ap_small"] is None and figures["ap_large"] == pytest.approx(1)  # the wrong one is no large one
    low, high = ap50_interval(match(truths, found, 1))
    assert low == pytest.approx(expected, abs=1e-6) and high == pytest.approx(expected, abs=1e-6)
    best = best_thresholds(match(truths, found, 1))["all"]
    assert best["threshold"] == pytest.approx(0.35) and best["f1"] == pytest.approx(0.8)


def test_boxes_that_are_missed_together_say_less_than_as_many_apart():
    """Ten boxes found on one image and ten missed on another are as one trial of two: design effect 20."""
    together = clustered_interval(np.array([10, 0]), np.array([10, 10]))
    assert together == pytest.approx(wilson_interval(0.5, 1))
    assert together == pytest.approx((0.0546, 0.9454), abs=1e-4)
    apart = clustered_interval(np.array([1, 0] * 10), np.array([1] * 20))
    assert apart == pytest.approx(wilson_interval(10, 20), abs=0.01)
    # Spread more evenly than by chance, and where nothing was missed, each box counts.
    assert clustered_interval(np.array([5, 5]), np.array([10, 10])) == wilson_interval(10, 20)
    assert clustered_interval(np.array([3, 4]), np.array([3, 4])) == wilson_interval(7, 7)
    assert clustered_interval(np.array([3]), np.array([4])) == wilson_interval(3, 4)


def test_the_interval_of_recall_groups_the_boxes_of_an_image():
    seen, missed = one_image([(0, A), (0, B)], [(0, 0.9, A), (0, 0.9, B)]), one_image([(0, A), (0, B)], [])
    figures = detection_metrics(seen[0] + missed[0], seen[1] + missed[1], ["x"], 0.5)
    assert figures["recall"] == 0.5 and figures["recall_interval"] == pytest.approx(wilson_interval(0.5, 1))


def test_a_second_box_for_the_same_object_is_wrong_and_labels_count():
    truths, found = one_image([(0, A), (1, B)], [(0, 0.9, A), (0, 0.8, A), (0, 0.7, B)])
    assert match(truths, found, 2).hit.tolist() == [True, False, False]
    assert confusion_with_background(truths, found, 2, 0.5).tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 0]]
    figures = coco_metrics(truths, found, ["x", "y"])
    assert [one["ap50"] for one in figures["per_class"]] == pytest.approx([1.0, 0.0])
    assert worst_images(truths, found, 0.75) == [
        {"image": "one", "false_positives": 1, "misses": 1, "highest_wrong_score": pytest.approx(0.8)}
    ]


@pytest.mark.parametrize(("truth", "found"), [([], []), ([(0, A)], []), ([], [(0, 0.9, A)])])
def test_metrics_of_nothing(truth, found):
    metrics = detection_metrics(*one_image(truth, found), ["x"], 0.5)
    assert metrics["recall"] == 0 and metrics["precision"] == 0 and metrics["count"] == 1


def test_our_ap50_is_that_of_pycocotools():
    """The interval's quick AP50 beside the slow one, on random images."""
    generator = np.random.default_rng(4)
    truths, found = [], []
    for image in range(30):
        corners = generator.uniform(0, 300, (6, 2))
        made = np.concatenate([corners, corners + generator.uniform(40, 90, (6, 2))], axis=1).astype(np.float32)
        truths.append(GroundTruth(str(image), made, generator.integers(0, 3, 6)))
        shifted = np.repeat(made, 2, axis=0) + generator.normal(0, 6, (12, 4)).astype(np.float32)
        labels = np.repeat(truths[-1].labels, 2)
        found.append(Detections(shifted, generator.uniform(0, 1, 12).astype(np.float32), labels))
    from vision.runtime import detection_metrics as module

    matches = match(truths, found, 3)
    order = np.argsort(-matches.score, kind="stable")
    ours = np.mean(
        [
            module.interpolated_ap(
                matches.hit[order][matches.label[order] == one],
                np.ones((matches.label == one).sum()),
                int(matches.boxes_of[:, one].sum()),
            )
            for one in range(3)
        ]
    )
    assert ours == pytest.approx(coco_metrics(truths, found, ["a", "b", "c"])["ap50"], abs=1e-6)


# Configuration and data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "small_cnn"}, "architecture must be one of"),
        ({"image_size": 100}, "multiple of 32"),
        ({"batch_size": 0}, "batch_size must be between"),
        ({"augmentation": "wild"}, "augmentation must be one of"),
        ({"anchor_sizes": (0.1,)}, "anchor_sizes must be"),
    ],
)
def test_wrong_configurations_name_the_value(change, message):
    with pytest.raises(ConfigurationError, match=message):
        dataclasses.replace(DetectionConfiguration(), **change).resolved(100)
    with pytest.raises(WeightsError):
        DetectionConfiguration(weights="imagenet").resolved(100)
    with pytest.raises(ConfigurationError, match="label_smoothing"):
        DetectionConfiguration.from_dict({"label_smoothing": 0.1})


@pytest.mark.parametrize(
    ("counts", "images", "code"),
    [
        ({"train": {"a": 0}}, {"train": 3, "validation": 1, "test": 1}, "no_boxes"),
        ({"train": {"a": 3}, "validation": {"a": 1}}, {"train": 3, "validation": 1}, "empty_split"),
        (
            {"train": {"a": 0, "b": 1}, "validation": {"a": 1}},
            {"train": 3, "validation": 1, "test": 1},
            "label_without_boxes",
        ),
    ],
)
def test_boxes_that_cannot_be_trained_on(counts, images, code):
    with pytest.raises(DataError) as caught:
        check_boxes(["a", "b"][: len(counts["train"])], counts, images)
    assert caught.value.code == code


def test_the_input_follows_the_images_and_anchors_the_boxes():
    from vision.detection.anchors import propose_anchors
    from vision.detection.samples import input_size

    assert input_size([(640, 480)] * 9, 320) == (256, 320)
    assert input_size([(480, 640)] * 9, 320) == (320, 256)
    assert input_size([(480, 640), (640, 480)] * 9, 320) == (320, 320)
    assert input_size([(4000, 100)] * 9, 320) == (32, 320)
    wide = propose_anchors(boxes(*[(0, 0, 60 + n, 20) for n in range(50)]))
    assert max(wide.ratios) < 0.5 and propose_anchors(boxes()) == AnchorShapes()


# A training


def scenes(folder: Path, counts: dict[str, int]):
    from vision.detection.samples import DetectionData, DetectionSample

    splits, seed = {}, 0
    for split, count in counts.items():
        samples = []
        for _ in range(count):
            content, marks, labels = scene(seed)
            path = folder / f"{seed}.png"
            path.write_bytes(content)
            samples.append(DetectionSample(str(seed), str(path), marks, labels))
            seed += 1
        splits[split] = samples
    splits["train"].append(DetectionSample("empty", splits["train"][0].path, [], []))
    return DetectionData(["square", "disc"], splits)


@pytest.fixture
def small_network(monkeypatch) -> None:
    """A RetinaNet of the same parts, but fewer of them: building and tracing it takes a third of the time."""
    from vision.detection import networks, train

    if THOROUGH:
        return
    monkeypatch.setitem(networks.RESNETS, "resnet18", SMALL_RESNET)
    small = functools.partial(networks.build_retinanet, **SMALL_HEADS)
    monkeypatch.setattr(train, "build_retinanet", small)


TINY = DetectionConfiguration(image_size=96, batch_size=4, epochs=2, augmentation="none", learning_rate=1e-3)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("small_network", "no_timing", "without_graphs")
def test_a_tiny_training_ends_with_files_that_agree_and_goes_on_after_a_break(tmp_path):
    from vision.detection.train import train_detector
    from vision.training.errors import Interrupted
    from vision.training.hooks import TrainingHooks

    data = scenes(tmp_path, {"train": 11, "validation": 4, "test": 4})
    configuration = TINY.resolved(12)
    (tmp_path / "whole").mkdir()
    whole = train_detector(configuration, data, tmp_path / "whole")
    assert len(whole.history) == 2 and "val_ap50" in whole.history[-1]
    assert whole.history[1]["loss"] < whole.history[0]["loss"]
    assert whole.litert_difference <= 1e-3 and whole.input_size == (96, 96)
    assert set(whole.files) == {"keras", "litert-float32", "labels"}
    assert whole.metrics["count"] == 4 and len(whole.metrics["confusion_matrix"]) == 3

    seen = {"checks": 0, "epochs": 0}

    def interrupt_in_the_second_epoch():
        seen["checks"] += seen["epochs"]
        if seen["checks"] == 2:
            raise Interrupted("pause")

    def count(entry):
        seen["epochs"] += 1

    (tmp_path / "cut").mkdir()
    with pytest.raises(Interrupted):
        train_detector(
            configuration,
            data,
            tmp_path / "cut",
            TrainingHooks(raise_if_cancelled=interrupt_in_the_second_epoch, on_epoch=count),
        )
    resumed = train_detector(configuration, data, tmp_path / "cut")
    assert resumed.history[-1]["val_loss"] == pytest.approx(whole.history[-1]["val_loss"], rel=1e-4)
    assert resumed.metrics["ap50"] == pytest.approx(whole.metrics["ap50"], abs=1e-4)


@pytest.mark.long
@pytest.mark.long
@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.usefixtures("small_network", "engine_in_process")
def test_a_detector_over_http(api, owner, tmp_path, outsider):
    """Import, preflight, train, metrics, card, predict, draw."""
    from datasets.models import Label
    from inference.models import Model
    from tests.conftest import client_of
    from tests.test_boxes import new_dataset
    from tests.test_imports import run_import
    from training import services

    dataset = new_dataset(owner, "scenes")
    run_import(api, dataset, scenes_zip(20))
    wanted = {"project": dataset["project"], "image_size": 96, "epochs": 2, "augmentation": "none"}
    wrong = api.post("/api/v1/trainings/", {**wanted, "label_smoothing": 0.1})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "invalid_configuration")
    assert api.post("/api/v1/trainings/", {**wanted, "architecture": "small_cnn"}).status_code == 400
    run = api.post("/api/v1/trainings/", wanted).json()
    assert run["configuration"]["architecture"] == "retinanet_resnet18"
    services.run_training(run["id"])
    run = api.get(f"/api/v1/trainings/{run['id']}/").json()
    assert run["state"] == "succeeded", (run["error"], api.get(f"/api/v1/trainings/{run['id']}/log/").content)
    assert run["estimate"]["memory_bytes"] > 10**8 and "val_ap50" in run["history"][-1]
    model = api.get(f"/api/v1/models/{run['model']}/").json()
    assert model["task"] == "detection" and 0 <= model["metrics"]["ap50"] <= 1 and model["detector"]["anchors"]
    (evaluation,) = api.get(f"/api/v1/models/{model['id']}/evaluations/").json()["results"]
    assert evaluation["has_outcomes"] and evaluation["curves"]["thresholds"]
    behind = api.get(f"/api/v1/evaluations/{evaluation['id']}/images/?threshold=0").json()
    assert behind["count"] == model["metrics"]["count"] and all(one["boxes"] for one in behind["results"])
    card = b"".join(api.get(f"/api/v1/models/{model['id']}/files/model_card/").streaming_content).decode()
    assert "An object detector" in card and "background" in card and "AP50" in card

    again = {"project": dataset["project"], "base_model": model["id"]}
    assert api.post("/api/v1/trainings/", {**again, "architecture": "retinanet_resnet50"}).status_code == 400
    assert api.post("/api/v1/trainings/", {**again, "anchor_sizes": [2.0]}).status_code == 400
    assert client_of(outsider).post("/api/v1/trainings/", again).status_code == 400
    second = api.post("/api/v1/trainings/", {**again, "image_size": 96, "epochs": 1}).json()
    assert second["configuration"]["learning_rate"] == pytest.approx(3e-4)
    services.run_training(second["id"])
    second = api.get(f"/api/v1/trainings/{second['id']}/").json()
    assert second["state"] == "succeeded", second["error"]
    assert api.get(f"/api/v1/models/{second['model']}/").json()["base_model"] == model["id"]
    assert second["history"][0]["val_loss"] < run["history"][0]["val_loss"]  # it begins with what was learned
    orphan = api.post("/api/v1/trainings/", {"project": dataset["project"], "base_model": second["model"]}).json()
    assert api.delete(f"/api/v1/models/{second['model']}/").status_code == 409  # a training waits for it
    Model.objects.filter(pk=second["model"]).delete()
    services.run_training(orphan["id"])
    assert api.get(f"/api/v1/trainings/{orphan['id']}/").json()["error"]["code"] == "base_model_deleted"
    assert "100% of its weights fit" in api.get(f"/api/v1/trainings/{second['id']}/log/").content.decode()

    path = f"/api/v1/models/{model['id']}/predict/"
    image = api.get("/api/v1/images/").json()["results"][0]
    answer = api.post(f"{path}?threshold=0.01&max=7&iou=0.3", {"images": [image["id"]]}).json()
    (prediction,) = answer["predictions"]
    assert prediction["labels"] == [] and (prediction["width"], prediction["height"]) == (96, 96)
    assert 0 < len(prediction["boxes"]) <= 7
    for one in prediction["boxes"]:
        x_min, y_min, x_max, y_max = one["box"]
        assert 0 <= x_min < x_max <= 96 and 0 <= y_min < y_max <= 96 and one["label"] in ("square", "disc")
    Label.objects.filter(name="square").update(color="#ff0000")
    for kind in ("png", "jpeg"):
        drawn = api.post(f"{path}?threshold=0.01&overlay={kind}", {"images": [image["id"]]})
        assert drawn["Content-Type"] == f"image/{kind}" and Image.open(io.BytesIO(drawn.content)).size == (96, 96)
    assert api.post(f"{path}?overlay=png", {"images": [image["id"]] * 2}).status_code == 400
    assert api.post(f"{path}?overlay=svg", {"images": [image["id"]]}).status_code == 400
    assert client_of(outsider).post(path, {"images": [image["id"]]}).status_code == 404


def test_drawn_boxes_are_readable_at_any_size(tmp_path):
    from vision.runtime.overlay import draw_boxes

    for size in ((40, 30), (4000, 3000), (30, 2000)):
        box = [size[0] * 0.1, 0, size[0] * 0.9, size[1] * 0.9]
        content = draw_boxes(
            Image.new("RGB", size, "white"), [{"label": "größe", "score": 0.5, "box": box}], {"größe": "#0072b2"}, "png"
        )
        drawn = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        assert drawn.shape[:2] == size[::-1] and (drawn == (0, 0x72, 0xB2)).all(axis=2).sum() > 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "backbone", [pytest.param("resnet50", marks=pytest.mark.thorough), "efficientnet_lite0", "mobilenet_v2"]
)
@pytest.mark.long
def test_every_backbone_builds_saves_and_exports(backbone, tmp_path):
    import keras

    from vision.detection import export
    from vision.detection.networks import build_retinanet
    from vision.detection.verification import check_litert

    # It is about the backbone: heads are the same for all.
    model = build_retinanet(backbone, (64, 96), 2, SHAPES, **({} if THOROUGH else SMALL_HEADS))
    images = np.random.default_rng(0).integers(0, 255, (1, 64, 96, 3), dtype=np.uint8)
    raw = np.asarray(model(images.astype(np.float32), training=False))
    assert raw.shape == (1, len(anchors_for((64, 96), SHAPES)), 6)
    assert 1 / (1 + np.exp(-raw[..., 4:])).mean() < 0.05  # everything begins as background
    export.export_keras(model, tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", compile=False)
    assert np.allclose(np.asarray(loaded(images.astype(np.float32), training=False)), raw, atol=1e-5)
    export.export_litert(model, tmp_path / "m.tflite", SHAPES, 0.5)

    def forward(batch):
        return np.asarray(model(batch.astype(np.float32), training=False))

    assert check_litert(tmp_path / "m.tflite", images, forward, SHAPES, 0.5) <= 1e-3


@pytest.fixture(scope="module")
def presets(tmp_path_factory) -> Path:
    """Folders as KerasHub writes them: a backbone, and a detector around one; random weights."""
    import keras_hub

    from vision.detection.networks import _resnet

    folder = tmp_path_factory.mktemp("weights")
    _resnet("resnet18", (64, 64)).save_to_preset(str(folder / "resnet_18_imagenet"))
    encoder = _resnet("resnet50", (64, 64))
    detector = keras_hub.models.RetinaNetBackbone(
        image_encoder=encoder, min_level=3, max_level=7, use_p5=True, image_shape=(64, 64, 3)
    )
    detector.save_to_preset(str(folder / "retinanet_resnet50_fpn_coco"))
    (folder / "resnet_50_imagenet").mkdir()
    (folder / "resnet_50_imagenet" / "config.json").write_text("{}")
    return folder


@pytest.mark.slow
def test_pretrained_weights_of_a_local_folder_are_taken(presets, monkeypatch):
    from vision.detection.networks import build_retinanet
    from vision.detection.starting_weights import load_preset
    from vision.training.architectures import find_weights

    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(presets))
    small = DetectionConfiguration(epochs=10).resolved(100)
    assert (small.weights, small.frozen_epochs) == ("imagenet", 0)
    large = DetectionConfiguration(architecture="retinanet_resnet50").resolved(100)
    assert large.weights == "coco" and DetectionConfiguration(weights="none").resolved(100).frozen_epochs == 0
    for configuration in (small, large):
        path = find_weights(configuration.spec, configuration.weights)
        model = build_retinanet(configuration.architecture.removeprefix("retinanet_"), (64, 96), 2, SHAPES)
        before = model.get_layer("backbone").get_weights()
        load_preset(model, path)
        assert not np.allclose(model.get_layer("backbone").get_weights()[0], before[0])
    with pytest.raises(WeightsError, match="another network"):
        load_preset(build_retinanet("resnet18", (64, 96), 2, SHAPES), presets / "retinanet_resnet50_fpn_coco")
    with pytest.raises(WeightsError, match="cannot be read"):
        load_preset(model, presets / "resnet_50_imagenet")
    with pytest.raises(WeightsError, match="none are known"):
        DetectionConfiguration(weights="coco").resolved(100)


@pytest.mark.slow
@pytest.mark.usefixtures("small_network", "no_timing")
@pytest.mark.long
def test_the_heads_are_trained_first_on_pretrained_weights_and_a_break_is_no_matter(monkeypatch, tmp_path):
    from vision.detection.networks import _resnet
    from vision.detection.train import train_detector
    from vision.training.errors import Interrupted
    from vision.training.hooks import TrainingHooks

    _resnet("resnet18", (64, 64)).save_to_preset(str(tmp_path / "weights" / "resnet_18_imagenet"))
    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(tmp_path / "weights"))
    data = scenes(tmp_path, {"train": 7, "validation": 3, "test": 3})
    configuration = dataclasses.replace(TINY, weights="auto", frozen_epochs=1).resolved(8)
    entries: list[dict] = []

    def stop_after_the_head():
        if entries:
            raise Interrupted("pause")

    with pytest.raises(Interrupted), nullcontext() if THOROUGH else step_by_step():
        train_detector(
            configuration,
            data,
            tmp_path,
            TrainingHooks(raise_if_cancelled=stop_after_the_head, on_epoch=entries.append),
        )
    lines: list[str] = []
    result = train_detector(configuration, data, tmp_path, TrainingHooks(log=lines.append))
    assert [entry["phase"] for entry in result.history] == ["head", "fine_tuning"]
    assert any("weights of imagenet" in line for line in lines) and result.litert_difference <= 1e-3
