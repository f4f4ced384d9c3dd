"""Deleted images lie in the trash: nobody finds them, and they come back as they were."""

from __future__ import annotations

import pytest
from django.conf import settings as studio_settings

from datasets.models import Annotation, Dataset, Image, Label, SnapshotImage
from datasets.undoing import ImagesBack
from jobs import services as jobs
from jobs.errors import WorkInterrupted
from mlstudio.counts import correct_counts
from projects.changes.undoing import delete_old_changes
from projects.models import Change, Project, TrashEntry
from projects.removal import remove_projects
from projects.trash.services import remove_expired
from storage.signing import sign_path
from tests.conftest import client_of, upload
from tests.pictures import jpeg
from tests.test_kept_counts import World, computed, kept
from tests.test_undo import state, undo

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("images in the trash")]
API = "/api/v1"


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)], label="good", split="train")["created"]


def ids(images: list[dict]) -> list[str]:
    return [image["id"] for image in images]


def delete(api, images: list[dict], **fields) -> str:
    body = {"images": ids(images), "action": "delete", **fields}
    answer = api.post(f"{API}/images/bulk/", body, format="json")
    assert answer.status_code == 200, answer.content
    return answer["X-Change"]


def trash(api, project) -> list[dict]:
    return api.get(f"{API}/trash/?project={project.pk}").json()["results"]


def history(api, image: dict) -> list[dict]:
    return api.get(f"{API}/images/{image['id']}/history/").json()["results"]


def test_one_image_and_back(api, project, images):
    url = f"{API}/images/{images[0]['id']}/"
    api.put(f"{url}annotations/", [{"label": "bad"}], format="json")
    before, told, past = state(project), api.get(url).json(), history(api, images[0])
    answer = api.delete(url)
    assert answer.status_code == 204 and api.get(url).status_code == 404
    assert correct_counts() == 0 and kept() == computed()
    undo(api, answer["X-Change"])
    after = api.get(url).json()
    assert state(project) == before and history(api, images[0]) == past and after["revision"] == told["revision"]
    assert correct_counts() == 0 and trash(api, project) == []


@pytest.mark.parametrize("chosen", ["ids", "filter"])
def test_many_and_back_and_forth(api, project, dataset, images, chosen):
    before = state(project)
    body = {"images": ids(images)} if chosen == "ids" else {"filter": {"dataset": dataset["id"]}, "except": []}
    answer = api.post(f"{API}/images/bulk/", {**body, "action": "delete"}, format="json")
    assert answer.json() == {"changed": 4, "unchanged": 0}
    after = state(project)
    assert after != before and correct_counts() == 0
    undone = undo(api, answer["X-Change"])
    assert state(project) == before and trash(api, project) == []
    redone = undo(api, undone["id"])
    assert state(project) == after and [row["count"] for row in trash(api, project)] == [4]
    undo(api, redone["id"])
    assert state(project) == before and correct_counts() == 0 and kept() == computed()


def test_nobody_finds_them(api, client, project, dataset, images):
    signed = [sign_path(f"{API}/images/{images[0]['id']}/{name}/") for name in ("file", "thumbnail", "rendition")]
    assert client.get(signed[0]).status_code == 200
    delete(api, images)
    for path in ("", "file/", "thumbnail/", "rendition/", "annotations/", "history/", "neighbours/"):
        assert api.get(f"{API}/images/{images[0]['id']}/{path}").status_code == 404, path
    assert [client.get(url).status_code for url in signed] == [404, 404, 404]
    lists = (f"project={project.pk}", f"dataset={dataset['id']}", "label=good", "offset=0", "fields=grid", "q=0.jpg")
    assert [api.get(f"{API}/images/?{query}").json()["results"] for query in lists] == [[]] * len(lists)
    facets = api.get(f"{API}/images/facets/?project={project.pk}").json()
    assert facets["total"] == 0 and all(not row["count"] for row in facets["labels"])
    assert [row["id"] for row in facets["datasets"]] == [dataset["id"]]
    assert api.get(f"{API}/search/?q=0.jpg").json()["groups"] == []
    assert api.get(f"{API}/datasets/").json()["results"][0]["image_count"] == 0
    assert api.get(f"{API}/datasets/{dataset['id']}/statistics/").json()["images"] == 0
    assert [row["image_count"] for row in api.get(f"{API}/projects/").json()["results"]] == [0]
    assert api.post(f"{API}/datasets/{dataset['id']}/snapshots/", {}).status_code == 400
    assert api.patch(f"{API}/images/{images[0]['id']}/", {"split": None}, format="json").status_code == 404


