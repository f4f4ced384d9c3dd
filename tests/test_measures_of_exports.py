"""How exported files are compared with their network, and what a training keeps on the way: beside scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from vision.detection.samples import DetectionSample
from vision.runtime.boxes import AnchorShapes, anchors_for, encode_offsets
from vision.runtime.kinds import KINDS, RAW_KINDS, has_boxes_inside
from vision.training.data import Sample
from vision.training.errors import DiskFullError

pytestmark = pytest.mark.slow  # they load TensorFlow

SIDE = 32
NAMES = ["cross", "disc"]


def images(count: int, samples=(), *, is_labelled: bool = True):
    from vision.exporting.measure import VerificationImages

    pixels = [np.full((SIDE, SIDE, 3), number, np.uint8) for number in range(count)]
    return VerificationImages(pixels, list(samples), [(SIDE, SIDE)] * count, "the test split", is_labelled)


def evaluator(verification, detector: dict | None = None, check=lambda: None):
    from vision.exporting.measure import Evaluator

    return Evaluator(verification, NAMES, detector or {}, check)


def classifier(answers: list[int]):
    """Says of image `n`, whose pixels are all `n`, that it is `answers[n]`."""

    def run(pixels: np.ndarray) -> np.ndarray:
        output = np.full(2, 0.2, np.float32)
        output[answers[int(pixels[0, 0, 0])]] = 0.8
        return output

    return run


def report(tmp_path, judge, kind: str, run, expected) -> dict:
    (tmp_path / "model").write_bytes(bytes(123))
    return judge.report(kind, tmp_path / "model", run, judge.outputs_of(expected))


# Files of classifiers


def test_a_file_that_says_the_same_has_nothing_against_it(tmp_path):
    from vision.exporting.measure import parity_problem

    samples = [Sample(str(n), "x", n % 2) for n in range(10)]
    run = classifier([0, 1] * 5)
    found = report(tmp_path, evaluator(images(10, samples)), "onnx", run, run)
    assert (found["size"], found["images"], found["measured_on"]) == (123, 10, "the test split")
    assert (found["largest_difference"], found["agreement"], found["accuracy"], found["drop"]) == (0, 1, 1, 0)
    assert found["latency_ms"] >= 0 and parity_problem("onnx", found, 0.0) == ""


def test_a_file_that_says_something_else_of_two_images_in_ten(tmp_path):
    from vision.exporting.measure import parity_problem

    samples = [Sample(str(n), "x", n % 2) for n in range(10)]
    right, other = [0, 1] * 5, [1, 0, *([0, 1] * 4)]
    found = report(tmp_path, evaluator(images(10, samples)), "litert-int8", classifier(other), classifier(right))
    assert (found["agreement"], found["accuracy"], found["keras_accuracy"], found["drop"]) == (0.8, 0.8, 1.0, 0.2)
    assert found["largest_difference"] == pytest.approx(0.6)
    assert "0.8000" in parity_problem("litert-int8", found, 0.1999) and not parity_problem("litert-int8", found, 0.2)
    assert "differs" in parity_problem("onnx", found, 1.0)  # an exact kind may not


def test_images_of_which_nothing_is_known_say_only_whether_both_agree(tmp_path):
    from vision.exporting.measure import parity_problem

    judge = evaluator(images(20, is_labelled=False))
    for wrong, is_offered in ((1, True), (2, False)):
        other = [1] * wrong + [0] * (20 - wrong)
        found = report(tmp_path, judge, "litert-int8", classifier(other), classifier([0] * 20))
        assert "drop" not in found and (parity_problem("litert-int8", found, 0.0) == "") is is_offered


def test_an_output_that_is_no_number_is_never_offered(tmp_path):
    from vision.exporting.measure import parity_problem

    judge = evaluator(images(3, is_labelled=False))
    found = report(tmp_path, judge, "litert-int8", lambda pixels: np.full(2, np.nan), classifier([0] * 3))
    assert parity_problem("litert-int8", found, 1.0) == "Its output is no number."


def test_measuring_stops_when_it_is_asked_to():
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluator(images(3), check=stop).outputs_of(classifier([0] * 3))


# Files of detectors

SHAPES = AnchorShapes(min_level=3, max_level=4)
DETECTOR = {"anchors": SHAPES.to_dict(), "score_threshold": 0.5, "label_thresholds": {}, "iou_threshold": 0.5}
BOX = np.array([[4, 4, 20, 20]], np.float32)


def detector(label: int | None, box: np.ndarray = BOX):
    """Finds that box in every image, or nothing."""
    anchors = anchors_for((SIDE, SIDE), SHAPES)
    raw = np.full((len(anchors), 6), -9, np.float32)
    raw[:, :4] = 0
    if label is not None:
        raw[0, :4] = encode_offsets(anchors[:1], box)[0]
        raw[0, 4 + label] = 4
    return lambda pixels: raw


@pytest.mark.parametrize(
    ("run", "agreement", "ap50"),
    [
        (detector(1), 1.0, 1.0),
        (detector(1, np.array([[4, 4, 21, 21]], np.float32)), 1.0, 1.0),
        (detector(0), 0.0, 0.0),  # another label
        (detector(None), 0.0, 0.0),
        (detector(1, BOX + 9), 0.0, 0.0),  # elsewhere
    ],
)
def test_detectors_are_compared_by_the_boxes_that_they_are_sure_of(tmp_path, run, agreement, ap50):
    samples = [DetectionSample(str(n), "x", BOX.tolist(), [1]) for n in range(4)]
    found = report(tmp_path, evaluator(images(4, samples), DETECTOR), "litert-float16", run, detector(1))
    assert (found["agreement"], found["ap50"], found["keras_ap50"]) == (agreement, ap50, 1.0)


def test_two_detectors_that_find_nothing_agree(tmp_path):
    judge = evaluator(images(4, is_labelled=False), DETECTOR)
    assert report(tmp_path, judge, "onnx", detector(None), detector(None))["agreement"] == 1.0


def test_only_some_outputs_of_a_detector_are_kept_and_all_of_its_boxes():
    from vision.exporting.measure import COMPARED_OUTPUTS

    seen = evaluator(images(COMPARED_OUTPUTS + 5, is_labelled=False), DETECTOR).outputs_of(detector(1))
    assert (len(seen.outputs), len(seen.detections)) == (COMPARED_OUTPUTS, COMPARED_OUTPUTS + 5)


def test_int8_without_images_to_measure_cannot_be_made_and_says_what_to_add(tmp_path, classifier_files):
    from vision.exporting.servable import keras_classifier
    from vision.exporting.write import CannotExport, write_export

    servable = keras_classifier(classifier_files["keras"])
    try:
        with pytest.raises(CannotExport, match="add images to the project") as error:
            write_export("litert-int8", servable, tmp_path / "model.tflite", [])
    finally:
        servable.close()
    assert error.value.code == "cannot_export" and not (tmp_path / "model.tflite").exists()


def test_boxes_are_inside_of_every_kind_that_has_them_in_its_graph():
    assert {kind for kind in KINDS if not has_boxes_inside(kind)} == set(RAW_KINDS)
    assert not has_boxes_inside("unknown") and len({kind.filename for kind in KINDS.values()}) == len(KINDS)


# What a training keeps


@settings(max_examples=10)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_balanced_accuracy_is_that_of_scikit_learn_over_all_batches(seed, classes):
    from vision.training.balanced import BalancedAccuracy

    generator = np.random.default_rng(seed)
    truth, scores = generator.integers(0, classes, 40), generator.random((40, classes)).astype(np.float32)
    metric = BalancedAccuracy(classes)
    for part in (slice(0, 13), slice(13, 40)):
        metric.update_state(np.eye(classes, dtype=np.float32)[truth[part]], scores[part])
    expected = balanced_accuracy_score(truth, scores.argmax(axis=1)) if len(set(truth)) > 1 else None
    assert expected is None or float(metric.result()) == pytest.approx(expected, abs=1e-5)
    metric.reset_state()
    assert float(metric.result()) == 0


VALUES = {"weights": [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7)], "optimizer": [np.zeros(0)]}


def test_a_checkpoint_comes_back_in_its_order(tmp_path):
    from vision.training.checkpoint import load_checkpoint, save_checkpoint

    many = {"weights": [np.array(number) for number in range(12)]}
    save_checkpoint(tmp_path / "a.npz", {"epoch": 3, "name": "ä"}, VALUES | many)
    progress, found = load_checkpoint(tmp_path / "a.npz")
    assert progress == {"epoch": 3, "name": "ä"} and [int(one) for one in found["weights"]] == list(range(12))
    assert found["optimizer"][0].shape == (0,) and not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("damage", [None, 0, 10, 0.5, 0.99])
def test_a_checkpoint_that_is_damaged_or_gone_is_none(tmp_path, damage):
    from vision.training.checkpoint import load_checkpoint, save_checkpoint

    path = tmp_path / "a.npz"
    save_checkpoint(path, {"epoch": 3}, VALUES)
    content = path.read_bytes()
    path.unlink()
    if damage is not None:
        path.write_bytes(content[: int(damage * len(content)) if isinstance(damage, float) else damage])
    assert load_checkpoint(path) is None


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    from vision.training.checkpoint import load_checkpoint, save_checkpoint

    save_checkpoint(tmp_path / "a.npz", {"epoch": 1}, VALUES)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFullError, match="continues from its last checkpoint"):
        save_checkpoint(tmp_path / "a.npz", {"epoch": 2}, VALUES)
    monkeypatch.undo()
    assert load_checkpoint(tmp_path / "a.npz")[0] == {"epoch": 1} and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("values", [[], [np.zeros(3)] * 2, [np.zeros(4)], [np.zeros((3, 1))]])
def test_values_of_another_network_are_refused(values):
    import keras

    from vision.training.checkpoint import get_values, set_values

    variables = [keras.Variable(np.ones(3, np.float32))]
    with pytest.raises(ValueError, match="the network"):
        set_values(variables, values)
    assert get_values(variables)[0].tolist() == [1, 1, 1]
