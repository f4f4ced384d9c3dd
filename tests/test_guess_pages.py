"""Pages of guesses while people confirm them: none is left out, none comes twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.embeddings import embedders, stores
from inference.embeddings.stores import store_of, uuids_of
from inference.live_model import guess_pages
from tests.test_live_model import add, folders, fresh, guesses, keeper, status, work

__all__ = ["folders", "fresh", "keeper"]


def page_after(api, page: dict) -> dict:
    answer = api.get(page["next"])
    assert answer.status_code == 200, answer.content
    return answer.json()


def ids(page: dict) -> list[str]:
    return [row["image"]["id"] for row in page["results"]]


def pages(api, project, **query) -> list[dict]:
    every = [guesses(api, project, **query)]
    while every[-1]["next"]:
        every.append(page_after(api, every[-1]))
    return every


@pytest.mark.parametrize("order", guess_pages.ORDERS)
def test_what_was_confirmed_hides_none_of_the_next_page(api, project, fresh, keeper, order, monkeypatch):
    work()
    whole = guesses(api, project, order=order)["results"]
    page = guesses(api, project, order=order, limit=15)
    label = page["results"][0]["label"]
    api.post("/api/v1/images/bulk/", {"action": "label", "label": label, "images": ids(page)}, format="json")
    every, read = ids({"results": whole}), guess_pages.read_guesses

    def without_them(project):
        found = read(project)
        keep = [n for n, key in enumerate(uuids_of(found.ids)) if str(key) not in ids(page)]
        parts = {name: getattr(found, name)[keep] for name in ("ids", "labels", "confidences", "margins")}
        return replace(found, **parts)

    monkeypatch.setattr(guess_pages, "read_guesses", without_them)  # as the next fit leaves them
    assert ids(page_after(api, page)) == every[15:30]


@pytest.mark.parametrize("order", guess_pages.ORDERS)
def test_all_pages_together_are_the_list(api, project, fresh, keeper, order):
    work()
    whole = ids(guesses(api, project, order=order))
    assert [key for page in pages(api, project, order=order, limit=7) for key in ids(page)] == whole


def test_equal_confidences_are_told_apart_by_their_images(api, project, fresh, keeper, monkeypatch):
    read = guess_pages.read_guesses

    def equal(project):
        found = read(project)
        order = np.lexsort((found.ids[:, 1], found.ids[:, 0]))
        return replace(found, ids=found.ids[order], confidences=np.full_like(found.confidences, 0.5))

    work()
    monkeypatch.setattr(guess_pages, "read_guesses", equal)
    for order in guess_pages.ORDERS:
        keys = [key for page in pages(api, project, order=order, limit=9) for key in ids(page)]
        assert len(keys) == len(set(keys)) == 40


def test_a_page_goes_on_behind_many_that_were_labelled(api, project, fresh, keeper, monkeypatch):
    monkeypatch.setattr(guess_pages, "SPARE", 0)
    work()
    every = guesses(api, project)["results"]
    gone = [row["image"]["id"] for row in every[:20]]
    api.post("/api/v1/images/bulk/", {"action": "label", "label": every[0]["label"], "images": gone}, format="json")
    assert ids(guesses(api, project, limit=5)) == [row["image"]["id"] for row in every[20:25]]
    monkeypatch.setattr(guess_pages, "MOST_LOOKED_AT", 10)
    page = guesses(api, project, limit=5)
    assert page["results"] == [] and page["next"]  # not the end of the list
    assert len([key for page in pages(api, project, limit=5) for key in ids(page)]) == 20


def test_an_offset_leads_to_pages_by_cursor(api, project, fresh, keeper):
    work()
    whole = ids(guesses(api, project))
    page = guesses(api, project, offset=30, limit=5)
    assert ids(page) == whole[30:35] and "offset" not in page["next"]
    assert ids(page_after(api, page)) == whole[35:] and page_after(api, page)["next"] is None


@pytest.mark.parametrize("cursor", ["x", "e30", "bnVsbA", "W10", "eyJpZCI6IngiLCJ2YWx1ZSI6MX0", "é"])
def test_what_is_no_cursor(api, project, cursor):
    answer = api.get(f"/api/v1/projects/{project.pk}/live-model/guesses/", {"cursor": cursor})
    assert answer.status_code == 404 and answer.json()["errors"][0]["detail"] == "Invalid cursor."


@pytest.mark.parametrize("value", [None, True, -1, 10_001, "0.5", 0.5, float("nan"), [1]])
def test_a_confidence_that_cannot_be(api, project, value):
    cursor = guess_pages.encode_cursor("01a22140-d0ef-73dd-a94e-1bf92535dd4b", value)
    answer = api.get(f"/api/v1/projects/{project.pk}/live-model/guesses/", {"cursor": cursor})
    assert answer.status_code == 404


def test_a_cursor_and_an_offset(api, project):
    answer = api.get(f"/api/v1/projects/{project.pk}/live-model/guesses/", {"cursor": "x", "offset": 0})
    assert answer.status_code == 400 and answer.json()["errors"][0]["attr"] == "offset"


def test_images_in_the_trash_are_not_counted_as_compared(api, project, fresh, keeper):
    work()
    api.delete(f"/api/v1/datasets/{fresh['id']}/")
    now = status(api, project)
    assert (now["images"], now["embedded"]) == (120, 120)
    lost = store_of(project, embedders.embedder_for(project)).folder / "ids.bin"
    lost.write_bytes(lost.read_bytes()[: 100 * 16])  # of 120 and 40 in the trash, 60 are lost
    assert status(api, project)["embedded"] < 120
    there = api.get(f"/api/v1/projects/{project.pk}/map/").json()
    assert there["embedded"] == status(api, project)["embedded"]


def test_what_has_features_is_not_counted_each_time(api, project, fresh, keeper, monkeypatch):
    work()
    counted = []
    ids_in = stores.ids_in
    monkeypatch.setattr(stores, "ids_in", lambda project: counted.append(1) or ids_in(project))
    for _ in range(3):
        assert status(api, project)["embedded"] == 160
    assert len(counted) <= 1
    api.delete(f"/api/v1/datasets/{fresh['id']}/")
    assert status(api, project)["embedded"] == 120
    monkeypatch.setattr(stores, "MANY_IMAGES", 0)  # of so many a few more or less wait for some seconds
    add(api, api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "more"}).json(), 2)
    assert (status(api, project)["images"], status(api, project)["embedded"]) == (122, 120)
