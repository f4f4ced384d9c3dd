"""Annotations keep their rows, with who made them, when others of the image change; conflicts show what is there."""

from __future__ import annotations

import uuid

import pytest

from datasets.models import Annotation, AnnotationChange, Image
from mlstudio.counts import correct_counts
from projects.services import create_project
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("writing annotations of an image")]
API = "/api/v1"


@pytest.fixture
def boxes(owner, api) -> dict:
    """An image of a detection project with two suggestions of a model and a box of a person."""
    from datasets.gallery.keeping import settle

    project = create_project(user=owner, name="d", task="detection")
    dataset = api.post(f"{API}/datasets/", {"project": str(project.pk), "name": "d"}).json()
    labels = {n: api.post(f"{API}/projects/{project.pk}/labels/", {"name": n}).json()["id"] for n in ("nut", "bolt")}
    (image,) = upload(api, dataset, [("a.jpg", jpeg(1, (200, 100)))])["created"]
    for n, score in enumerate((0.9, 0.4)):
        Annotation.objects.create(
            image_id=image["id"],
            label_id=labels["nut"],
            x_min=10 * n,
            y_min=0,
            x_max=10 * n + 5,
            y_max=5,
            origin="model",
            score=score,
            confirmed=False,
        )
    Annotation.objects.create(
        image_id=image["id"], label_id=labels["bolt"], x_min=50, y_min=50, x_max=60, y_max=60, created_by=owner
    )
    settle([uuid.UUID(image["id"])])
    return {"url": f"{API}/images/{image['id']}/annotations/", "project": project, "labels": labels, "id": image["id"]}


def read(api, boxes) -> list[dict]:
    return api.get(boxes["url"]).json()["annotations"]


def plain(rows: list[dict]) -> list[dict]:
    return [{"label": row["label"], "box": row["box"]} for row in rows]


class TestPut:
    def test_what_comes_unchanged_stays_the_row_that_it_was(self, api, boxes):
        before = read(api, boxes)
        answer = api.put(boxes["url"], [*plain(before), {"label": "nut", "box": [100, 10, 120, 30]}], format="json")
        after = answer.json()["annotations"]
        assert answer.status_code == 200 and after[:3] == before
        assert (after[3]["origin"], after[3]["confirmed"], after[3]["score"]) == ("human", True, None)

    def test_by_id_a_row_may_be_sent_back_whole(self, api, boxes):
        before = read(api, boxes)
        moved = {**before[0], "box": [1, 1, 8, 8]}
        after = api.put(boxes["url"], [moved, before[2]], format="json").json()["annotations"]
        assert [row["id"] for row in after] == [before[0]["id"], before[2]["id"]]
        assert (after[0]["box"], after[0]["origin"], after[0]["score"]) == ([1, 1, 8, 8], "human", None)
        assert after[1] == before[2]

    def test_confirming_keeps_who_made_it(self, api, boxes):
        before = read(api, boxes)
        wanted = [{**before[0], "confirmed": True}, before[1], before[2]]
        after = api.put(boxes["url"], wanted, format="json").json()["annotations"]
        assert after[0] == {**before[0], "confirmed": True} and after[1:] == before[1:]
        assert not Image.objects.get(pk=boxes["id"]).reviewed  # one still waits
        after = api.put(boxes["url"], [{**row, "confirmed": True} for row in before], format="json")
        assert Image.objects.get(pk=boxes["id"]).reviewed and correct_counts() == 0

    def test_the_same_again_changes_nothing_whatever_the_revision(self, api, boxes):
        new = [{"label": "nut", "box": [100, 10, 120, 30]}]
        first = api.put(f"{boxes['url']}?revision=0", new, format="json").json()
        again = api.put(f"{boxes['url']}?revision=0", new, format="json")
        assert again.status_code == 200 and again.json() == first
        assert AnnotationChange.objects.count() == 1

    def test_two_equal_boxes_are_two(self, api, boxes):
        two = [{"label": "nut", "box": [1, 1, 9, 9]}] * 2
        first = api.put(boxes["url"], two, format="json").json()
        assert len(first["annotations"]) == 2
        assert api.put(boxes["url"], two, format="json").json() == first
        assert len(api.put(boxes["url"], two[:1], format="json").json()["annotations"]) == 1

    def test_an_id_of_the_clients_makes_one_row(self, api, boxes):
        pk = "0190aaaa-0000-7000-8000-000000000001"
        rows = [{"id": pk, "label": "nut", "box": [1, 1, 9, 9]}]
        for _ in range(2):
            answer = api.put(boxes["url"], rows, format="json").json()
            assert [row["id"] for row in answer["annotations"]] == [pk]

    def test_an_id_of_another_image_stays_there(self, api, boxes, image, labels):
        mine = api.put(f"{API}/images/{image['id']}/annotations/", [{"label": "good"}], format="json").json()
        pk = mine["annotations"][0]["id"]
        answer = api.put(boxes["url"], [{"id": pk, "label": "nut", "box": [1, 1, 9, 9]}], format="json").json()
        assert answer["annotations"][0]["id"] != pk and Annotation.objects.get(pk=pk).image_id == uuid.UUID(image["id"])

    @pytest.mark.parametrize(
        "rows", [[{"id": "x", "label": "nut"}], [{"label": "nut", "scor": 1, "box": [1, 1, 2, 2]}]]
    )
    def test_what_makes_no_sense(self, api, boxes, rows):
        assert api.put(boxes["url"], rows, format="json").status_code == 400

    def test_one_id_twice(self, api, boxes):
        row = read(api, boxes)[0]
        assert api.put(boxes["url"], [row, row], format="json").status_code == 400


