"""Why an image cannot go back to the dataset that it was in, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from datasets.models import Dataset, Image, TrashedImages, Video

GONE = "its dataset was removed for good"


def obstacle_of(dataset: Dataset) -> str:
    """What keeps images from coming back into this dataset; "": nothing. `dataset.project` is read already."""
    if dataset.project.deleting_since is not None:
        return GONE
    if dataset.project.trashed_since is None or TrashedImages.objects.filter(dataset=dataset).exists():
        return ""
    return f"its dataset {dataset.name!r} is in the trash: restore that first"


def obstacles_of(images: Mapping[Image, dict]) -> dict[object, str]:
    """`images`: image → its fields before. Those that cannot have their dataset of before → why."""
    by_dataset: dict[str, list[Image]] = defaultdict(list)
    cut = {before["video"] for before in images.values() if before.get("video")}
    gone = cut - {str(pk) for pk in Video.objects.filter(pk__in=cut).values_list("pk", flat=True)}
    obstacles: dict[object, str] = {
        image.pk: "its video was removed for good" for image, before in images.items() if before.get("video") in gone
    }
    for image, before in images.items():
        if "dataset" in before and before["dataset"] != str(image.dataset_id):
            by_dataset[before["dataset"]].append(image)
    for pk, coming in by_dataset.items():
        dataset = Dataset.objects.filter(pk=pk).select_related("project").first()
        problem = GONE if dataset is None else obstacle_of(dataset)
        obstacles |= dict.fromkeys((image.pk for image in coming), problem) if problem else _twins(pk, coming)
    return obstacles


def _twins(dataset_pk: str, coming: list[Image]) -> dict[object, str]:
    """The same file was added again meanwhile."""
    there = Image.objects.filter(dataset=dataset_pk, blob__in=[image.blob_id for image in coming])  # type: ignore[misc]
    names = dict(there.values_list("blob", "filename"))
    return {
        image.pk: f"the dataset has the same file again, as {names[image.blob_id]!r}: delete that one first"
        for image in coming
        if image.blob_id in names
    }
