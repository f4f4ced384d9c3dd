"""Trainings on a frozen backbone: features once, by LiteRT, and a head behind the backbone's file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from tests.pictures import shape_jpeg
from vision.analysis.predictions import OUTCOMES, ClassifierPredictions
from vision.imaging.preprocessing import load_pixels
from vision.runtime.interpreters import LiteRTClassifier, LiteRTNetwork
from vision.runtime.litert_file import operations_of
from vision.training import features as features_module
from vision.training.backbone_file import convert_backbone
from vision.training.configuration import Configuration
from vision.training.data import Sample, TrainingData
from vision.training.errors import ExportError, Interrupted
from vision.training.hooks import TrainingHooks
from vision.training.joining import ALIGNMENT, append_head
from vision.training.train import train

pytestmark = pytest.mark.slow
SIZE = 32
FROZEN = Configuration(
    architecture="mobilenet_v2_035",
    weights="base",
    image_size=SIZE,
    batch_size=8,
    epochs=3,
    fine_tune=False,
    early_stopping=0,
    seed=1,
)


def small_classifier() -> keras.Model:
    keras.utils.set_random_seed(5)
    x = image = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    for number in range(3):
        x = layers.Conv2D(8, 3, 2, padding="same", activation="relu", name=f"conv{number}")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(2, activation="softmax")(x))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> TrainingData:
    folder = tmp_path_factory.mktemp("images")
    small_classifier().save(folder / "base.keras")
    splits: dict[str, list[Sample]] = {}
    for split, count in (("train", 12), ("validation", 30), ("test", 5)):
        splits[split] = []
        for label, kind in enumerate(("disc", "cross")):
            for number in range(count):
                path = folder / f"{split}-{kind}-{number}.jpg"
                path.write_bytes(shape_jpeg(len(splits[split]), kind))
                splits[split].append(Sample(path.stem, str(path), label))
    return TrainingData(["disc", "cross"], splits, start=folder / "base.keras", start_names=["a", "b"])


def run(data: TrainingData, folder: Path, **watching):
    folder.mkdir(parents=True, exist_ok=True)
    return train(FROZEN.resolved(), data, folder, TrainingHooks(**watching))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return run(data, folder), folder


def outcomes_of(folder: Path) -> np.ndarray:
    return ClassifierPredictions.load(folder / OUTCOMES).probabilities


def test_what_is_reported_is_what_both_files_say(trained, data):
    result, folder = trained
    runtime = LiteRTClassifier(result.files["litert-float32"])
    model = keras.saving.load_model(result.files["keras"], compile=False)
    pixels = np.stack([load_pixels(sample.path, (SIZE, SIZE)) for sample in data.splits["test"]])
    reported = outcomes_of(folder)
    np.testing.assert_allclose(np.stack([runtime.predict(image) for image in pixels]), reported, atol=1e-5)
    np.testing.assert_allclose(model(pixels.astype(np.float32), training=False), reported, atol=1e-5)
    assert result.litert_difference < 1e-4 and runtime.num_classes == 2
    scaling = result.metrics["temperature_scaling"]
    assert scaling["images"] == 60 and scaling["temperature"] != 1 and not scaling["reason"]
    assert scaling["error_after"] == result.metrics["expected_calibration_error"]


def test_the_backbone_is_converted_once_and_each_image_is_computed_once(trained, data):
    _, folder = trained
    assert (folder / "backbone.tflite").exists()
    for split in ("train", "validation", "test"):
        assert len(np.load(folder / f"features-{split}.npy")) == len(data.splits[split])


def test_it_goes_on_at_the_features_and_after_them(trained, data, tmp_path, monkeypatch):
    result, folder = trained
    cut, phases = tmp_path / "cut", []

    def interrupt_at(phase: str) -> None:
        def progress(name: str, done: int, total: int) -> None:
            if name == phase:
                raise Interrupted("pause")

        with pytest.raises(Interrupted):
            run(data, cut, on_progress=progress)

    interrupt_at("features")
    assert (cut / "backbone.tflite").exists() and not (cut / "features-train.npy").exists()
    monkeypatch.setattr(features_module, "convert_backbone", None)  # a second conversion would fail
    interrupt_at("head")
    assert (cut / "features-train.npy").exists()
    interrupt_at("exporting")
    resumed = run(data, cut, on_progress=lambda phase, *_: phases.append(phase))
    assert "features" not in phases
    assert [row["loss"] for row in resumed.history] == [row["loss"] for row in result.history]
    assert np.array_equal(outcomes_of(cut), outcomes_of(folder))


def test_a_backbone_that_litert_does_not_take_is_run_by_keras(trained, data, tmp_path, monkeypatch):
    def refuse(backbone: keras.Model, path: Path) -> None:
        raise ValueError("an operation that is not known")

    monkeypatch.setattr(features_module, "convert_backbone", refuse)
    lines: list[str] = []
    result = run(data, tmp_path / "run", log=lines.append)
    assert any("Keras computes the features: an operation that is not known" in line for line in lines)
    assert not (tmp_path / "run" / "backbone.tflite").exists()
    np.testing.assert_allclose(outcomes_of(tmp_path / "run"), outcomes_of(trained[1]), atol=1e-3)
    assert LiteRTClassifier(result.files["litert-float32"]).num_classes == 2


def test_a_file_that_is_there_is_used(trained, data, tmp_path):
    there = dataclasses.replace(data, backbone=trained[1] / "backbone.tflite")
    run(there, tmp_path / "run")
    assert not (tmp_path / "run" / "backbone.tflite").exists()
    assert np.array_equal(outcomes_of(tmp_path / "run"), outcomes_of(trained[1]))


@pytest.fixture(scope="module")
def backbone(tmp_path_factory) -> tuple[keras.Model, Path]:
    model = small_classifier()
    features = keras.Model(model.inputs, model.layers[-2].output)
    path = tmp_path_factory.mktemp("backbone") / "backbone.tflite"
    convert_backbone(features, path)
    return features, path


def test_a_head_behind_a_file_is_one_plain_file(backbone, tmp_path):
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter

    features, path = backbone
    random = np.random.default_rng(2)
    kernel, bias = random.normal(0, 1, (8, 5)), random.normal(0, 1, 5)
    append_head(path, kernel, bias, tmp_path / "joined.tflite")
    images = random.integers(0, 255, (3, SIZE, SIZE, 3)).astype(np.float32)
    logits = np.asarray(features(images)) @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert operations_of(tmp_path / "joined.tflite") == operations_of(path) | {"FULLY_CONNECTED", "SOFTMAX"}

    interpreter = Interpreter(str(tmp_path / "joined.tflite"))
    (given,) = interpreter.get_input_details()
    (answer,) = interpreter.get_output_details()
    assert answer["shape"].tolist() == [1, 5] and answer["shape_signature"].tolist() == [-1, 5]
    interpreter.resize_tensor_input(given["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], images)
    interpreter.invoke()
    np.testing.assert_allclose(interpreter.get_tensor(answer["index"]), expected, atol=1e-5)
    runner = interpreter.get_signature_runner()
    said = runner(image=images)["output_0"]
    np.testing.assert_allclose(said, expected, atol=1e-5)

    model = schema.Model.GetRootAs((tmp_path / "joined.tflite").read_bytes(), 0)
    filled = [buffer for n in range(model.BuffersLength()) if (buffer := model.Buffers(n)).DataLength()]
    assert filled and all(one._tab.Vector(one._tab.Offset(4)) % ALIGNMENT == 0 for one in filled)


def test_a_file_of_another_network_is_refused(backbone, tmp_path):
    with pytest.raises(ExportError, match="not of this network"):
        append_head(backbone[1], np.zeros((9, 2)), np.zeros(2), tmp_path / "joined.tflite")


def test_features_are_the_same_on_any_number_of_threads(backbone):
    images = np.random.default_rng(3).integers(0, 255, (4, SIZE, SIZE, 3), dtype=np.uint8)
    alone, together = (LiteRTNetwork(backbone[1], num_threads=count) for count in (1, 2))
    for image in images:
        assert np.array_equal(alone.run(image), together.run(image))


@pytest.mark.parametrize("width", [12, 80])
def test_a_head_is_solved_as_scikit_learn_solves_it(width):
    from sklearn.linear_model import LogisticRegression

    from vision.training.solved_head import REGULARISATION, logistic_regression

    random = np.random.default_rng(4)
    rows, labels = random.normal(0, 1, (60, width)).astype(np.float32), random.integers(0, 3, 60)
    weights = random.uniform(0.5, 2, 60).astype(np.float32)
    mean, scale = random.normal(0, 1, width).astype(np.float32), random.uniform(0.5, 2, width).astype(np.float32)
    kernel, bias = logistic_regression(rows / scale + mean, labels, weights, 3, mean, scale)
    model = LogisticRegression(C=REGULARISATION, tol=1e-6, max_iter=500).fit(rows, labels, weights)
    np.testing.assert_allclose(kernel.T, model.coef_, atol=1e-3)
    np.testing.assert_allclose(bias - bias.mean(), model.intercept_ - model.intercept_.mean(), atol=1e-2)


def test_a_solved_head_is_one_entry_of_history_and_the_same_files(data, tmp_path):
    (tmp_path / "run").mkdir()
    configuration = dataclasses.replace(FROZEN, head_solver="lbfgs").resolved()
    result = train(configuration, data, tmp_path / "run", TrainingHooks())
    (entry,) = result.history
    assert entry["phase"] == "head" and entry["val_loss"] > 0 and 0 <= entry["val_accuracy"] <= 1
    runtime = LiteRTClassifier(result.files["litert-float32"])
    pixels = [load_pixels(sample.path, (SIZE, SIZE)) for sample in data.splits["test"]]
    reported = outcomes_of(tmp_path / "run")
    np.testing.assert_allclose(np.stack([runtime.predict(image) for image in pixels]), reported, atol=1e-5)
