"""Saved filters: of a person, or shared with the members of a project."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets.models import SavedFilter
from projects.models import Membership
from projects.services import create_project
from tests.conftest import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(project) -> str:
    return f"/api/v1/projects/{project.pk}/saved-filters/"


def save(client, address, name="open work", **body):
    return client.post(address, {"name": name, "query": {"annotated": False}, **body})


def names(client, address) -> list[str]:
    return [row["name"] for row in client.get(address).json()["results"]]


def test_a_filter_comes_back_as_it_was_saved(api, address, project, dataset, labels):
    query = {
        "dataset": dataset["id"],
        "label": [labels["good"]["id"]],
        "split": "none",
        "annotated": True,
        "min_score": 0.5,
        "q": "line",
        "ordering": "-size",
    }
    answer = api.post(address, {"name": "  doubtful ", "query": query})
    assert answer.status_code == 201, answer.content
    row = answer.json()
    assert row["query"] == query and row["name"] == "doubtful"
    assert (row["project"], row["is_mine"], row["is_shared"], row["created_by"]) == (
        str(project.pk),
        True,
        False,
        "owner",
    )
    assert api.get(f"{address}{row['id']}/").json() == row


def test_it_is_renamed_replaced_and_deleted(api, address):
    one = save(api, address).json()
    path = f"{address}{one['id']}/"
    answer = api.patch(path, {"name": "done", "query": {"annotated": True}})
    assert (answer.json()["name"], answer.json()["query"]) == ("done", {"annotated": True})
    assert api.delete(path).status_code == 204
    assert api.delete(path).status_code == 404
    assert names(api, address) == []


def test_a_name_is_taken_once_by_each(api, address, editor):
    save(api, address)
    answer = save(api, address)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unique")
    assert save(client_of(editor), address).status_code == 201
    other = save(api, address, name="second").json()
    assert api.patch(f"{address}{other['id']}/", {"name": "open work"}).status_code == 400


def test_others_see_what_is_shared_and_change_nothing(api, address, editor, viewer, outsider):
    mine, shared = save(api, address, name="mine").json(), save(api, address, name="shared", is_shared=True).json()
    for user in (editor, viewer):
        client = client_of(user)
        assert names(client, address) == ["shared"]
        assert client.get(f"{address}{mine['id']}/").status_code == 404
        assert client.patch(f"{address}{shared['id']}/", {"name": "x"}).status_code == 403
        assert client.delete(f"{address}{shared['id']}/").status_code == 403
    assert client_of(outsider).get(address).status_code == 404
    assert save(client_of(outsider), address).status_code == 404
    api.force_authenticate(None)
    assert api.get(address).status_code == 401


def test_viewers_save_for_themselves_and_share_nothing(address, viewer):
    client = client_of(viewer)
    answer = save(client, address)
    assert answer.status_code == 201
    assert save(client, address, name="for all", is_shared=True).status_code == 403
    assert client.patch(f"{address}{answer.json()['id']}/", {"is_shared": True}).status_code == 403


def test_owners_clear_up_what_others_share(api, address, editor):
    shared = save(client_of(editor), address, is_shared=True).json()
    Membership.objects.filter(user=editor).delete()
    assert client_of(editor).get(address).status_code == 404
    assert names(api, address) == ["open work"]
    assert api.delete(f"{address}{shared['id']}/").status_code == 204


def test_filters_that_no_list_knows_are_refused(api, address):
    for query in ({"colour": "red"}, {"split": "half"}, {"project": "x"}, {"ordering": "colour"}, [1], None):
        assert api.post(address, {"name": "n", "query": query}).status_code == 400
    assert api.post(address, {"name": ""}).status_code == 400
    assert api.post(address, {"name": "x" * 61, "query": {}}).status_code == 400


def test_there_may_be_a_hundred(api, address, project, owner):
    SavedFilter.objects.bulk_create(
        SavedFilter(project=project, created_by=owner, name=str(n), query={}) for n in range(100)
    )
    answer = save(api, address)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "limit_reached")
    other = create_project(user=owner, name="other", task="classification")
    assert save(api, f"/api/v1/projects/{other.pk}/saved-filters/").status_code == 201


def test_a_list_costs_a_fixed_number_of_queries(api, address):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            names(api, address)
        return len(queries)

    save(api, address)
    few = cost()
    for n in range(5):
        save(api, address, name=str(n))
    assert cost() == few
