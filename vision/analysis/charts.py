"""Charts of metrics, as SVG or PNG, for people who look rather than read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = {"svg": "image/svg+xml", "png": "image/png"}
MOST_CURVES = 12
MOST_NUMBERS = 25
# Okabe and Ito's, which colour-blind people can tell apart; without the yellow, which white paper swallows.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5c00", "#444444")
RIGHT, WRONG, QUIET, LINE = "#0072b2", "#d55e00", "#666666", "#e4e4e4"
LONG_NAME = 6  # characters of a label that still stand side by side
REMEMBERED = 32  # charts, of some 50 kB
Arguments = ParamSpec("Arguments")


def drawn_once(draw: Callable[Arguments, bytes]) -> Callable[Arguments, bytes]:
    """Drawing takes a quarter of a second of a core, and who looks at a chart asks for it again."""

    @lru_cache(maxsize=REMEMBERED)
    def drawn(arguments: str) -> bytes:
        positional, named = json.loads(arguments)
        return draw(*positional, **named)

    @wraps(draw)
    def remembered(*positional: Arguments.args, **named: Arguments.kwargs) -> bytes:
        return drawn(json.dumps([positional, named]))

    return remembered


@drawn_once
def confusion_chart(matrix: Sequence[Sequence[int]], class_names: Sequence[str], kind: str, about: str = "") -> bytes:
    """Rows are the truth, columns the prediction. What is right is blue, mistakes are orange.

    Args:
        matrix: `(labels, labels)` counts.
        about: of which model and images, in words.
    """
    import numpy as np

    counts = np.array(matrix, float)
    totals = counts.sum(axis=1)
    share = counts / np.maximum(totals[:, None], 1)
    side = max(4.2, min(16.0, 0.5 * len(class_names) + 1.8))
    figure, axes = _figure((side + 1.6, side + 1.2), "Confusion matrix", about)
    axes.imshow(_shades(share))
    turned = len(class_names) > 6 and max(map(len, class_names)) > LONG_NAME
    axes.set_xticks(range(len(class_names)), class_names, rotation=90 if turned else 0)
    axes.set_yticks(range(len(class_names)), _with_totals(class_names, totals))
    axes.set_xlabel("Predicted", labelpad=8)
    axes.set_ylabel("Labelled (number)", labelpad=8)
    axes.tick_params(length=0)
    for edge in axes.spines.values():
        edge.set_visible(False)
    axes.set_xticks(np.arange(len(class_names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(class_names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    if len(class_names) <= MOST_NUMBERS:
        _write_counts(axes, counts, share)
    figure.supxlabel(
        "Blue: right. Orange: wrong. The darker, the larger the share of its row.", fontsize=8, color=QUIET
    )
    return _saved(figure, kind)


def _with_totals(class_names: Sequence[str], totals: Any) -> list[str]:
    return [f"{name} ({int(total):,})" for name, total in zip(class_names, totals, strict=True)]


def _shades(share: Any) -> Any:
    """`(labels, labels, 3)` RGB, 0 to 1: white where nothing is."""
    import numpy as np
    from matplotlib.colors import to_rgb

    is_right = np.eye(len(share), dtype=bool)[..., None]
    full = np.where(is_right, to_rgb(RIGHT), to_rgb(WRONG))
    # A single mistake among many is to be seen as well.
    strength = np.where(share > 0, 0.12 + 0.88 * share, 0.03)[..., None]
    return 1 - strength * (1 - full)


def _write_counts(axes: Any, counts: Any, share: Any) -> None:
    import numpy as np

    for row, column in np.ndindex(*counts.shape):
        if counts[row, column]:
            text = f"{int(counts[row, column]):,}\n{share[row, column]:.0%}"
            color = "white" if share[row, column] > 0.55 else "black"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8, linespacing=1.3)


@drawn_once
def curve_chart(
    curves: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    kind: str,
    about: str = "",
    value: str = "",
    diagonal: str = "",
) -> bytes:
    """Lines `(name, x, y)` in the unit square.

    Args:
        value: what the number in a line's name is, such as "AP50".
        diagonal: "up" where chance is a line, as in a ROC curve.
    """
    figure, axes = _figure((7.6, 4.8), title, about)
    if diagonal:
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--", label="chance")
    for number, (name, x, y) in enumerate(curves[:MOST_CURVES]):
        style = "-" if number < len(COLORS) else "--"
        axes.plot(x, y, label=name, color=COLORS[number % len(COLORS)], linestyle=style, clip_on=False)
    axes.set(xlabel=x_label, ylabel=y_label, xlim=(0, 1), ylim=(0, 1))
    more = len(curves) - MOST_CURVES
    _finish(axes, value + (f"\n(the first {MOST_CURVES} of {len(curves)} labels)" if more > 0 else ""))
    return _saved(figure, kind)


@drawn_once
def calibration_chart(bins: Sequence[dict], kind: str, about: str = "") -> bytes:
    """Confidence against accuracy, with the number of images of each bar: few of them say little."""
    figure, axes = _figure((7.6, 4.8), "Calibration", about)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--", label="perfect calibration")
    filled = [bin for bin in bins if bin.get("count", 1)]
    middles = [(bin["from"] + bin["to"]) / 2 for bin in filled]
    axes.bar(
        middles,
        [bin["accuracy"] for bin in filled],
        width=[0.9 * (bin["to"] - bin["from"]) for bin in filled],
        color=COLORS[4],
        label="right, of the answers with this confidence",
    )
    axes.plot(
        [bin["confidence"] for bin in filled],
        [bin["accuracy"] for bin in filled],
        "o",
        color=COLORS[0],
        ms=4,
        label="mean confidence of a bar",
        clip_on=False,
    )
    for middle, one in zip(middles, filled, strict=True):
        if "count" in one:
            axes.annotate(
                f"{one['count']:,}",
                (middle, 0),
                (0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=7,
                color="#222222",
            )
    axes.set(xlabel="Confidence", ylabel="Share that is right", xlim=(0, 1), ylim=(0, 1))
    _finish(axes, "numbers: images of a bar")
    return _saved(figure, kind)


@drawn_once
def history_chart(history: Sequence[dict], kind: str, about: str = "") -> bytes:
    """The epochs of a training: its losses on the left, accuracy or AP50 on the right, the best epoch marked."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    names = [name for name in _numbers(history) if name not in ("epoch", "seconds")]
    losses = [name for name in names if "loss" in name]
    scores = [name for name in names if "accuracy" in name or name.startswith(("ap", "val_ap"))]
    best = best_epoch(history)
    figure = Figure(figsize=(10, 4.3), layout="constrained")
    figure.suptitle(about or "Training", fontsize=11, x=0.01, ha="left")
    title = "Average precision" if any("ap" in name for name in scores) else "Accuracy"
    for axes, chosen, name_of_axes in zip(figure.subplots(1, 2), (losses, scores), ("Loss", title), strict=True):
        for number, name in enumerate(chosen[:MOST_CURVES]):
            points = [(index + 1, entry[name]) for index, entry in enumerate(history) if entry.get(name) is not None]
            color = COLORS[number % len(COLORS)]
            axes.plot(*zip(*points, strict=True), marker=".", label=_curve_name(name), color=color, clip_on=False)
        if best is not None:
            axes.axvline(best, color="#999999", linewidth=1, linestyle="--", label=f"best epoch: {best}", zorder=0)
        axes.set(xlabel="Epoch", title=name_of_axes, xlim=(1, max(2, len(history))))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if chosen is scores:
            axes.set_ylim(0, 1)
        axes.grid(True, color=LINE)
        axes.set_axisbelow(True)
        if chosen:
            axes.legend(fontsize=8, loc="upper right" if chosen is losses else "lower right")
    return _saved(figure, kind)


