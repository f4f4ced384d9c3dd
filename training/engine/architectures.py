"""The catalogue of architectures: data only, so that the web process can list it without Keras."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Architecture:
    """One network that can be trained.

    Attributes:
        name: stable identifier used in the API.
        parameters: weights of the network without its classification head (measured); of a detector without the
            outputs of its heads.
        image_sizes: offered square input sizes in pixels; any other size of at least 32 works too.
        weights_file: ImageNet weights without head, named as `keras.applications` names them.
        learning_rate: default peak of the warm-up and cosine schedule when trained from scratch.
    """

    name: str
    title: str
    description: str
    parameters: int
    default_image_size: int
    image_sizes: tuple[int, ...] = (96, 128, 160, 192, 224)
    weights_file: str | None = None
    learning_rate: float = 1e-3
    task: str = "classification"

    @property
    def is_backbone(self) -> bool:
        """Whether ImageNet weights exist for it, so that it can be used frozen and fine-tuned."""
        return self.weights_file is not None


_MOBILENET_V2 = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{}_224_no_top.h5"

ARCHITECTURES: dict[str, Architecture] = {
    one.name: one
    for one in (
        Architecture(
            name="small_cnn",
            title="Small CNN",
            description="Four blocks of two convolutions, trained from scratch. Good with some hundred images a "
            "label of one kind of scene; needs no pretrained weights.",
            parameters=294_960,
            default_image_size=64,
            image_sizes=(32, 48, 64, 96, 128),
        ),
        Architecture(
            name="mobilenet_v2",
            title="MobileNetV2",
            description="The all-rounder: fast on a CPU and on edge devices. The default when its weights are here.",
            parameters=2_257_984,
            default_image_size=160,
            weights_file=_MOBILENET_V2.format("1.0"),
        ),
        Architecture(
            name="mobilenet_v2_035",
            title="MobileNetV2, width 0.35",
            description="A sixth of the size of MobileNetV2, for the smallest devices.",
            parameters=410_208,
            default_image_size=160,
            weights_file=_MOBILENET_V2.format("0.35"),
        ),
        Architecture(
            name="mobilenet_v3_small",
            title="MobileNetV3 Small",
            description="The fastest to train and to run, a little less accurate than MobileNetV2.",
            parameters=939_120,
            default_image_size=160,
            weights_file="weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
        ),
        Architecture(
            name="efficientnet_v2_b0",
            title="EfficientNetV2 B0",
            description="More accurate than MobileNet at about three times the training time.",
            parameters=5_919_312,
            default_image_size=192,
            weights_file="efficientnetv2-b0_notop.h5",
        ),
        Architecture(
            name="resnet50",
            title="ResNet50",
            description="A large classic; wants a GPU or patience.",
            parameters=23_587_712,
            default_image_size=160,
            weights_file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        ),
        Architecture(
            name="resnet101",
            title="ResNet101",
            description="The largest one offered; wants a GPU.",
            parameters=42_658_176,
            default_image_size=160,
            weights_file="resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5",
        ),
        Architecture(
            name="retinanet_resnet18",
            title="RetinaNet, ResNet18",
            description="Finds objects and their boxes. Trains on a CPU within an hour for some hundred images.",
            parameters=12_629_952,
            default_image_size=320,
            image_sizes=(256, 320, 416, 512, 640),
            task="detection",
        ),
        Architecture(
            name="retinanet_efficientnet_lite0",
            title="RetinaNet, EfficientNet-Lite0",
            description="The smallest detector, for edge devices; slower to train from scratch than ResNet18.",
            parameters=4_925_472,
            default_image_size=320,
            image_sizes=(256, 320, 416, 512, 640),
            task="detection",
        ),
        Architecture(
            name="retinanet_resnet50",
            title="RetinaNet, ResNet50",
            description="The network of the paper; wants a GPU or much patience.",
            parameters=25_349_056,
            default_image_size=512,
            image_sizes=(320, 416, 512, 640, 800),
            task="detection",
        ),
        Architecture(
            name="retinanet_resnet101",
            title="RetinaNet, ResNet101",
            description="The largest detector offered; wants a GPU.",
            parameters=44_393_408,
            default_image_size=512,
            image_sizes=(320, 416, 512, 640, 800),
            task="detection",
        ),
    )
}

DEFAULT_DETECTOR = "retinanet_resnet18"
DEFAULT_ARCHITECTURES = ("mobilenet_v2", "small_cnn")


def weights_folders() -> list[Path]:
    """Where weights are looked for: the configured folder, then the Keras cache."""
    configured = os.environ.get("MLSTUDIO_WEIGHTS_DIR")
    roots = [Path(configured)] if configured else []
    roots.append(Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras"))
    return [folder for root in roots for folder in (root / "models", root)]


def find_weights(architecture: Architecture) -> Path | None:
    """The local file with ImageNet weights, or None when it is not on this machine."""
    if architecture.weights_file is None:
        return None
    for folder in weights_folders():
        path = folder / architecture.weights_file
        if path.is_file():
            return path
    return None


def default_architecture(task: str = "classification") -> str:
    """For classification a backbone when its weights are here, else the small network that needs none."""
    if task == "detection":
        return DEFAULT_DETECTOR
    for name in DEFAULT_ARCHITECTURES:
        if ARCHITECTURES[name].is_backbone and find_weights(ARCHITECTURES[name]):
            return name
    return DEFAULT_ARCHITECTURES[-1]