def test_the_list(api, project, dataset, images, owner, django_assert_max_num_queries):
    api.delete(f"{API}/images/{images[0]['id']}/")
    delete(api, images[1:])
    with django_assert_max_num_queries(3):
        rows = trash(api, project)
    assert [(row["kind"], row["name"], row["count"], row["deleted_by"]) for row in rows] == [
        ("images", dataset["name"], 3, "owner"),
        ("images", "0.jpg", 1, "owner"),
    ]
    assert rows[0]["removed_at"] > rows[0]["deleted_at"] and rows[0]["project_name"] == project.name
    picture = api.get(rows[0]["thumbnail"])
    assert picture.status_code == 200 and picture["Content-Type"] == "image/jpeg"


def test_restoring_is_a_change_of_its_own(api, project, images):
    before = state(project)
    delete(api, images)
    (row,) = trash(api, project)
    answer = api.post(f"{API}/trash/{row['id']}/restore/")
    assert answer.status_code == 200 and answer.json()["action"] == "undo" and state(project) == before
    assert api.post(f"{API}/trash/{row['id']}/restore/").status_code == 404
    undo(api, answer["X-Change"])
    assert [one["id"] for one in trash(api, project)] == [row["id"]]


def test_for_good(api, project, images):
    change = delete(api, images)
    (row,) = trash(api, project)
    assert api.delete(f"{API}/trash/{row['id']}/").status_code == 204
    assert api.delete(f"{API}/trash/{row['id']}/").status_code == 404
    assert undo(api, change, 409)["errors"][0]["code"] == "changed_since"
    remove_projects()
    assert not Image.objects.exists() and correct_counts() == 0
    assert list(Dataset.objects.values_list("project", flat=True)) == [project.pk]
    assert api.get(f"{API}/images/").json()["results"] == []


def test_emptied(api, project, images):
    for image in images[:2]:
        api.delete(f"{API}/images/{image['id']}/")
    answer = api.post(f"{API}/trash/empty/", {"project": str(project.pk)}, format="json")
    assert answer.json() == {"removed": 2} and trash(api, project) == []
    assert api.post(f"{API}/trash/empty/", {"project": str(project.pk)}, format="json").json() == {"removed": 0}
    assert api.post(f"{API}/trash/empty/", {"projekt": "x"}, format="json").status_code == 400
    assert api.post(f"{API}/trash/empty/", {"project": ids(images)[0]}, format="json").status_code == 404
    remove_projects()
    assert Image.objects.count() == 2


def test_who_may(api, project, images, viewer, outsider, client):
    delete(api, images)
    (row,) = trash(api, project)
    url = f"{API}/trash/{row['id']}/"
    for who, reading, writing in ((client, 401, 401), (client_of(outsider), 404, 404), (client_of(viewer), 200, 403)):
        assert who.get(url).status_code == reading and who.get(f"{url}thumbnail/").status_code == reading
        assert who.delete(url).status_code == who.post(f"{url}restore/").status_code == writing
        emptied = who.post(f"{API}/trash/empty/", {"project": str(project.pk)}, format="json")
        assert emptied.status_code == writing
    assert client_of(outsider).get(f"{API}/trash/").json()["results"] == []
    assert len(trash(api, project)) == 1


def test_after_its_days(api, project, images, settings):
    change = delete(api, images)
    assert remove_expired() == 0 and delete_old_changes() == 0
    settings.TRASH_DAYS = -1
    assert remove_expired() == 1 and delete_old_changes() > 0
    remove_projects()
    assert not Image.objects.exists() and not TrashEntry.objects.exists()
    assert api.post(f"{API}/changes/{change}/undo/").status_code == 404


def test_without_a_trash_it_is_final(api, project, images, no_trash):
    answer = api.post(f"{API}/images/bulk/", {"images": ids(images), "action": "delete"}, format="json")
    assert answer.json()["changed"] == 4 and "X-Change" not in answer
    assert not Image.objects.exists() and trash(api, project) == [] and correct_counts() == 0


