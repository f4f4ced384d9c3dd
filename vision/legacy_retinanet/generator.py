"""The package's CSV generator over letterboxed images that were decoded once, the same again after a break."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from keras_retinanet.preprocessing.csv_generator import CSVGenerator
from keras_retinanet.utils.image import TransformParameters, random_visual_effect_generator
from keras_retinanet.utils.transform import random_transform_generator

from vision.imaging.letterbox import PADDING_GREY
from vision.training.data import ImageCache, epoch_order

# Changes of training images in the package's words; "light" is what its train.py does with --random-transform, without
# turning and shearing, after which a box is no longer tight.
TRANSFORMS: dict[str, dict] = {
    "none": {},
    "light": {
        "min_translation": (-0.1, -0.1),
        "max_translation": (0.1, 0.1),
        "min_scaling": (0.9, 0.9),
        "max_scaling": (1.1, 1.1),
        "flip_x_chance": 0.5,
    },
    "strong": {
        "min_translation": (-0.2, -0.2),
        "max_translation": (0.2, 0.2),
        "min_scaling": (0.7, 0.7),
        "max_scaling": (1.4, 1.4),
        "flip_x_chance": 0.5,
    },
}
COLOURS: dict[str, dict] = {
    "light": {
        "contrast_range": (0.9, 1.1),
        "brightness_range": (-0.1, 0.1),
        "hue_range": (-0.05, 0.05),
        "saturation_range": (0.95, 1.05),
    },
    "strong": {
        "contrast_range": (0.7, 1.3),
        "brightness_range": (-0.2, 0.2),
        "hue_range": (-0.1, 0.1),
        "saturation_range": (0.8, 1.2),
    },
}


def write_csv_pair(folder: Path, split: str, samples: list, boxes: list[np.ndarray], class_names: list[str]) -> tuple:
    """`annotations-<split>.csv` and `classes.csv` as the package reads them: whole pixels of the letterboxed image.

    An image's id stands where the package expects its path: the pixels come from the store.
    """
    annotations, classes = folder / f"annotations-{split}.csv", folder / "classes.csv"
    with open(classes, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows((name, number) for number, name in enumerate(class_names))
    with open(annotations, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for sample, own in zip(samples, boxes, strict=True):
            if not len(own):
                writer.writerow([sample.id, "", "", "", "", ""])
            for box, label in zip(own, sample.labels, strict=True):
                low, high = np.round(box[:2]).astype(int), np.round(box[2:]).astype(int)
                writer.writerow([sample.id, *low, *np.maximum(high, low + 1), class_names[label]])
    return annotations, classes


class LetterboxedGenerator(CSVGenerator):
    """Batches of one split; every batch depends on the seed, the epoch and its place alone.

    Args:
        store: pixels of the samples, in the order of the CSV file.
        boxes: `(count, 4)` of each image in pixels of the input, exact where the CSV file is rounded.
        augmentation: "none", "light" or "strong".
    """

    def __init__(
        self,
        annotations: Path,
        classes: Path,
        store: ImageCache,
        boxes: list[np.ndarray],
        *,
        seed: int,
        batch_size: int,
        augmentation: str,
        preprocess: Callable[[np.ndarray], np.ndarray],
        config: dict | None,
        is_shuffled: bool,
        flip: str | None = None,
    ) -> None:
        self._store, self._boxes, self._seed = store, boxes, seed
        self._is_shuffled = is_shuffled
        self._augmentation, self._flip = augmentation, flip
        self.epoch, self._skipped = 0, 0
        super().__init__(
            str(annotations),
            str(classes),
            batch_size=batch_size,
            group_method="none",
            shuffle_groups=False,
            no_resize=True,
            preprocess_image=preprocess,
            config=config,
            transform_parameters=TransformParameters(fill_mode="constant", cval=PADDING_GREY),
        )

    @property
    def steps(self) -> int:
        """Batches of a whole epoch."""
        return -(-self.size() // self.batch_size)

    def begin_at(self, epoch: int, step: int) -> None:
        """Go on with the batches of an epoch after its first `step`."""
        self.epoch, self._skipped = epoch, step
        self.group_images()

    def group_images(self) -> None:
        order = epoch_order(self.size(), self._seed, self.epoch) if self._is_shuffled else np.arange(self.size())
        starts = range(self._skipped * self.batch_size, self.size(), self.batch_size)
        # The last batch is filled up from the beginning, as the package does.
        self.groups = [[int(order[i % len(order)]) for i in range(at, at + self.batch_size)] for at in starts]

    def on_epoch_end(self) -> None:
        self.begin_at(self.epoch + 1, 0)

    def __getitem__(self, index: int) -> Any:
        if self._augmentation != "none":
            place = [self._seed, self.epoch, self._skipped + index]
            generator = np.random.RandomState(np.random.SeedSequence(place).generate_state(4))
            self.transform_generator = random_transform_generator(generator, **self._transform())
            self.visual_effect_generator = random_visual_effect_generator(**COLOURS[self._augmentation])
            np.random.seed(generator.randint(2**31))  # the package draws colours from the global state
        return super().__getitem__(index)

    def _transform(self) -> dict:
        transform = dict(TRANSFORMS[self._augmentation])
        if self._flip is not None:
            transform["flip_x_chance"] = 0.5 if "horizontal" in self._flip else 0.0
            transform["flip_y_chance"] = 0.5 if "vertical" in self._flip else 0.0
        return transform

    def image_aspect_ratio(self, image_index: int) -> float:
        height, width = self._store.image_size
        return width / height

    def load_image(self, image_index: int) -> np.ndarray:
        """Blue first, as the package has it."""
        return self._store.gather(np.array([image_index]))[0][:, :, ::-1].copy()

    def load_annotations(self, image_index: int) -> dict[str, np.ndarray]:
        annotations = super().load_annotations(image_index)
        return {**annotations, "bboxes": self._boxes[image_index].astype(np.float64).reshape(-1, 4)}

    def filter_annotations(self, image_group: list, annotations_group: list, group: list) -> tuple[list, list]:
        """Boxes were checked when they came in; the package would leave out those that end half a pixel outside."""
        return image_group, annotations_group
