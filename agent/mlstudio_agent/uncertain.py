"""Images that the model is unsure of: kept in a queue on the disk, sent when the studio is there, never too many."""

from __future__ import annotations

import json
import time
from pathlib import Path

from .errors import Refused
from .studio import Studio

MAX_QUEUED = 200
MAX_BYTES = 200 << 20
LOWEST_BOX = 0.2
DAY_SECONDS = 86_400


class UncertainQueue:
    """At most so many images a day and so many waiting; the folder survives restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._day_path = folder / "day.json"

    def consider(self, content: bytes, filename: str, prediction: dict, settings: dict) -> bool:
        """Keep the image when the model was unsure. Returns whether it was kept."""
        if not is_uncertain(prediction, settings.get("uncertain_below", 0.0)):
            return False
        waiting = self._waiting()
        if len(waiting) >= MAX_QUEUED or sum(path.stat().st_size for path in waiting) + len(content) > MAX_BYTES:
            return False
        if not self._within_quota(settings.get("uncertain_per_day", 0)):
            return False
        stem = f"{time.time_ns()}"
        (self.folder / f"{stem}.json").write_text(
            json.dumps({"filename": filename, "labels": _present(prediction["labels"]), "boxes": prediction["boxes"]})
        )
        temporary = self.folder / f"{stem}.writing"
        temporary.write_bytes(content)
        temporary.rename(self.folder / f"{stem}.image")  # last: what has this name is whole
        return True

    def send(self, studio: Studio, limit: int = 10) -> int:
        """Send some of what waits, the oldest first. Returns how many. What the studio refuses is dropped.

        Raises:
            StudioUnreachable: the rest waits.
        """
        sent = 0
        for path in self._waiting()[:limit]:
            notes = path.with_suffix(".json")
            try:
                said = json.loads(notes.read_text())
            except (OSError, ValueError):
                said = {"filename": "image", "labels": [], "boxes": []}
            try:
                studio.send_image(path.read_bytes(), said["filename"], {k: said[k] for k in ("labels", "boxes")})
                sent += 1
            except Refused:
                pass
            path.unlink()
            if notes.exists():
                notes.unlink()
        return sent

    def _waiting(self) -> list:
        return sorted(self.folder.glob("*.image"))

    def _within_quota(self, per_day: int) -> bool:
        try:
            day = json.loads(self._day_path.read_text())
        except (OSError, ValueError):
            day = {"started": 0, "count": 0}
        if not 0 <= time.time() - day["started"] < DAY_SECONDS:
            day = {"started": time.time(), "count": 0}
        if day["count"] >= per_day:
            return False
        day["count"] += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        self._day_path.write_text(json.dumps(day))
        return True


def is_uncertain(prediction: dict, below: float) -> bool:
    """A classifier whose best label has a low score, a multilabel model with a label that is near its threshold, or a
    detector with a box that is neither sure nor noise."""
    labels = prediction["labels"]
    if labels and "is_present" in labels[0]:
        return min(map(_certainty, labels)) < below
    if labels:
        return labels[0]["score"] < below
    return any(LOWEST_BOX <= box["score"] < below for box in prediction["boxes"])


def _certainty(answer: dict) -> float:
    """One half at the threshold of a label, 1 at a score of 0 or 1."""
    score, threshold = answer["score"], answer["threshold"]
    way = 1 - threshold if answer["is_present"] else threshold
    return 0.5 + 0.5 * abs(score - threshold) / way if way > 0 else 0.5


def _present(labels: list[dict]) -> list[dict]:
    """What the studio keeps as suggestions: of a multilabel model those that are there."""
    if not labels or "is_present" not in labels[0]:
        return labels
    return [{"label": answer["label"], "score": answer["score"]} for answer in labels if answer["is_present"]]
