"""Search by name: of what one may see, grouped, the best first."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from datasets.models import Snapshot
from projects.services import create_project
from tests.conftest import client_of, upload
from tests.pictures import jpeg
from tests.test_registry import make_model
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
SEARCH = "/api/v1/search/"


@pytest.fixture
def house(api, project, dataset, owner, tmp_path) -> None:
    """One of each kind with `bolt` in its name."""
    project.name = "Bolts"
    project.save()
    api.patch(f"/api/v1/datasets/{dataset['id']}/", {"name": "all bolts"})
    for name in ("rusty bolt", "Bolt", "nut"):
        api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": name})
    upload(api, dataset, [("IMG_bolt_1.jpg", jpeg(1)), ("other.jpg", jpeg(2))])
    snapshot = Snapshot.objects.create(
        project=project,
        dataset_id=dataset["id"],
        number=1,
        digest="",
        fractions={},
        seed=1,
        class_names=[],
        counts={},
        name="bolt set",
    )
    make_model(project, owner, tmp_path, "Bolt finder")
    TrainingRun.objects.create(project=project, snapshot=snapshot, configuration={}, name="bolt run")


def found(client, text: str, **query) -> dict[str, list[str]]:
    answer = client.get(SEARCH, {"q": text, **query})
    assert answer.status_code == 200, answer.content
    return {group["kind"]: [hit["name"] for hit in group["hits"]] for group in answer.json()["groups"]}


def test_every_kind_is_found_and_what_begins_with_it_comes_first(api, house):
    assert found(api, "BOLT") == {
        "project": ["Bolts"],
        "dataset": ["all bolts"],
        "label": ["Bolt", "rusty bolt"],
        "model": ["Bolt finder v1"],
        "training": ["bolt run"],
        "snapshot": ["bolt set"],
        "image": ["IMG_bolt_1.jpg"],
    }
    assert found(api, "nothing like it") == {}


def test_a_hit_says_where_it_is(api, house, project, dataset):
    groups = {one["kind"]: one for one in api.get(SEARCH, {"q": "bolt"}).json()["groups"]}
    (image,) = groups["image"]["hits"]
    assert (image["project"], image["project_name"]) == (str(project.pk), "Bolts")
    assert (image["dataset"], image["dataset_name"]) == (dataset["id"], "all bolts")
    assert groups["label"]["hits"][0]["dataset"] is None


def test_there_are_more(api, house, owner):
    (group,) = [one for one in api.get(SEARCH, {"q": "bolt", "limit": 1}).json()["groups"] if one["kind"] == "label"]
    assert group["more"] and len(group["hits"]) == 1
    other = create_project(user=owner, name="other bolts", task="classification")
    assert found(api, "bolt", project=str(other.pk)) == {"project": ["other bolts"]}


def test_others_find_nothing(house, outsider, viewer):
    assert found(client_of(outsider), "bolt") == {} and "image" in found(client_of(viewer), "bolt")
    assert APIClient().get(SEARCH, {"q": "bolt"}).status_code == 401


@pytest.mark.parametrize("text", ["%", "_lt", "bol_", "\\", "'"])
def test_signs_of_the_database_mean_themselves(api, house, text):
    assert all(text in name for names in found(api, text).values() for name in names)


@pytest.mark.parametrize(
    "query",
    [{}, {"q": ""}, {"q": "  "}, {"q": "x" * 101}, {"q": "a\x00"}, {"q": "a", "limit": 0}, {"q": "a", "projekt": "x"}],
)
def test_bad_queries_are_refused(api, query):
    assert api.get(SEARCH, query).status_code == 400


def test_it_costs_the_same_for_many(api, house, project, dataset, django_assert_max_num_queries):
    upload(api, dataset, [(f"bolt{number}.jpg", jpeg(10 + number)) for number in range(5)])
    for number in range(5):
        api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": f"bolt {number}"})
    with django_assert_max_num_queries(10):
        assert len(found(api, "bolt")["label"]) == 5
