"""Images of a training as arrays: decoded once into memory or a file where they fit, else again each epoch."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from vision.imaging.preprocessing import ImageError, load_pixels
from vision.training.errors import DataError

SPLITS = ("train", "validation", "test")
MEMORY_SHARE = 0.3
DISK_RESERVE_BYTES = 1 << 30
MAX_BROKEN_SHARE = 0.05


@dataclass(frozen=True)
class Sample:
    """One labelled image: its id for reports, its file and its index into the class names."""

    id: str
    path: str
    label: int


@dataclass(frozen=True)
class MultilabelSample:
    """One image with none to many labels: its id for reports, its file and its indices into the class names."""

    id: str
    path: str
    labels: list[int]


AnySample = Sample | MultilabelSample


@dataclass(frozen=True)
class TrainingData:
    """The samples of each split, in a fixed order, and the labels in the model's order.

    Attributes:
        task: `classification` or `multilabel`: whether the splits have `Sample`s or `MultilabelSample`s.
    """

    class_names: list[str]
    splits: Mapping[str, Sequence[AnySample]] = field(default_factory=dict)
    start: Path | None = None  # the `.keras` file of an earlier classifier to start from
    start_names: list[str] = field(default_factory=list)  # its labels
    backbone: Path | None = None  # the pretrained backbone as a LiteRT file, where it was converted before
    task: str = "classification"

    @property
    def is_multilabel(self) -> bool:
        return self.task == "multilabel"


def check_data(data: TrainingData) -> None:
    """`check_counts` for samples, or `check_multilabel_counts`."""
    counts = {split: _counted(data.splits.get(split, ()), data.class_names) for split in SPLITS}
    if data.is_multilabel:
        images = {split: len(data.splits.get(split, ())) for split in SPLITS}
        return check_multilabel_counts(data.class_names, counts, images)
    return check_counts(data.class_names, counts)


def _counted(samples: Sequence[AnySample], class_names: list[str]) -> dict[str, int]:
    """Images of each label."""
    numbers = Counter(label for sample in samples for label in labels_of(sample))
    return {name: numbers[index] for index, name in enumerate(class_names) if samples}


def labels_of(sample: AnySample) -> list[int]:
    return sample.labels if isinstance(sample, MultilabelSample) else [sample.label]


def check_counts(class_names: list[str], counts: dict[str, dict[str, int]]) -> None:
    """Refuse data that cannot give a model, with a sentence that says what is missing.

    Args:
        counts: images of each label in each split.

    Raises:
        DataError: `too_few_labels`, `too_few_images`, `label_without_images`, `empty_split`.
    """
    if len(class_names) < 2:
        raise DataError(
            "too_few_labels",
            f"A classifier needs images of at least 2 labels, received {len(class_names)}. "
            "Label images with a second label.",
        )
    for split in SPLITS:
        if not sum(counts.get(split, {}).values()):
            raise DataError(
                "empty_split",
                f"The snapshot has no labelled images in its {split} split. Take a snapshot of more images or with "
                "other fractions.",
            )
    _check_label_counts(class_names, counts["train"])


def check_multilabel_counts(
    class_names: list[str], counts: dict[str, dict[str, int]], images: Mapping[str, int]
) -> None:
    """As `check_counts`, where an image has none to many labels: one label is enough, and images without count.

    Args:
        images: of each split.

    Raises:
        DataError: as `check_counts`.
    """
    if not class_names:
        raise DataError("too_few_labels", "No image has a label. Label some images.")
    for split in SPLITS:
        if not images.get(split):
            raise DataError(
                "empty_split",
                f"The snapshot has no reviewed images in its {split} split. Take a snapshot of more images or with "
                "other fractions.",
            )
    _check_label_counts(class_names, counts["train"])


def _check_label_counts(class_names: list[str], counts: Mapping[str, int]) -> None:
    """Args: counts: training images of each label."""
    missing = [name for name in class_names if not counts.get(name)]
    if missing:
        raise DataError(
            "label_without_images",
            f"No training images with the label {', '.join(missing[:5])}. Add images, or delete the label.",
        )
    scarce = [name for name in class_names if counts[name] < 2]
    if scarce:
        raise DataError(
            "too_few_images",
            f"Each label needs at least 2 training images; there is only 1 of {', '.join(scarce[:5])}. Label more "
            "images with it, or delete the label.",
        )


class ImageCache:
    """Images of one split as `(height, width, 3)` uint8, addressed by index.

    Where they live is chosen once: "memory" and "disk" decode every image once, "stream" decodes on each use.
    Files that cannot be decoded are left out (`broken`), unless they are more than 5 %.
    """

    def __init__(
        self,
        samples: list,
        image_size: tuple[int, int],
        place: str,
        path: Path,
        load: Callable[[str, tuple[int, int]], np.ndarray] = load_pixels,
    ) -> None:
        self.samples = samples
        self._load = load
        self.image_size = image_size
        self.place = place
        self.broken: list[tuple[str, str]] = []
        self._path = path
        shape = (len(samples), *image_size, 3)
        if place == "memory":
            self._pixels: np.ndarray | None = np.empty(shape, dtype=np.uint8)
        elif place == "disk":
            path.parent.mkdir(parents=True, exist_ok=True)
            self._pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        else:
            self._pixels = None

    def fill(self, on_progress: Callable[[int, int], None], should_stop: Callable[[], None]) -> None:
        """Decode every image (memory, disk) or check that it can be (stream)."""
        total = len(self.samples)
        ok = np.ones(total, dtype=bool)

        def read(index: int) -> None:
            try:
                pixels = self._load(self.samples[index].path, self.image_size)
            except (ImageError, OSError) as error:
                ok[index] = False
                self.broken.append((self.samples[index].id, str(error)))
                return
            if self._pixels is not None:
                self._pixels[index] = pixels

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for done, _ in enumerate(pool.map(read, range(total)), start=1):
                if done % 64 == 0 or done == total:
                    on_progress(done, total)
                    try:
                        should_stop()
                    except BaseException:
                        pool.shutdown(cancel_futures=True)
                        raise
        if not ok.all():
            self._drop_broken(ok)

    def _drop_broken(self, ok: np.ndarray) -> None:
        total = len(ok)
        if (~ok).sum() > max(1, MAX_BROKEN_SHARE * total):
            identifier, reason = self.broken[0]
            raise DataError(
                "corrupted_files",
                f"{(~ok).sum()} of {total} image files cannot be read, for example image {identifier}: {reason} "
                "Check the storage, or delete these images and take a new snapshot.",
            )
        self.samples = [sample for sample, good in zip(self.samples, ok, strict=True) if good]
        if self._pixels is not None:
            kept = np.flatnonzero(ok)
            for new, old in enumerate(kept):
                self._pixels[new] = self._pixels[old]
            self._pixels = self._pixels[: len(kept)]

    def __len__(self) -> int:
        return len(self.samples)

    def gather(self, indices: np.ndarray) -> np.ndarray:
        """`(len(indices), height, width, 3)` uint8."""
        if self._pixels is not None:
            return self._pixels[indices]
        return np.stack([self._load(self.samples[index].path, self.image_size) for index in indices])

    def close(self) -> None:
        self._pixels = None
        if self.place == "disk":
            self._path.unlink(missing_ok=True)


def needed_bytes(image_count: int, image_size: tuple[int, int]) -> int:
    return image_count * image_size[0] * image_size[1] * 3


def choose_place(image_count: int, image_size: tuple[int, int], folder: Path) -> str:
    """Where the decoded images fit: "memory", "disk" or, when neither, "stream"."""
    wanted = needed_bytes(image_count, image_size)
    if wanted <= MEMORY_SHARE * psutil.virtual_memory().available:
        return "memory"
    if wanted + DISK_RESERVE_BYTES <= shutil.disk_usage(folder).free:
        return "disk"
    return "stream"


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order of the training images in one epoch; the same after a resume."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def sample_weights(labels: np.ndarray, num_classes: int, mode: str) -> np.ndarray:
    """`(images,)` float32 weights with mean 1: the inverse frequency of the label when balanced, else ones."""
    counts = np.bincount(labels, minlength=num_classes).astype(float)
    present = counts[counts > 0]
    if mode == "none" or (mode == "auto" and present.max() <= 1.5 * present.min()):
        return np.ones(len(labels), dtype=np.float32)
    per_class = len(labels) / (len(present) * np.maximum(counts, 1))
    return per_class[labels].astype(np.float32)
