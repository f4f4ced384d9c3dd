"""What a video shows when: stretches of one label, from predictions of its frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

# A label that is away for less is not gone: one frame in which a detector blinks.
GAP_SECONDS = 0.5


@dataclass
class Stretch:
    """A label from `start` to `end` (seconds, the end of its last frame)."""

    label: str
    start: float
    end: float
    frames: int = 0
    best_score: float = 0.0
    most: int = 0
    _scores: float = field(default=0.0, repr=False)

    def add(self, end: float, score: float, count: int) -> None:
        self.end, self.frames = end, self.frames + 1
        self.best_score, self.most = max(self.best_score, score), max(self.most, count)
        self._scores += score

    def to_dict(self) -> dict:
        return {
            "label": self.label,
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "frames": self.frames,
            "mean_score": round(self._scores / max(self.frames, 1), 4),
            "best_score": round(self.best_score, 4),
            "most": self.most,
        }


class Timeline:
    """Collects frames in their order.

    Args:
        interval: seconds between two frames that are looked at.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._open: dict[str, Stretch] = {}
        self._closed: list[Stretch] = []

    def add(self, time: float, found: Iterable[tuple[str, float]]) -> None:
        """One frame: the labels on it with their scores, a label once for each box."""
        best: dict[str, float] = {}
        counts: Counter = Counter()
        for label, score in found:
            best[label] = max(best.get(label, 0.0), score)
            counts[label] += 1
        for label in [label for label, one in self._open.items() if time - one.end > GAP_SECONDS]:
            self._closed.append(self._open.pop(label))
        for label, score in best.items():
            stretch = self._open.setdefault(label, Stretch(label, time, time))
            stretch.add(time + self._interval, score, counts[label])

    def stretches(self) -> list[dict]:
        """All of them, by their start."""
        rows = [*self._closed, *self._open.values()]
        return [one.to_dict() for one in sorted(rows, key=lambda one: (one.start, one.label))]


class LabelTimeline(Timeline):
    """Of a classifier, which has one label at a time: the next label ends the one before."""

    def add(self, time: float, found: Iterable[tuple[str, float]]) -> None:
        best = max(found, key=lambda pair: pair[1], default=None)
        for label in [label for label in self._open if best is None or label != best[0]]:
            self._closed.append(self._open.pop(label))
        super().add(time, [] if best is None else [best])
