"""A device of a project that was deleted hears so at once, and goes on with the model that it has."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from edge.devices import create_code
from edge.models import Deployment, Device
from projects import removal
from tests.test_edge import add_device, deploy, fresh_keys, group, models  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def large(project, monkeypatch, no_trash) -> None:
    """The project is a large one, whose rows go in the background."""
    monkeypatch.setattr(removal, "MOST_AT_ONCE", -1)
    monkeypatch.setattr("jobs.messages.send", lambda task, queue: None)


def test_it_is_refused_while_the_rows_are_still_there(api, project, group, models, large):  # noqa: F811
    gadget = add_device(api, project, group)
    deploy(api, group, models[0])
    assert gadget.payload()["model"] is not None
    assert api.delete(f"/api/v1/projects/{project.pk}/?force=true").status_code == 204
    assert Device.objects.exists() and Deployment.objects.exists()
    paths = [("get", "manifest/"), ("get", "keys/"), ("post", "heartbeat/"), ("post", "images/")]
    for method, path in paths:
        answer = getattr(gadget.client, method)(f"/edge/v1/{path}")
        codes = [error["code"] for error in answer.json()["errors"]]
        assert (answer.status_code, codes) == (401, ["authentication_failed"]), path
    removal.remove_projects()
    assert not Device.objects.exists() and gadget.manifest().status_code == 401


def test_no_device_enrols_into_it(api, project, group, owner, large):  # noqa: F811
    _, code = create_code(project=project, user=owner)
    assert api.delete(f"/api/v1/projects/{project.pk}/?force=true").status_code == 204
    answer = APIClient().post("/edge/v1/enrol/", {"code": code, "name": "late"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "enrolment_code_not_valid")


def test_one_of_a_project_in_the_trash_is_refused_until_it_is_restored(api, project, group, models, owner):  # noqa: F811
    gadget = add_device(api, project, group)
    _, code = create_code(project=project, user=owner)
    deploy(api, group, models[0])
    change = api.delete(f"/api/v1/projects/{project.pk}/?force=true")["X-Change"]
    assert gadget.manifest().status_code == 401
    assert APIClient().post("/edge/v1/enrol/", {"code": code, "name": "late"}).status_code == 403
    assert api.post(f"/api/v1/changes/{change}/undo/").status_code == 200
    assert gadget.payload()["model"] is not None
