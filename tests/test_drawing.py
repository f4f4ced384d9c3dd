"""Pictures of figures are drawn once, however often somebody looks."""

from __future__ import annotations

import pytest

from vision.analysis import plots


@pytest.fixture
def drawings(monkeypatch) -> list[str]:
    made: list[str] = []
    saved = plots._saved

    def count(figure, kind: str) -> bytes:
        made.append(kind)
        return saved(figure, kind)

    monkeypatch.setattr(plots, "_saved", count)
    return made


def test_the_same_figures_are_drawn_once(drawings):
    history = [{"epoch": 1, "loss": 0.71, "val_loss": 0.93, "accuracy": 0.37}]
    first = plots.history_picture(history, "svg")
    assert first.lstrip().startswith(b"<?xml") and plots.history_picture(list(history), "svg") == first
    assert drawings == ["svg"]
    # Another epoch or another format is another picture.
    longer = [*history, {"epoch": 2, "loss": 0.5, "val_loss": 0.8, "accuracy": 0.6}]
    assert plots.history_picture(longer, "svg") != first
    assert plots.history_picture(history, "png").startswith(b"\x89PNG")
    assert drawings == ["svg", "svg", "png"]


def test_tuples_of_numpy_are_curves_too(drawings):
    import numpy as np

    line = ("disc", list(np.linspace(0, 1, 5)), [1.0, 0.9, 0.8, 0.7, 0.123])
    first = plots.curve_picture([line], x_label="Recall", y_label="Precision", kind="svg")
    assert plots.curve_picture([line], x_label="Recall", y_label="Precision", kind="svg") == first
    assert drawings == ["svg"]
