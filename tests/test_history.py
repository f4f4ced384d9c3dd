"""Every change of an annotation has its row in the history of its image."""

from __future__ import annotations

import pytest

from datasets.models import Annotation, AnnotationChange, Image, Label, Origin
from inference.serving.predicted_annotations import store_suggestions
from inference.serving.prediction import Prediction
from tests.conftest import upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db


@pytest.fixture
def pictures(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(3)], label="good")["created"]


def history(api, image: dict) -> list[tuple]:
    rows = api.get(f"/api/v1/images/{image['id']}/history/").json()["results"]
    names = [tuple([mark["label"] for mark in row[side]] for side in ("before", "after")) for row in rows]
    return [(*pair, row["changed_by"]) for pair, row in zip(names, rows, strict=True)]


def test_a_merge_of_labels(api, project, labels, pictures, owner):
    url = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/merge/"
    assert api.post(url, {"into": labels["bad"]["id"]}).status_code == 200
    for picture in pictures:
        assert history(api, picture) == [(["good"], ["bad"], owner.username)]
    assert set(Image.objects.values_list("revision", flat=True)) == {1}


def test_a_merge_into_a_label_that_the_image_has(api, project, labels, pictures):
    Annotation.objects.create(image_id=pictures[0]["id"], label_id=labels["bad"]["id"])
    url = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/merge/"
    assert api.post(url, {"into": labels["bad"]["id"]}).status_code == 200
    assert history(api, pictures[0])[0][:2] == (["good", "bad"], ["bad"])


@pytest.mark.parametrize("how", ["unlabel", "move"])
def test_a_deleted_label(api, project, labels, pictures, owner, how):
    url = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/"
    wish = "?images=unlabel" if how == "unlabel" else f"?images=move&move_to={labels['bad']['id']}"
    answer = api.delete(url + wish)
    assert answer.status_code == 204, answer.content
    after = [] if how == "unlabel" else ["bad"]
    for picture in pictures:
        assert history(api, picture) == [(["good"], after, owner.username)]


def test_suggestions(api, dataset, project, labels, owner):
    (picture,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
    row = Image.objects.get(pk=picture["id"])
    for name in ("good", "bad"):
        prediction = Prediction("a.jpg", 48, 32, [{"label": name, "score": 0.9}], [])
        model = type("M", (), {"task": project.task})()
        assert store_suggestions(project=project, model=model, predictions=[(row, prediction)], user=owner) == 1
    first, second = AnnotationChange.objects.filter(image=row).order_by("id")
    assert (first.before, first.after[0]["label"], first.after[0]["confirmed"]) == ([], "good", False)
    assert (second.before, second.after[0]["label"], second.changed_by) == (first.after, "bad", owner)
    assert Annotation.objects.get().origin == Origin.MODEL and Label.objects.count() == 2


def test_moving_images_costs_the_same_whatever_their_number(api, project, dataset, django_assert_max_num_queries):
    upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(40)])
    other = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "other"}).json()
    ids = [one["id"] for one in api.get("/api/v1/images/?page_size=100").json()["results"]]
    with django_assert_max_num_queries(40):
        answer = api.post("/api/v1/images/bulk/", {"action": "move", "images": ids, "dataset": other["id"]})
    assert answer.json() == {"changed": 40, "unchanged": 0}


@pytest.mark.any_database("the number of queries")
def test_predicting_images_by_id_reads_them_at_once(api, dataset, classifier, django_assert_max_num_queries):
    ids = [str(pk) for pk in Image.objects.values_list("pk", flat=True)[:30]]
    with django_assert_max_num_queries(25):
        answer = api.post(f"/api/v1/models/{classifier.pk}/predict/", {"images": ids}, format="json")
    assert answer.status_code == 200 and len(answer.json()["predictions"]) == 30
    unknown = [*ids[:1], str(classifier.pk)]
    assert api.post(f"/api/v1/models/{classifier.pk}/predict/", {"images": unknown}, format="json").status_code == 404
