"""Keys as the database has them: read, compared and written without a UUID for each."""

from __future__ import annotations

import cProfile
import pstats
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection

from datasets.history import marks_by_image, reviewed_by_image
from datasets.models import Annotation, AnnotationChange, Image, Label
from projects.changes.models import Change, RowChange
from storage.inserting import insert_many
from storage.stored_keys import Among, stored_key, stored_keys, stored_rows, written
from storage.updating import update_many
from tests.conftest import upload
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("keys as they are stored")]
API = "/api/v1"


@pytest.fixture
def images(api, dataset, labels) -> list[Image]:
    made = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)], label="good")["created"]
    return list(Image.objects.filter(pk__in=[one["id"] for one in made]).order_by("pk"))


def test_every_form_of_a_key_is_stored_alike(db):
    key = uuid.UUID("0198c0de-0000-7000-8000-00000000000a")
    forms = [key, str(key), key.hex, str(key).upper(), stored_key(key)]
    assert stored_keys(forms) == [stored_key(key)] * len(forms)
    assert stored_keys([None]) == [None]
    assert written(stored_key(key)) == str(key)


def test_rows_are_found_by_stored_keys_alone(images):
    rows = stored_rows(Image.objects.order_by("pk").values_list("pk", "dataset", "reviewed", "filename"))
    assert rows == [(stored_key(row.pk), stored_key(row.dataset_id), True, row.filename) for row in images]
    some = stored_keys(row.pk for row in images[1:3])
    assert list(Image.objects.filter(Among("pk", some)).order_by("pk")) == images[1:3]
    assert set(Image.objects.exclude(Among("pk", some))) == {images[0], images[3]}
    assert {row.image for row in Annotation.objects.filter(Among("image", some))} == set(images[1:3])
    assert not Image.objects.filter(Among("pk", [])).exists()


def test_numbers_are_found_as_well(api, images):
    api.post(f"{API}/images/bulk/", {"images": [str(row.pk) for row in images], "action": "unlabel"})
    numbers = list(AnnotationChange.objects.values_list("pk", flat=True))
    assert len(numbers) == 4 and AnnotationChange.objects.filter(Among("pk", numbers[:3])).count() == 3


def test_rows_get_values_of_their_own(images, labels):
    bad = labels["bad"]["id"]
    rows = list(Annotation.objects.order_by("pk"))
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    update_many(
        Annotation, ("label", "score", "created_at"), [(bad, n / 8, moment, row.pk) for n, row in enumerate(rows)]
    )
    found = Annotation.objects.order_by("pk").values_list("label", "score", "created_at", "origin")
    assert list(found) == [(uuid.UUID(bad), n / 8, moment, row.origin) for n, row in enumerate(rows)]
    update_many(Annotation, ("score",), [])


def test_one_dictionary_in_many_rows(api, images, project):
    change = Change.objects.create(project=project, action="split")
    same, nothing = {"split": None}, None
    rows = [(change.pk, "image", row.pk, same, nothing if n else {"n": [n, "ä"]}) for n, row in enumerate(images)]
    insert_many(RowChange, ("change", "kind", "row", "before", "after"), rows)
    made = RowChange.objects.filter(change=change).order_by("pk")
    assert [(row.row, row.before, row.after) for row in made] == [row[2:] for row in rows]
    assert made.filter(after__isnull=True).count() == 3


def test_what_is_known_of_images_has_the_keys_that_were_given(images):
    for form in (lambda pk: pk, str, lambda pk: pk.hex):
        pks, gone = [form(row.pk) for row in images], form(uuid.UUID(int=7))
        marks, reviewed = marks_by_image([*pks, gone]), reviewed_by_image([*pks, gone])
        assert [len(marks[pk]) for pk in pks] == [1, 1, 1, 1] and marks[gone] == []
        assert [reviewed[pk] for pk in pks] == [True] * 4 and reviewed[gone] is None


def test_the_history_has_moments_with_their_zone_and_keys_with_hyphens(api, images):
    row = Annotation.objects.get(image=images[0])
    api.post(f"{API}/images/bulk/", {"images": [str(images[0].pk)], "action": "label", "label": "bad"})
    change = AnnotationChange.objects.get(image=images[0])
    (before,) = change.before
    assert datetime.fromisoformat(before["created_at"]) == row.created_at
    assert (before["id"], before["label_id"]) == (str(row.pk), str(row.label_id))
    assert Label.objects.get(pk=change.after[0]["label_id"]).name == "bad"


def calls(function) -> int:
    """How many functions of Python it calls: what it costs, whatever else the machine does."""
    profile = cProfile.Profile()
    profile.runcall(function)
    return pstats.Stats(profile).total_calls  # type: ignore[attr-defined]


def test_an_image_more_costs_little(api, dataset, labels):
    """With a UUID made of each key that is read, labelling took some 1,000 calls an image, and undoing 6,000."""
    if connection.vendor != "sqlite":
        pytest.skip("The client of PostgreSQL calls functions of its own for each value.")
    files = [(f"{n}.jpg", jpeg(n)) for n in range(90)]
    made = [one["id"] for one in upload(api, dataset, files, label="good")["created"]]

    def label(pks: list) -> tuple[int, int]:
        body = {"images": pks, "action": "label", "label": "bad"}
        answers: list = []
        spent = calls(lambda: answers.append(api.post(f"{API}/images/bulk/", body, format="json")))
        assert answers[0].json()["changed"] == len(pks)
        undone = calls(lambda: answers.append(api.post(f"{API}/changes/{answers[0]['X-Change']}/undo/")))
        assert answers[1].status_code == 200
        return spent, undone

    label(made[:5])  # what is made once
    few, many = label(made[5:15]), label(made[15:])
    assert many[0] - few[0] < 65 * 400
    assert many[1] - few[1] < 65 * 1_000
