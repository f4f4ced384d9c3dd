"""Networks that say of each label whether an image has it: figures, thresholds, trainings and their files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision.analysis.calibration import SPREAD, fit_sigmoid_temperature, link_of, with_sigmoid_temperature
from vision.analysis.predictions import OUTCOMES, MultilabelPredictions
from vision.engine_requests import TrainingRequest, read_request, write_request
from vision.exporting.measure import parity_problem
from vision.exporting.request import ExportRequest
from vision.runtime.multilabel_metrics import (
    average_precision,
    bootstrap_weights,
    mean_average_precisions,
    multilabel_calibration_error,
    multilabel_metrics,
    worst_decisions,
)
from vision.runtime.thresholds import FEWEST_IMAGES, label_thresholds
from vision.training.data import MultilabelSample, TrainingData, check_data, check_multilabel_counts
from vision.training.errors import DataError
from vision.training.result import TrainingResult

NAMES = ["red", "green", "blue"]
SIDE = 32


def drawn(count: int = 400, labels: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, some of them equal, and what is true."""
    generator = np.random.default_rng(seed)
    truth = generator.random((count, labels)) < np.linspace(0.05, 0.8, labels)
    scores = np.clip(0.4 * truth + generator.normal(0.3, 0.2, truth.shape), 0, 1).round(2).astype(np.float32)
    return scores, truth


