"""The training engine with tiny networks on made images: learns, repeats itself, goes on, exports truly."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from tests.engines import step_by_step
from tests.environment import THOROUGH
from tests.pictures import shape_jpeg
from vision.imaging.preprocessing import load_pixels
from vision.training.configuration import Configuration
from vision.training.data import ImageCache, Sample, TrainingData, check_counts, epoch_order, sample_weights
from vision.training.errors import (
    Cancelled,
    ConfigurationError,
    DataError,
    DivergedError,
    Interrupted,
    WeightsError,
)

pytestmark = pytest.mark.slow
TINY = Configuration(architecture="small_cnn", image_size=32, batch_size=8, epochs=3, early_stopping=0, seed=3)
PLAIN = dataclasses.replace(TINY, augmentation="none")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> TrainingData:
    folder = tmp_path_factory.mktemp("pictures")
    splits: dict[str, list[Sample]] = {}
    number = 0
    for split, count in (("train", 24), ("validation", 8), ("test", 8)):
        splits[split] = []
        for label, kind in enumerate(("disc", "cross")):
            for _ in range(count):
                path = folder / f"{number}.jpg"
                path.write_bytes(shape_jpeg(number, kind))
                splits[split].append(Sample(str(number), str(path), label))
                number += 1
    return TrainingData(["disc", "cross"], splits)


def run(configuration: Configuration, data: TrainingData, folder: Path, **watching):
    from vision.training.hooks import TrainingHooks
    from vision.training.train import train

    folder.mkdir(parents=True, exist_ok=True)
    return train(configuration.resolved(), data, folder, TrainingHooks(**watching))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    seen: dict[str, list] = {"epochs": [], "progress": [], "log": []}
    result = run(
        dataclasses.replace(TINY, epochs=12),
        data,
        folder,
        on_epoch=seen["epochs"].append,
        on_progress=lambda *one: seen["progress"].append(one),
        log=seen["log"].append,
    )
    return result, folder, seen


def test_a_small_network_learns(trained):
    result, _, seen = trained
    assert result.metrics["accuracy"] >= 0.9 and result.metrics["count"] == 16
    assert [entry["epoch"] for entry in seen["epochs"]] == list(range(1, 13)) == [e["epoch"] for e in result.history]
    assert seen["progress"] and any("Expected" in line for line in seen["log"])


def test_it_prepares_before_it_reads_images_and_before_its_first_step(trained):
    _, _, seen = trained
    phases = [phase for phase, _ in itertools.groupby(seen["progress"], key=lambda one: one[0])]
    assert phases == ["preparing", "decoding", "preparing", "training", "evaluating", "exporting"]
    assert all(done == 0 for phase, done, _ in seen["progress"] if phase == "preparing")


def test_the_exported_file_agrees_with_keras_on_real_files(trained, data):
    import keras

    from vision.runtime.interpreters import LiteRTClassifier

    result, _, _ = trained
    model = keras.saving.load_model(result.files["keras"], compile=False, safe_mode=True)
    runtime = LiteRTClassifier(result.files["litert-float32"])
    assert runtime.image_size == (32, 32) and runtime.num_classes == 2
    for sample in data.splits["test"]:
        pixels = load_pixels(sample.path, runtime.image_size)
        expected = model(pixels[None].astype(np.float32), training=False).numpy()[0]
        assert np.abs(runtime.predict(pixels) - expected).max() <= 1e-4
    assert result.litert_difference <= 1e-4
    from vision.keras_internals import all_layers

    assert not any("augment" in layer.name for layer in all_layers(model))
    assert Path(result.files["labels"]).read_text() == "disc\ncross\n"


def test_the_metrics_are_those_of_the_exported_file(trained, data):
    from vision.runtime.interpreters import LiteRTClassifier

    result, _, _ = trained
    runtime = LiteRTClassifier(result.files["litert-float32"])
    right = [
        runtime.predict(load_pixels(sample.path, (32, 32))).argmax() == sample.label for sample in data.splits["test"]
    ]
    assert result.metrics["accuracy"] == pytest.approx(np.mean(right))


@pytest.mark.long
@pytest.mark.usefixtures("no_timing")
def test_the_same_seed_gives_the_same_training_and_a_resume_too(data, tmp_path):
    """A training that is interrupted in the middle of an epoch ends with the very numbers of one that was not."""
    whole = run(TINY, data, tmp_path / "whole")
    again = run(TINY, data, tmp_path / "again")
    assert [e["loss"] for e in whole.history] == [e["loss"] for e in again.history]
    assert whole.metrics == again.metrics

    seen = {"epochs": 0, "checks": 0}

    def interrupt_in_the_second_epoch():
        seen["checks"] += seen["epochs"]
        if seen["checks"] == 3:
            raise Interrupted("pause")

    def count_epochs(entry):
        seen["epochs"] += 1

    with pytest.raises(Interrupted):
        run(TINY, data, tmp_path / "cut", raise_if_cancelled=interrupt_in_the_second_epoch, on_epoch=count_epochs)
    resumed_log: list[str] = []
    resumed = run(TINY, data, tmp_path / "cut", log=resumed_log.append)
    assert any("continued after epoch 1" in line for line in resumed_log), resumed_log
    assert resumed.history[-1]["val_loss"] == pytest.approx(whole.history[-1]["val_loss"], abs=1e-6)
    assert resumed.metrics == whole.metrics


@pytest.mark.usefixtures("no_timing", "without_graphs")
def test_a_damaged_checkpoint_is_ignored(data, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "checkpoint.npz").write_bytes(b"PK\x03\x04 not much")
    assert len(run(dataclasses.replace(PLAIN, epochs=1), data, folder).history) == 1


@pytest.mark.usefixtures("no_timing", "without_graphs")
def test_cancel_stops_within_a_step(data, tmp_path):
    def check():
        if (tmp_path / "stop").exists():
            raise Cancelled("enough")

    def progress(phase, done, total):
        if phase == "training":
            (tmp_path / "stop").touch()

    with pytest.raises(Cancelled):
        run(PLAIN, data, tmp_path / "run", raise_if_cancelled=check, on_progress=progress)


@pytest.mark.usefixtures("no_timing", "without_graphs")
def test_a_diverging_training_says_so(data, tmp_path, monkeypatch):
    import vision.training.fitting as phases

    monkeypatch.setattr(phases._TrainingCallback, "on_train_batch_end", lambda self, batch, logs=None: None)
    real = phases._TrainingCallback.on_epoch_end
    monkeypatch.setattr(
        phases._TrainingCallback,
        "on_epoch_end",
        lambda self, epoch, logs=None: real(self, epoch, {**logs, "loss": float("nan")}),
    )
    with pytest.raises(DivergedError, match="learning_rate"):
        run(PLAIN, data, tmp_path / "run")


@pytest.mark.parametrize("place", ["memory", "disk", "stream"])
def test_pixels_are_the_same_wherever_they_are_kept(data, tmp_path, place):
    samples = data.splits["test"]
    store = ImageCache(samples, (32, 32), place, tmp_path / "pixels.npy")
    store.fill(lambda done, total: None, lambda: None)
    expected = np.stack([load_pixels(sample.path, (32, 32)) for sample in samples])
    assert np.array_equal(store.gather(np.arange(len(samples))), expected)
    store.close()
    assert not (tmp_path / "pixels.npy").exists()


def test_a_few_broken_files_are_left_out_and_many_end_the_training(data, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    samples = [Sample("bad", str(broken), 0), *data.splits["train"]]
    store = ImageCache(samples, (32, 32), "memory", tmp_path / "p.npy")
    store.fill(lambda done, total: None, lambda: None)
    assert len(store) == len(samples) - 1 and store.broken[0][0] == "bad"
    expected = load_pixels(data.splits["train"][0].path, (32, 32))
    assert np.array_equal(store.gather(np.array([0]))[0], expected)
    many = ImageCache([Sample(str(n), str(broken), 0) for n in range(9)], (32, 32), "memory", tmp_path / "q.npy")
    with pytest.raises(DataError, match="cannot be read"):
        many.fill(lambda done, total: None, lambda: None)


def five_convolutions(alpha: float, input_shape: tuple, include_top: bool, weights: None):
    """A backbone in the place of one with fifty, down to one pixel like it."""
    import keras

    x = image = keras.Input(input_shape)
    for number in range(1, 6):
        x = keras.layers.Conv2D(8, 3, 2, padding="same", activation="relu", name=f"Conv{number}")(x)
    return keras.Model(image, x, name="body")


@pytest.mark.usefixtures("no_timing")
def test_transfer_on_features_and_fine_tuning(data, tmp_path, monkeypatch):
    """With weights in the configured folder: the head trains on features computed once, then the whole network."""
    import keras

    keras.utils.set_random_seed(1)
    monkeypatch.setattr(keras.applications, "MobileNetV2", five_convolutions)
    body = keras.applications.MobileNetV2(alpha=0.35, include_top=False, weights=None, input_shape=(32, 32, 3))
    models = tmp_path / "weights" / "models"
    models.mkdir(parents=True)
    body.save_weights(tmp_path / "w.weights.h5")
    from vision.training.architectures import ARCHITECTURES, find_weights

    spec = ARCHITECTURES["mobilenet_v2_035"]
    (tmp_path / "w.weights.h5").rename(models / "x.weights.h5")
    assert find_weights(spec) is None
    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(tmp_path / "weights"))
    # Keras tells its own format from the name; a link gives the file the name of keras.applications.
    (models / spec.weights_file).symlink_to(models / "x.weights.h5")
    monkeypatch.setattr("vision.training.networks.find_weights", lambda one: models / "x.weights.h5")
    configuration = Configuration(
        architecture="mobilenet_v2_035",
        image_size=32,
        batch_size=8,
        epochs=2,
        fine_tune_epochs=1,
        seed=1,
        augmentation="none",
    )
    result = run(configuration, data, tmp_path / "run")
    assert [(e["phase"], e["epoch"]) for e in result.history] == [("head", 1), ("head", 2), ("fine_tuning", 3)]
    with nullcontext() if THOROUGH else step_by_step():
        frozen = run(dataclasses.replace(configuration, fine_tune=False), data, tmp_path / "frozen")
    assert [e["phase"] for e in frozen.history] == ["head", "head"]
    model = keras.saving.load_model(frozen.files["keras"], compile=False)
    from vision.keras_internals import all_layers

    kept = next(layer for layer in all_layers(model) if layer.name == "Conv1")
    original = next(layer for layer in all_layers(body) if layer.name == "Conv1")
    assert np.array_equal(kept.get_weights()[0], original.get_weights()[0])


def test_damaged_weights_are_named(tmp_path, monkeypatch):
    from vision.training.architectures import ARCHITECTURES
    from vision.training.networks import build_network

    (tmp_path / ARCHITECTURES["mobilenet_v2"].weights_file).write_bytes(b"no weights")
    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(tmp_path))
    configuration = Configuration(architecture="mobilenet_v2", image_size=32).resolved()
    assert configuration.weights == "imagenet"
    with pytest.raises(WeightsError, match="mobilenet_v2_weights"):
        build_network(configuration, 2)


@pytest.mark.long
@pytest.mark.usefixtures("shallow_backbones")
@pytest.mark.parametrize(
    "name", ["mobilenet_v3_small", "efficientnet_v2_b0", pytest.param("resnet50", marks=pytest.mark.thorough)]
)
def test_every_architecture_builds_saves_and_exports(name, tmp_path):
    import keras

    from vision.training import export
    from vision.training.networks import build_network

    network = build_network(Configuration(architecture=name, image_size=32).resolved(), 3)
    images = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), dtype=np.uint8)
    expected = network.model(images.astype(np.float32), training=False).numpy()
    export.export_keras(network.model, tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", compile=False)
    assert np.allclose(loaded(images.astype(np.float32), training=False).numpy(), expected, atol=1e-6)
    export.export_litert(network.model, tmp_path / "m.tflite")
    assert export.check_litert(tmp_path / "m.tflite", images, expected) <= 1e-4


@pytest.mark.parametrize(
    "name",
    [
        "small_cnn",
        "mobilenet_v2",
        "mobilenet_v2_035",
        "mobilenet_v3_small",
        "efficientnet_v2_b0",
        "resnet50",
        "resnet101",
    ],
)
def test_the_catalogue_states_true_numbers_of_parameters(name):
    from vision.training.architectures import ARCHITECTURES
    from vision.training.networks import build_network

    network = build_network(Configuration(architecture=name, image_size=32).resolved(), 2)
    head = [w for w in network.model.weights if "probabilities" in w.path]
    extra = 12 if name.startswith("resnet") else 0
    parameters = network.model.count_params() - sum(int(np.prod(w.shape)) for w in head) - extra
    assert parameters == ARCHITECTURES[name].parameters


def test_a_wrong_export_is_refused(trained, data):
    from vision.training.errors import ExportError
    from vision.training.export import check_litert

    result, _, _ = trained
    images = np.stack([load_pixels(sample.path, (32, 32)) for sample in data.splits["test"][:2]])
    with pytest.raises(ExportError):
        check_litert(Path(result.files["litert-float32"]), images, np.array([[0.5, 0.5], [0.5, 0.5]]))


@pytest.mark.long
def test_several_devices_train_together(data, tmp_path):
    """MirroredStrategy, on two virtual devices in a process of its own."""
    code = f"""
