"""One change of all images that a filter leaves; the answer says what really changed."""

from __future__ import annotations

import uuid

import pytest

from datasets import bulk
from datasets.models import Annotation, AnnotationChange, Image
from jobs import services as jobs
from jobs.context import JobContext
from jobs.models import Job, WorkState
from mlstudio.counts import correct_counts
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("changes of many images by a filter")]
URL = "/api/v1/images/bulk/"


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    good = upload(api, dataset, [(f"g{n}.jpg", jpeg(n)) for n in range(3)], label="good", split="train")["created"]
    bare = upload(api, dataset, [(f"n{n}.jpg", jpeg(20 + n)) for n in range(4)])["created"]
    return [*good, *bare]


def change(client, project, **body):
    wanted = {"project": str(project.pk), **body.pop("filter", {})}
    return client.post(URL, {"filter": wanted, **body}, format="json")


def labels_of(image: dict) -> list[tuple]:
    rows = Annotation.objects.filter(image_id=image["id"]).values_list("label__name", "origin", "confirmed")
    return list(rows)


def test_all_that_the_filter_leaves_but_for_some(api, project, images):
    answer = change(
        api, project, filter={"annotated": False}, action="label", label="bad", **{"except": [images[3]["id"]]}
    )
    assert answer.status_code == 200 and answer.json() == {"changed": 3, "unchanged": 0}
    assert [len(labels_of(one)) for one in images] == [1, 1, 1, 0, 1, 1, 1]
    assert correct_counts() == 0


def test_a_label_that_is_there_already_is_kept(api, project, images, labels):
    before = {row.pk: row.created_at for row in Annotation.objects.all()}
    revisions = dict(Image.objects.values_list("pk", "revision"))
    answer = change(api, project, action="label", label="good")
    assert answer.json() == {"changed": 4, "unchanged": 3}
    assert before.items() <= {row.pk: row.created_at for row in Annotation.objects.all()}.items()
    untouched = [uuid.UUID(one["id"]) for one in images[:3]]
    assert [Image.objects.get(pk=pk).revision for pk in untouched] == [revisions[pk] for pk in untouched]
    assert change(api, project, action="label", label="good").json() == {"changed": 0, "unchanged": 7}
    assert AnnotationChange.objects.count() == 4


def test_a_suggestion_of_the_same_label_is_confirmed(api, project, images, labels):
    row = Annotation.objects.create(
        image_id=images[3]["id"], label_id=labels["good"]["id"], origin="model", score=0.5, confirmed=False
    )
    assert change(api, project, filter={"q": "n0"}, action="label", label="good").json()["changed"] == 1
    assert labels_of(images[3]) == [("good", "model", True)]
    row.refresh_from_db()
    assert row.score == 0.5


@pytest.mark.parametrize(
    ("action", "extra", "changed"),
    [
        ("split", {"split": "train"}, 4),
        ("split", {"split": None}, 3),
        ("group", {"group": ""}, 0),
        ("group", {"group": "a"}, 7),
        ("unlabel", {}, 3),
        ("confirm", {}, 0),
        ("reject", {}, 0),
        ("delete", {}, 7),
    ],
)
def test_what_was_so_already_is_not_counted(api, project, images, action, extra, changed):
    answer = change(api, project, action=action, **extra)
    assert answer.json() == {"changed": changed, "unchanged": 7 - changed}, answer.content
    assert correct_counts() == 0
    if action != "delete":
        assert change(api, project, action=action, **extra).json() == {"changed": 0, "unchanged": 7}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"filter": {"lable": "good"}, "action": "delete"}, "unknown_field"),
        ({"filter": {"split": "all"}, "action": "delete"}, "invalid_choice"),
        ({"filter": {}, "images": [], "action": "delete"}, "min_length"),
        ({"filter": {}, "action": "label"}, "required"),
        ({"filter": {}, "action": "label", "label": "unheard-of"}, "unknown_label"),
    ],
)
def test_what_makes_no_sense_changes_nothing(api, project, images, body, code):
    body["filter"] = {"project": str(project.pk), **body["filter"]}
    answer = api.post(URL, body, format="json")
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == code, answer.content
    assert Image.objects.count() == 7


def test_a_filter_names_a_project(api, images):
    answer = api.post(URL, {"filter": {"annotated": True}, "action": "delete"}, format="json")
    assert answer.status_code == 400 and Image.objects.count() == 7
    answer = api.post(URL, {"action": "delete"}, format="json")
    assert answer.status_code == 400 and answer.json()["errors"][0]["attr"] == "images"


def test_who_may(viewer, outsider, client, project, dataset, images):
    assert change(client, project, action="delete").status_code == 401
    assert change(client_of(outsider), project, action="delete").status_code == 404
    assert change(client_of(viewer), project, action="delete").status_code == 403
    body = {"filter": {"dataset": dataset["id"]}, "action": "delete"}
    assert client_of(outsider).post(URL, body, format="json").status_code == 404
    assert client_of(viewer).post(URL, body, format="json").status_code == 403
    assert Image.objects.count() == 7


@pytest.fixture
def few(monkeypatch) -> None:
    monkeypatch.setattr("datasets.views.bulk.MOST_AT_ONCE", 2)
    monkeypatch.setattr(bulk, "CHUNK", 2)


def test_very_many_are_changed_by_a_job(api, project, images, few):
    answer = change(api, project, action="label", label="good", **{"except": [images[6]["id"]]})
    assert answer.status_code == 202, answer.content
    assert answer["Location"] == f"/api/v1/jobs/{answer.json()['id']}/"
    jobs.run_job(answer.json()["id"])
    job = Job.objects.get(pk=answer.json()["id"])
    assert (job.state, job.result) == (
        WorkState.SUCCEEDED,
        {"action": "label", "changed": 3, "unchanged": 3, "change": job.result["change"]},
    )
    assert api.post(f"/api/v1/changes/{job.result['change']}/undo/").status_code == 200
    assert Annotation.objects.count() == 3
    assert labels_of(images[6]) == [] and correct_counts() == 0


def test_the_job_goes_on_where_it_was_broken_off(api, project, images, few, monkeypatch):
    """What was changed leaves the filter; images that came later are not changed."""
    answer = change(api, project, filter={"annotated": False}, action="label", label="good")
    calls = []
    real = bulk.change_images

    def breaks(**options):
        calls.append(len(options["images"]))
        if len(calls) == 2:
            raise RuntimeError("power cut")
        return real(**options)

    monkeypatch.setattr(bulk, "change_images", breaks)
    context = JobContext(Job.objects.get(pk=answer.json()["id"]))

    def report(done, total, position):
        context.job.position = dict(position)

    context.report = report
    with pytest.raises(RuntimeError):
        bulk.run_bulk_change(context)
    upload(api, {"id": images[0]["dataset"]}, [("late.jpg", jpeg(99))])
    result = bulk.run_bulk_change(context)
    assert (result.changed, result.unchanged) == (4, 0)
    assert Annotation.objects.count() == 7


def test_a_job_whose_label_is_gone(api, project, images, labels, few):
    answer = change(api, project, action="label", label="bad")
    assert api.delete(f"/api/v1/projects/{project.pk}/labels/{labels['bad']['id']}/").status_code == 204
    jobs.run_job(answer.json()["id"])
    job = Job.objects.get(pk=answer.json()["id"])
    assert (job.state, job.error_code) == (WorkState.FAILED, "label_deleted")
