"""How good a detector is: COCO's figures by pycocotools, then thresholds, confusion and the worst images."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from vision.runtime.boxes import Detections, iou_matrix
from vision.runtime.matching import MATCH_IOU, GroundTruth, Matches, match, match_detections
from vision.runtime.metrics import clustered_interval
from vision.runtime.thresholds import Threshold, _at_threshold, is_sure, sure_of

CURVE_POINTS = 101

MAX_DETECTIONS = 100

BOOTSTRAPS = 200


def coco_metrics(truths: Sequence[GroundTruth], found: Sequence[Detections], class_names: list[str]) -> dict:
    """Average precision and recall as COCO defines them (cocodataset.org, detection evaluation), by pycocotools.

    Returns:
        `ap` (IoU 0.50 to 0.95), `ap50`, `ap75`, `ap_small`, `ap_medium`, `ap_large`, `ar` (100 detections an image),
        each None where there is nothing to measure, and `per_class` with `ap`, `ap50`, `ar` and a precision curve.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = _as_coco(truths, class_names)
        truth.createIndex()
        rows = _as_results(found)
        evaluation = COCOeval(truth, truth.loadRes(rows) if rows else _nothing_found(truth), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
    figures: dict = {name: _known(evaluation.stats[index]) for index, name in enumerate(names)}
    figures["ar"] = _known(evaluation.stats[8])
    precision, recall = evaluation.eval["precision"], evaluation.eval["recall"]
    counts = np.bincount(np.concatenate([truth.labels for truth in truths]).astype(int), minlength=len(class_names))
    figures["per_class"] = [
        {
            "label": name,
            "boxes": int(counts[index]),
            "ap": _mean(precision[:, :, index, 0, 2]),
            "ap50": _mean(precision[0, :, index, 0, 2]),
            "ar": _mean(recall[:, index, 0, 2]),
            "precision_at_recall": [round(float(max(value, 0.0)), 4) for value in precision[0, :, index, 0, 2]],
        }
        for index, name in enumerate(class_names)
    ]
    return figures


def _as_coco(truths: Sequence[GroundTruth], class_names: list[str]) -> dict:
    annotations: list[dict] = []
    for image, truth in enumerate(truths, start=1):
        for box, label in zip(truth.boxes, truth.labels, strict=True):
            x, y, width, height = _xywh(box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(label) + 1,
                    "bbox": [x, y, width, height],
                    "area": width * height,
                    "iscrowd": 0,
                }
            )
    return {
        "images": [{"id": image} for image in range(1, len(truths) + 1)],
        "categories": [{"id": index, "name": name} for index, name in enumerate(class_names, start=1)],
        "annotations": annotations,
    }


def _as_results(found: Sequence[Detections]) -> list[dict]:
    return [
        {"image_id": image, "category_id": int(label) + 1, "bbox": _xywh(box), "score": float(score)}
        for image, one in enumerate(found, start=1)
        for box, score, label in zip(one.boxes, one.scores, one.labels, strict=True)
    ]


def _nothing_found(truth: Any) -> Any:
    from pycocotools.coco import COCO

    empty = COCO()
    empty.dataset = {**truth.dataset, "annotations": []}
    empty.createIndex()
    return empty


def _xywh(box: np.ndarray) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]


def _known(value: float) -> float | None:
    return None if value < 0 else float(value)


def _mean(values: np.ndarray) -> float | None:
    known = values[values > -1]
    return float(known.mean()) if known.size else None


def ap50_interval(matches: Matches, seed: int = 0) -> list[float] | None:
    """95 % interval of AP50 over the images (percentile bootstrap, Efron 1979). None when there is nothing."""
    images = len(matches.boxes_of)
    if not images or not matches.boxes_of.sum():
        return None
    order = np.argsort(-matches.score, kind="stable")
    image, label, hit = matches.image[order], matches.label[order], matches.hit[order]
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(BOOTSTRAPS):
        times = np.bincount(generator.integers(0, images, images), minlength=images)
        total = times @ matches.boxes_of
        weights = times[image]
        aps = [
            interpolated_ap(hit[label == index], weights[label == index], int(total[index]))
            for index in np.flatnonzero(total)
        ]
        values.append(np.mean(aps) if aps else 0.0)
    return [float(value) for value in np.quantile(np.array(values), [0.025, 0.975])]


