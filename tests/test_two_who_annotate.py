"""Somebody annotates an image between the moment at which something else looks at it and the one at which that writes:
no label is lost, none is one too many, and the history says what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from django.conf import settings
from django.db import connections, transaction

from datasets import ingest, label_removal, review
from datasets.gallery.keeping import settle
from datasets.models import Annotation, AnnotationChange, Image, Origin
from inference.serving import predicted_annotations as suggestions
from inference.serving.prediction import Prediction
from tests.conftest import client_of, upload
from tests.pictures import jpeg
from tests.studio import wait_for
from tests.test_two_writers import counts_are_true  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)]


@pytest.fixture
def annotate(owner, image, labels) -> Callable[[], int]:
    """Somebody says that the image is bad."""
    url = f"/api/v1/images/{image['id']}/annotations/"
    return lambda: client_of(owner).put(url, [{"label": "bad"}], format="json").status_code


@pytest.fixture
def meanwhile(annotate, monkeypatch) -> Iterator[Callable]:
    """`meanwhile(module, name)`: that happens after this function is called inside a transaction: at once where nothing
    holds the image, else when the transaction is over."""
    answers: list[int] = []

    def run() -> None:
        answers.append(annotate())
        connections.close_all()

    person = threading.Thread(target=run)

    def after(module, name: str) -> None:
        function = getattr(module, name)

        def called(*arguments, **options):
            result = function(*arguments, **options)
            if connections["default"].in_atomic_block and person.ident is None:
                person.start()
                person.join(2)  # where the image is held, it ends later
            return result

        monkeypatch.setattr(module, name, called)

    yield after
    person.join()
    assert answers == [200]


def settled(image: dict) -> list[tuple]:
    """The annotations, once the history was compared: each change begins with what the one before has left."""
    wait_for(lambda: AnnotationChange.objects.filter(image=image["id"]).count() > 1, 60)
    rows = list(AnnotationChange.objects.filter(image=image["id"]).order_by("id"))
    assert [row.revision for row in rows] == list(range(1, Image.objects.get(pk=image["id"]).revision + 1))
    assert all(later.before == earlier.after for earlier, later in pairwise(rows))
    return list(Annotation.objects.filter(image=image["id"]).values_list("label__name", "confirmed"))


def suggestion_of(image: dict, labels: dict) -> Annotation:
    row = Annotation.objects.create(
        image_id=image["id"], label_id=labels["good"]["id"], origin=Origin.MODEL, confirmed=False, score=0.7
    )
    with transaction.atomic():
        settle([image["id"]])
    return row


def test_the_same_file_is_sent_with_a_label(api, dataset, image, meanwhile):
    meanwhile(ingest, "_known_images")
    upload(api, dataset, [("again.jpg", jpeg(1))], label="good")
    assert settled(image) == [("bad", True)]


def test_a_model_suggests(project, image, labels, meanwhile):
    marks = [{"label": "good", "score": 0.6}]
    model = type("M", (), {"task": "classification"})()
    meanwhile(suggestions, "ensure_labels")
    prediction = (Image.objects.get(pk=image["id"]), Prediction("one.jpg", 48, 32, marks, marks))
    suggestions.store_suggestions(project=project, model=model, predictions=[prediction])
    assert settled(image) == [("bad", True)]


def test_a_suggestion_is_confirmed(api, image, labels, meanwhile):
    row = suggestion_of(image, labels)
    meanwhile(review, "marks_by_image")
    assert api.post("/api/v1/annotations/review/", {"confirm": [str(row.pk)]}).status_code == 200
    assert settled(image) == [("bad", True)]


def test_a_label_is_deleted_with_its_images(api, project, image, labels, annotate, monkeypatch):
    """Who annotates one of them first keeps it; who comes later is told that it is gone."""
    answers: list[int] = []

    def run() -> None:
        answers.append(annotate())
        connections.close_all()

    def somebody_annotates() -> bool:
        person.start()
        person.join(2)
        return False

    person = threading.Thread(target=run)
    monkeypatch.setattr(label_removal, "keeps_deleted", somebody_annotates)
    api.put(f"/api/v1/images/{image['id']}/annotations/", [{"label": "good"}], format="json")
    address = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/?images=delete"
    assert api.delete(address).status_code in (200, 202, 204)
    person.join()
    assert answers == [200 if Image.objects.filter(pk=image["id"], dataset__project=project).exists() else 404]


class TestAllThatWait:
    """What somebody has decided about since the suggestions were looked up waits no more."""

    @pytest.fixture
    def in_between(self, annotate, monkeypatch) -> None:
        parts = review.in_parts

        def after_somebody(items):
            assert annotate() == 200
            return parts(items)

        monkeypatch.setattr(review, "in_parts", after_somebody)

    @pytest.fixture
    def corrected(self, image, labels) -> Annotation:
        """The suggestion keeps its key and becomes a person's own."""
        return suggestion_of(image, labels)

    @pytest.fixture
    def annotate(self, owner, image, corrected, labels) -> Callable[[], int]:
        body = {"change": [{"id": str(corrected.pk), "label": "bad"}]}
        url = f"/api/v1/images/{image['id']}/annotations/"
        return lambda: client_of(owner).patch(url, body, format="json").status_code

    @pytest.mark.parametrize("decision", ["confirm", "reject"])
    def test_of_a_filter(self, api, project, image, corrected, in_between, decision):
        body = {"filter": {"project": str(project.pk)}, "decision": decision}
        answer = api.post("/api/v1/annotations/review/", body, format="json").json()
        assert answer == {"confirmed": 0, "corrected": 0, "rejected": 0, "left": 0}
        self._is_untouched(image, corrected)

    @pytest.mark.parametrize("action", ["confirm", "reject"])
    def test_of_chosen_images(self, api, image, corrected, in_between, action):
        answer = api.post("/api/v1/images/bulk/", {"images": [image["id"]], "action": action}, format="json")
        assert answer.json() == {"changed": 0, "unchanged": 1}
        self._is_untouched(image, corrected)

    def _is_untouched(self, image: dict, corrected: Annotation) -> None:
        row = Annotation.objects.select_related("label").get(pk=corrected.pk)
        assert (row.label.name, row.confirmed, row.origin) == ("bad", True, Origin.HUMAN)
        assert AnnotationChange.objects.count() == Image.objects.get(pk=image["id"]).revision == 1
