"""Which images are behind a figure of a multilabel model, and what was said of each of them."""

from __future__ import annotations

import numpy as np

from vision.analysis.predictions import MultilabelPredictions


def multilabel_images(predictions: MultilabelPredictions, options: dict) -> np.ndarray:
    """`(images,)` int: indexes of the images that fit, those with the most wrong labels first, then by score.

    A miss is one of `label`, a false alarm one of `predicted`, where they are named. The score of an image is the
    highest one of its labels, or with `score_of` that of a label.
    """
    truth, said = predictions.truth, predictions.predicted
    label, predicted, of = (
        predictions.class_names.index(options[name]) if name in options else None
        for name in ("label", "predicted", "score_of")
    )
    scores = best_scores(predictions) if of is None else predictions.probabilities[:, of]
    keep = (scores >= options.get("min_score", 0.0)) & (scores <= options.get("max_score", 1.0))
    missed, false_alarms = truth & ~said, said & ~truth
    outcome = options.get("outcome")
    if outcome == "miss":
        keep &= _any_of(missed, label)
    elif outcome == "false_positive":
        keep &= _any_of(false_alarms, predicted)
    elif outcome == "cell":
        keep &= _cell(predictions, label, predicted)
    else:
        if label is not None:
            keep &= truth[:, label]
        if predicted is not None:
            keep &= said[:, predicted]
        right = ~(missed | false_alarms).any(axis=1)
        if outcome in ("right", "wrong"):
            keep &= right == (outcome == "right")
    order = np.lexsort((-scores, -(missed | false_alarms).sum(axis=1)))
    chosen: np.ndarray = order[keep[order]]
    return chosen


def multilabel_rows(predictions: MultilabelPredictions, images: np.ndarray) -> list[dict]:
    names, said, best = predictions.class_names, predictions.predicted, best_scores(predictions)
    rows = []
    for index in images.tolist():
        truth, own = predictions.truth[index], said[index]
        rows.append(
            {
                "image": predictions.keys[index],
                "labels": [names[label] for label in np.flatnonzero(truth)],
                "predicted_labels": [names[label] for label in np.flatnonzero(own)],
                "score": round(float(best[index]), 6),
                "hits": int((truth & own).sum()),
                "false_positives": int((own & ~truth).sum()),
                "misses": int((truth & ~own).sum()),
            }
        )
    return rows


def multilabel_answers(predictions: MultilabelPredictions, label: int | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores of a label, or of all, whether images have it, and how many do."""
    columns = slice(None) if label is None else slice(label, label + 1)
    right = predictions.truth[:, columns].ravel()
    return predictions.probabilities[:, columns].ravel(), right, int(right.sum())


def best_scores(predictions: MultilabelPredictions) -> np.ndarray:
    return predictions.probabilities.max(axis=1, initial=0.0)


def _any_of(decisions: np.ndarray, label: int | None) -> np.ndarray:
    chosen: np.ndarray = np.any(decisions if label is None else decisions[:, [label]], axis=1)
    return chosen


def _cell(predictions: MultilabelPredictions, label: int | None, predicted: int | None) -> np.ndarray:
    """Images that have `label` and are said to have `predicted`; without one of them, those that lack the other."""
    truth, said = predictions.truth, predictions.predicted
    if label is not None and predicted is not None:
        return truth[:, label] & said[:, predicted]
    if label is not None:
        return truth[:, label] & ~said[:, label]
    assert predicted is not None
    return said[:, predicted] & ~truth[:, predicted]
