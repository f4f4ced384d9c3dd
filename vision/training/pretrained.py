"""Pretrained weights that can be brought here: where they are published, under which licence, what their files hash to.

Data only. Hashes are those that Keras has for its own downloads (`keras.src.applications`, Keras 3.15); a source that
publishes none has none here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vision.training.architectures import ARCHITECTURES, PRESET_FILES, Architecture

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"
HUGGING_FACE = "https://huggingface.co/keras/"
# Folder at Keras' source, and MD5, by the name of the file.
KERAS_FILES = {
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5": ("mobilenet_v2", ""),
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5": ("mobilenet_v2", ""),
    "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5": ("mobilenet_v3", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "efficientnetv2-b0_notop.h5": ("efficientnet_v2", "893217f2bb855e2983157299931e43ff"),
    "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5": ("resnet", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5": ("resnet", "88cf7a10940856eca736dc7b7e228a21"),
}
# Of the networks' authors, as Keras states them.
MIT = ("resnet50", "resnet101")
APACHE_2 = "Apache-2.0"


@dataclass(frozen=True)
class WeightsFile:
    """One file.

    Attributes:
        path: below a folder of weights, as `find_weights` looks for it.
        md5: what its source says, "" where it says nothing.
    """

    path: str
    url: str
    md5: str = ""


@dataclass(frozen=True)
class PretrainedWeights:
    """Weights of one network.

    Attributes:
        name: that of the architecture, with `_coco` where a whole detector was trained.
        kind: `imagenet` or `coco`.
        approximate_bytes: four for each parameter; files have some more.
    """

    name: str
    kind: str
    title: str
    licence: str
    source: str
    approximate_bytes: int
    files: tuple[WeightsFile, ...]

    @property
    def place(self) -> str:
        """The file, or the folder with all files, below a folder of weights."""
        return self.files[0].path.split("/")[0]

    @property
    def architecture(self) -> Architecture:
        return ARCHITECTURES[self.name.removesuffix("_coco")]


def _parameters_in(name: str) -> int:
    """Of the smallest network that starts from this file: a detector has more than the backbone that it shares."""
    sharing = [architecture for architecture in ARCHITECTURES.values() if name in architecture.weights_files.values()]
    return min(architecture.parameters for architecture in sharing)


def _all() -> Iterator[PretrainedWeights]:
    for architecture in ARCHITECTURES.values():
        if architecture.is_keras_retinanet:  # its project publishes no hashes, and is no longer kept
            continue
        for kind, name in architecture.weights_files.items():
            if name in KERAS_FILES:
                folder, md5 = KERAS_FILES[name]
                source = f"{KERAS}{folder}/"
                files = [WeightsFile(name, source + name, md5)]
            else:
                source = f"{HUGGING_FACE}{name}"
                files = [WeightsFile(f"{name}/{file}", f"{source}/resolve/main/{file}") for file in PRESET_FILES]
            yield PretrainedWeights(
                name=architecture.name if kind == "imagenet" else f"{architecture.name}_{kind}",
                kind=kind,
                title=f"{architecture.title}, trained on {'ImageNet' if kind == 'imagenet' else 'COCO'}",
                licence="MIT" if architecture.name in MIT else APACHE_2,
                source=source,
                approximate_bytes=4 * _parameters_in(name),
                files=tuple(files),
            )


PRETRAINED: dict[str, PretrainedWeights] = {weights.name: weights for weights in _all()}
