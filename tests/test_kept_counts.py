"""After any sequence of operations the kept fields and counts are those that computing them again gives."""

from __future__ import annotations

import random
import uuid
from collections import Counter

import pytest

from datasets.gallery import keeping
from datasets.gallery.codes import code_of
from datasets.gallery.keeping import FIELDS, settle
from datasets.models import ANY_LABEL, Annotation, FacetCount, Image, ImageLabel, Label, TrashedImages
from edge.feedback import _suggest
from inference.serving.predicted_annotations import store_suggestions
from inference.serving.prediction import Prediction
from mlstudio.counts import correct_counts
from projects.models import TrashEntry
from projects.services import create_project
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("kept counts after any operations")]
API = "/api/v1"


class World:
    """A project whose operations are chosen by chance."""

    def __init__(self, user, task: str, seed: int) -> None:
        self.random, self.user, self.api = random.Random(seed), user, client_of(user)
        self.changes: list[str] = []  # that may be taken back: not those that make the datasets
        self.project = create_project(user=user, name="p", task=task)
        self.datasets = [self.ok("post", "/datasets/", {"project": str(self.project.pk), "name": n}) for n in "ab"]
        for name in "xyz":
            self.ok("post", f"/projects/{self.project.pk}/labels/", {"name": name})
        self.made = seed * 1000
        self.changes = []
        self.add()

    def ok(self, method: str, path: str, body=None, allowed=(200, 201, 204)):
        answer = getattr(self.api, method)(f"{API}{path}", body, format="json")
        assert answer.status_code in allowed, (path, body, answer.content)
        self.changes += [answer["X-Change"]] if "X-Change" in answer else []
        return answer.json() if answer.content else None

    def labels(self):
        return Label.objects.filter(project=self.project).order_by("id")

    def images(self):
        return Image.objects.filter(dataset__project=self.project).order_by("id")

    def some(self) -> list[str]:
        pks = [str(pk) for pk in self.images().values_list("pk", flat=True)]
        return self.random.sample(pks, min(len(pks), self.random.randint(1, 4)))

    def label(self) -> str:
        return self.random.choice(list(self.labels().values_list("name", flat=True)))

    def dataset(self) -> dict:
        gone = {str(pk) for pk in self.trashed().values_list("target", flat=True)}
        return self.random.choice([one for one in self.datasets if one["id"] not in gone])

    def trashed(self):
        return TrashEntry.objects.filter(project=self.project, kind="dataset", is_empty=False)

    def add(self) -> None:
        self.made += 5
        files = [(f"{self.made + n}.jpg", jpeg(self.made + n)) for n in range(5)]
        options = {"split": self.random.choice(["train", "test"])} if self.random.random() < 0.5 else {}
        upload(self.api, self.dataset(), files, **options)

    def annotate(self) -> None:
        (image,) = self.some()[:1]
        if self.project.task == "detection":
            count = self.random.randint(0, 3)
            marks = [{"label": self.label(), "box": [n, 1, n + 10, 12]} for n in range(count)]
        else:
            marks = [{"label": self.label()}] * self.random.randint(0, 1)
        self.ok("put", f"/images/{image}/annotations/", marks)

    def suggest(self) -> None:
        rows = list(Image.objects.filter(pk__in=self.some()))
        marks = [{"label": self.label(), "score": round(self.random.random(), 2), "box": [1, 1, 9, 9]}]
        one = Prediction("a.jpg", 48, 32, marks, marks)
        model = type("M", (), {"task": self.project.task})()
        store_suggestions(project=self.project, model=model, predictions=[(row, one) for row in rows], user=self.user)

    def review(self) -> None:
        pks = [
            str(pk)
            for pk in Annotation.objects.filter(confirmed=False, image__in=self.images()).values_list("pk", flat=True)
        ]
        if pks:
            self.ok("post", "/annotations/review/", {"confirm": pks[::2], "reject": pks[1::2]})

    def bulk(self) -> None:
        choices: list[dict] = [
            {"action": "split", "split": self.random.choice(["train", "validation", None])},
            {"action": "move", "dataset": self.dataset()["id"]},
            {"action": "unlabel"},
            {"action": "confirm"},
            {"action": "reject"},
            {"action": "group", "group": "g"},
        ]
        if self.project.task == "classification":
            choices.append({"action": "label", "label": self.label()})
        self.ok("post", "/images/bulk/", {"images": self.some(), **self.random.choice(choices)})

    def patch(self) -> None:
        (image,) = self.some()[:1]
        self.ok("patch", f"/images/{image}/", {"split": self.random.choice(["test", None]), "filename": "new.jpg"})

    def delete(self) -> None:
        self.ok("post", "/images/bulk/", {"images": self.some()[:1], "action": "delete"})

    def remove_label(self) -> None:
        label, other = self.random.sample(list(self.labels()), 2)
        how = self.random.choice(["unlabel", "delete", f"move&move_to={other.pk}"])
        self.ok("delete", f"/projects/{self.project.pk}/labels/{label.pk}/?images={how}")
        self.ok("post", f"/projects/{self.project.pk}/labels/", {"name": f"l{self.random.random()}"})

    def trash(self) -> None:
        """A whole dataset goes there: its images name the project all the while, whatever happens to them there."""
        if not self.trashed():
            self.ok("delete", f"/datasets/{self.dataset()['id']}/")
            self.changes.pop()  # `restore` takes it back

    def restore(self) -> None:
        for entry in self.trashed():
            self.ok("post", f"/trash/{entry.pk}/restore/")
            self.changes.pop()

    def undo(self) -> None:
        """Of one of the latest changes; what was changed again since stays."""
        if self.changes:
            self.ok("post", f"/changes/{self.random.choice(self.changes[-3:])}/undo/", allowed=(200, 404, 409))

    def step(self) -> None:
        if self.images().count() < 4:
            self.add()
        operations = [
            self.add,
            self.annotate,
            self.annotate,
            self.suggest,
            self.review,
            self.bulk,
            self.bulk,
            self.patch,
            self.delete,
            self.remove_label,
            self.undo,
            self.undo,
            self.trash,
            self.restore,
        ]
        self.random.choice(operations)()


