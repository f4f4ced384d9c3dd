"""Everything that decides what the training of a detector does, as one frozen value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

from vision.training.architectures import ARCHITECTURES, KERAS_RETINANET, KINDS_OF_WEIGHTS, Architecture, weights_here
from vision.training.errors import ConfigurationError, WeightsError
from vision.training.presets import DEFAULT_PRESET, PRESETS, within

AUGMENTATIONS = ("auto", "none", "light", "strong")
FLIPS = ("none", "horizontal", "vertical", "horizontal_and_vertical")
# How many images pass through the network in a default training from scratch, whatever the number of images is.
DEFAULT_VIEWS = 15_000
# What a pretrained backbone has learned need not be learned again (docs/experiments.md).
PRETRAINED_VIEWS = 6_000


@dataclass(frozen=True)
class DetectionConfiguration:
    """What the user chose. `None`, "auto", and 0 for a size, epochs or a rate mean: decided by `resolved`.

    Attributes:
        architecture: a detector from the catalogue.
        preset: how much is done where it is left open, see `presets`.
        minutes: how long the whole training is to take: what is left open is chosen for it, see `minutes.py`; None: as
            the preset says, 0: as long as it takes.
        max_minutes: when they are over the training ends with the best of what was trained; 0: it takes its time.
        weights: "auto" (of COCO or ImageNet when they are here), "coco", "imagenet" (fail when absent) or "none".
        image_size: longer side of the input in pixels; the other side follows the images.
        epochs: passes over the training images.
        augmentation: strength of the random changes of training images; `flip` overrides that part.
        early_stopping: evaluated epochs without improvement before the end; 0 never stops (the schedule wants its end).
        frozen_epochs: epochs at the start that train the heads only; None is a fifth with pretrained weights of
            keras-retinanet, else 0: there a pretrained backbone learns at a tenth of the rate from the start.
        anchor_sizes: sides of the square anchors as multiples of a cell's side; None proposes them from the boxes.
        anchor_ratios: height over width of the anchors; None proposes them from the boxes.
        mixed_precision: "off" unless asked for: float16 of a detector was not measured yet.
    """

    architecture: str = "retinanet_resnet18"
    preset: str = DEFAULT_PRESET
    minutes: float | None = None
    max_minutes: float = 0.0
    weights: str = "auto"
    image_size: int = 0
    batch_size: int = 4
    epochs: int = 0
    learning_rate: float = 0.0
    weight_decay: float = 1e-4
    augmentation: str = "auto"
    flip: str | None = None
    early_stopping: int = 0
    frozen_epochs: int | None = None
    anchor_sizes: tuple[float, ...] | None = None
    anchor_ratios: tuple[float, ...] | None = None
    mixed_precision: str = "off"
    seed: int = 42

    @property
    def spec(self) -> Architecture:
        return ARCHITECTURES[self.architecture]

    @property
    def uses_pretrained(self) -> bool:
        return self.weights in KINDS_OF_WEIGHTS

    @property
    def is_keras_retinanet(self) -> bool:
        return self.architecture.startswith(KERAS_RETINANET)

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> DetectionConfiguration:
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigurationError(
                f"A detector has no settings {', '.join(unknown)}. It has: {', '.join(sorted(known))}."
            )
        shapes = {name: tuple(values[name]) for name in ("anchor_sizes", "anchor_ratios") if values.get(name)}
        return cls(**{**values, **shapes})

    def resolved(self, train_images: int) -> DetectionConfiguration:
        """The same configuration with every open choice made.

        Raises:
            ConfigurationError: a value is out of range.
            WeightsError: pretrained weights were asked for.
        """
        spec = ARCHITECTURES.get(self.architecture)
        if spec is None or spec.task != "detection":
            names = [architecture.name for architecture in ARCHITECTURES.values() if architecture.task == "detection"]
            raise ConfigurationError(f"architecture must be one of {', '.join(names)}, received {self.architecture!r}")
        if not spec.is_installed:
            raise ConfigurationError(
                f"{spec.name} needs the keras-retinanet package, which is not installed here. Run "
                "`make keras-retinanet` on the server, or choose another detector."
            )
        if self.preset not in PRESETS:
            raise ConfigurationError(f"preset must be one of {', '.join(PRESETS)}, received {self.preset!r}")
        preset = PRESETS[self.preset]
        weights = self._chosen_weights(spec)
        is_pretrained = weights != "none" and not spec.is_keras_retinanet
        views = PRETRAINED_VIEWS if is_pretrained else DEFAULT_VIEWS
        usual = max(10, min(150, round(views / max(1, train_images))))
        epochs = self.epochs or preset.epochs(usual, minutes=self.minutes)
        minutes = preset.minutes_for(self, spec.task)
        frozen = self.frozen_epochs
        if frozen is None:
            frozen = max(1, epochs // 5) if spec.is_keras_retinanet and weights != "none" else 0
        return replace(
            self,
            weights=weights,
            minutes=minutes,
            max_minutes=within(minutes, self.max_minutes),
            frozen_epochs=frozen,
            augmentation="light" if self.augmentation == "auto" else self.augmentation,
            image_size=self.image_size or preset.side(spec.default_image_size),
            epochs=epochs,
            learning_rate=self.learning_rate or spec.learning_rate,
        )._checked()

    def _chosen_weights(self, spec: Architecture) -> str:
        if self.weights == "none":
            return "none"
        here = [kind for kind in weights_here(spec) if self.weights in ("auto", kind)]
        if not here and self.weights != "auto":
            name = spec.weights_files.get(self.weights)
            reason = f"{name!r} is not in its folder of weights" if name else "none are known"
            raise WeightsError(
                f"There are no {self.weights} weights of {spec.name} on this machine: {reason}. Put them there, or "
                "choose weights=none to train from scratch."
            )
        return here[0] if here else "none"

    def _checked(self) -> DetectionConfiguration:
        ranges = {
            "image_size": (64, 1536),
            "batch_size": (1, 256),
            "epochs": (1, 1000),
            "learning_rate": (1e-7, 1.0),
            "weight_decay": (0.0, 1.0),
            "early_stopping": (0, 1000),
            "minutes": (0.0, 100_000.0),
            "max_minutes": (0.0, 100_000.0),
            "frozen_epochs": (0, 999),
            "seed": (0, 2**31 - 1),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not isinstance(value, int | float) or not low <= value <= high:
                raise ConfigurationError(f"{name} must be between {low} and {high}, received {value}")
        if self.image_size % 32:
            raise ConfigurationError(f"image_size must be a multiple of 32, received {self.image_size}")
        for name, low, high in (("anchor_sizes", 0.5, 16.0), ("anchor_ratios", 0.1, 10.0)):
            values = getattr(self, name)
            if values is not None and not (1 <= len(values) <= 5 and all(low <= one <= high for one in values)):
                raise ConfigurationError(f"{name} must be 1 to 5 numbers between {low} and {high}, received {values}")
        choices = {"augmentation": AUGMENTATIONS[1:], "flip": (None, *FLIPS), "mixed_precision": ("auto", "on", "off")}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigurationError(f"{name} must be one of {allowed}, received {getattr(self, name)!r}")
        return self
