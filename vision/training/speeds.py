"""How fast networks train on a machine: measured once, kept in a file, and read for estimates. No Keras."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

# What Python and TensorFlow take by themselves; the rest of the memory grows with the input.
LIBRARIES_BYTES = 700_000_000
# Times of one input size say little of another one that has many more pixels, or far fewer.
MOST_SCALED = 6.0
KEPT_PER_NETWORK = 3
MOST_KEPT = 300
LARGEST_FILE = 1 << 20
# What a measurement can be: the least and the most of whole numbers, and seconds.
WHOLE = {
    "height": (1, 1 << 16),
    "width": (1, 1 << 16),
    "batch": (1, 1 << 20),
    "memory_bytes": (1, 1 << 50),
    "parameters": (0, 1 << 42),
    "layers": (0, 1 << 20),
}
SHORTEST_SECONDS, LONGEST_SECONDS = 1e-9, 86_400.0


class Trained(Protocol):
    """What decides how fast a training is, of classifiers and detectors."""

    @property
    def architecture(self) -> str: ...
    @property
    def weights(self) -> str: ...
    @property
    def mixed_precision(self) -> str: ...


@dataclass(frozen=True)
class Speeds:
    """What a network takes on a machine at one input size.

    Attributes:
        network: what was measured, see `network_of`.
        machine: where, see `machine_name`.
        height, width: of the input in pixels.
        batch: images per training step.
        forward: seconds per image through the network, or through its backbone where that is frozen first.
        step: seconds of one training step of all weights; None where such a training has none.
        layers, parameters: of the whole network.
        memory_bytes: peak of the process while it was measured.
        preparing: seconds until the network was built and measured.
    """

    network: str
    machine: str
    height: int
    width: int
    batch: int
    forward: float
    step: float | None
    layers: int
    parameters: int
    memory_bytes: int
    preparing: float = 0.0

    @property
    def pixels(self) -> int:
        return self.height * self.width

    def at(self, height: int, width: int, batch: int) -> Speeds:
        """What another input size and another batch are expected to take: in proportion to their pixels."""
        share = height * width / self.pixels
        return replace(
            self,
            height=height,
            width=width,
            batch=batch,
            forward=self.forward * share,
            step=None if self.step is None else self.step * share * batch / self.batch,
            memory_bytes=LIBRARIES_BYTES + int(max(0, self.memory_bytes - LIBRARIES_BYTES) * max(1.0, share)),
        )

    def to_dict(self) -> dict:
        return asdict(self)


def network_of(configuration: Trained) -> str | None:
    """Names what is trained; None for networks that are not of the catalogue: their speed is only their own."""
    if configuration.architecture in ("custom", "uploaded") or configuration.weights == "base":
        return None
    start = "scratch" if configuration.weights == "none" else "pretrained"
    if getattr(configuration, "is_frozen", False):  # its features are computed in another way
        start = "frozen"
    return f"{configuration.architecture} {start} {configuration.mixed_precision}"


def machine_name(gpus: Iterable[str] = ()) -> str:
    """The processors that this process may use, and the graphics cards."""
    return ", ".join([f"{usable_cores()} cores", *sorted(gpus)])


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class SpeedFile:
    """The measurements of a machine in a JSON file, the newest last. What is damaged in it is left out."""

    path: Path

    def exactly(self, network: str | None, height: int, width: int, batch: int) -> Speeds | None:
        """The fastest of the newest measurements of just this: other programs only make steps slower."""
        size = (height, width, batch)
        rows = [row for row in self._rows(network) if (row.height, row.width, row.batch) == size]
        return _fastest(rows[-KEPT_PER_NETWORK:])

    def about(self, network: str | None, height: int, width: int, batch: int) -> Speeds | None:
        """The same, or what follows from the measured size that is nearest; None where none is near."""
        exact = self.exactly(network, height, width, batch)
        if exact is not None:
            return exact
        rows = [row for row in self._rows(network) if _factor(row.pixels, height * width) <= MOST_SCALED]
        if not rows:
            return None
        nearest = min(rows, key=lambda row: (_factor(row.pixels, height * width), row.batch != batch))
        same = [row for row in rows if (row.pixels, row.batch) == (nearest.pixels, nearest.batch)]
        fastest = _fastest(same[-KEPT_PER_NETWORK:])
        return None if fastest is None else fastest.at(height, width, batch)

    def add(self, speeds: Speeds) -> None:
        """Keep a measurement. Two writers at once may lose one of the two, never the file.

        Raises:
            OSError: it cannot be written.
        """
        rows = [row for row in self.rows() if row.machine.split(", ")[0] == machine_name()]
        rows = [*rows, speeds][-MOST_KEPT:]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f"{self.path.name}.{uuid.uuid4().hex}.partial")  # threads have one process id
        try:
            unfinished.write_text(json.dumps([row.to_dict() for row in rows]))
            os.replace(unfinished, self.path)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise

    def rows(self) -> list[Speeds]:
        return [speeds for row in self._content() if (speeds := read_speeds(row)) is not None]

    def _content(self) -> list:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            if self.path.is_file() and self.path.stat().st_size <= LARGEST_FILE:
                content = json.loads(self.path.read_text())
                return content if isinstance(content, list) else []
        return []

    def _rows(self, network: str | None) -> list[Speeds]:
        """Of this machine as it is now: with the same processors, and the graphics cards of the newest measurement."""
        rows = [row for row in self.rows() if row.machine.split(", ")[0] == machine_name()]
        return [row for row in rows if row.network == network and row.machine == rows[-1].machine]


def read_speeds(row: Any) -> Speeds | None:
    """Those of a dictionary that a file or a process gave; None where a value cannot be one of a measurement."""
    try:
        speeds = Speeds(**row)
    except TypeError:
        return None
    names = isinstance(speeds.network, str) and isinstance(speeds.machine, str)
    whole = all(
        type(getattr(speeds, name)) is int and least <= getattr(speeds, name) <= most
        for name, (least, most) in WHOLE.items()
    )
    times = (speeds.forward, speeds.forward if speeds.step is None else speeds.step)
    return speeds if names and whole and all(map(_takes_time, times)) and _is_time(speeds.preparing) else None


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= LONGEST_SECONDS


def _takes_time(value: Any) -> bool:
    return _is_time(value) and value >= SHORTEST_SECONDS


def _fastest(rows: list[Speeds]) -> Speeds | None:
    return min(rows, key=lambda row: (row.step is None, row.step or row.forward), default=None)


def _factor(one: int, other: int) -> float:
    return max(one / other, other / one)
