"""The catalogue of architectures: data only, so that the web process can list it without Keras."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

# Detectors of the keras-retinanet package, which is installed only where somebody wants it.
KERAS_RETINANET = "keras_retinanet_"
KINDS_OF_WEIGHTS = ("coco", "imagenet")
# What reading a KerasHub preset takes, in its folder.
PRESET_FILES = ("config.json", "metadata.json", "model.weights.h5")
# Where a program that uses this keeps weights of its own.
OWN_FOLDERS: list[Path] = []


@dataclass(frozen=True)
class Architecture:
    """One network that can be trained.

    Attributes:
        name: stable identifier used in the API.
        parameters: weights of the network without its classification head (measured); of a detector without the
            outputs of its heads.
        image_sizes: offered square input sizes in pixels; any other size of at least 32 works too.
        weights_file: ImageNet weights without head, named as their source names them: a file of `keras.applications`
            or keras-retinanet, or the folder of a KerasHub preset.
        coco_weights: of a whole detector trained on COCO, likewise.
        learning_rate: default peak of the warm-up and cosine schedule when trained from scratch.
    """

    name: str
    title: str
    description: str
    parameters: int
    default_image_size: int
    image_sizes: tuple[int, ...] = (96, 128, 160, 192, 224)
    weights_file: str | None = None
    coco_weights: str | None = None
    learning_rate: float = 1e-3
    task: str = "classification"
    is_offered: bool = True

    def is_for(self, task: str) -> bool:
        """Whether networks of it can be trained for a task."""
        return self.task == network_task(task)

    @property
    def is_backbone(self) -> bool:
        """Whether ImageNet weights exist for it, so that it can be used frozen and fine-tuned."""
        return self.weights_file is not None

    @property
    def weights_files(self) -> dict[str, str]:
        """Names of the files with pretrained weights by kind."""
        names = {"coco": self.coco_weights, "imagenet": self.weights_file}
        return {kind: name for kind, name in names.items() if name is not None}

    @property
    def is_keras_retinanet(self) -> bool:
        return self.name.startswith(KERAS_RETINANET)

    @property
    def is_installed(self) -> bool:
        """Whether the packages it needs are here; those of most architectures always are."""
        return not self.is_keras_retinanet or find_spec("keras_retinanet") is not None


def _keras_retinanet(
    backbone: str, parameters: int, weights_file: str, coco_weights: str | None = None
) -> Architecture:
    return Architecture(
        name=KERAS_RETINANET + backbone,
        title=f"keras-retinanet, {backbone}",
        description="The network of the keras-retinanet package, for those who have models of it: its files work here, "
        "and those made here work there. For a new project choose another detector: the package is no longer kept.",
        parameters=parameters,
        default_image_size=512,
        image_sizes=(256, 320, 416, 512, 640, 800),
        weights_file=weights_file,
        coco_weights=coco_weights,
        learning_rate=1e-4,
        task="detection",
    )


_MOBILENET_V2 = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{}_224_no_top.h5"

ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
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
            name="custom",
            title="A network of your own",
            description="A Keras network as JSON (`model.to_json()`), in `network`: Keras' own layers only, trained "
            "from scratch. It gets RGB pixels 0 to 255, so begin it with a Rescaling layer.",
            parameters=0,
            default_image_size=0,
            image_sizes=(),
        ),
        Architecture(
            name="uploaded",
            title="An uploaded model",
            description="What a model that was made elsewhere is called, and what is trained from it.",
            parameters=0,
            default_image_size=0,
            image_sizes=(),
            is_offered=False,
        ),
        Architecture(
            name="retinanet_resnet18",
            title="RetinaNet, ResNet18",
            description="Finds objects and their boxes. Trains on a CPU within an hour for some hundred images.",
            parameters=12_629_952,
            weights_file="resnet_18_imagenet",
            default_image_size=320,
            image_sizes=(256, 320, 416, 512, 640),
            task="detection",
        ),
        Architecture(
            name="retinanet_mobilenet_v2",
            title="RetinaNet, MobileNetV2",
            description="Finds objects and their boxes, and is small enough for edge devices. The default when the "
            "weights of MobileNetV2 are here: it learns within minutes on a CPU.",
            parameters=2_721_856,
            weights_file=_MOBILENET_V2.format("1.0"),
            default_image_size=320,
            image_sizes=(256, 320, 416, 512, 640),
            task="detection",
        ),
        Architecture(
            name="retinanet_efficientnet_lite0",
            title="RetinaNet, EfficientNet-Lite0",
            description="The smallest detector, for edge devices; slower to train from scratch than ResNet18.",
            parameters=4_925_472,
            weights_file="efficientnet_lite0_ra_imagenet",
            default_image_size=320,
            image_sizes=(256, 320, 416, 512, 640),
            task="detection",
        ),
        Architecture(
            name="retinanet_resnet50",
            title="RetinaNet, ResNet50",
            description="The network of the paper; wants a GPU or much patience.",
            parameters=25_349_056,
            weights_file="resnet_50_imagenet",
            coco_weights="retinanet_resnet50_fpn_coco",
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
            weights_file="resnet_101_imagenet",
        ),
        _keras_retinanet("resnet50", 36_279_232, "ResNet-50-model.keras.h5", "resnet50_coco_best_v2.1.0.h5"),
        _keras_retinanet("resnet101", 55_323_584, "ResNet-101-model.keras.h5"),
        _keras_retinanet("resnet152", 71_013_312, "ResNet-152-model.keras.h5"),
        _keras_retinanet("mobilenet224_1.0", 13_128_896, "mobilenet_1_0_224_tf_no_top.h5"),
        _keras_retinanet("vgg16", 23_304_000, "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        _keras_retinanet("densenet121", 17_130_048, "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    )
}

# By task: the first one whose weights are here, else the last one, which learns well without any.
DEFAULT_ARCHITECTURES = {
    "classification": ("mobilenet_v2", "small_cnn"),
    "detection": ("retinanet_mobilenet_v2", "retinanet_resnet18"),
}


def network_task(task: str) -> str:
    """The task whose networks are trained for it: classifiers tell one label or several, by their last activation."""
    return "classification" if task == "multilabel" else task


def weights_roots() -> list[Path]:
    """The configured folders, those of the program, then the Keras cache."""
    configured = os.environ.get("MLSTUDIO_WEIGHTS_DIR", "")
    roots = [Path(folder) for folder in configured.split(os.pathsep) if folder]
    roots += OWN_FOLDERS
    roots.append(Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras"))
    return roots


def weights_folders() -> list[Path]:
    """Where weights are looked for."""
    return [folder for root in weights_roots() for folder in (root / "models", root)]


def find_weights(architecture: Architecture, kind: str = "imagenet") -> Path | None:
    """The local file or folder with pretrained weights of a kind, or None when it is not on this machine."""
    name = architecture.weights_files.get(kind)
    if name is None:
        return None
    return next((folder / name for folder in weights_folders() if _are_weights(folder / name)), None)


def _are_weights(path: Path) -> bool:
    """A file, or the folder of a preset with all its files."""
    if path.suffix == ".h5":
        return path.is_file()
    return all((path / file).is_file() for file in PRESET_FILES)


def weights_here(architecture: Architecture) -> Iterator[str]:
    """The kinds of pretrained weights that are on this machine, the better one first."""
    return (kind for kind in KINDS_OF_WEIGHTS if find_weights(architecture, kind) is not None)


def default_architecture(task: str = "classification") -> str:
    """A network with pretrained weights where they are here, else one that does without."""
    *preferred, without = DEFAULT_ARCHITECTURES[network_task(task)]
    return next((name for name in preferred if find_weights(ARCHITECTURES[name])), without)