import json, sys
from vision.training.lean import leave_out_unused_libraries
leave_out_unused_libraries()
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.graphs import skip_optimizing
skip_optimizing()
import keras
from pathlib import Path
from vision.training import train as engine
from vision.training.configuration import Configuration
from vision.training.data import Sample, TrainingData
from vision.training import estimate
estimate._time_forward = estimate._time_steps = lambda *_: 1e-3
keras.utils.set_random_seed(3)
engine.prepare_runtime = lambda configuration: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
splits = json.loads({json.dumps(json.dumps({k: [dataclasses.asdict(s) for s in v] for k, v in data.splits.items()}))})
data = TrainingData(["disc", "cross"], {{k: [Sample(**s) for s in v] for k, v in splits.items()}})
tiny = Configuration(architecture="small_cnn", image_size=32, batch_size=8, epochs=2, augmentation="none")
configuration = tiny.resolved()
result = engine.train(configuration, data, Path({str(tmp_path)!r}))
assert len(result.history) == 2, result.history
print("trained on", 2)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    assert "trained on 2" in done.stdout, done.stderr[-3000:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "nope"}, "architecture must be one of"),
        ({"epochs": 5000}, "epochs must be between"),
        ({"image_size": 8}, "image_size must be between"),
        ({"dropout": 0.95}, "dropout must be between"),
        ({"augmentation": "wild"}, "augmentation must be one of"),
        ({"fine_tune": True}, "fine_tune needs pretrained weights"),
    ],
)
def test_wrong_configurations_name_the_value(change, message):
    with pytest.raises(ConfigurationError, match=message):
        dataclasses.replace(TINY, **change).resolved()


