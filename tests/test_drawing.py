"""Charts are drawn once, however often somebody looks, and say what they show."""

from __future__ import annotations

import pytest

from vision.analysis import charts


@pytest.fixture
def drawings(monkeypatch) -> list[str]:
    made: list[str] = []
    saved = charts._saved

    def count(figure, kind: str) -> bytes:
        made.append(kind)
        return saved(figure, kind)

    monkeypatch.setattr(charts, "_saved", count)
    return made


def test_the_same_figures_are_drawn_once(drawings):
    history = [{"epoch": 1, "loss": 0.71, "val_loss": 0.93, "accuracy": 0.37}]
    first = charts.history_chart(history, "svg")
    assert first.lstrip().startswith(b"<?xml") and charts.history_chart(list(history), "svg") == first
    assert drawings == ["svg"]
    # Another epoch or another format is another image.
    longer = [*history, {"epoch": 2, "loss": 0.5, "val_loss": 0.8, "accuracy": 0.6}]
    assert charts.history_chart(longer, "svg") != first
    assert charts.history_chart(history, "png").startswith(b"\x89PNG")
    assert drawings == ["svg", "svg", "png"]


def test_tuples_of_numpy_are_curves_too(drawings):
    import numpy as np

    line = ("disc", list(np.linspace(0, 1, 5)), [1.0, 0.9, 0.8, 0.7, 0.123])
    first = charts.curve_chart([line], title="Curve", x_label="Recall", y_label="Precision", kind="svg")
    assert charts.curve_chart([line], title="Curve", x_label="Recall", y_label="Precision", kind="svg") == first
    assert drawings == ["svg"]


def test_charts_say_what_they_show():
    matrix, names = [[8, 1, 0], [0, 9, 0], [2, 0, 7]], ["a", "b", "猫"]
    confusion = charts.confusion_chart(matrix, names, "svg", "Screws v1: 27 test images").decode()
    assert all(
        text in confusion for text in ("Confusion matrix", "Screws v1: 27 test images", "猫 (9)", "89%", "Orange")
    )
    bins = [{"from": 0.8, "to": 0.9, "count": 7, "accuracy": 0.5, "confidence": 0.85}]
    calibration = charts.calibration_chart([*bins, {**bins[0], "from": 0.9, "to": 1, "count": 0}], "svg").decode()
    assert "perfect calibration" in calibration and ">7<" in calibration and ">0<" not in calibration
    lines = [(f"label {number} (0.9)", [0, 1], [1, 0.5]) for number in range(charts.MOST_CURVES + 1)]
    curves = charts.curve_chart(lines, title="ROC", x_label="x", y_label="y", kind="svg", value="AUC").decode()
    assert "ROC" in curves and "AUC" in curves and "the first 12 of 13 labels" in curves


def charts_share(matrix):
    import numpy as np

    counts = np.array(matrix, float)
    return counts / counts.sum(axis=1, keepdims=True)


def test_mistakes_have_another_colour_than_what_is_right():
    shades = charts._shades(charts_share([[9, 1], [0, 10]]))
    right, wrong, nothing = shades[0, 0], shades[0, 1], shades[1, 0]
    assert right[2] > right[0] and wrong[0] > wrong[2] and nothing.min() > 0.95


@pytest.mark.parametrize(
    ("history", "best"),
    [
        ([{"val_accuracy": 0.5}, {"val_accuracy": 0.9}, {"val_accuracy": 0.9}], 2),
        ([{"loss": 1.0}], None),
        ([{"val_ap50": None}, {"val_ap50": 0.2}], 2),
    ],
)
def test_the_best_epoch_is_marked(history, best):
    assert charts.best_epoch(history) == best


def test_curves_have_names_that_people_use():
    names = [charts._curve_name(name) for name in ("loss", "val_loss", "val_accuracy", "val_ap50", "box_loss")]
    assert names == ["training", "validation", "validation", "validation AP50", "training box loss"]