def test_figures_are_those_of_scikit_learn() -> None:
    from sklearn import metrics as reference

    scores, truth = drawn()
    thresholds = [0.3, 0.5, 0.55, 0.6]
    predicted = scores >= np.array(thresholds)
    figures = multilabel_metrics(scores, truth, list("abcd"), thresholds)
    for average in ("macro", "micro"):
        values = reference.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)[:3]
        mine = [figures[f"{average}_{name}"] for name in ("precision", "recall", "f1")]
        np.testing.assert_allclose(mine, values, rtol=1e-12)
    per_label = reference.precision_recall_fscore_support(truth, predicted, average=None, zero_division=0)
    for index, row in enumerate(figures["per_class"]):
        np.testing.assert_allclose(
            [row["precision"], row["recall"], row["f1"]], [part[index] for part in per_label[:3]]
        )
        assert row["support"] == per_label[3][index] and row["predicted"] == predicted[:, index].sum()
        expected = reference.average_precision_score(truth[:, index], scores[:, index])
        assert row["average_precision"] == pytest.approx(expected, rel=1e-9)
    expected = reference.average_precision_score(truth, scores, average="macro")
    assert figures["mean_average_precision"] == pytest.approx(expected, rel=1e-9)
    low, high = figures["mean_average_precision_interval"]
    assert low < figures["mean_average_precision"] < high
    assert figures["subset_accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted))
    assert figures["hamming_loss"] == pytest.approx(reference.hamming_loss(truth, predicted))
    json.dumps(figures)


def test_average_precision_of_drawn_images_is_that_of_scikit_learn_with_weights() -> None:
    from sklearn.metrics import average_precision_score

    scores, truth = drawn(60, 2)
    weights = bootstrap_weights(60, 2)[:3]
    values = mean_average_precisions(scores, truth, weights)
    for row, value in zip(weights, values, strict=True):
        each = [average_precision_score(truth[:, n], scores[:, n], sample_weight=row) for n in range(2)]
        assert value == pytest.approx(np.mean(each), rel=1e-9)


def test_a_label_without_images_is_named_and_not_counted() -> None:
    truth = np.array([[1, 0], [0, 0]])
    figures = multilabel_metrics(np.array([[0.9, 0.1], [0.2, 0.1]], np.float32), truth, ["a", "b"], [0.5, 0.5])
    assert figures["labels_not_measured"] == ["b"] and figures["labels_covered"] == 1
    assert figures["macro_f1"] == figures["mean_average_precision"] == figures["subset_accuracy"] == 1.0
    assert figures["per_class"][1]["average_precision"] is None


def test_no_images_give_figures_all_the_same() -> None:
    figures = multilabel_metrics(np.zeros((0, 2), np.float32), np.zeros((0, 2), bool), ["a", "b"], [0.5, 0.5])
    assert figures["count"] == 0 and figures["mean_average_precision_interval"] is None
    assert average_precision(np.zeros(0), np.zeros(0, bool)) is None
    json.dumps(figures)


def test_the_worst_decisions_are_those_furthest_from_the_threshold() -> None:
    scores = np.array([[0.95, 0.1], [0.4, 0.45]], np.float32)
    rows = worst_decisions(scores, np.array([[0, 1], [0, 1]]), ["x", "y"], ["a", "b"], [0.5, 0.5])
    assert [(row["image"], row["label"], row["kind"]) for row in rows] == [
        ("x", "a", "false_alarm"),
        ("x", "b", "missed"),
        ("y", "b", "missed"),
    ]


def test_thresholds_are_where_f1_is_largest() -> None:
    from sklearn.metrics import f1_score

    scores, truth = drawn()
    thresholds = label_thresholds(scores, truth)
    for index, threshold in enumerate(thresholds):
        best = max(f1_score(truth[:, index], scores[:, index] >= score) for score in np.unique(scores))
        assert f1_score(truth[:, index], scores[:, index] >= threshold) == pytest.approx(best)


def test_a_label_with_few_images_has_the_threshold_of_all() -> None:
    scores, truth = drawn()
    truth[FEWEST_IMAGES - 1 :, 0] = False
    from sklearn.metrics import f1_score

    threshold = label_thresholds(scores, truth)[0]
    best = max(f1_score(truth.ravel(), scores.ravel() >= score) for score in np.unique(scores))
    assert f1_score(truth.ravel(), scores.ravel() >= threshold) == pytest.approx(best)


def test_a_temperature_of_sigmoids_has_the_smallest_loss() -> None:
    from scipy.optimize import minimize_scalar

    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (300, 3))
    truth = (generator.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    said = 1 / (1 + np.exp(-2.5 * logits))  # too sure

    def loss(logarithm: float) -> float:
        chance = 1 / (1 + np.exp(-2.5 * logits * np.exp(-logarithm)))
        return -np.log(np.where(truth > 0, chance, 1 - chance)).mean(1).sum() + logarithm**2 / (2 * SPREAD**2)

    temperature = fit_sigmoid_temperature(said, truth)
    assert temperature == pytest.approx(np.exp(minimize_scalar(loss, (0.0, 1.0)).x), rel=1e-3)
    corrected = with_sigmoid_temperature(said, temperature)
    assert multilabel_calibration_error(corrected, truth) < multilabel_calibration_error(said, truth)
    np.testing.assert_allclose(with_sigmoid_temperature(said, 1.0), said, atol=1e-6)
    assert link_of(truth).activation == "sigmoid" and link_of(truth[:, 0]).activation == "softmax"


def test_predictions_are_read_as_they_were_written(tmp_path: Path) -> None:
    scores, truth = drawn(5)
    kept = MultilabelPredictions(list("vwxyz"), truth, scores, list("abcd"), [0.5] * 4)
    kept.save(tmp_path / OUTCOMES)
    again = MultilabelPredictions.load(tmp_path / OUTCOMES)
    assert (again.keys, again.class_names, again.thresholds) == (kept.keys, kept.class_names, kept.thresholds)
    np.testing.assert_array_equal(again.truth, truth)
    np.testing.assert_array_equal(again.predicted, scores >= 0.5)


def painted(folder: Path, count: int, seed: int) -> list[MultilabelSample]:
    """Grey images with a spot of each of their colours; every fifth has none."""
    generator = np.random.default_rng(seed)
    samples = []
    for number in range(count):
        pixels = generator.integers(90, 130, (SIDE, SIDE, 3)).astype(np.uint8)
        labels = [] if number % 5 == 0 else np.flatnonzero(generator.random(3) < 0.5).tolist()
        for label in labels:
            top, left = generator.integers(0, SIDE - 12, 2)
            pixels[top : top + 12, left : left + 12] = np.eye(3, dtype=np.uint8)[label] * 255
        path = folder / f"{seed}-{number}.png"
        Image.fromarray(pixels).save(path)
        samples.append(MultilabelSample(f"{seed}-{number}", str(path), labels))
    return samples


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    folder = tmp_path_factory.mktemp("colours")
    splits = {"train": painted(folder, 96, 1), "validation": painted(folder, 60, 2), "test": painted(folder, 40, 3)}
    return TrainingData(NAMES, splits, task="multilabel")


def test_data_of_one_label_is_enough(colours: TrainingData) -> None:
    one = {
        split: [dataclasses.replace(sample, labels=[0] if 0 in sample.labels else []) for sample in samples]
        for split, samples in colours.splits.items()
    }
    check_data(TrainingData(["red"], one, task="multilabel"))


@pytest.mark.parametrize(
    ("names", "counts", "images", "code"),
    [
        ([], {}, {"train": 2, "validation": 1, "test": 1}, "too_few_labels"),
        (["a"], {"train": {"a": 2}}, {"train": 2, "validation": 0, "test": 1}, "empty_split"),
        (["a", "b"], {"train": {"a": 2}}, {"train": 2, "validation": 1, "test": 1}, "label_without_images"),
        (["a"], {"train": {"a": 1}}, {"train": 2, "validation": 1, "test": 1}, "too_few_images"),
    ],
)
def test_data_that_gives_no_model_is_refused(names: list, counts: dict, images: dict, code: str) -> None:
    with pytest.raises(DataError) as refusal:
        check_multilabel_counts(names, counts, images)
    assert refusal.value.code == code


def test_a_request_keeps_the_labels_of_each_image(tmp_path: Path) -> None:
    splits = {"train": [MultilabelSample("a", "/a.png", [0, 2]), MultilabelSample("b", "/b.png", [])]}
    write_request(tmp_path, TrainingRequest("multilabel", {}, NAMES, splits))
    assert read_request(tmp_path).splits == splits  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def trained(colours: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    from vision.training.configuration import Configuration
    from vision.training.train import train

    configuration = Configuration(
        image_size=SIDE, epochs=10, augmentation="none", learning_rate=5e-3, batch_size=16, minutes=0
    ).resolved()
    return train(configuration, colours, tmp_path_factory.mktemp("trained"))


@pytest.mark.long
def test_a_training_tells_the_labels_of_drawn_images(colours: TrainingData, trained: TrainingResult) -> None:
    from sklearn.metrics import f1_score

    from vision.runtime.interpreters import LiteRTClassifier

    assert trained.thresholds is not None and len(trained.thresholds) == 3
    assert trained.metrics["mean_average_precision"] > 0.9, trained.metrics
    assert trained.metrics["micro_f1"] > 0.8
    assert trained.history[0]["val_average_precision"] >= 0
    kept = MultilabelPredictions.load(Path(trained.outcomes))
    again = multilabel_metrics(kept.probabilities, kept.truth, NAMES, trained.thresholds)
    assert again == {name: value for name, value in trained.metrics.items() if name != "temperature_scaling"}
    assert trained.metrics["micro_f1"] == pytest.approx(f1_score(kept.truth, kept.predicted, average="micro"))
    runtime = LiteRTClassifier(trained.files["litert-float32"])
    with Image.open(colours.splits["test"][0].path) as image:
        np.testing.assert_allclose(runtime.predict(np.asarray(image)), kept.probabilities[0], atol=1e-4)
    scaling = trained.metrics["temperature_scaling"]
    assert scaling["error_after"] == trained.metrics["expected_calibration_error"] and not scaling["reason"]


@pytest.mark.long
def test_files_for_other_runtimes_give_the_same_labels(
    colours: TrainingData, trained: TrainingResult, tmp_path: Path
) -> None:
    from vision.exporting.work import export_model
    from vision.training.hooks import TrainingHooks

    assert trained.thresholds is not None
    request = ExportRequest(
        path=trained.files["keras"],
        engine="keras",
        architecture="small_cnn",
        class_names=NAMES,
        input_size=(SIDE, SIDE),
        resize="stretch",
        detector={},
        kinds=["litert-float32", "litert-int8", "onnx"],
        samples=[dataclasses.asdict(sample) for sample in colours.splits["test"]],
        source="test split",
        is_labelled=True,
        calibration=[sample.path for sample in colours.splits["train"][:20]],
        largest_drop=0.05,
        thresholds=trained.thresholds,
    )
    exports = export_model(request, tmp_path, TrainingHooks())
    for export in exports:
        assert not export.problem, (export.kind, export.problem)
        assert export.report["keras_micro_f1"] == pytest.approx(trained.metrics["micro_f1"], abs=1e-6)
        assert export.report["agreement"] >= 0.95
    assert "F1" in parity_problem("litert-int8", {**exports[1].report, "drop": 0.5}, 0.05)


@pytest.mark.long
def test_a_head_on_a_frozen_network_is_solved_and_joined_to_its_file(
    colours: TrainingData, trained: TrainingResult, tmp_path: Path
) -> None:
    from vision.runtime.interpreters import LiteRTClassifier
    from vision.training.configuration import Configuration
    from vision.training.train import train

    configuration = Configuration(
        weights="base", fine_tune=False, image_size=SIDE, head_solver="lbfgs", epochs=1, minutes=0
    ).resolved()
    data = dataclasses.replace(colours, start=Path(trained.files["keras"]), start_names=NAMES)
    result = train(configuration, data, tmp_path)
    assert [row["phase"] for row in result.history] == ["head"]
    assert result.metrics["mean_average_precision"] > 0.9
    kept = MultilabelPredictions.load(Path(result.outcomes))
    with Image.open(colours.splits["test"][1].path) as image:
        said = LiteRTClassifier(result.files["litert-float32"]).predict(np.asarray(image))
    np.testing.assert_allclose(said, kept.probabilities[1], atol=1e-4)
    assert kept.probabilities.sum(axis=1).max() > 1.2, "no softmax"


def test_weights_of_positives_balance_within_bounds() -> None:
    from vision.training.multilabel import positive_weights

    labels = np.zeros((100, 3), np.float32)
    labels[:2, 0], labels[:50, 1], labels[:80, 2] = 1, 1, 1
    np.testing.assert_allclose(positive_weights(labels, "balanced"), [10.0, 1.0, 0.25])
    np.testing.assert_array_equal(positive_weights(labels, "auto"), np.ones(3))