def test_the_same_file_again_is_a_new_image(api, project, dataset, images):
    change = api.delete(f"{API}/images/{images[0]['id']}/")["X-Change"]
    again = upload(api, dataset, [("new.jpg", jpeg(0))])["created"]
    assert len(again) == 1 and again[0]["id"] != images[0]["id"]
    refused = undo(api, change, 409)
    assert "'new.jpg'" in refused["changed"][0]["reason"] and "'new.jpg'" in refused["errors"][0]["detail"]
    assert api.post(f"{API}/trash/{trash(api, project)[0]['id']}/restore/").status_code == 409
    second = api.delete(f"{API}/images/{again[0]['id']}/")["X-Change"]
    undo(api, change)
    assert "'0.jpg'" in undo(api, second, 409)["changed"][0]["reason"]
    assert Image.objects.filter(dataset=dataset["id"]).count() == 4 and correct_counts() == 0


def test_a_snapshot_that_was_made_before_stays_whole(api, dataset, images):
    made = api.post(f"{API}/datasets/{dataset['id']}/snapshots/", {}).json()
    delete(api, images[:2])
    later = api.post(f"{API}/datasets/{dataset['id']}/snapshots/", {}).json()
    count = SnapshotImage.objects.filter
    assert count(snapshot=made["id"]).count() == 4 and count(snapshot=later["id"]).count() == 2
    assert count(snapshot=made["id"], image=None).count() == 0


def test_they_count_for_the_limits_and_say_so(api, project, images):
    used = api.get(f"{API}/users/me/").json()["limits"]
    delete(api, images)
    limits = api.get(f"{API}/users/me/").json()["limits"]
    assert limits["bytes"]["used"] == used["bytes"]["used"] > 0 and limits["images"]["used"] == 4
    assert limits["images"]["in_trash"] == 4 and limits["bytes"]["in_trash"] == sum(one["size"] for one in images)
    api.post(f"{API}/trash/empty/", {"project": str(project.pk)}, format="json")
    limits = api.get(f"{API}/users/me/").json()["limits"]
    assert limits["images"] == {**limits["images"], "used": 0, "in_trash": 0}
    assert limits["bytes"] == {**limits["bytes"], "used": 0, "in_trash": 0}


@pytest.mark.parametrize("how", ["unlabel", "delete", "move", "merge"])
def test_labels_that_end_meanwhile(api, project, images, labels, how):
    """What lies in the trash follows: the label is taken from it, or exchanged, and comes back with it."""
    before = state(project)
    first = delete(api, images[:2])
    path = f"{API}/projects/{project.pk}/labels/{labels['good']['id']}/"
    other = labels["bad"]["id"]
    if how == "merge":
        answer = api.post(f"{path}merge/", {"into": other})
    else:
        answer = api.delete(f"{path}?images={how}{f'&move_to={other}' if how == 'move' else ''}")
    assert answer.status_code < 300 and correct_counts() == 0
    undo(api, first)
    names = set(Annotation.objects.filter(image__in=ids(images[:2])).values_list("label__name", flat=True))
    assert names == ({"bad"} if how in ("move", "merge") else set()) and correct_counts() == 0
    again = delete(api, images[:2])
    undo(api, answer["X-Change"])
    undo(api, again)
    assert state(project) == before and correct_counts() == 0 and kept() == computed()


def test_a_label_that_only_the_trash_carries(api, project, images, labels):
    before = state(project)
    first = delete(api, images)
    answer = api.delete(f"{API}/projects/{project.pk}/labels/{labels['good']['id']}/")
    assert answer.status_code == 204 and not Label.objects.filter(name="good").exists()
    undo(api, answer["X-Change"])
    undo(api, first)
    assert state(project) == before


def test_a_label_with_its_images(api, project, images, labels):
    before = state(project)
    answer = api.delete(f"{API}/projects/{project.pk}/labels/{labels['good']['id']}/?images=delete")
    assert answer.status_code == 204 and Image.objects.filter(dataset__project=project).count() == 0
    after = state(project)
    undone = undo(api, answer["X-Change"])
    assert state(project) == before and correct_counts() == 0
    undo(api, undone["id"])
    assert state(project) == after and trash(api, project)[0]["count"] == 4


def test_images_of_two_datasets_in_one_request(api, project, dataset, images):
    other = api.post(f"{API}/datasets/", {"project": str(project.pk), "name": "o"}).json()
    more = upload(api, other, [("twin.jpg", jpeg(0))])["created"]
    before = state(project)
    change = delete(api, images + more)
    assert [row["count"] for row in trash(api, project)] == [5]
    undo(api, change)
    assert state(project) == before and correct_counts() == 0