def explanation_chart(image: Any, overlay: Any, title: str, largest_drop: float) -> bytes:
    """An image beside what supports its label, as PNG.

    Args:
        image, overlay: `(height, width, 3)` uint8 RGB.
        largest_drop: of the score, when the most important part is covered.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.figure import Figure

    height, width = image.shape[:2]
    figure = Figure(figsize=(10.5, min(12.0, 1.4 + 4.6 * height / width)), layout="constrained")
    figure.suptitle(title, fontsize=12, x=0.01, ha="left")
    places = figure.subplots(1, 2)
    for axes, shown in zip(places, (image, overlay), strict=True):
        axes.imshow(shown)
        axes.set_axis_off()
    colors = LinearSegmentedColormap.from_list("support", ["#ffff00", "#ff0000"])
    scale = ScalarMappable(Normalize(0, max(largest_drop, 1e-6)), colors)
    bar = figure.colorbar(scale, ax=places, shrink=0.8, aspect=30)
    bar.set_label("how much the score drops when this part is covered", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return _saved(figure, "png")


def best_epoch(history: Sequence[dict]) -> int | None:
    """The first epoch, from 1, with the best validation score; None where none was measured."""
    for name in ("val_ap50", "val_accuracy"):
        scores = [(entry[name], -index) for index, entry in enumerate(history) if entry.get(name) is not None]
        if scores:
            return 1 - max(scores)[1]
    return None


def _curve_name(name: str) -> str:
    """`val_loss` in words."""
    split, rest = ("validation", name.removeprefix("val_")) if name.startswith("val_") else ("training", name)
    known = {"loss": "", "accuracy": "", "ap50": "AP50", "ap": "AP"}
    words = known.get(rest, rest.replace("_", " "))
    return f"{split} {words}".strip()


def _numbers(history: Sequence[dict]) -> list[str]:
    names: dict[str, None] = {}
    for entry in history:
        names.update({name: None for name, value in entry.items() if isinstance(value, int | float)})
    return list(names)


def _figure(size: tuple[float, float], title: str, about: str) -> tuple[Figure, Any]:
    # The classes instead of pyplot: no state that threads would share, no window system.
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title + (f"\n{about}" if about else ""), loc="left", fontsize=10, pad=12, linespacing=1.5)
    return figure, axes


def _finish(axes: Any, title: str) -> None:
    """Grid, and the legend beside the lines instead of over them."""
    axes.grid(True, color=LINE)
    axes.set_axisbelow(True)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    legend = axes.legend(
        fontsize=8, loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0, frameon=False, title=title or None
    )
    legend.get_title().set_fontsize(8)


def _saved(figure: Figure, kind: str) -> bytes:
    from matplotlib import rcParams

    # Words stay words: they can be copied, and a browser has fonts for labels in every script.
    rcParams["svg.fonttype"] = "none"
    target = io.BytesIO()
    figure.savefig(target, format=kind, dpi=110, metadata={"Date": None} if kind == "svg" else None)
    return target.getvalue()
