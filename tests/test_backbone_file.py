"""A pretrained backbone becomes a file that gives the same features without Keras. Its weights are made up here."""

import keras
import numpy as np
import pytest

from inference.embeddings import embedders
from jobs.errors import WorkFailed
from vision.training.architectures import ARCHITECTURES
from vision.training.networks import pretrained_backbone

pytestmark = pytest.mark.any_database("networks")
NAME = "mobilenet_v2_035"


@pytest.fixture
def weights(tmp_path, monkeypatch, settings):
    settings.FEATURES_DIR = tmp_path / "features"
    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "none"))
    monkeypatch.setattr("vision.training.architectures.OWN_FOLDERS", [])
    return tmp_path / ARCHITECTURES[NAME].weights_file


def test_the_file_gives_the_features_of_the_backbone(project, weights, settings):
    keras.utils.set_random_seed(4)
    body = keras.applications.MobileNetV2(alpha=0.35, input_shape=(160, 160, 3), include_top=False, weights=None)
    body.save(weights)  # with the weights as keras.applications publishes them
    embedder = embedders.embedder_for(project)
    assert embedder.name.startswith(f"{NAME}-160-") and embedder.title == "MobileNetV2, width 0.35, trained on ImageNet"
    network = embedder.load()
    pixels = np.random.default_rng(1).integers(0, 255, (160, 160, 3), dtype=np.uint8)
    expected = pretrained_backbone(NAME, 160).predict(pixels[np.newaxis].astype(np.float32), verbose=0)[0]
    np.testing.assert_allclose(network.run(pixels), expected, atol=1e-4)
    assert len(list((settings.FEATURES_DIR / "backbones").iterdir())) == 1
    # Another file of weights is another embedder, whose features do not mix with those of the first.
    weights.write_bytes(weights.read_bytes() + b" ")
    assert embedders.embedder_for(project).name != embedder.name


def test_a_file_that_is_no_weights(project, weights):
    weights.write_bytes(b"not weights")
    with pytest.raises(WorkFailed) as caught:
        embedders.embedder_for(project).load()
    assert caught.value.code == "weights_not_available"
