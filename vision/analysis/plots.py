"""Pictures of metrics, as SVG or PNG, for people who look rather than read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = {"svg": "image/svg+xml", "png": "image/png"}
INCHES = (6.4, 4.8)
MOST_CURVES = 12
MOST_NUMBERS = 25
# Okabe and Ito's, which colour-blind people can tell apart.
COLORS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#000000")
REMEMBERED = 32  # pictures, of some 50 kB
Arguments = ParamSpec("Arguments")


def drawn_once(draw: Callable[Arguments, bytes]) -> Callable[Arguments, bytes]:
    """Drawing takes a quarter of a second of a core, and who looks at a picture asks for it again."""

    @lru_cache(maxsize=REMEMBERED)
    def drawn(arguments: str) -> bytes:
        positional, named = json.loads(arguments)
        return draw(*positional, **named)

    @wraps(draw)
    def remembered(*positional: Arguments.args, **named: Arguments.kwargs) -> bytes:
        return drawn(json.dumps([positional, named]))

    return remembered


@drawn_once
def confusion_picture(matrix: Sequence[Sequence[int]], class_names: Sequence[str], kind: str) -> bytes:
    """Rows are the truth, columns the prediction; the colour is the share of the row."""
    import numpy as np

    counts = np.array(matrix, float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(4.8, min(16.0, 0.45 * len(class_names) + 2))
    figure, axes = _figure((side + 1, side))
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(class_names)), class_names, rotation=90 if len(class_names) > 6 else 0)
    axes.set_yticks(range(len(class_names)), class_names)
    axes.set_xlabel("Predicted")
    axes.set_ylabel("Labelled")
    if len(class_names) <= MOST_NUMBERS:
        for row, column in np.ndindex(*counts.shape):
            if counts[row, column]:
                color = "white" if share[row, column] > 0.5 else "black"
                axes.text(column, row, f"{int(counts[row, column])}", ha="center", va="center", color=color, fontsize=8)
    return _saved(figure, kind)


@drawn_once
def curve_picture(
    curves: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    *, x_label: str, y_label: str, kind: str, diagonal: str = "",
) -> bytes:  # fmt: skip
    """Lines `(name, x, y)` in the unit square. `diagonal` is "up" where chance is a line, as in a ROC curve."""
    figure, axes = _figure(INCHES)
    if diagonal:
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--")
    for number, (name, x, y) in enumerate(curves[:MOST_CURVES]):
        style = "-" if number < len(COLORS) else "--"
        axes.plot(x, y, label=name, color=COLORS[number % len(COLORS)], linestyle=style)
    axes.set(xlabel=x_label, ylabel=y_label, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    _finish(axes, len(curves))
    return _saved(figure, kind)


@drawn_once
def calibration_picture(bins: Sequence[dict], kind: str) -> bytes:
    """Confidence against accuracy: a model that is as right as it is sure lies on the diagonal."""
    figure, axes = _figure(INCHES)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--", label="as right as sure")
    axes.bar(
        [(one["from"] + one["to"]) / 2 for one in bins], [one["accuracy"] for one in bins],
        width=[0.9 * (one["to"] - one["from"]) for one in bins], color=COLORS[5], label="accuracy",
    )  # fmt: skip
    axes.plot([one["confidence"] for one in bins], [one["accuracy"] for one in bins], "o", color=COLORS[0], ms=4)
    axes.set(xlabel="Confidence", ylabel="Accuracy", xlim=(0, 1), ylim=(0, 1.02))
    _finish(axes, 2)
    return _saved(figure, kind)


@drawn_once
def history_picture(history: Sequence[dict], kind: str) -> bytes:
    """The epochs of a training: its losses on the left, accuracy or AP50 on the right."""
    from matplotlib.figure import Figure

    names = [name for name in _numbers(history) if name not in ("epoch", "seconds")]
    losses = [name for name in names if "loss" in name]
    scores = [name for name in names if "accuracy" in name or name.startswith(("ap", "val_ap"))]
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, chosen, title in zip(figure.subplots(1, 2), (losses, scores), ("Loss", "Score"), strict=True):
        for number, name in enumerate(chosen[:MOST_CURVES]):
            points = [(index + 1, entry[name]) for index, entry in enumerate(history) if entry.get(name) is not None]
            axes.plot(*zip(*points, strict=True), marker=".", label=name, color=COLORS[number % len(COLORS)])
        axes.set(xlabel="Epoch", title=title)
        _finish(axes, len(chosen))
    return _saved(figure, kind)


def _numbers(history: Sequence[dict]) -> list[str]:
    names: dict[str, None] = {}
    for entry in history:
        names.update({name: None for name, value in entry.items() if isinstance(value, int | float)})
    return list(names)


def _figure(size: tuple[float, float]) -> tuple[Figure, Any]:
    # The classes instead of pyplot: no state that threads would share, no window system.
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots()


def _finish(axes: Any, curves: int) -> None:
    axes.grid(True, color="#eeeeee")
    axes.set_axisbelow(True)
    if curves:
        axes.legend(fontsize=8)


def _saved(figure: Figure, kind: str) -> bytes:
    target = io.BytesIO()
    figure.savefig(target, format=kind, dpi=110, metadata={"Date": None} if kind == "svg" else None)
    return target.getvalue()