class TestPatch:
    def test_add_change_remove(self, api, boxes):
        first, second, third = read(api, boxes)
        body = {
            "add": [{"label": "bolt", "box": [100, 10, 120, 30]}],
            "change": [{"id": third["id"], "label": "nut"}, {"id": first["id"], "confirmed": True}],
            "remove": [second["id"]],
            "revision": 0,
        }
        answer = api.patch(boxes["url"], body, format="json")
        assert answer.status_code == 200, answer.content
        rows = answer.json()["annotations"]
        assert rows[0] == {**first, "confirmed": True}
        assert (rows[1]["id"], rows[1]["label"], rows[1]["box"]) == (third["id"], "nut", third["box"])
        assert rows[2]["label"] == "bolt" and len(rows) == 3 and answer.json()["revision"] == 1
        assert correct_counts() == 0

    def test_a_suggestion_that_is_moved_is_a_persons(self, api, boxes):
        first = read(api, boxes)[0]
        api.patch(boxes["url"], {"change": [{"id": first["id"], "box": [1, 1, 9, 9]}]}, format="json")
        row = read(api, boxes)[0]
        assert (row["origin"], row["score"], row["confirmed"], row["box"]) == ("human", None, True, [1, 1, 9, 9])

    def test_what_is_gone_already_need_not_be_removed(self, api, boxes):
        first = read(api, boxes)[0]["id"]
        for _ in range(2):
            answer = api.patch(boxes["url"], {"remove": [first]}, format="json")
            assert answer.status_code == 200 and answer.json()["revision"] == 1

    def test_changing_what_is_gone_is_a_conflict(self, api, boxes):
        answer = api.patch(boxes["url"], {"change": [{"id": str(uuid.uuid4()), "confirmed": True}]}, format="json")
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["code"] == "annotation_deleted"
        assert len(answer.json()["current"]["annotations"]) == 3

    def test_with_an_idempotency_key_a_box_is_added_once(self, api, boxes):
        body = {"add": [{"label": "bolt", "box": [100, 10, 120, 30]}], "revision": 0}
        answers = [api.patch(boxes["url"], body, format="json", HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)]
        assert [one.status_code for one in answers] == [200, 200] and answers[0].json() == answers[1].json()
        assert answers[1]["Idempotency-Replayed"] == "true" and len(read(api, boxes)) == 4
        other = api.put(boxes["url"], [], format="json", HTTP_IDEMPOTENCY_KEY="k")
        assert other.status_code == 422

    def test_a_second_label_on_a_classified_image(self, api, image, labels):
        url = f"{API}/images/{image['id']}/annotations/"
        assert api.patch(url, {"add": [{"label": "good"}]}, format="json").status_code == 200
        assert api.patch(url, {"add": [{"label": "bad"}]}, format="json").status_code == 400

    @pytest.mark.parametrize("body", [{"added": []}, {"change": [{"id": str(uuid.UUID(int=1))}]}, {"revision": -1}, []])
    def test_what_makes_no_sense(self, api, boxes, body):
        assert api.patch(boxes["url"], body, format="json").status_code == 400


def test_a_conflict_says_what_is_there_and_whose_it_is(api, boxes, editor, owner):
    from projects.models import Membership

    Membership.objects.create(project=boxes["project"], user=editor, role="editor")
    theirs = client_of(editor).put(boxes["url"], [{"label": "nut", "box": [1, 1, 9, 9]}], format="json").json()
    for method in ("put", "patch"):
        body = [] if method == "put" else {"add": [{"label": "nut", "box": [2, 2, 9, 9]}], "revision": 0}
        answer = getattr(api, method)(f"{boxes['url']}?revision=0", body, format="json")
        assert answer.status_code == 409 and answer.json()["type"] == "client_error"
        current = answer.json()["current"]
        assert {name: current[name] for name in theirs} == theirs
        assert current["changed_by"] == "editor" and current["changed_at"]


