"""Images whose file was added again meanwhile stay in the trash while the others come back."""

from __future__ import annotations

import pytest

from datasets.models import Image
from mlstudio.counts import correct_counts
from projects.models import Membership, Role
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg
from tests.test_trash import delete, ids, trash
from tests.test_undo import state, undo

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("restoring beside twins")]
API = "/api/v1"


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)], label="good", split="train")["created"]


def restore(api, entry: dict, status: int = 200):
    answer = api.post(f"{API}/trash/{entry['id']}/restore/")
    assert answer.status_code == status, answer.content
    return answer


def there(project) -> set[str]:
    return set(Image.objects.filter(dataset__project=project).values_list("filename", flat=True))


def test_the_rest_comes_back_and_the_twin_is_named(api, project, dataset, images):
    delete(api, images)
    upload(api, dataset, [("again.jpg", jpeg(2))])
    answer = restore(api, trash(api, project)[0])
    record = answer.json()
    assert there(project) == {"0.jpg", "1.jpg", "3.jpg", "again.jpg"} and correct_counts() == 0
    assert (record["action"], record["rows"], record["id"]) == ("restore", 3, answer["X-Change"])
    (left,) = record["details"]["left"]
    assert (left["id"], left["name"]) == (images[2]["id"], "2.jpg") and "'again.jpg'" in left["reason"]
    assert [row["count"] for row in trash(api, project)] == [1]


def test_it_is_undone_and_done_again(api, project, dataset, images):
    delete(api, images)
    upload(api, dataset, [("again.jpg", jpeg(2))])
    before = state(project)
    restored = restore(api, trash(api, project)[0])["X-Change"]
    after = state(project)
    undone = undo(api, restored)
    assert state(project) == before and [row["count"] for row in trash(api, project)] == [4]
    undo(api, undone["id"])
    assert state(project) == after and correct_counts() == 0


def test_the_last_one_comes_when_its_twin_is_gone(api, project, dataset, images):
    delete(api, images)
    twin = upload(api, dataset, [("again.jpg", jpeg(2))])["created"]
    (entry,) = trash(api, project)
    restore(api, entry)
    problem = restore(api, entry, 409).json()
    assert problem["errors"][0]["code"] == "changed_since" and "again.jpg" in problem["changed"][0]["reason"]
    assert api.delete(f"{API}/images/{ids(twin)[0]}/").status_code == 204
    restore(api, entry)
    assert there(project) == {f"{n}.jpg" for n in range(4)} and correct_counts() == 0


def test_a_label_with_its_images_comes_as_a_whole(api, project, dataset, images, labels):
    answer = api.delete(f"{API}/projects/{project.pk}/labels/{labels['good']['id']}/?images=delete")
    assert answer.status_code == 204
    upload(api, dataset, [("again.jpg", jpeg(2))])
    restore(api, trash(api, project)[0], 409)
    assert there(project) == {"again.jpg"}


def test_who_may_not_restore_restores_no_part(api, client, project, dataset, images):
    delete(api, images)
    upload(api, dataset, [("again.jpg", jpeg(2))])
    (entry,) = trash(api, project)
    viewer = make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    restore(client_of(viewer), entry, 403)
    restore(client_of(make_user("stranger")), entry, 404)
    assert client.post(f"{API}/trash/{entry['id']}/restore/").status_code in (401, 403)
    assert there(project) == {"again.jpg"}
