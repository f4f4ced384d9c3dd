"""Which weights a training keeps, when it stops, and what a base model gives."""

from __future__ import annotations

import os
import types

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from vision.analysis.label_issues import out_of_sample_probabilities
from vision.runtime.metrics import classification_metrics, is_uneven

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


class Rows:
    """A feed of numbers."""

    def __init__(self, rows: np.ndarray, targets: np.ndarray) -> None:
        self.rows, self.targets, self.count = rows, targets, len(rows)

    def dataset(self, batches, steps):
        import tensorflow as tf

        def batch():
            for indices, _ in batches():
                yield self.rows[indices], self.targets[indices]

        shapes = tuple(tf.TensorSpec((None, *one.shape[1:]), tf.float32) for one in (self.rows, self.targets))
        return tf.data.Dataset.from_generator(batch, output_signature=shapes)

    def in_order(self, batch: int):
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices((self.rows, self.targets)).batch(batch)


def small_phase(tmp_path, evaluate, *, epochs: int, early_stopping: int, uneven: bool = False):
    import keras

    from vision.training.compiling import compile_for
    from vision.training.fitting import Phase

    generator = np.random.default_rng(0)
    rows = generator.normal(size=(16, 3)).astype(np.float32)
    labels = np.array([0] * 12 + [1] * 4) if uneven else np.arange(16) % 2
    targets = np.eye(2, dtype=np.float32)[labels]
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    settings = types.SimpleNamespace(batch_size=4, early_stopping=early_stopping, seed=1, weight_decay=0.0)
    compile_for(model, settings, peak=1e-2, steps=100, label_smoothing=0.0, is_uneven=uneven)
    feed = Rows(rows, targets)
    return Phase(
        name="training",
        model=model,
        saved=model,
        train=feed,
        validation=feed,
        epochs=epochs,
        configuration=settings,
        checkpoint_path=tmp_path / "checkpoint.npz",
        evaluate=evaluate,
    )


def test_early_stopping_counts_judged_epochs(tmp_path):
    """AP is measured a dozen times in a training of a detector, so most epochs say nothing."""
    from vision.training.fitting import ValidationScore
    from vision.training.hooks import TrainingHooks

    judged = []

    def evaluate(epoch: int, logs: dict):
        if (epoch + 1) % 3:
            return ValidationScore(None, {})
        judged.append(epoch + 1)
        return ValidationScore([{3: 0.1, 6: 0.3}.get(epoch + 1, 0.2)], {})

    found = small_phase(tmp_path, evaluate, epochs=24, early_stopping=2).run(TrainingHooks())
    assert judged == [3, 6, 9, 12] and found["best_epoch"] == 6 and found["epochs"] == 12
    assert found["best_score"] == [0.3]


def test_a_phase_that_goes_on_remembers_how_long_nothing_improved(tmp_path):
    from vision.training.checkpoint import load_checkpoint
    from vision.training.fitting import ValidationScore
    from vision.training.hooks import TrainingHooks

    small_phase(tmp_path, lambda epoch, logs: ValidationScore([-float(epoch)], {}), epochs=3, early_stopping=9).run(
        TrainingHooks()
    )
    assert load_checkpoint(tmp_path / "checkpoint.npz")[0]["judged_since_best"] == 2


def test_checkpoints_take_a_small_part_of_a_training(tmp_path, monkeypatch):
    """Those of a detector have hundreds of megabytes: one an epoch took half of the time of short ones."""
    import vision.training.fitting as fitting
    from vision.training.hooks import TrainingHooks

    clock = types.SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(fitting, "time", clock)
    saved = []

    def evaluate(epoch: int, logs: dict):
        clock.now += 2.0  # so long each epoch takes
        return fitting.ValidationScore([0.0], {})

    def save(*_):
        clock.now += 0.5
        saved.append(clock.now)

    monkeypatch.setattr(fitting, "save_checkpoint", save)
    phase = small_phase(tmp_path, evaluate, epochs=20, early_stopping=0)
    phase.run(TrainingHooks())
    assert len(saved) == 5  # after the first epoch, each 10 seconds, and at the end
    assert sum(entry["seconds"] for entry in phase.history) == clock.now - 0.5


def test_an_uneven_validation_split_is_judged_by_balanced_accuracy(tmp_path):
    from vision.training.fitting import score_classifier
    from vision.training.hooks import TrainingHooks

    phase = small_phase(tmp_path, score_classifier, epochs=2, early_stopping=0, uneven=True)
    found = phase.run(TrainingHooks())
    predicted = np.asarray(phase.model(phase.validation.rows)).argmax(axis=1)
    entry = phase.history[found["best_epoch"] - 1]
    expected = balanced_accuracy_score(phase.validation.targets.argmax(axis=1), predicted)
    assert entry["val_balanced_accuracy"] == pytest.approx(expected) == pytest.approx(found["best_score"][0])
    assert "val_accuracy" in entry


def test_trainings_on_uneven_labels_are_compared_by_balanced_accuracy():
    from training.supervisor import _score

    truth = np.array([0] * 18 + [1] * 2)
    always_the_first = np.tile([0.9, 0.1], (20, 1))
    metrics = classification_metrics(always_the_first, truth, ["good", "bad"])
    assert metrics["accuracy"] == 0.9 and metrics["balanced_accuracy"] == 0.5 == _score(metrics)
    even = classification_metrics(always_the_first[:4], np.array([0, 0, 0, 1]) % 2, ["good", "bad"])
    assert is_uneven([3, 1]) and not is_uneven([3, 2, 0]) and not is_uneven([0, 5])
    assert _score(even) == even["balanced_accuracy"]
    assert _score({"ap50": 0.4, "per_class": [{"label": "a", "boxes": 3}]}) == 0.4


