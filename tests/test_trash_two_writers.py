"""Two who delete, restore and empty at the same moment: one comes too late, nothing is lost, and counts stay true."""

from __future__ import annotations

import pytest
from django.conf import settings

from datasets.models import Annotation, Dataset, Image
from mlstudio.counts import correct_counts
from projects.models import Membership, Project, TrashEntry
from projects.removal import remove_projects
from tests.test_two_requests import images, request_of  # noqa: F401 - fixtures
from tests.test_two_writers import counts_are_true, together  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS),
]


def live(dataset: dict) -> int:
    return Image.objects.filter(dataset=dataset["id"]).count()


def test_one_restores_what_another_deletes_again(request_of, api, dataset, images):  # noqa: F811
    change = api.post("/api/v1/images/bulk/", {"images": images, "action": "delete"}, format="json")["X-Change"]
    entry = TrashEntry.objects.get()
    statuses = together(
        request_of("post", f"changes/{change}/undo/", {}),
        request_of("post", f"trash/{entry.pk}/restore/", {}),
        request_of("post", "images/bulk/", {"images": images[:3], "action": "delete"}),
    )
    assert statuses[:2].count(200) == 1 and set(statuses) <= {200, 404, 409}
    held = Image.objects.filter(dataset__project__trashed_since__isnull=False).count()
    assert live(dataset) + held == 6 and live(dataset) in (3, 6)
    assert sum(TrashEntry.objects.values_list("count", flat=True)) == held


def test_one_restores_what_another_removes_for_good(request_of, api, dataset, images):  # noqa: F811
    api.post("/api/v1/images/bulk/", {"images": images, "action": "delete"}, format="json")
    entry = TrashEntry.objects.get()
    statuses = together(
        request_of("post", f"trash/{entry.pk}/restore/", {}),
        request_of("delete", f"trash/{entry.pk}/"),
        request_of("post", "trash/empty/", {"project": dataset["project"]}),
    )
    assert statuses[0] in (200, 404, 409) and statuses[1] in (204, 404) and statuses[2] == 200
    remove_projects()
    assert Image.objects.count() == live(dataset) == (6 if statuses[0] == 200 else 0)


def test_one_annotates_what_another_deletes(request_of, api, dataset, labels, images):  # noqa: F811
    statuses = together(
        request_of("delete", f"images/{images[0]}/"),
        request_of("put", f"images/{images[0]}/annotations/", [{"label": "good"}]),
    )
    assert statuses[0] == 204 and statuses[1] in (200, 404)
    assert api.post(f"/api/v1/changes/{TrashEntry.objects.get().change_id}/undo/").status_code == 200
    assert Annotation.objects.filter(image=images[0]).count() == (1 if statuses[1] == 200 else 0)
    assert live(dataset) == 6


def test_a_dataset_and_its_images_are_deleted_together(request_of, api, project, dataset, images):  # noqa: F811
    statuses = together(
        request_of("delete", f"datasets/{dataset['id']}/"),
        request_of("post", "images/bulk/", {"images": images[:3], "action": "delete"}),
    )
    assert statuses[0] == 204 and statuses[1] in (200, 404)
    for kind in ("dataset", "images"):
        for entry in TrashEntry.objects.filter(kind=kind, is_empty=False):
            assert api.post(f"/api/v1/trash/{entry.pk}/restore/").status_code == 200
    assert live(dataset) == 6 and Dataset.objects.get(pk=dataset["id"]).project_id == project.pk


def test_a_label_is_merged_while_images_go_and_come(request_of, api, dataset, labels, images):  # noqa: F811
    for image in images:
        api.put(f"/api/v1/images/{image}/annotations/", [{"label": "good"}], format="json")
    change = api.post("/api/v1/images/bulk/", {"images": images[:3], "action": "delete"}, format="json")["X-Change"]
    path = f"projects/{dataset['project']}/labels/{labels['good']['id']}/merge/"
    statuses = together(
        request_of("post", path, {"into": labels["bad"]["id"]}),
        request_of("post", f"changes/{change}/undo/", {}),
        request_of("post", "images/bulk/", {"images": images[3:], "action": "delete"}),
    )
    assert set(statuses) == {200}
    assert Annotation.objects.filter(label=labels["bad"]["id"]).count() == 6 and live(dataset) == 3


def test_a_project_is_restored_twice(request_of, api, owner, project, dataset):  # noqa: F811
    api.delete(f"/api/v1/projects/{project.pk}/")
    entry = TrashEntry.objects.get()
    statuses = together(*[request_of("post", f"trash/{entry.pk}/restore/", {})] * 3)
    assert 200 in statuses and set(statuses) <= {200, 404, 409}
    assert Membership.objects.filter(project=project, user=owner).count() == 1
    assert Project.objects.get(pk=project.pk).trashed_since is None and correct_counts() == 0
