"""An undo of very many rows is several transactions: broken off between two of them, it can be finished."""

from __future__ import annotations

import pytest

from datasets import undoing
from datasets.models import Annotation, Image
from mlstudio.counts import correct_counts
from projects.changes import undoing as changes
from projects.changes.models import Change
from tests.conftest import upload
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("changes that are taken back")]
API = "/api/v1"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch) -> None:
    monkeypatch.setattr(changes, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(changes, "CHUNK", 2)


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(6)])["created"]


def bulk(api, images, **action) -> str:
    answer = api.post(f"{API}/images/bulk/", {"images": [one["id"] for one in images], **action}, format="json")
    return answer["X-Change"]


def undo(api, change: str):
    return api.post(f"{API}/changes/{change}/undo/")


def break_off(api, monkeypatch, change: str, method: str, *, of=undoing) -> None:
    """The process dies before the second part."""
    real, calls = getattr(of, method), []

    def dies(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(of, method, dies)
        assert undo(api, change).status_code == 500


def test_the_same_request_again_finishes_it(api, project, images, monkeypatch):
    change = bulk(api, images, action="label", label="good")
    break_off(api, monkeypatch, change, "_restore")
    assert Annotation.objects.count() == 4
    finished = undo(api, change)
    assert (finished.status_code, finished.json()["rows"]) == (200, 6)
    assert (Annotation.objects.count(), correct_counts()) == (0, 0)
    assert Change.objects.filter(undo_of=change).count() == 1
    again = undo(api, change)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "already_undone")
    assert undo(api, finished.json()["id"]).status_code == 200  # all of it is done again
    assert Annotation.objects.count() == 6


def test_what_somebody_changed_in_the_middle_stops_it_until_that_is_taken_back(api, project, images, monkeypatch):
    change = bulk(api, images, action="label", label="good")
    break_off(api, monkeypatch, change, "_restore")
    left = str(Annotation.objects.order_by("id").last().image_id)
    between = api.put(f"{API}/images/{left}/annotations/", [{"label": "bad"}], format="json")["X-Change"]
    refused = undo(api, change)
    assert (refused.status_code, refused.json()["changed"][0]["id"]) == (409, left)
    assert undo(api, between).status_code == 200
    assert undo(api, change).status_code == 200 and Annotation.objects.count() == 0


def test_what_was_put_back_may_be_changed_before_the_rest(api, project, images, monkeypatch):
    """It is not put back a second time."""
    change = bulk(api, images, action="label", label="good")
    break_off(api, monkeypatch, change, "_restore")
    back = next(one["id"] for one in images if not Annotation.objects.filter(image=one["id"]).exists())
    api.put(f"{API}/images/{back}/annotations/", [{"label": "bad"}], format="json")
    assert undo(api, change).status_code == 200
    assert list(Annotation.objects.values_list("image", "label__name")) == [(Image.objects.get(pk=back).pk, "bad")]


def test_an_unfinished_one_can_be_taken_back_and_begun_again(api, project, images, monkeypatch):
    change = bulk(api, images, action="label", label="good")
    break_off(api, monkeypatch, change, "_restore")
    assert undo(api, str(Change.objects.get(undo_of=change).pk)).status_code == 200
    assert Annotation.objects.count() == 6
    assert undo(api, change).status_code == 200 and Annotation.objects.count() == 0


def test_fields_of_images_as_well(api, project, images, monkeypatch):
    change = bulk(api, images, action="split", split="test")
    break_off(api, monkeypatch, change, "_write", of=undoing.ImagesBack)
    for _ in range(2):
        finished = undo(api, change)
    assert finished.json()["errors"][0]["code"] == "already_undone"
    assert not Image.objects.filter(split="test").exists() and correct_counts() == 0