def test_labels_without_images_are_named():
    truth = np.array([0, 1, 0])
    metrics = classification_metrics(np.eye(3)[truth], truth, ["a", "b", "c"])
    assert metrics["labels_covered"] == 2 and metrics["labels_not_measured"] == ["c"]
    assert metrics["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, truth))


@pytest.mark.parametrize(
    ("head", "fine_tuning", "kept"), [(0.97, 0.95, "head"), (0.9, 0.95, "fine_tuning"), (0.9, 0.9, "fine_tuning")]
)
def test_the_better_phase_is_kept(tmp_path, head, fine_tuning, kept):
    import keras

    from vision.training.hooks import TrainingHooks
    from vision.training.kept import EarlierPhase

    variable = keras.Variable(np.ones(2, np.float32))
    EarlierPhase(tmp_path).keep([head], [variable])
    variable.assign([2.0, 2.0])
    # Another object, as after a resume.
    assert EarlierPhase(tmp_path).restore_if_better([fine_tuning], [variable], TrainingHooks()) == (kept == "head")
    assert float(variable.numpy()[0]) == (1.0 if kept == "head" else 2.0)


def test_fine_tuning_that_makes_a_classifier_worse_is_left_out(tmp_path, monkeypatch):
    """The engine's own course: the head's score is kept, fine-tuning's is lower, the head's weights are exported."""
    from vision.training import train

    weights = {"value": 0}
    calls = []

    class Variable:
        shape, path = (), "w"

    network = types.SimpleNamespace(model=types.SimpleNamespace(weights=[Variable()]))
    training = train._Training.__new__(train._Training)
    training.configuration = types.SimpleNamespace(
        uses_pretrained=True, fine_tune=True, fine_tune_epochs=1, fine_tune_learning_rate=1e-4
    )
    training.checkpoint, training.history = tmp_path / "checkpoint.npz", []
    training.hooks = types.SimpleNamespace(log=calls.append)
    training.earlier_phase = types.SimpleNamespace(
        keep=lambda score, variables: weights.update(kept=score),
        restore_if_better=lambda score, variables, hooks: weights.update(compared=score),
    )
    monkeypatch.setattr(train, "freeze_backbone", lambda network: None)
    monkeypatch.setattr(train, "unfreeze_backbone", lambda network: None)
    monkeypatch.setattr(train._Training, "_head", lambda self, *args, **kwargs: [0.97])
    monkeypatch.setattr(train._Training, "_phase", lambda self, *args, **kwargs: [0.95])
    training._fit(network, {}, object())  # type: ignore[arg-type]
    assert weights == {"value": 0, "kept": [0.97], "compared": [0.95]}


def test_a_new_label_of_a_detector_does_not_start_as_another():
    """From [cat, dog] to [dog, fox]: as many labels, so the outputs have one shape."""
    from vision.detection.networks import build_retinanet
    from vision.detection.starting_weights import load_matching_weights, transfer_label_weights
    from vision.runtime.boxes import AnchorShapes

    base = build_retinanet("resnet18", (64, 64), 2, AnchorShapes(), filters=32, head_convolutions=1)
    output = base.get_layer("label_head").get_layer("output")
    generator = np.random.default_rng(0)
    output.set_weights([generator.normal(size=one.shape).astype(np.float32) for one in output.get_weights()])
    again = build_retinanet("resnet18", (64, 64), 2, AnchorShapes(), filters=32, head_convolutions=1)
    fresh = again.get_layer("label_head").get_layer("output").get_weights()[1].reshape(-1, 2)
    assert load_matching_weights(again, base) == 1.0
    assert transfer_label_weights(again, base, ["dog", "fox"], ("cat", "dog")) == 1
    new = again.get_layer("label_head").get_layer("output").get_weights()[1].reshape(-1, 2)
    old = output.get_weights()[1].reshape(-1, 2)
    assert np.allclose(new[:, 0], old[:, 1]) and np.allclose(new[:, 1], fresh[:, 1])


def test_suspects_of_labels_with_fewer_images_than_folds():
    features = np.random.default_rng(0).normal(size=(20, 64))
    probabilities = out_of_sample_probabilities(features, np.repeat(np.arange(5), 4), 5)
    assert probabilities.shape == (20, 5) and probabilities.sum(axis=1) == pytest.approx(np.ones(20))
    assert not out_of_sample_probabilities(features[:3], np.arange(3), 3).any()


def test_near_duplicates_of_an_image_do_not_tell_its_label():
    """Each image twice, with a label that nothing but its copy gives away."""
    generator = np.random.default_rng(0)
    features = np.repeat(generator.normal(size=(60, 400)), 2, axis=0)
    labels = np.repeat(generator.integers(0, 2, 60), 2)
    own = np.arange(120)

    def right(groups) -> float:
        probabilities = out_of_sample_probabilities(features, labels, 2, groups)
        return float((probabilities[own, labels] > 0.5).mean())

    assert right(None) > 0.75 and right(own // 2) < 0.65