def test_who_may_write(boxes, outsider, client, project, viewer):
    from projects.models import Membership

    Membership.objects.create(project=boxes["project"], user=viewer, role="viewer")
    for who, status in ((client, 401), (client_of(outsider), 404), (client_of(viewer), 403)):
        kind = {"content_type": "application/json"} if who is client else {"format": "json"}
        assert who.patch(boxes["url"], {}, **kind).status_code == status
        assert who.put(boxes["url"], [], **kind).status_code == status


class TestReviewByThreshold:
    def test_counts_by_label_and_score(self, api, boxes):
        url = f"{API}/annotations/review/?project={boxes['project'].pk}"
        counts = api.get(url).json()
        assert (counts["total"], counts["images"]) == (2, 1)
        assert [(one["name"], one["count"]) for one in counts["labels"]] == [("nut", 2)]
        assert [one["count"] for one in counts["scores"]] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
        assert api.get(f"{url}&min_score=0.5").json()["total"] == 1
        assert api.get(f"{url}&label=bolt").json()["total"] == 0

    def test_all_above_a_score_are_confirmed(self, api, boxes):
        body = {
            "filter": {"project": str(boxes["project"].pk), "label": "nut", "min_score": 0.5},
            "decision": "confirm",
        }
        answer = api.post(f"{API}/annotations/review/", body, format="json").json()
        assert answer == {"confirmed": 1, "corrected": 0, "rejected": 0, "left": 0}
        rows = read(api, boxes)
        assert [(row["confirmed"], row["origin"], row["score"]) for row in rows[:2]] == [
            (True, "model", 0.9),
            (False, "model", 0.4),
        ]

    def test_more_than_a_request_decides_about(self, api, boxes, monkeypatch):
        monkeypatch.setattr("datasets.views.annotations.MOST", 1)
        body = {"filter": {"project": str(boxes["project"].pk)}, "decision": "reject"}
        answers = [api.post(f"{API}/annotations/review/", body, format="json").json() for _ in range(3)]
        assert [(one["rejected"], one["left"]) for one in answers] == [(1, 1), (1, 0), (0, 0)]
        assert len(read(api, boxes)) == 1 and correct_counts() == 0

    @pytest.mark.parametrize(
        "body",
        [{"filter": {"label": "nut"}, "decision": "confirm"}, {"decision": "confirm"}, {"filter": {}}, {}],
    )
    def test_what_makes_no_sense(self, api, boxes, body):
        assert api.post(f"{API}/annotations/review/", body, format="json").status_code == 400

    def test_who_may(self, boxes, outsider, viewer, client):
        from projects.models import Membership

        Membership.objects.create(project=boxes["project"], user=viewer, role="viewer")
        url, wanted = f"{API}/annotations/review/", {"project": str(boxes["project"].pk)}
        body = {"filter": wanted, "decision": "reject"}
        assert client_of(outsider).get(url, wanted).json()["total"] == 0
        members = ((client_of(outsider), 200, 404), (client_of(viewer), 200, 403))
        for who, reading, writing in ((client, 401, 401), *members):
            assert who.get(url, wanted).status_code == reading
            kind = {"content_type": "application/json"} if who is client else {"format": "json"}
            assert who.post(url, body, **kind).status_code == writing


class TestKeysOfLabels:
    def test_a_key_and_a_description(self, api, project, labels):
        url = f"{API}/projects/{project.pk}/labels/"
        made = api.post(url, {"name": "odd", "hotkey": "q", "description": "neither"}, format="json").json()
        assert (made["hotkey"], made["description"]) == ("q", "neither")
        assert api.get(url).json()["results"][0]["hotkey"] is None
        taken = api.patch(f"{url}{labels['good']['id']}/", {"hotkey": "q"}, format="json")
        assert taken.status_code == 409 and taken.json()["errors"][0]["code"] == "hotkey_in_use"
        assert api.post(url, {"name": "more", "hotkey": "q"}, format="json").status_code == 409
        for key in (None, ""):
            assert api.patch(f"{url}{made['id']}/", {"hotkey": key}, format="json").json()["hotkey"] is None
        assert api.patch(f"{url}{labels['good']['id']}/", {"hotkey": "q"}, format="json").status_code == 200

    @pytest.mark.parametrize("key", ["Q", "qq", " ", "é", "-"])
    def test_what_is_no_key(self, api, project, key):
        body = {"name": "odd", "hotkey": key}
        answer = api.post(f"{API}/projects/{project.pk}/labels/", body, format="json")
        assert answer.status_code == (400 if key.strip() else 201), answer.content

    def test_a_name_that_is_taken(self, api, project, labels):
        answer = api.post(f"{API}/projects/{project.pk}/labels/", {"name": "good", "hotkey": "z"}, format="json")
        assert answer.json()["errors"][0]["code"] == "label_exists"
