"""How fast networks train on two processor cores: what is assumed of a machine on which nothing was measured yet.

Measured on two cores of a server without a graphics card, TensorFlow 2.21. They only choose what fits into a user's
minutes; what a training takes is measured on its machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vision.training.architectures import ARCHITECTURES
from vision.training.speeds import Speeds, usable_cores

CORES = 2
LAYERS = 150
MEMORY_BYTES = 1_500_000_000


@dataclass(frozen=True)
class Typical:
    """At square images of `side` pixels: images per second forward, and in steps of all weights."""

    side: int
    forward: float
    trained: float


TYPICAL = {
    "small_cnn": Typical(64, 2500, 400),
    "mobilenet_v2": Typical(160, 204, 64),
    "mobilenet_v2_035": Typical(160, 500, 150),
    "mobilenet_v3_small": Typical(160, 979, 150),
    "efficientnet_v2_b0": Typical(160, 251, 37),
    "resnet50": Typical(160, 82, 9),
    "retinanet_mobilenet_v2": Typical(256, 53, 17.7),
    "retinanet_resnet18": Typical(256, 18, 6),
    "retinanet_efficientnet_lite0": Typical(256, 20, 6),
    "retinanet_resnet50": Typical(256, 11, 3.7),
}


def typical_speeds(architecture: str, height: int, width: int, batch: int) -> Speeds | None:
    """What a machine with as many cores as this one is expected to take; None for networks outside of the table."""
    row = TYPICAL.get(architecture)
    if row is None:
        return None
    share = CORES / usable_cores()
    speeds = Speeds(
        network=architecture,
        machine="",
        height=row.side,
        width=row.side,
        batch=1,
        forward=share / row.forward,
        step=share / row.trained,
        layers=LAYERS,
        parameters=ARCHITECTURES[architecture].parameters,
        memory_bytes=MEMORY_BYTES,
    )
    return replace(speeds.at(height, width, batch), memory_bytes=MEMORY_BYTES)
