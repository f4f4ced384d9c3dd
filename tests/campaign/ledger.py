"""What the studio has acknowledged, as a client remembers it; what was not answered may be either way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Violation:
    """A promise that was broken, with all that it takes to see it again."""

    round: int
    seed: int
    operation: str
    fault: str
    what: str


@dataclass
class Ledger:
    """Ids are those of the API.

    Attributes:
        images: sha256 of every acknowledged image.
        deleted: acknowledged deletes; `perhaps_deleted`: deletes without an answer.
        labels: the names that the annotations of an image may have; more than one where a PUT was not answered.
        relabelled: how often an annotation of an image was replaced by another one, answered.
        jobs: kind of every acknowledged job that has not been seen to end.
        exports: finished ones whose archive has not been looked into.
        imports: of an acknowledged import the prefix of its file names, and how many images it brings.
        unanswered_imports: the same of those that were not acknowledged: all of it may be there, or nothing.
        trainings: acknowledged ones.
        snapshots: what an acknowledged snapshot contained.
        videos: sha256 of every acknowledged video.
        in_flight: rounds in which a request was under way when the fault began.
    """

    images: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    perhaps_deleted: set[str] = field(default_factory=set)
    labels: dict[str, set[str]] = field(default_factory=dict)
    relabelled: Counter = field(default_factory=Counter)
    jobs: dict[str, str] = field(default_factory=dict)
    exports: list[str] = field(default_factory=list)
    imports: dict[str, tuple[str, int]] = field(default_factory=dict)
    unanswered_imports: dict[str, int] = field(default_factory=dict)
    trainings: set[str] = field(default_factory=set)
    snapshots: dict[str, tuple] = field(default_factory=dict)
    videos: dict[str, str] = field(default_factory=dict)
    acknowledged: Counter = field(default_factory=Counter)
    unanswered: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    checks: Counter = field(default_factory=Counter)
    pairs: Counter = field(default_factory=Counter)
    in_flight: int = 0
    violations: list[Violation] = field(default_factory=list)

    def certain_images(self) -> list[str]:
        """Images that are there for certain."""
        return sorted(set(self.images) - self.deleted - self.perhaps_deleted)