def kept() -> tuple:
    images = {row[0]: row[1:] for row in Image.objects.values_list("pk", *FIELDS)}
    labels = set(ImageLabel.objects.values_list("image", "label", "dataset_key", "facets"))
    counts = {row[:3]: row[3] for row in FacetCount.objects.values_list("dataset", "label_key", "facets", "images")}
    return images, labels, {key: n for key, n in counts.items() if n}


def computed() -> tuple:
    """From nothing but images and annotations."""
    ImageLabel.objects.all().delete()
    FacetCount.objects.all().delete()
    Image.objects.update(facets=None, project_key=None, annotation_count=0, suggestion_count=0, lowest_score=0.5)
    settle(Image.objects.values_list("pk", flat=True))
    return kept()


def recounted() -> tuple:
    """As `kept`, row by row with nothing of what keeps them."""
    images, labels, counts = {}, set(), Counter[tuple]()
    for image in Image.objects.select_related("dataset__project").prefetch_related("annotations"):
        marks = list(image.annotations.all())
        waiting = [mark.score for mark in marks if not mark.confirmed]
        shows_nothing = image.reviewed and image.project.task == "detection"
        code = code_of(
            split=image.split,
            annotated=shows_nothing or len(waiting) < len(marks),
            reviewed=image.reviewed,
            suggested=bool(waiting),
            origins={mark.origin for mark in marks},
            image_format=image.format,
        )
        lowest = min([1.0, *(score for score in waiting if score is not None)])
        images[image.pk] = (code, _named(image), len(marks), len(waiting), lowest)
        carried = {mark.label_id for mark in marks}
        labels |= {(image.pk, label, image.dataset_id, code) for label in carried}
        counts.update((image.dataset_id, label, code) for label in (ANY_LABEL, *carried))
    return images, labels, dict(counts)


def _named(image: Image) -> uuid.UUID:
    """The project that the image names: the one that its dataset, as a whole in the trash, comes back to."""
    is_single = TrashedImages.objects.filter(dataset=image.dataset).exists()
    return image.project.pk if is_single else image.project.trash_of_id or image.project.pk


@pytest.mark.parametrize("task", ["classification", "detection"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_any_sequence_of_operations(owner, task, seed, monkeypatch):
    monkeypatch.setattr(keeping, "FEW", 8 if seed % 2 else 0)
    world = World(owner, task, seed)
    for _ in range(25):
        world.step()
        assert kept() == recounted()
    assert correct_counts() == 0
    assert kept() == computed()


@pytest.mark.parametrize("form", [lambda pk: pk, str, lambda pk: pk.hex, lambda pk: str(pk).upper()])
def test_keys_in_any_form(owner, form):
    world = World(owner, "classification", 5)
    for _ in range(4):
        world.annotate()
        world.suggest()
    Image.objects.update(facets=None, project_key=None, annotation_count=7, suggestion_count=0, lowest_score=0.5)
    ImageLabel.objects.all().delete()
    FacetCount.objects.all().delete()
    settle(form(pk) for pk in Image.objects.values_list("pk", flat=True))
    assert kept() == recounted()


def test_what_devices_send(api, project, dataset, labels, image):
    row = Image.objects.get(pk=image["id"])
    device = type("Device", (), {"project": project, "project_id": project.pk})()
    _suggest(row, device, [{"label": "good", "score": 0.5}], [])
    assert correct_counts() == 0 and kept() == computed()
    answer = api.get(f"{API}/images/?has_suggestions=true&offset=0").json()
    assert answer["total"] == 1 and uuid.UUID(answer["results"][0]["id"]) == row.pk


def test_the_migration_computes_the_same(owner):
    import importlib

    from django.apps import apps
    from django.db import connection

    for task in ("classification", "detection"):
        world = World(owner, task, 7)
        for _ in range(12):
            world.step()
        world.restore()
    before = kept()
    ImageLabel.objects.all().delete()
    FacetCount.objects.all().delete()
    Image.objects.update(facets=None, project_key=None, annotation_count=0, suggestion_count=0, lowest_score=0.5)
    migration = importlib.import_module("datasets.migrations.0008_fill_gallery")
    migration.fill(apps, type("Editor", (), {"connection": connection})())
    assert kept() == before
