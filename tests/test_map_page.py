"""The map over HTTP: made in the background, narrowed as the gallery is, with places for images that come later."""

from __future__ import annotations

import base64
import uuid

import numpy as np
import pytest

from inference.embeddings.embedders import embedder_for
from inference.embeddings.stores import folder_of
from inference.feature_map import making
from jobs import services as jobs
from jobs.models import Job
from projects.services import create_project
from tests.conftest import client_of
from tests.test_live_model import add, folders, fresh, keeper, work  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("features of images")]


def address(project, end: str = "") -> str:
    return f"/api/v1/projects/{project.pk}/map/{end}"


def make(api, project) -> dict:
    answer = api.post(address(project), {}, format="json")
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    return api.get(answer["Location"]).json()


def points(api, of, /, **query) -> dict[str, tuple]:
    """Position and label of each image."""
    answer = api.get(address(of, "points/"), query)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    ids, positions, places = (base64.b64decode(body[name]) for name in ("ids", "positions", "places"))
    assert (len(ids), len(positions), len(places)) == (16 * body["count"], 4 * body["count"], 2 * body["count"])
    at = np.frombuffer(positions, "<u2").reshape(-1, 2).tolist()
    labels = [None if place == 65535 else body["labels"][place] for place in np.frombuffer(places, "<u2").tolist()]
    keys = [str(uuid.UUID(bytes=ids[start : start + 16])) for start in range(0, len(ids), 16)]
    return {key: (*position, label) for key, position, label in zip(keys, at, labels, strict=True)}


def test_it_is_made_narrowed_and_grows(api, project, dataset, fresh, keeper):  # noqa: F811
    work()
    before = api.get(address(project)).json()
    assert (before["code"], before["images"], before["embedded"], before["mapped"]) == ("not_made", 160, 160, 0)
    assert points(api, project) == {}
    job = make(api, project)
    assert (job["kind"], job["state"], job["result"]["images"]) == ("feature_map", "succeeded", 160)
    status = api.get(address(project)).json()
    assert (status["code"], status["mapped"], status["placed_later"]) == ("", 160, 0) and status["made_at"]

    every = points(api, project)
    assert len(every) == 160 and len({label for *_, label in every.values()}) == 3
    labelled = points(api, project, annotated="true")
    assert len(labelled) == 120 and all(every[key] == point for key, point in labelled.items())
    assert len(points(api, project, dataset=fresh["id"])) == 40
    assert {label for *_, label in points(api, project, dataset=fresh["id"]).values()} == {None}

    add(api, fresh, 4)
    work()
    status = api.get(address(project)).json()
    assert (status["mapped"], status["placed_later"]) == (164, 4)
    grown = points(api, project)
    assert len(grown) == 164 and all(grown[key] == point for key, point in every.items())
    gone = next(iter(every))
    api.delete(f"/api/v1/images/{gone}/")
    assert gone not in points(api, project)
    make(api, project)
    status = api.get(address(project)).json()
    assert (status["mapped"], status["placed_later"]) == (163, 0)


def test_a_damaged_file_is_no_map(api, project, fresh, keeper):  # noqa: F811
    work()
    make(api, project)
    (folder_of(project) / embedder_for(project).name / "map.npz").write_bytes(b"PK\x03\x04 no map")
    assert api.get(address(project)).json()["code"] == "not_made" and points(api, project) == {}
    add(api, fresh, 1)
    work()
    assert api.get(address(project)).json()["code"] == "not_made"


def test_without_features_it_says_what_is_awaited(api, project, dataset):
    assert api.get(address(project)).json()["code"] == "no_images"
    add(api, dataset, 2)
    assert api.get(address(project)).json()["code"] == "no_embedder"
    answer = api.post(address(project), {}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "no_embedder")
    assert points(api, project) == {}


def test_too_few_features_are_waited_for(api, project, classifier):
    assert api.get(address(project)).json()["code"] == "embedding"
    answer = api.post(address(project), {}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "too_few_features")
    assert not Job.objects.filter(kind="feature_map").exists()


def test_images_that_are_gone_meanwhile_end_the_job_with_a_reason(api, project, fresh, keeper, monkeypatch):  # noqa: F811
    work()
    monkeypatch.setattr(making, "ids_in", lambda project: np.zeros((0, 2), ">u8"))
    job = make(api, project)
    assert (job["state"], job["error"]["code"]) == ("failed", "too_few_features")


def test_who_may_see_and_make_it(api, project, viewer, outsider, client):
    reader, stranger = client_of(viewer), client_of(outsider)
    assert reader.get(address(project)).status_code == reader.get(address(project, "points/")).status_code == 200
    assert reader.post(address(project), {}, format="json").status_code == 403
    for way in (
        stranger.get(address(project)),
        stranger.get(address(project, "points/")),
        stranger.post(address(project)),
    ):
        assert way.status_code == 404
    assert client.get(address(project)).status_code == 401
    foreign = create_project(user=outsider, name="theirs", task="classification")
    # Another project cannot be named beside that of the address.
    assert points(api, project, project=str(foreign.pk)) == {}


@pytest.mark.parametrize("query", [{"colour": "red"}, {"split": "best"}, {"dataset": "x"}, {"min_score": 2}])
def test_wrong_filters_are_refused(api, project, query):
    assert api.get(address(project, "points/"), query).status_code == 400


WRONG = [{"mean": np.zeros(3, np.float32)}, {"points": np.zeros((0, 50), np.float32)}, {"ids": np.zeros((3, 2), "u8")}]


@pytest.mark.parametrize("wrong", WRONG)
def test_parts_that_do_not_fit_together_keep_no_image_from_its_features(api, project, fresh, keeper, wrong):  # noqa: F811
    work()
    make(api, project)
    (path,) = folder_of(project).glob("*/map.npz")
    with np.load(path) as content:
        parts = dict(content)
    np.savez(path, **(parts | wrong))
    add(api, fresh, 2)
    work()
    assert api.get(address(project)).json()["embedded"] == 162