def interpolated_ap(hit: np.ndarray, weights: np.ndarray, total: int) -> float:
    """Precision at 101 recalls, from detections in the order of their score; each counts `weights` times."""
    right, wrong = np.cumsum(hit * weights), np.cumsum(~hit * weights)
    precision = right / np.maximum(right + wrong, 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / total, np.linspace(0, 1, CURVE_POINTS))
    return float(np.append(best, 0.0)[np.minimum(at, len(best))].mean())


def confusion_with_background(
    truths: Sequence[GroundTruth], found: Sequence[Detections], num_classes: int, threshold: Threshold
) -> np.ndarray:
    """`(labels + 1, labels + 1)` int: rows are the truth, columns what was found; the last ones are background.

    Boxes are matched whatever their labels, the largest overlap first, at 0.5 and above.
    """
    matrix = np.zeros((num_classes + 1, num_classes + 1), dtype=int)
    for truth, one in zip(truths, found, strict=True):
        sure = sure_of(one, threshold)
        boxes, labels = sure.boxes, sure.labels
        pairs = _pairs(iou_matrix(truth.boxes, boxes)) if len(boxes) and len(truth.boxes) else []
        for mine, other in pairs:
            matrix[truth.labels[mine], labels[other]] += 1
        for mine in set(range(len(truth.boxes))) - {pair[0] for pair in pairs}:
            matrix[truth.labels[mine], num_classes] += 1
        for other in set(range(len(boxes))) - {pair[1] for pair in pairs}:
            matrix[num_classes, labels[other]] += 1
    return matrix


def _pairs(overlap: np.ndarray) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    rows, columns = np.unravel_index(np.argsort(-overlap, axis=None), overlap.shape)
    used: tuple[set[int], set[int]] = (set(), set())
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if overlap[row, column] < MATCH_IOU:
            break
        if row not in used[0] and column not in used[1]:
            pairs.append((row, column))
            used[0].add(row)
            used[1].add(column)
    return pairs


def worst_images(
    truths: Sequence[GroundTruth], found: Sequence[Detections], threshold: Threshold, limit: int = 50
) -> list[dict]:
    """The images with the most false alarms and misses at the threshold, or at that of each label, the worst first."""
    rows: list[dict] = []
    for truth, one in zip(truths, found, strict=True):
        kept = sure_of(one, threshold)
        hits = match_detections(truth, kept)
        wrong, missed = int((~hits).sum()), len(truth.boxes) - int(hits.sum())
        if wrong or missed:
            highest = float(kept.scores[~hits].max()) if wrong else 0.0
            rows.append({"image": truth.id, "false_positives": wrong, "misses": missed, "highest_wrong_score": highest})
    rows.sort(key=lambda row: (-(row["false_positives"] + row["misses"]), -row["highest_wrong_score"]))
    return rows[:limit]


def detection_metrics(
    truths: Sequence[GroundTruth],
    found: Sequence[Detections],
    class_names: list[str],
    threshold: float,
    label_thresholds: Sequence[float] | None = None,
) -> dict:
    """All figures of a detector on one set of images, as JSON types. Averages over labels cover those with boxes.

    Args:
        found: everything with a score of at least about 0.01, at most 100 an image.
        threshold: the model's own, chosen elsewhere (on the validation split).
        label_thresholds: what serves, one for each label, when they differ: precision, recall and confusion are theirs.
    """
    limits = [threshold] * len(class_names) if label_thresholds is None else list(label_thresholds)
    matches = match(truths, found, len(class_names))
    figures = coco_metrics(truths, found, class_names)
    for index, row in enumerate(figures["per_class"]):
        mine = matches.label == index
        at = _at_threshold(matches.score[mine], matches.hit[mine], row["boxes"], limits[index])
        row |= {"threshold": limits[index], "precision": at["precision"], "recall": at["recall"]}
    sure = is_sure(matches.score, matches.label, limits)
    boxes_of = matches.boxes_of.sum(axis=1)
    found_of = np.bincount(matches.image[sure & matches.hit], minlength=len(truths))
    right, total = int(found_of.sum()), int(boxes_of.sum())
    without = [row["label"] for row in figures["per_class"] if not row["boxes"]]
    return {
        "count": len(truths),
        "boxes": total,
        **figures,
        "labels_covered": len(class_names) - len(without),
        "labels_not_measured": without,
        "ap50_interval": ap50_interval(matches),
        "threshold": threshold,
        "precision": right / int(sure.sum()) if sure.any() else 0.0,
        "recall": right / total if total else 0.0,
        "recall_interval": list(clustered_interval(found_of, boxes_of)) if total else None,
        "confusion_matrix": confusion_with_background(truths, found, len(class_names), limits).tolist(),
    }
