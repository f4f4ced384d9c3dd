"""What boxes can be trained on; loads neither Keras nor TensorFlow, so that the web process can ask."""

from __future__ import annotations

from vision.training.data import SPLITS
from vision.training.errors import DataError


def check_boxes(class_names: list[str], counts: dict[str, dict[str, int]], images: dict[str, int]) -> None:
    """Refuse data that cannot give a detector, with a sentence that says what is missing.

    Args:
        counts: boxes of each label in each split.
        images: images of each split.

    Raises:
        DataError: `no_boxes`, `empty_split`, `label_without_boxes`.
    """
    if not class_names:
        raise DataError("no_boxes", "The snapshot has no boxes. Draw boxes, or import annotations, and take a new one.")
    for split in SPLITS:
        if not images.get(split):
            raise DataError(
                "empty_split",
                f"The snapshot has no images in its {split} split. Take a snapshot of more images or with other "
                "fractions.",
            )
    for split in ("train", "validation"):
        if not sum(counts.get(split, {}).values()):
            raise DataError("no_boxes", f"The {split} split has no boxes. Annotate more images.")
    missing = [name for name in class_names if not counts["train"].get(name)]
    if missing:
        raise DataError(
            "label_without_boxes",
            f"No training image has a box of {', '.join(missing[:5])}. Add some, or delete the label.",
        )
