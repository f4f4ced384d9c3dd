"""What a training may be asked for, which data it takes, and with which code it ends: no network is built here."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pictures import jpeg
from vision.detection.checks import check_boxes
from vision.detection.configuration import DetectionConfiguration
from vision.detection.samples import (
    DetectionData,
    DetectionSample,
    check_detection_data,
)
from vision.training.architectures import ARCHITECTURES, default_architecture, find_weights, weights_roots
from vision.training.budget import Deadline
from vision.training.configuration import Configuration, augmentation_strength
from vision.training.data import (
    MAX_BROKEN_SHARE,
    ImageCache,
    Sample,
    TrainingData,
    check_counts,
    check_data,
    epoch_order,
    needed_bytes,
    sample_weights,
)
from vision.training.errors import (
    Cancelled,
    ConfigurationError,
    DataError,
    DiskFullError,
    DivergedError,
    EngineError,
    ExportError,
    Interrupted,
    OutOfMemoryError,
    WeightsError,
)
from vision.training.presets import PRESETS
from vision.training.resources import Estimate, estimated, measured, require_room
from vision.training.speeds import Speeds


@pytest.fixture(autouse=True)
def no_weights(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("MLSTUDIO_WEIGHTS_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


# What may be asked for

LIMITS = [
    ("image_size", 32, 1024, 1),
    ("batch_size", 1, 1024, 1),
    ("epochs", 1, 1000, 1),
    ("learning_rate", 1e-7, 1.0, 1e-8),
    ("weight_decay", 0.0, 1.0, 1e-6),
    ("dropout", 0.0, 0.9, 1e-6),
    ("label_smoothing", 0.0, 0.5, 1e-6),
    ("minutes", 0.0, 100_000.0, 1e-3),
    ("max_minutes", 0.0, 100_000.0, 1e-3),
    ("rotation", 0.0, 0.5, 1e-6),
    ("seed", 0, 2**31 - 1, 1),
]


@pytest.mark.parametrize(("name", "low", "high", "step"), LIMITS)
def test_a_setting_of_a_classifier_may_be_at_its_limits_and_not_beyond(name, low, high, step):
    for value in (low, high):
        assert getattr(Configuration(**{"minutes": 0, name: value}).resolved(), name) == value
    for value in (low - step, high + step):
        if value == 0:  # decided by the studio
            continue
        with pytest.raises(ConfigurationError, match=f"{name} must be between") as error:
            Configuration(**{name: value}).resolved()
        assert str(value) in str(error.value) and error.value.code == "invalid_configuration"


@pytest.mark.parametrize(
    ("name", "low", "high", "step"),
    [("image_size", 64, 1536, 32), ("batch_size", 1, 256, 1), ("epochs", 1, 1000, 1), ("frozen_epochs", 0, 999, 1)],
)
def test_a_setting_of_a_detector_may_be_at_its_limits_and_not_beyond(name, low, high, step):
    for value in (low, high):
        assert getattr(DetectionConfiguration(**{name: value}).resolved(100), name) == value
    for value in (low - step, high + step):
        if value or name == "frozen_epochs":
            with pytest.raises(ConfigurationError, match=f"{name} must be between"):
                DetectionConfiguration(**{name: value}).resolved(100)


@pytest.mark.parametrize("size", [(128, 128), "128", [128]])
def test_a_size_that_is_no_number_is_named(size):
    for kind, arguments in ((DetectionConfiguration, (100,)), (Configuration, ())):
        with pytest.raises(ConfigurationError, match="image_size must be between"):
            kind(image_size=size).resolved(*arguments)


@pytest.mark.parametrize("values", [(), (1.0,) * 6, (0.4,), (16.1,), (1.0, float("nan"))])
def test_anchors_that_there_cannot_be_are_refused(values):
    with pytest.raises(ConfigurationError, match="anchor_sizes must be 1 to 5 numbers"):
        DetectionConfiguration(anchor_sizes=values).resolved(100)


@pytest.mark.parametrize(("images", "epochs"), [(0, 150), (1, 150), (100, 150), (150, 100), (1500, 10), (10**6, 10)])
def test_a_detector_sees_about_as_many_images_whatever_their_number(images, epochs):
    assert DetectionConfiguration().resolved(images).epochs == epochs


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_decided_stays_decided(preset):
    once = Configuration(preset=preset).resolved()
    assert once.resolved() == once and Configuration.from_dict(once.to_dict()) == once
    detector = DetectionConfiguration(preset=preset, anchor_sizes=(1.0, 2.0)).resolved(100)
    assert detector.resolved(100) == detector
    assert DetectionConfiguration.from_dict(json.loads(json.dumps(detector.to_dict()))) == detector


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"architecture": "retinanet_resnet18"}, "is a detector"),
        ({"preset": "fastest"}, "preset must be one of"),
        ({"network": {}}, "only for architecture=custom"),
        ({"architecture": "custom"}, "needs network"),
        ({"architecture": "uploaded"}, "base_model"),
        ({"weights": "coco"}, "weights must be one of"),
        ({"resize": "crop"}, "resize must be one of"),
        ({"flip": "diagonal"}, "flip must be one of"),
        ({"mixed_precision": True}, "mixed_precision must be one of"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(change, said):
    with pytest.raises(ConfigurationError, match=said):
        Configuration(**change).resolved()


@pytest.mark.parametrize("kind", [Configuration, DetectionConfiguration])
def test_an_unknown_setting_is_named_with_those_that_there_are(kind):
    with pytest.raises(ConfigurationError, match=r"learn_rate.*learning_rate"):
        kind.from_dict({"learn_rate": 1})


def test_weights_are_used_where_they_lie_and_missed_by_name(tmp_path, monkeypatch):
    spec = ARCHITECTURES["mobilenet_v2"]
    with pytest.raises(WeightsError, match=spec.weights_file) as error:
        Configuration(architecture="mobilenet_v2", weights="imagenet").resolved()
    assert error.value.code == "weights_not_available"
    assert Configuration(architecture="mobilenet_v2").resolved().weights == "none"
    assert default_architecture() == "small_cnn" and default_architecture("detection") == "retinanet_resnet18"
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (second / "models", first):
        folder.mkdir(parents=True)
        (folder / str(spec.weights_file)).touch()
        monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", f"{first}:{second}")
        assert find_weights(spec) == folder / str(spec.weights_file)
    assert weights_roots()[:2] == [first, second] and default_architecture() == "mobilenet_v2"
    chosen = Configuration(architecture="mobilenet_v2").resolved()
    assert (chosen.weights, chosen.fine_tune) == ("imagenet", True)


def test_single_parts_override_the_strength_of_the_changes():
    strong = augmentation_strength(Configuration(augmentation="strong", flip="none", zoom=0.0))
    assert (strong.flip, strong.zoom, strong.rotation) == ("none", 0.0, 0.08)
    assert augmentation_strength(Configuration(augmentation="none")).is_none
    assert not augmentation_strength(Configuration(augmentation="none", contrast=0.1)).is_none


# Which data


def counts(train: dict, validation: dict | None = None, test: dict | None = None) -> dict:
    return {"train": train, "validation": validation or {"a": 1}, "test": test or {"a": 1}}


@pytest.mark.parametrize(
    ("names", "given_counts", "code"),
    [
        ([], counts({}), "too_few_labels"),
        (["a"], counts({"a": 9}), "too_few_labels"),
        (["a", "b"], counts({"a": 2, "b": 2}), None),
        (["a", "b"], counts({"a": 2, "b": 1}), "too_few_images"),
        (["a", "b"], counts({"a": 2, "b": 0}), "label_without_images"),
        (["a", "b"], counts({"a": 2}), "label_without_images"),
        (["a", "b"], counts({"a": 2, "b": 2}, {"a": 0}, {"a": 1}), "empty_split"),
        (["a", "b"], {"train": {"a": 2, "b": 2}, "validation": {"a": 1}}, "empty_split"),
    ],
)
def test_data_that_make_a_classifier_or_say_what_is_missing(names, given_counts, code):
    if code is None:
        check_counts(names, given_counts)
        return
    with pytest.raises(DataError) as error:
        check_counts(names, given_counts)
    assert error.value.code == code


def test_samples_are_counted_as_they_are():
    samples = [Sample(str(n), "x", n % 2) for n in range(4)]
    check_data(TrainingData(["a", "b"], dict.fromkeys(("train", "validation", "test"), samples)))
    with pytest.raises(DataError, match="with the label b"):
        check_data(TrainingData(["a", "b"], {"train": samples[::2], "validation": samples, "test": samples}))


def test_boxes_of_samples_are_counted_and_a_split_may_have_none_of_a_label():
    one = DetectionSample("1", "x", [[0, 0, 9, 9]], [0])
    empty = DetectionSample("2", "x", [], [])
    check_detection_data(DetectionData(["a"], {"train": [one], "validation": [one], "test": [empty]}))
    for splits in ({"train": [one], "validation": [empty], "test": [one]}, {"train": [empty], "validation": [one]}):
        with pytest.raises(DataError):
            check_detection_data(DetectionData(["a"], {"test": [one], **splits}))
    with pytest.raises(DataError) as error:
        check_boxes([], {}, {})
    assert error.value.code == "no_boxes"


@given(st.integers(1, 200), st.integers(0, 1000), st.integers(0, 50))
def test_an_epoch_has_every_image_once_and_the_same_order_each_time(count, seed, epoch):
    order = epoch_order(count, seed, epoch)
    assert sorted(order) == list(range(count)) and (epoch_order(count, seed, epoch) == order).all()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.sampled_from(["balanced", "auto", "none"]))
def test_weights_of_labels_have_the_mean_one_and_balance_them(labels, mode):
    given_labels = np.array(labels)
    weights = sample_weights(given_labels, 5, mode)
    assert weights.mean() == pytest.approx(1, abs=1e-5) and weights.shape == given_labels.shape
    sums = np.bincount(given_labels, weights, minlength=5)
    present = np.bincount(given_labels, minlength=5)
    uneven = present.max() > 1.5 * present[present > 0].min()
    if mode == "balanced" or (mode == "auto" and uneven):
        assert sums[present > 0] == pytest.approx(len(labels) / (present > 0).sum(), rel=1e-5)
    else:
        assert (weights == 1).all()


@pytest.mark.parametrize("place", ["memory", "disk", "stream"])
@pytest.mark.parametrize(("broken", "is_refused"), [(0, False), (1, False), (2, False), (3, True)])
def test_a_twentieth_of_the_files_may_be_broken_and_not_more(tmp_path, place, broken, is_refused):
    samples = []
    for number in range(40):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(b"no image" if 7 <= number < 7 + broken else jpeg(number, (16, 16)))
        samples.append(Sample(str(number), str(path), number))
    cache = ImageCache(samples, (8, 8), place, tmp_path / "pixels" / "cache.npy")
    assert MAX_BROKEN_SHARE * 40 == 2
    if is_refused:
        with pytest.raises(DataError, match="3 of 40") as error:
            cache.fill(lambda *_: None, lambda: None)
        assert error.value.code == "corrupted_files"
        return
    cache.fill(lambda *_: None, lambda: None)
    left = [number for number in range(40) if not 7 <= number < 7 + broken]
    assert [sample.label for sample in cache.samples] == left and len(cache.broken) == broken
    whole = ImageCache([samples[left[-1]]], (8, 8), "stream", tmp_path)
    assert (cache.gather(np.array([len(left) - 1])) == whole.gather(np.array([0]))).all()
    cache.close()
    assert not (tmp_path / "pixels" / "cache.npy").exists()


def test_images_that_are_asked_to_stop_stop(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(1, (16, 16)))

    def stop() -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        ImageCache([Sample("a", str(path), 0)] * 200, (8, 8), "memory", tmp_path).fill(lambda *_: None, stop)
    assert needed_bytes(200, (8, 8)) == 200 * 8 * 8 * 3


# Codes and room


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (EngineError, "training_failed"),
        (OutOfMemoryError, "out_of_memory"),
        (DiskFullError, "disk_full"),
        (ExportError, "export_disagrees"),
        (DivergedError, "training_diverged"),
        (Cancelled, "cancelled"),
        (Interrupted, "interrupted"),
    ],
)
def test_the_code_of_each_end_of_a_training_stays(kind, code):
    assert issubclass(kind, EngineError) and kind.code == code


def test_a_loss_that_is_no_number_names_its_epoch_and_what_to_do():
    assert "nan in epoch 3" in str(DivergedError.at(float("nan"), 3)) and "learning_rate" in str(DivergedError.at(1, 1))


SPEEDS = Speeds("small_cnn scratch auto", "2 cores", 64, 64, 32, 0.001, 0.1, 33, 300_000, 900_000_000)
SMALL = Estimate(seconds=10, memory_bytes=1, disk_bytes=1, pixels="memory", seconds_by_phase={"training": 10})


@pytest.mark.parametrize(
    ("change", "kind"), [({"memory_bytes": 1 << 60}, OutOfMemoryError), ({"disk_bytes": 1 << 60}, DiskFullError)]
)
def test_a_training_that_fits_nowhere_is_refused_before_it_starts(tmp_path, change, kind):
    require_room(SMALL, tmp_path)
    with pytest.raises(kind):
        require_room(replace(SMALL, **change), tmp_path)


def test_an_estimate_that_does_not_fit_is_not_kept(tmp_path):
    with pytest.raises(DiskFullError):
        large = replace(SMALL, disk_bytes=1 << 60)
        estimated(tmp_path, SPEEDS, pytest.fail, lambda _: large, None, pytest.fail)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_measuring_is_part_of_the_estimate():
    ticks = iter(range(0, 1000, 4))
    found = measured(lambda: SPEEDS, lambda found: replace(SMALL, seconds=found.preparing), lambda: next(ticks))
    assert found.seconds == 4 and found.speeds == replace(SPEEDS, preparing=4)
    # A training in the same process traces the steps once more.
    clock = partial(next, iter(range(0, 1000, 4)))
    found = measured(lambda: SPEEDS, lambda found: replace(SMALL, seconds=found.preparing), clock, is_trained_next=True)
    assert found.seconds == 8 and found.speeds == replace(SPEEDS, preparing=4)


@pytest.mark.parametrize(
    ("seconds", "history", "is_over"),
    [(None, [9, 9], False), (10, [], False), (10, [5], False), (10, [5, 5], True), (9.9, [5], True), (-3, [1], True)],
)
def test_a_deadline_is_over_when_one_more_epoch_would_pass_it(seconds, history, is_over):
    assert Deadline(seconds).is_over([{"seconds": one} for one in history]) is is_over
