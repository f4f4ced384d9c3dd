# ruff: noqa: F811 - fixtures
"""Images and tags of an iteration: as they were when it was trained."""

from __future__ import annotations

import uuid

import pytest

from custom_vision.models import Iteration
from datasets.models import Dataset, Image
from datasets.snapshots import take_snapshot
from tests.custom_vision import DETECTION, refused
from tests.custom_vision_fixtures import service  # noqa: F401 - fixtures
from tests.test_custom_vision_images import entry
from training.models import TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a snapshot keeps")]


@pytest.fixture
def path(service) -> str:
    """Boxes of two tags on three images; afterwards one tag is renamed, and all boxes and one image are gone."""
    pk = service.post(f"projects?name=Cells&domainId={DETECTION}")["id"]
    path = f"projects/{pk}"
    red, white = (service.post(f"{path}/tags?name={name}")["id"] for name in ("red", "white"))
    box = {"left": 0.25, "top": 0.5, "width": 0.5, "height": 0.25}
    both = [{**box, "tagId": red}, {**box, "tagId": white}]
    batch = {"images": [entry(1, regions=both), entry(2, regions=both[:1]), entry(3, regions=both)]}
    service.post(f"{path}/images/files", {**batch, "metadata": {"line": "3"}})
    service.post(f"{path}/images/files", {"images": [entry(4)]})
    dataset = Dataset.objects.get(project=pk)
    Image.objects.filter(annotations=None).update(reviewed=True)
    snapshot = take_snapshot(dataset=dataset, user=None)
    run = TrainingRun.objects.create(project=dataset.project, snapshot=snapshot, configuration={}, name="Iteration 1")
    Iteration.objects.create(run=run, project=dataset.project, domain=DETECTION, tags={"red": red, "white": white})
    service.patch(f"{path}/tags/{red}", {"name": "crimson"})
    images = [row["id"] for row in service.get(f"{path}/images/tagged")]
    service.delete(f"{path}/images?imageIds={images[0]}")
    regions = [region["regionId"] for row in service.get(f"{path}/images/tagged") for region in row["regions"]]
    service.delete(f"{path}/images/regions?regionIds={','.join(regions)}")
    return path


@pytest.fixture
def of(path) -> str:
    return f"iterationId={TrainingRun.objects.get().pk}"


def test_lists_and_counts(service, path, of):
    def count(words: str) -> list[int]:
        kind, _, query = words.partition("?")
        rows = service.get(f"{path}/images{kind}?{of}&{query}")
        return [len(rows), service.get(f"{path}/images{kind}/count?{of}&{query}")]

    red, white = (row["id"] for row in service.get(f"{path}/tags?{of}"))
    assert service.get(f"{path}/images/tagged/count") == 0
    assert count("") == [3, 3] and count("?taggingStatus=tagged") == [2, 2]
    assert count("/tagged") == [2, 2] and count("/untagged") == [1, 1]
    assert count(f"/tagged?tagIds={white}") == [1, 1] and count(f"/tagged?tagIds={white},{red}") == [2, 2]
    assert count(f"/tagged?tagIds={uuid.uuid4()}") == [0, 0]
    assert count("?$filter=line eq '3'") == [2, 2]
    assert len(service.get(f"{path}/images/tagged?{of}&take=1&skip=1")) == 1


def test_what_is_on_each(service, path, of):
    first, second = service.get(f"{path}/images/tagged?{of}&orderBy=Oldest")
    assert [tag["tagName"] for tag in first["tags"]] == ["red", "white"] and first["metadata"] == {"line": "3"}
    (region,) = second["regions"]
    assert [region[edge] for edge in ("left", "top", "width", "height")] == [0.25, 0.5, 0.5, 0.25]
    assert region["tagId"] == second["tags"][0]["tagId"] and uuid.UUID(region["regionId"])
    assert service.get(f"{path}/images/id?imageIds={second['id']},{first['id']}&{of}") == [second, first]
    assert service.get(f"{path}/images/tagged?{of}&orderBy=Newest") == [second, first]
    (untagged,) = service.get(f"{path}/images/untagged?{of}")
    assert "tags" not in untagged and untagged["originalImageUri"]


def test_tags(service, path, of):
    rows = service.get(f"{path}/tags?{of}")
    assert [(row["name"], row["imageCount"], row["type"]) for row in rows] == [
        ("red", 3, "Regular"), ("white", 2, "Regular"),
    ]  # fmt: skip
    now = service.get(f"{path}/tags/{rows[0]['id']}")
    assert (now["name"], now["imageCount"]) == ("crimson", 0)
    assert service.get(f"{path}/tags/{rows[0]['id'].upper()}?{of}") == rows[0]
    assert refused(service.ask("GET", f"{path}/tags/{uuid.uuid4()}?{of}")) == (404, "NotFoundTag")


def test_an_iteration_that_is_none(service, path):
    for end in ("images", "images/tagged/count", "tags", f"images/id?imageIds={uuid.uuid4()}"):
        mark = "&" if "?" in end else "?"
        answer = service.ask("GET", f"{path}/{end}{mark}iterationId={uuid.uuid4()}")
        assert refused(answer) == (404, "NotFoundIteration")
