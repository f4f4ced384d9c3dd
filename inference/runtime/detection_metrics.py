"""How good a detector is: COCO's figures by pycocotools, then thresholds, confusion and the worst images."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .boxes import Detections, iou_matrix

CURVE_POINTS = 101
MATCH_IOU = 0.5
MAX_DETECTIONS = 100
BOOTSTRAPS = 200


@dataclass(frozen=True)
class Truth:
    """What is really on an image: its id, `(count, 4)` boxes in its pixels and `(count,)` labels."""

    id: str
    boxes: np.ndarray
    labels: np.ndarray


def coco_figures(truths: Sequence[Truth], found: Sequence[Detections], class_names: list[str]) -> dict:
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
    counts = np.bincount(np.concatenate([one.labels for one in truths]).astype(int), minlength=len(class_names))
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


def _as_coco(truths: Sequence[Truth], class_names: list[str]) -> dict:
    annotations: list[dict] = []
    for image, truth in enumerate(truths, start=1):
        for box, label in zip(truth.boxes, truth.labels, strict=True):
            x, y, width, height = _xywh(box)
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": image, "category_id": int(label) + 1,
                    "bbox": [x, y, width, height], "area": width * height, "iscrowd": 0,
                }
            )  # fmt: skip
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


def _nothing_found(truth):
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


@dataclass(frozen=True)
class Matches:
    """Every detection with its verdict, per image and label: what thresholds, intervals and confusion are made of.

    Attributes:
        image, label: `(detections,)` int; score: `(detections,)`; hit: `(detections,)` bool.
        boxes_of: `(images, labels)` int, how many boxes there are.
    """

    image: np.ndarray
    label: np.ndarray
    score: np.ndarray
    hit: np.ndarray
    boxes_of: np.ndarray


def match(truths: Sequence[Truth], found: Sequence[Detections], num_classes: int) -> Matches:
    """Match detections with boxes of their label, the best score first, each box once, at an overlap of 0.5."""
    columns: list[tuple[int, int, float, bool]] = []
    boxes_of = np.zeros((len(truths), num_classes), dtype=int)
    for image, (truth, one) in enumerate(zip(truths, found, strict=True)):
        boxes_of[image] = np.bincount(truth.labels.astype(int), minlength=num_classes)
        hits = hits_of(truth, one)
        columns += [
            (image, int(label), float(score), bool(hit))
            for label, score, hit in zip(one.labels, one.scores, hits, strict=True)
        ]
    table = np.array(columns, dtype=float).reshape(-1, 4)
    return Matches(table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2], table[:, 3].astype(bool), boxes_of)


def hits_of(truth: Truth, one: Detections) -> np.ndarray:
    """As pycocotools does: each detection takes the free box of its label that it overlaps most."""
    hits = np.zeros(len(one.scores), dtype=bool)
    if len(truth.boxes) == 0:
        return hits
    overlap = iou_matrix(one.boxes, truth.boxes)
    overlap[one.labels[:, None] != truth.labels[None]] = 0
    free = np.ones(len(truth.boxes), dtype=bool)
    for index in np.argsort(-one.scores, kind="stable"):
        row = np.where(free, overlap[index], 0)
        best = int(row.argmax())
        if row[best] >= MATCH_IOU:
            hits[index], free[best] = True, False
    return hits


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
            interpolated_ap(hit[label == one], weights[label == one], int(total[one])) for one in np.flatnonzero(total)
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


def best_thresholds(matches: Matches) -> dict:
    """The score from which on F1 is largest: `all` labels together, and of each label by its number."""
    labels = range(matches.boxes_of.shape[1])
    chosen: dict = {"all": _best_threshold(matches.score, matches.hit, int(matches.boxes_of.sum()))}
    for one in labels:
        mine = matches.label == one
        chosen[one] = _best_threshold(matches.score[mine], matches.hit[mine], int(matches.boxes_of[:, one].sum()))
    return chosen


def _best_threshold(score: np.ndarray, hit: np.ndarray, total: int) -> dict:
    if not len(score) or not total:
        return {"threshold": 0.5, "f1": 0.0, "precision": 0.0, "recall": 0.0}
    order = np.argsort(-score, kind="stable")
    right = np.cumsum(hit[order])
    precision, recall = right / np.arange(1, len(order) + 1), right / total
    f1 = 2 * right / (np.arange(1, len(order) + 1) + total)
    best = int(f1.argmax())
    return {
        "threshold": float(score[order][best]), "f1": float(f1[best]), "precision": float(precision[best]),
        "recall": float(recall[best]),
    }  # fmt: skip


def confusion_with_background(
    truths: Sequence[Truth], found: Sequence[Detections], num_classes: int, threshold: float
) -> np.ndarray:
    """`(labels + 1, labels + 1)` int: rows are the truth, columns what was found; the last ones are background.

    Boxes are matched whatever their labels, the largest overlap first, at 0.5 and above.
    """
    matrix = np.zeros((num_classes + 1, num_classes + 1), dtype=int)
    for truth, one in zip(truths, found, strict=True):
        sure = one.scores >= threshold
        boxes, labels = one.boxes[sure], one.labels[sure]
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


def worst_images(truths: Sequence[Truth], found: Sequence[Detections], threshold: float, limit: int = 50) -> list[dict]:
    """The images with the most false alarms and misses at the threshold, the worst first."""
    rows: list[dict] = []
    for truth, one in zip(truths, found, strict=True):
        sure = one.scores >= threshold
        kept = Detections(one.boxes[sure], one.scores[sure], one.labels[sure])
        hits = hits_of(truth, kept)
        wrong, missed = int((~hits).sum()), len(truth.boxes) - int(hits.sum())
        if wrong or missed:
            surest = float(kept.scores[~hits].max()) if wrong else 0.0
            rows.append({"image": truth.id, "false_positives": wrong, "misses": missed, "surest_mistake": surest})
    rows.sort(key=lambda row: (-(row["false_positives"] + row["misses"]), -row["surest_mistake"]))
    return rows[:limit]


def detection_metrics(
    truths: Sequence[Truth], found: Sequence[Detections], class_names: list[str], threshold: float
) -> dict:
    """All figures of a detector on one set of images, as JSON types.

    Args:
        found: everything with a score of at least about 0.01, at most 100 an image.
        threshold: the model's own, chosen elsewhere (on the validation split).
    """
    matches = match(truths, found, len(class_names))
    sure = matches.score >= threshold
    right, total = int(matches.hit[sure].sum()), int(matches.boxes_of.sum())
    return {
        "count": len(truths),
        "boxes": total,
        **coco_figures(truths, found, class_names),
        "ap50_interval": ap50_interval(matches),
        "threshold": threshold,
        "precision": right / int(sure.sum()) if sure.any() else 0.0,
        "recall": right / total if total else 0.0,
        "confusion_matrix": confusion_with_background(truths, found, len(class_names), threshold).tolist(),
    }
