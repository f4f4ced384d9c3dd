"""Confidences that say how often they are right: the temperature, and where it is written."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from scipy.optimize import minimize_scalar

from vision.analysis.calibration import (
    FEWEST_IMAGES,
    SPREAD,
    fit_temperature,
    reason_against,
    softmax,
    with_temperature,
)
from vision.runtime.metrics import expected_calibration_error
from vision.training.calibrating import calibrate, scale_logits


def drawn(images: int, factor: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities whose logits are `factor` times those that their labels were drawn by."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (images, 5))
    labels = np.array([random.choice(5, p=row) for row in softmax(logits)])
    return softmax(logits * factor), labels


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_it_finds_the_factor_that_logits_were_multiplied_by(factor):
    probabilities, labels = drawn(20_000, factor)
    temperature = fit_temperature(probabilities, labels)
    assert temperature == pytest.approx(factor, rel=0.05)
    corrected = with_temperature(probabilities, temperature)
    assert expected_calibration_error(corrected, labels) < 0.02
    assert np.array_equal(corrected.argmax(axis=1), probabilities.argmax(axis=1))


@pytest.mark.parametrize(("images", "factor"), [(60, 0.5), (60, 2.0), (300, 2.5)])
def test_it_is_the_optimum_that_scipy_finds(images, factor):
    probabilities, labels = drawn(images, factor, seed=1)
    logits = np.log(probabilities)

    def loss(logarithm: float) -> float:
        own = softmax(logits / np.exp(logarithm))[np.arange(images), labels]
        return -np.log(own).sum() + logarithm**2 / (2 * SPREAD**2)

    expected = np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9}).x)
    assert fit_temperature(probabilities, labels) == pytest.approx(expected, rel=1e-4)


def test_by_hand():
    # Two labels with logits ±z: the loss is n·log(1 + exp(-2z/T)) + log(T)² / (2·0.09); its derivative is 0 where
    # log(T) / 0.09 = 2 · n · z / T / (1 + exp(2z / T)) · -1 for images that are all right.
    probabilities = np.full((50, 2), [0.9, 0.1])
    logarithm = np.log(fit_temperature(probabilities, np.zeros(50, int)))
    margin = np.log(9) / np.exp(logarithm)
    assert logarithm / SPREAD**2 == pytest.approx(-50 * margin / (1 + np.exp(margin)), rel=1e-3)


def test_a_split_without_an_error_does_not_make_it_certain():
    probabilities = np.full((FEWEST_IMAGES, 3), [0.8, 0.1, 0.1])
    temperature = fit_temperature(probabilities, np.zeros(FEWEST_IMAGES, int))
    assert 0.3 < temperature < 1.0


def test_probabilities_of_zero_are_no_error():
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], np.float32)
    assert np.isfinite(fit_temperature(probabilities, np.array([0, 1, 1])))
    assert np.isfinite(with_temperature(probabilities, 2.0)).all()


def ending_in_dense() -> keras.Model:
    x = image = keras.Input((4,))
    return keras.Model(image, layers.Dense(3, activation="softmax")(x))


def ending_in_a_softmax_layer() -> keras.Model:
    image = keras.Input((4,))
    return keras.Model(image, layers.Softmax()(layers.Dropout(0.5)(layers.Dense(3)(image))))


def ending_in_another_model() -> keras.Model:
    image = keras.Input((4,))
    return keras.Model(image, ending_in_dense()(layers.Dense(4, activation="relu")(image)))


def without_bias() -> keras.Model:
    image = keras.Input((4,))
    return keras.Model(image, layers.Dense(3, activation="softmax", use_bias=False)(image))


ROWS = np.random.default_rng(0).normal(0, 1, (12, 4)).astype(np.float32)


@pytest.mark.parametrize("build", [ending_in_dense, ending_in_a_softmax_layer, ending_in_another_model, without_bias])
def test_the_temperature_is_written_into_the_weights(build):
    model = build()
    before = np.asarray(model(ROWS))
    assert scale_logits(model, 2.5, ROWS)
    np.testing.assert_allclose(np.asarray(model(ROWS)), with_temperature(before, 2.5), atol=1e-6)


def used_twice() -> keras.Model:
    image = keras.Input((3,))
    layer = layers.Dense(3)
    return keras.Model(image, layers.Softmax()(layer(layer(image))))


def without_weights_at_its_end() -> keras.Model:
    image = keras.Input((3,))
    return keras.Model(image, layers.Softmax()(layers.LayerNormalization()(layers.Dense(3)(image))))


@pytest.mark.parametrize("build", [used_twice, without_weights_at_its_end])
def test_a_network_that_cannot_have_one_stays_as_it_is_with_a_reason(build):
    keras.utils.set_random_seed(1)
    model, rows = build(), ROWS[:, :3]
    before = np.asarray(model(rows))
    assert not scale_logits(model, 2.5, rows)
    np.testing.assert_array_equal(np.asarray(model(rows)), before)
    probabilities, labels = drawn(80, 2.0)
    splits = {"validation": probabilities, "test": probabilities}
    found, calibration = calibrate(model, rows, splits, {"validation": labels, "test": labels})
    assert found is splits and calibration.temperature == 1.0 and "Dense" in calibration.reason


def test_too_few_images_of_the_validation_split_are_said():
    assert reason_against(FEWEST_IMAGES) == ""
    probabilities, labels = drawn(FEWEST_IMAGES - 1, 2.0)
    splits = {"validation": probabilities, "test": probabilities}
    found, calibration = calibrate(ending_in_dense(), ROWS, splits, {"validation": labels, "test": labels})
    assert found is splits and f"{FEWEST_IMAGES - 1} images" in calibration.reason
    assert calibration.error_before == calibration.error_after
    assert calibration.reason in calibration.in_words


def test_what_was_done_has_the_errors_before_and_after():
    validation, truth = drawn(400, 3.0)
    test, other_truth = drawn(400, 3.0, seed=2)
    splits, labels = {"validation": validation, "test": test}, {"validation": truth, "test": other_truth}
    found, calibration = calibrate(ending_in_dense(), ROWS, splits, labels)
    assert calibration.images == 400 and calibration.temperature == pytest.approx(3, rel=0.2)
    assert calibration.error_before == expected_calibration_error(test, other_truth)
    assert calibration.error_after == expected_calibration_error(found["test"], other_truth)
    assert calibration.error_after < calibration.error_before / 2
    assert "temperature" in calibration.in_words
