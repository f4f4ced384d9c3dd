"""A detector on MobileNetV2: the weights of `keras.applications` in it, its frozen statistics, its files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.test_detection import SHAPES, SMALL_HEADS, TINY, scenes
from vision.detection import networks, train
from vision.detection.configuration import DetectionConfiguration
from vision.detection.networks import build_retinanet, has_frozen_norms, keep_frozen_norms
from vision.detection.starting_weights import load_backbone, load_earlier, load_matching_weights, scaling_of
from vision.training.architectures import ARCHITECTURES, default_architecture
from vision.training.errors import WeightsError
from vision.training.pretrained import PRETRAINED

NAME = "retinanet_mobilenet_v2"
SIZE = (64, 64)


@pytest.fixture
def narrow(monkeypatch) -> None:
    """A third of the width: all operations, a sixth of the weights."""
    monkeypatch.setitem(networks.MOBILENETS, "mobilenet_v2", 0.35)


@pytest.fixture
def weights(tmp_path, monkeypatch, narrow) -> Path:
    """A file as `keras.applications` publishes them, of a network that was not trained."""
    path = tmp_path / "weights" / str(ARCHITECTURES[NAME].weights_file)
    path.parent.mkdir()
    keras.utils.set_random_seed(4)
    body = keras.applications.MobileNetV2(alpha=0.35, input_shape=(*SIZE, 3), include_top=False, weights=None)
    generator = np.random.default_rng(0)
    for layer in norms(body):  # as if it had been trained
        layer.set_weights([value + generator.uniform(0.05, 0.1, value.shape) for value in layer.get_weights()])
    body.save_weights(path.with_suffix(".weights.h5"))  # the name that Keras asks for
    body.save(path)  # with the layout of published files
    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(path.parent))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "none"))
    return path


def norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def statistics(model: keras.Model) -> list[np.ndarray]:
    return [value for layer in norms(model) for value in layer.get_weights()]


def test_it_is_the_default_where_its_weights_are(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setattr("vision.training.architectures.OWN_FOLDERS", [])
    assert default_architecture("detection") == "retinanet_resnet18"
    (tmp_path / str(ARCHITECTURES[NAME].weights_file)).touch()
    assert default_architecture("detection") == NAME and default_architecture() == "mobilenet_v2"
    # With them fewer epochs are enough.
    pretrained, scratch = (DetectionConfiguration(NAME, weights=kind).resolved(200) for kind in ("auto", "none"))
    assert (pretrained.weights, pretrained.epochs, pretrained.frozen_epochs, scratch.epochs) == ("imagenet", 30, 0, 75)


def test_its_weights_are_those_of_the_classifier():
    detector, classifier = PRETRAINED[NAME], PRETRAINED["mobilenet_v2"]
    assert (detector.files, detector.approximate_bytes) == (classifier.files, classifier.approximate_bytes)


@pytest.mark.parametrize("name", [NAME, "retinanet_resnet18", "retinanet_efficientnet_lite0"])
def test_the_catalogue_states_true_numbers_of_parameters(name):
    model = build_retinanet(name.removeprefix("retinanet_"), SIZE, 2, SHAPES)
    outputs = [model.get_layer(head).get_layer("output").count_params() for head in ("box_head", "label_head")]
    assert model.count_params() - sum(outputs) == ARCHITECTURES[name].parameters


def test_published_weights_are_taken_and_damaged_ones_are_named(weights):
    model = build_retinanet("mobilenet_v2", SIZE, 2, SHAPES, **SMALL_HEADS)
    load_backbone(model, "mobilenet_v2", weights)
    body = keras.saving.load_model(weights, compile=False)
    for own, other in zip(model.get_layer("backbone").get_weights(), body.get_weights(), strict=True):
        assert np.array_equal(own, other)
    load_backbone(model, "mobilenet_v2", weights.with_suffix(".weights.h5"))
    weights.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="Replace it, or choose weights=none"):
        load_backbone(model, "mobilenet_v2", weights)


@pytest.mark.slow
@pytest.mark.usefixtures("no_timing", "without_graphs")
def test_its_statistics_stay_as_they_were_through_trainings_and_its_files_agree(weights, tmp_path, monkeypatch):
    def small(*arguments, **options):
        return build_retinanet(*arguments, **{**options, **SMALL_HEADS})

    monkeypatch.setattr(train, "build_retinanet", small)
    data = scenes(tmp_path, {"train": 7, "validation": 3, "test": 3})
    data = dataclasses.replace(data, splits={**data.splits, "train": data.splits["train"][:4]})
    configuration = dataclasses.replace(TINY, architecture=NAME, image_size=64, epochs=1).resolved(4)
    assert configuration.weights == "imagenet"
    result = train.train_detector(configuration, data, tmp_path / "first")
    assert result.litert_difference <= 1e-3 and result.configuration["architecture"] == NAME
    earlier = load_earlier(Path(result.files["keras"]))
    published = keras.saving.load_model(weights, compile=False)
    kept = statistics(earlier.get_layer("backbone"))
    assert all(np.array_equal(own, other) for own, other in zip(kept, statistics(published), strict=True))
    kernels = [model.get_layer("Conv1").get_weights()[0] for model in (earlier.get_layer("backbone"), published)]
    assert not np.array_equal(*kernels)  # while the rest learns

    again = build_retinanet("mobilenet_v2", SIZE, 2, SHAPES, scaling=scaling_of(earlier), **SMALL_HEADS)
    assert not has_frozen_norms(again)
    keep_frozen_norms(again, earlier)
    assert has_frozen_norms(again)
    load_matching_weights(again, earlier)
    learned = statistics(again.get_layer("backbone"))
    assert all(np.array_equal(own, other) for own, other in zip(kept, learned, strict=True))


def test_from_scratch_its_statistics_are_learned(narrow):
    model = build_retinanet("mobilenet_v2", SIZE, 2, SHAPES, **SMALL_HEADS)
    layers = norms(model.get_layer("backbone"))
    assert all(layer.trainable for layer in layers) and {layer.momentum for layer in layers} == {0.9}


def test_the_backbone_learns_at_a_tenth_of_the_rate():
    from vision.detection.optimizer import BACKBONE_RATE, SlowBackboneAdamW

    old, new = (keras.Variable(np.zeros(3, np.float32)) for _ in range(2))
    optimizer = SlowBackboneAdamW(1e-3, weight_decay=0.0, slow=[old])
    optimizer.apply([keras.ops.ones(3), keras.ops.ones(3)], [old, new])
    moved, moved_new = (-np.asarray(variable) for variable in (old, new))
    # Adam's first step is as long as its rate, whatever the gradient is.
    assert moved_new == pytest.approx(1e-3, rel=1e-3) and moved == pytest.approx(1e-3 * BACKBONE_RATE, rel=1e-3)
