"""Suspects: light rows, decisions that outlive the next search, and which doubts are still open."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets.models import Dataset, Image
from inference.labeling.label_issue_rows import replace_label_issues
from inference.models import LabelIssue, Model
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db
SUSPECTS = "/api/v1/suspects/"


@pytest.fixture
def model(project) -> Model:
    return Model.objects.create(
        project=project,
        name="screws",
        version=1,
        task="classification",
        class_names=["bad", "good"],
        architecture="x",
        input_height=32,
        input_width=32,
        parameters=1,
    )


@pytest.fixture
def suspects(api, dataset, labels, model) -> list[LabelIssue]:
    """Three labelled images whose labels are doubted."""
    made = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(3)])["created"]
    keys = [row["id"] for row in made]
    api.post("/api/v1/images/bulk/", {"action": "label", "images": keys, "label": labels["good"]["id"]})
    return found_again(model, dataset, Image.objects.order_by("pk").values_list("pk", flat=True))


def found_again(model, dataset, keys) -> list[LabelIssue]:
    rows = [
        LabelIssue(
            image_id=key,
            kind="label",
            label="good",
            suggested="bad",
            quality=0.1 * n,
            suggested_score=0.8,
            is_issue=n < 2,
        )
        for n, key in enumerate(keys)
    ]
    replace_label_issues(model=model, dataset=Dataset.objects.get(pk=dataset["id"]), rows=rows)
    return list(LabelIssue.objects.order_by("rank"))


def listed(api, **wanted) -> list[dict]:
    answer = api.get(SUSPECTS, wanted)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_light_rows_have_the_image_as_a_gallery_shows_it(api, suspects):
    row, *_ = listed(api, fields="grid")
    assert (row["rank"], row["label"], row["suggested"], row["suggested_score"]) == (1, "good", "bad", 0.8)
    assert row["image"]["thumbnail"].endswith(row["image"]["thumbnail"][-8:]) and "file_url" not in row["image"]
    assert "file_url" in listed(api)[0]["image"]


def test_a_decision_closes_a_doubt_and_can_be_taken_back(api, suspects):
    first = f"{SUSPECTS}{suspects[0].pk}/"
    for _ in range(2):
        assert api.patch(first, {"decision": "kept"}).json()["decision"] == "kept"
    assert [row["rank"] for row in listed(api, open="true")] == [2, 3]
    assert [row["rank"] for row in listed(api, open="false")] == [1]
    assert [row["rank"] for row in listed(api, decision="kept")] == [1]
    assert api.patch(first, {"decision": None}).status_code == 200
    assert len(listed(api, open="true")) == 3


def test_another_label_closes_a_doubt_and_its_undo_opens_it(api, labels, suspects):
    body = {"action": "label", "images": [str(suspects[1].image_id)], "label": labels["bad"]["id"]}
    answer = api.post("/api/v1/images/bulk/", body)
    assert [row["rank"] for row in listed(api, open="true")] == [1, 3]
    assert api.get(f"{SUSPECTS}searches/").json()[0]["decided"] == 1
    api.post(f"/api/v1/changes/{answer['X-Change']}/undo/", {})
    assert [row["rank"] for row in listed(api, open="true")] == [1, 2, 3]
    assert api.get(f"{SUSPECTS}searches/").json()[0]["decided"] == 0


def test_what_was_kept_is_left_out_by_later_searches(api, dataset, model, suspects):
    api.patch(f"{SUSPECTS}{suspects[0].pk}/", {"decision": "kept"})
    api.patch(f"{SUSPECTS}{suspects[1].pk}/", {"decision": "corrected"})
    found_again(model, dataset, [row.image_id for row in suspects])
    # It was corrected once, and is doubted again all the same.
    assert [row["rank"] for row in listed(api, open="true")] == [2, 3]


def test_searches_say_what_is_left_of_them(api, dataset, project, model, suspects, outsider):
    api.patch(f"{SUSPECTS}{suspects[0].pk}/", {"decision": "kept"})
    (row,) = api.get(f"{SUSPECTS}searches/?project={project.pk}").json()
    assert row.pop("searched_at")
    assert row == {
        "model": str(model.pk),
        "model_name": "screws",
        "model_version": 1,
        "dataset": dataset["id"],
        "dataset_name": "photos",
        "total": 3,
        "open": 2,
        "issues": 1,
        "decided": 1,
        "outliers": 0,
    }
    assert client_of(outsider).get(f"{SUSPECTS}searches/").json() == []
    assert api.get(f"{SUSPECTS}searches/?project=x").status_code == 400


def test_who_may_decide(api, suspects, viewer, outsider):
    address = f"{SUSPECTS}{suspects[0].pk}/"
    assert client_of(viewer).patch(address, {"decision": "kept"}).status_code == 403
    assert client_of(outsider).patch(address, {"decision": "kept"}).status_code == 404
    assert api.patch(address, {"decision": "maybe"}).status_code == 400
    assert api.patch(address, {}).status_code == 400
    api.force_authenticate(None)
    assert api.patch(address, {"decision": "kept"}).status_code == 401


def test_a_page_costs_a_fixed_number_of_queries(api, dataset, model, suspects):
    def cost(size: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert len(listed(api, fields="grid", page_size=size)) == size
        return len(queries)

    assert Image.objects.count() == 3
    assert cost(1) == cost(3)


def test_searches_at_once_write_one_after_the_other(suspects, dataset, model):
    """In PostgreSQL each would delete only what was there before both, and the issues of both would stay."""
    with CaptureQueriesContext(connection) as queries:
        found_again(model, dataset, [row.image_id for row in suspects])
    places = [n for n, query in enumerate(queries) if query["sql"].startswith("DELETE")]
    locks = [
        n for n, query in enumerate(queries) if 'FROM "datasets_dataset"' in query["sql"] and "IN (" in query["sql"]
    ]
    assert locks and locks[0] < places[0]
