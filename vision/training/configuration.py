"""Everything that decides what a training does, as one frozen value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

from vision.training.allowed_layers import check_network, square_input
from vision.training.architectures import ARCHITECTURES, Architecture, find_weights
from vision.training.errors import ConfigurationError, WeightsError
from vision.training.presets import DEFAULT_PRESET, PRESETS, Preset, within

AUGMENTATIONS = ("auto", "none", "light", "strong")
DEFAULT_DROPOUT = 0.2
FLIPS = ("none", "horizontal", "vertical", "horizontal_and_vertical")


@dataclass(frozen=True)
class Configuration:
    """What the user chose. `None`, "auto", 0 for a size, epochs or a rate, and -1 mean: decided by `resolved`.

    Attributes:
        preset: how much is done where it is left open, see `presets`.
        minutes: how long the whole training is to take: what is left open is chosen for it, see `minutes.py`; None: as
            the preset says, 0: as long as it takes.
        max_minutes: when they are over the training ends with the best of what was trained; 0: it takes its time.
        architecture: a name from the catalogue.
        weights: "auto" (ImageNet when here), "imagenet" (fail when absent), "none" (from scratch) or "base" (those of
            an earlier model).
        image_size: side of the square input in pixels.
        epochs: epochs of the whole network from scratch, or of the head on a frozen backbone.
        fine_tune: whether the backbone is trained too after the head.
        fine_tune_epochs: epochs of that second phase.
        learning_rate: peak of the schedule in the first phase; fine-tuning uses `fine_tune_learning_rate`.
        augmentation: strength of the random changes to training images; `flip`, `rotation` (fraction of a full
            turn), `zoom` and `contrast` (fractions) override single parts of it.
        class_weights: "auto" balances when the largest label has over 1.5 times the images of the smallest.
        early_stopping: epochs without improvement on the validation split before a phase ends; 0 never stops.
        mixed_precision: "auto" uses float16 arithmetic on a GPU.
        resize: "stretch" or "letterbox": how an image becomes the size of the input.
        network: of the architecture "custom": a Keras configuration.
        head_solver: of a head on ready features: "lbfgs" solves it at once, as a logistic regression without dropout,
            which was better with 8 to 140 images a label; "adamw" trains it in epochs; "auto" solves it where nothing
            is set that only epochs have.
    """

    architecture: str = "small_cnn"
    preset: str = DEFAULT_PRESET
    minutes: float | None = None
    max_minutes: float = 0.0
    weights: str = "auto"
    image_size: int = 0
    batch_size: int = 32
    epochs: int = 0
    fine_tune: bool | None = None
    fine_tune_epochs: int = 0
    learning_rate: float = 0.0
    fine_tune_learning_rate: float = 3e-4
    weight_decay: float = 1e-4
    dropout: float = DEFAULT_DROPOUT
    label_smoothing: float = 0.05
    augmentation: str = "auto"
    flip: str | None = None
    rotation: float | None = None
    zoom: float | None = None
    contrast: float | None = None
    class_weights: str = "auto"
    early_stopping: int = -1
    mixed_precision: str = "auto"
    seed: int = 42
    resize: str = "stretch"
    network: dict | None = None
    head_solver: str = "auto"

    @property
    def spec(self) -> Architecture:
        return ARCHITECTURES[self.architecture]

    @property
    def uses_pretrained(self) -> bool:
        return self.weights in ("imagenet", "base")

    @property
    def is_frozen(self) -> bool:
        """Whether the backbone stays as it is: only the head is trained."""
        return self.uses_pretrained and not self.fine_tune

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Configuration:
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigurationError(f"Unknown settings: {', '.join(unknown)}. Known are: {', '.join(sorted(known))}.")
        return cls(**values)

    def resolved(self) -> Configuration:
        """The same configuration with every open choice made, for this machine.

        Raises:
            ConfigurationError: a value is out of range or does not fit another.
            WeightsError: ImageNet weights were asked for and are not on this machine.
        """
        if self.architecture not in ARCHITECTURES:
            raise ConfigurationError(
                f"architecture must be one of {', '.join(ARCHITECTURES)}, received {self.architecture!r}"
            )
        if self.preset not in PRESETS:
            raise ConfigurationError(f"preset must be one of {', '.join(PRESETS)}, received {self.preset!r}")
        spec, preset = self.spec, PRESETS[self.preset]
        if spec.task != "classification":
            raise ConfigurationError(f"{spec.name} is a detector and this is a classification project")
        weights = self._resolved_weights(spec)
        pretrained = weights in ("imagenet", "base")
        fine_tune = pretrained and preset.fine_tunes if self.fine_tune is None else self.fine_tune
        if fine_tune and not pretrained:
            raise ConfigurationError(
                f"fine_tune needs pretrained weights, and {spec.name} starts from scratch here. "
                "Leave fine_tune out, or put the weights into the weights folder."
            )
        augmentation = self.augmentation
        if augmentation == "auto":
            # On a frozen backbone without changed pixels the features are computed once (the fast path).
            augmentation = "none" if pretrained and not fine_tune else "light"
        minutes = preset.minutes_for(self, spec.task)
        solver = self._resolved_solver(weights, augmentation, fine_tune=bool(fine_tune))
        return replace(
            self,
            weights=weights,
            minutes=minutes,
            max_minutes=within(minutes, self.max_minutes),
            fine_tune=fine_tune,
            augmentation=augmentation,
            image_size=self._resolved_size(spec, preset),
            epochs=1
            if solver == "lbfgs"
            else self.epochs or preset.epochs(60 if pretrained else 25, minutes=self.minutes),
            fine_tune_epochs=self.fine_tune_epochs or preset.epochs(10, minutes=self.minutes),
            early_stopping=preset.early_stopping if self.early_stopping == -1 else self.early_stopping,
            learning_rate=self.learning_rate or (1e-3 if pretrained else spec.learning_rate),
            head_solver=solver,
        )._checked()

    def _resolved_solver(self, weights: str, augmentation: str, *, fine_tune: bool) -> str:
        """A head that starts with what a base model knows is trained from there in steps."""
        if self.head_solver != "auto":
            return self.head_solver
        has_epochs = self.epochs or self.learning_rate or self.dropout != DEFAULT_DROPOUT
        if weights != "imagenet" or has_epochs or augmentation not in _STRENGTHS:
            return "adamw"
        is_unchanged = augmentation_strength(replace(self, augmentation=augmentation)).is_none
        return "lbfgs" if fine_tune or is_unchanged else "adamw"

    def _resolved_size(self, spec: Architecture, preset: Preset) -> int:
        if spec.name != "custom" or self.weights == "base":
            if self.network is not None:
                raise ConfigurationError("network is only for architecture=custom; leave it out")
            if not (self.image_size or spec.default_image_size):
                raise ConfigurationError(f"{spec.title} is trained from a base model: name one in base_model")
            return self.image_size or preset.side(spec.default_image_size)
        if self.network is None:
            raise ConfigurationError(
                "architecture=custom needs network: a Keras configuration as model.to_json() gives"
            )
        check_network(self.network)
        size = square_input(self.network)
        if self.image_size not in (0, size):
            raise ConfigurationError(f"The network's input is {size} px, received image_size {self.image_size}")
        return size

    def _resolved_weights(self, spec: Architecture) -> str:
        found = find_weights(spec)
        if self.weights == "imagenet" and found is None:
            wanted = spec.weights_file or "none exist for this architecture"
            raise WeightsError(
                f"ImageNet weights of {spec.name} are not on this machine ({wanted}). Put the file into the folder "
                "named by MLSTUDIO_WEIGHTS_DIR, or choose weights=none to train from scratch."
            )
        if self.weights == "auto":
            return "imagenet" if found else "none"
        return self.weights

    def _checked(self) -> Configuration:
        ranges = {
            "image_size": (32, 1024),
            "batch_size": (1, 1024),
            "epochs": (1, 1000),
            "fine_tune_epochs": (1, 1000),
            "learning_rate": (1e-7, 1.0),
            "fine_tune_learning_rate": (1e-7, 1.0),
            "weight_decay": (0.0, 1.0),
            "dropout": (0.0, 0.9),
            "label_smoothing": (0.0, 0.5),
            "early_stopping": (0, 1000),
            "minutes": (0.0, 100_000.0),
            "max_minutes": (0.0, 100_000.0),
            "rotation": (0.0, 0.5),
            "zoom": (0.0, 0.9),
            "contrast": (0.0, 0.9),
            "seed": (0, 2**31 - 1),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and low <= value <= high):
                raise ConfigurationError(f"{name} must be between {low} and {high}, received {value}")
        choices = {
            "weights": ("imagenet", "none", "base"),
            "resize": ("stretch", "letterbox"),
            "augmentation": AUGMENTATIONS[1:],
            "flip": (None, *FLIPS),
            "class_weights": ("auto", "none", "balanced"),
            "mixed_precision": ("auto", "on", "off"),
            "head_solver": ("adamw", "lbfgs"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigurationError(f"{name} must be one of {allowed}, received {getattr(self, name)!r}")
        return self


@dataclass(frozen=True)
class AugmentationStrength:
    flip: str
    rotation: float
    zoom: float
    contrast: float

    @property
    def is_none(self) -> bool:
        return self.flip == "none" and not (self.rotation or self.zoom or self.contrast)


_STRENGTHS = {
    "none": AugmentationStrength(flip="none", rotation=0.0, zoom=0.0, contrast=0.0),
    "light": AugmentationStrength(flip="horizontal", rotation=0.03, zoom=0.1, contrast=0.1),
    "strong": AugmentationStrength(flip="horizontal", rotation=0.08, zoom=0.25, contrast=0.3),
}


def augmentation_strength(configuration: Configuration) -> AugmentationStrength:
    """The preset with the single parts that the user set himself."""
    preset = _STRENGTHS[configuration.augmentation]
    overrides = {
        name: getattr(configuration, name)
        for name in ("flip", "rotation", "zoom", "contrast")
        if getattr(configuration, name) is not None
    }
    return replace(preset, **overrides)