def test_the_events(api, project, images):
    from projects.models import ProjectEvent

    delete(api, images)
    told = [(row.kind, row.content.get("images")) for row in ProjectEvent.objects.filter(project=project.pk)]
    assert ("dataset", -4) in told and "trash" in dict(told)


def test_deleting_a_project_takes_its_trash_along(api, project, images, no_trash, settings):
    settings.TRASH_DAYS = 30
    delete(api, images)
    settings.TRASH_DAYS = 0
    assert api.delete(f"{API}/projects/{project.pk}/").status_code == 204
    remove_projects()
    assert not Project.objects.exists() and not Image.objects.exists() and not TrashEntry.objects.exists()


def test_deleting_a_dataset_for_good_takes_its_trash_along(api, dataset, images, settings):
    delete(api, images)
    settings.TRASH_DAYS = 0
    assert api.delete(f"{API}/datasets/{dataset['id']}/").status_code == 204
    remove_projects()
    assert not Dataset.objects.exists() and not TrashEntry.objects.exists() and correct_counts() == 0


@pytest.mark.parametrize("task", ["classification", "detection"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_sequence_with_deletes_taken_back_in_its_order(owner, task, seed):
    world = World(owner, task, seed)
    world.add()
    world.suggest()
    before, names = state(world.project), set(Change.objects.values_list("pk", flat=True))
    counts = kept()
    steps = [world.annotate, world.review, world.bulk, world.patch, world.delete, world.delete, world.remove_label]
    for _ in range(15):
        if world.images().count() > 2:
            world.random.choice(steps)()
    made = Change.objects.exclude(pk__in=names).order_by("-pk")
    for change in made:
        undo(world.api, str(change.pk))
    assert made.count() > 5 and not TrashEntry.objects.filter(is_empty=False).exists()
    assert state(world.project) == before and correct_counts() == 0
    assert kept()[:2] == counts[:2]


def test_ten_thousand_and_more_by_jobs(api, project, dataset, images, monkeypatch):
    """By jobs, where more than two images are very many."""
    monkeypatch.setattr("datasets.views.bulk.MOST_AT_ONCE", 2)
    monkeypatch.setattr("projects.changes.jobs.MOST_IN_REQUEST", 2)
    before = state(project)
    body = {"filter": {"dataset": dataset["id"]}, "except": [], "action": "delete"}
    answer = api.post(f"{API}/images/bulk/", body, format="json")
    assert answer.status_code == 202
    jobs.run_job(answer.json()["id"])
    job = api.get(answer["Location"]).json()
    assert job["result"]["changed"] == 4 and trash(api, project)[0]["count"] == 4
    restored = api.post(f"{API}/trash/{trash(api, project)[0]['id']}/restore/")
    assert restored.status_code == 202
    jobs.run_job(restored.json()["id"])
    job = api.get(restored["Location"]).json()
    assert job["state"] == "succeeded" and state(project) == before and correct_counts() == 0
    again = api.post(f"{API}/changes/{job['result']['change']}/undo/").json()
    jobs.run_job(again["id"])
    assert trash(api, project)[0]["count"] == 4


def test_a_restoring_that_was_broken_off_goes_on(api, project, images, monkeypatch):
    """What an attempt before has put back is left as it is."""
    monkeypatch.setattr("projects.changes.jobs.MOST_IN_REQUEST", 2)
    monkeypatch.setattr("projects.changes.undoing.MOST_AT_ONCE", 2)
    monkeypatch.setattr("storage.deleting.PART", 2)
    before, change = state(project), delete(api, images)
    job = api.post(f"{API}/changes/{change}/undo/").json()["id"]
    real, calls = ImagesBack._move, []

    def once(self, *arguments):
        calls.append(1)
        if len(calls) == 2:
            raise WorkInterrupted
        return real(self, *arguments)

    monkeypatch.setattr(ImagesBack, "_move", once)
    jobs.run_job(job)
    assert Image.objects.filter(dataset__project=project).count() == 2
    jobs.run_job(job)
    assert api.get(f"{API}/jobs/{job}/").json()["state"] == "succeeded" and state(project) == before
    assert correct_counts() == 0


def test_days_are_set_by_the_operator():
    assert studio_settings.TRASH_DAYS == 30