def test_missing_weights_are_said_before_the_training():
    with pytest.raises(WeightsError, match="MLSTUDIO_WEIGHTS_DIR"):
        Configuration(architecture="resnet50", weights="imagenet").resolved()
    assert Configuration(architecture="resnet50").resolved().weights == "none"


@pytest.mark.parametrize(
    ("names", "counts", "code"),
    [
        (["a"], {"train": {"a": 9}, "validation": {"a": 2}, "test": {"a": 2}}, "too_few_labels"),
        (["a", "b"], {"train": {"a": 9, "b": 9}, "validation": {"a": 1}}, "empty_split"),
        (["a", "b"], {"train": {"a": 9}, "validation": {"a": 1}, "test": {"b": 1}}, "label_without_images"),
        (["a", "b"], {"train": {"a": 9, "b": 1}, "validation": {"a": 1}, "test": {"b": 1}}, "too_few_images"),
    ],
)
def test_data_that_cannot_be_trained_on(names, counts, code):
    with pytest.raises(DataError) as caught:
        check_counts(names, counts)
    assert caught.value.code == code


def test_class_weights_balance_and_orders_repeat():
    labels = np.array([0] * 30 + [1] * 10)
    weights = sample_weights(labels, 2, "auto")
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum()) and weights.mean() == pytest.approx(
        1
    )
    assert np.all(sample_weights(labels, 2, "none") == 1)
    assert np.all(sample_weights(labels[20:], 2, "auto") == 1)
    assert np.array_equal(epoch_order(50, 1, 3), epoch_order(50, 1, 3))
    assert not np.array_equal(epoch_order(50, 1, 3), epoch_order(50, 1, 4))


