"""A name that nobody knows is refused with the closest one, and never silently ignored."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("names in requests")]


def error_of(answer) -> dict:
    assert answer.status_code == 400, answer.content
    return answer.json()["errors"][0]


def test_a_misspelled_filter(api, image):
    error = error_of(api.get("/api/v1/images/?lable=good"))
    assert (error["code"], error["attr"]) == ("unknown_filter", "lable") and "Did you mean label?" in error["detail"]
    assert error_of(api.get("/api/v1/images/?page=2"))["code"] == "unknown_filter"
    assert error_of(api.get("/api/v1/jobs/?stat=queued"))["detail"].endswith("Did you mean state?")
    for query in ("label=good", "page_size=2&ordering=filename", "format=json", ""):
        assert api.get(f"/api/v1/images/?{query}").status_code == 200, query


def test_every_list_refuses_what_it_does_not_know(api):
    lists = {"projects", "datasets", "images", "videos", "jobs", "models", "trainings", "searches", "webhooks",
             "suggestions", "suspects", "devices", "device-groups", "enrolment-codes", "deployments",
             "tokens"}  # fmt: skip
    for name in sorted(lists):
        assert api.get(f"/api/v1/{name}/").status_code == 200, name
        assert error_of(api.get(f"/api/v1/{name}/?no_such_filter=1"))["code"] == "unknown_filter", name


def test_a_field_that_would_be_dropped(api, project, image, dataset):
    error = error_of(api.post("/api/v1/tokens/", {"name": "line PLC", "may": "predict"}, format="json"))
    assert (error["code"], error["attr"]) == ("unknown_field", "may")
    for path, body, hint in (
        ("projects/", {"name": "p", "task": "classification", "tsak": 1}, "task"),
        ("datasets/", {"project": str(project.pk), "nam": "d"}, "name"),
        (f"datasets/{dataset['id']}/snapshots/", {"seeds": 3}, "seed"),
        ("devices/", {"project": str(project.pk), "name": "d", "groups": None}, "group"),
    ):
        error = error_of(api.post(f"/api/v1/{path}", body, format="json"))
        assert error["code"] == "unknown_field" and f"Did you mean {hint}?" in error["detail"], (path, error)


def test_a_whole_object_may_be_sent_back(api, dataset):
    read = api.get(f"/api/v1/datasets/{dataset['id']}/").json()
    changed = api.patch(f"/api/v1/datasets/{dataset['id']}/", {**read, "name": "other"}, format="json")
    assert changed.status_code == 200 and changed.json()["name"] == "other"


def test_many_unknown_names_are_not_all_looked_up(api):
    body = {f"field{number}": 1 for number in range(50_000)}
    answer = api.post("/api/v1/tokens/", body, format="json")
    assert answer.status_code == 400 and len(answer.json()["errors"]) == 20
