"""Groups of duplicates, decided one after the other."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets.models import Dataset, DuplicateGroup, Image
from jobs import services as jobs
from projects.services import create_project
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db
GROUPS = "/api/v1/duplicate-groups/"


@pytest.fixture
def twice(api, project, dataset, labels) -> list[Image]:
    """Three images of which two look the same, and two that are one file in two datasets."""
    other = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "more"}).json()
    made = upload(api, dataset, [("a.jpg", jpeg(1)), ("b.jpg", jpeg(1, quality=60)), ("c.jpg", jpeg(2))])["created"]
    made += upload(api, other, [("d.jpg", jpeg(2))])["created"]
    images = [Image.objects.get(pk=row["id"]) for row in made]
    Image.objects.filter(pk__in=[images[0].pk, images[1].pk]).update(phash="0" * 64)
    for image, label in zip(images, ("good", "bad", "good", "good"), strict=True):
        api.post("/api/v1/images/bulk/", {"action": "label", "images": [str(image.pk)], "label": label})
    return images


def search(api, dataset, **body) -> None:
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/duplicates/", {"whole_project": True, **body})
    jobs.run_job(answer.json()["id"])


def groups(api, **wanted) -> list[dict]:
    answer = api.get(GROUPS, wanted)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_groups_come_with_what_one_chooses_by(api, dataset, twice):
    search(api, dataset)
    near, exact = groups(api, dataset=dataset["id"])
    assert (near["is_exact"], near["has_label_conflict"], near["rank"]) == (False, True, 1)
    assert [row["filename"] for row in near["images"]] == ["a.jpg", "b.jpg"]
    first = near["images"][0]
    assert first["size"] == twice[0].size and first["format"] == "JPEG" and first["created_at"]
    assert first["thumbnail"].startswith(f"/api/v1/images/{twice[0].pk}/thumbnail/") and len(first["labels"]) == 1
    assert exact["is_exact"] and {row["dataset"] for row in exact["images"]} == {
        str(twice[2].dataset_id),
        str(twice[3].dataset_id),
    }
    assert [row["id"] for row in groups(api, is_exact="true")] == [exact["id"]]
    assert [row["id"] for row in groups(api, has_label_conflict="true")] == [near["id"]]


def test_a_summary_counts_what_is_open_and_names_the_search(api, dataset, twice):
    address = f"/api/v1/datasets/{dataset['id']}/duplicates/"
    empty = api.get(address).json()
    assert empty == {"open": 0, "exact": 0, "leaks": 0, "label_conflicts": 0, "by_features": 0, "kept": 0, "job": None}
    search(api, dataset)
    counts = api.get(address).json()
    job = counts.pop("job")
    assert counts == {"open": 2, "exact": 1, "leaks": 0, "label_conflicts": 1, "by_features": 0, "kept": 0}
    assert (job["kind"], job["state"]) == ("duplicates", "succeeded")


def test_deleted_images_leave_their_groups(api, dataset, twice):
    search(api, dataset)
    answer = api.post("/api/v1/images/bulk/", {"action": "delete", "images": [str(twice[1].pk)]})
    assert answer.status_code == 200, answer.content
    assert [group["is_exact"] for group in groups(api)] == [True]
    assert api.get(f"/api/v1/datasets/{dataset['id']}/duplicates/").json()["open"] == 1


def test_what_is_kept_stays_so_after_the_next_search(api, dataset, twice):
    search(api, dataset)
    first, second = groups(api)
    for _ in range(2):  # a repeated request changes nothing more
        answer = api.patch(f"{GROUPS}{first['id']}/", {"is_kept": True})
        assert answer.status_code == 200 and answer.json()["is_kept"] and len(answer.json()["images"]) == 2
    assert [row["id"] for row in groups(api, is_kept="false")] == [second["id"]]
    search(api, dataset)
    kept, waiting = groups(api, is_kept="true"), groups(api, is_kept="false")
    assert [row["images"][0]["filename"] for row in kept] == ["a.jpg"] and len(waiting) == 1
    assert api.patch(f"{GROUPS}{kept[0]['id']}/", {"is_kept": False}).status_code == 200
    search(api, dataset)
    assert len(groups(api, is_kept="false")) == 2


def test_who_may_see_and_decide(api, dataset, twice, viewer, outsider):
    search(api, dataset)
    address = f"{GROUPS}{groups(api)[0]['id']}/"
    assert client_of(viewer).get(address).status_code == 200
    assert client_of(viewer).patch(address, {"is_kept": True}).status_code == 403
    assert client_of(outsider).patch(address, {"is_kept": True}).status_code == 404
    assert client_of(outsider).get(GROUPS).json()["results"] == []
    assert api.patch(address, {"kept": True}).status_code == 400
    assert api.patch(address, {}).status_code == 400
    assert api.put(address, {"is_kept": True}).status_code == 405
    api.force_authenticate(None)
    assert api.get(GROUPS).status_code == 401


def test_a_page_costs_a_fixed_number_of_queries(api, dataset, twice):
    search(api, dataset)

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            groups(api)
        return len(queries)

    few = cost()
    row = Dataset.objects.get(pk=dataset["id"])
    members = [list(group.members.values_list("image", flat=True)) for group in DuplicateGroup.objects.all()]
    for rank in range(3, 9):
        group = DuplicateGroup.objects.create(
            dataset=row, rank=rank, signature=str(rank), is_exact=False, is_leak=False, has_label_conflict=False
        )
        for image in members[rank % 2]:
            group.members.create(image_id=image)
    assert len(groups(api)) == 8 and cost() == few


def test_an_image_that_lies_elsewhere_leaves_its_group_until_it_is_back(api, outsider, dataset, twice):
    """As one in a trash does: its row stays, and its dataset is in no project that its user sees."""
    search(api, dataset)
    elsewhere = create_project(user=outsider, name="elsewhere", task="classification")
    away = Dataset.objects.create(project=elsewhere, name="away")
    Image.objects.filter(pk=twice[1].pk).update(dataset=away)
    assert [group["is_exact"] for group in groups(api)] == [True]
    Image.objects.filter(pk=twice[1].pk).update(dataset=dataset["id"])
    assert [len(group["images"]) for group in groups(api)] == [2, 2]