class TestStartingFromAnEarlierModel:
    """What the base model knows of labels that stay is kept, before anything is learned."""

    NAMES = ("cat", "dog", "fox")

    def logits(self, model, images: np.ndarray) -> np.ndarray:
        return np.log(np.asarray(model(images, training=False)))

    @pytest.mark.parametrize("kind", ["one piece", "backbone and head"])
    def test_rows_of_kept_labels_say_what_they_said(self, tmp_path, kind):
        import keras

        from vision.training.base_model import head_of, transfer_head_rows
        from vision.training.networks import Network, _with_head, build_network, standardize

        keras.utils.set_random_seed(3)
        configuration = Configuration(architecture="small_cnn", image_size=32).resolved()
        base = build_network(configuration, 3).model
        if kind == "backbone and head":
            pool = keras.Model(base.inputs, base.get_layer("pool").output, name="features")
            taught = dataclasses.replace(configuration, weights="imagenet")
            network: Network = _with_head(pool, (32, 32, 3), 3, taught)
            standardize(network, np.full(128, 0.3, np.float32), np.full(128, 2.0, np.float32))
            base = network.model
        base.save(tmp_path / "base.keras")
        images = np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3)).astype(np.float32)
        again = build_network(dataclasses.replace(configuration, weights="base"), 4, tmp_path / "base.keras")
        features = np.asarray(again.backbone(images))
        standardize(again, features.mean(axis=0), features.var(axis=0) + 0.1)
        names = ["fox", "owl", "cat", "emu"]
        assert transfer_head_rows(again.head, head_of(tmp_path / "base.keras"), names, self.NAMES) == 2
        before, after = self.logits(base, images), self.logits(again.model, images)
        assert after[:, 0] - after[:, 2] == pytest.approx(before[:, 2] - before[:, 0], abs=1e-4)

    def test_labels_of_a_detector_keep_their_outputs(self):
        from vision.detection.networks import build_retinanet
        from vision.detection.starting_weights import load_matching_weights, transfer_label_weights
        from vision.runtime.boxes import AnchorShapes

        shapes = AnchorShapes()
        base = build_retinanet("resnet18", (64, 64), 3, shapes, filters=32, head_convolutions=1)
        output = base.get_layer("label_head").get_layer("output")
        kernel, bias = output.get_weights()
        output.set_weights([kernel + np.random.default_rng(0).normal(0, 0.1, kernel.shape), bias + 1])
        again = build_retinanet("resnet18", (64, 64), 2, shapes, filters=32, head_convolutions=1)
        load_matching_weights(again, base)
        assert transfer_label_weights(again, base, ["owl", "fox"], self.NAMES) == 1
        image = np.random.default_rng(1).integers(0, 255, (1, 64, 64, 3)).astype(np.float32)
        before, after = np.asarray(base(image)), np.asarray(again(image))
        assert after[..., 4 + 1] == pytest.approx(before[..., 4 + 2], abs=1e-3)
        assert transfer_label_weights(again, base, ["owl", "emu"], self.NAMES) == 0
