"""Images with none to many labels: annotating, bulk changes, imports, exports and snapshots."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter

import numpy as np
import pytest

from datasets.grouping import Candidate
from datasets.models import Annotation, Image, SnapshotImage
from datasets.splits import assign_splits
from datasets.stratification import LabelledGroup, stratified_splits
from projects.changes.models import Change
from projects.models import Task
from projects.services import create_project
from tests.conftest import upload
from tests.pictures import jpeg, make_zip
from tests.test_boxes import export
from tests.test_imports import run_import

API = "/api/v1"
FRACTIONS = {"train": 0.7, "validation": 0.15, "test": 0.15}


def test_tasks_say_what_an_image_may_have():
    assert [task.has_boxes for task in Task] == [False, False, True]
    assert [task.has_single_labels for task in Task] == [True, False, False]
    assert [task.can_be_empty for task in Task] == [False, True, True]


@pytest.fixture
def cells(owner, api) -> dict:
    project = create_project(user=owner, name="cells", task="multilabel")
    dataset = api.post(f"{API}/datasets/", {"project": str(project.pk), "name": "d"}).json()
    labels = {n: api.post(f"{API}/projects/{project.pk}/labels/", {"name": n}).json()["id"] for n in ("red", "white")}
    images = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(3)])["created"]
    return {"project": project, "dataset": dataset, "labels": labels, "images": [image["id"] for image in images]}


def put(api, cells: dict, number: int, *names: str):
    rows = [{"label": cells["labels"][name]} for name in names]
    return api.put(f"{API}/images/{cells['images'][number]}/annotations/", rows)


def names_of(image: str) -> set[str]:
    return set(Annotation.objects.filter(image=image, confirmed=True).values_list("label__name", flat=True))


def facts(api, cells: dict) -> dict:
    return api.get(f"{API}/datasets/{cells['dataset']['id']}/statistics/").json()


def bulk(api, cells: dict, **change):
    body = {"images": cells["images"][:2], **change}
    return api.post(f"{API}/images/bulk/", body)


@pytest.mark.django_db
class TestAnnotating:
    def test_an_image_has_several_labels_each_once(self, api, cells):
        answer = put(api, cells, 0, "red", "white", "red")
        assert answer.status_code == 200, answer.json()
        assert names_of(cells["images"][0]) == {"red", "white"}
        assert Annotation.objects.filter(image=cells["images"][0]).count() == 2

    def test_a_label_that_is_there_can_be_added_again(self, api, cells):
        put(api, cells, 0, "red")
        url = f"{API}/images/{cells['images'][0]}/annotations/"
        answer = api.patch(url, {"add": [{"label": cells["labels"]["red"]}, {"label": cells["labels"]["white"]}]})
        assert answer.status_code == 200, answer.json()
        assert names_of(cells["images"][0]) == {"red", "white"}

    def test_adding_what_a_model_suggests_confirms_it(self, api, cells):
        row = Annotation.objects.create(
            image_id=cells["images"][0], label_id=cells["labels"]["red"], origin="model", score=0.8, confirmed=False
        )
        url = f"{API}/images/{cells['images'][0]}/annotations/"
        assert api.patch(url, {"add": [{"label": cells["labels"]["red"]}]}).status_code == 200
        row.refresh_from_db()
        assert row.confirmed and Image.objects.get(pk=cells["images"][0]).reviewed

    def test_a_box_is_refused(self, api, cells):
        rows = [{"label": cells["labels"]["red"], "box": [0, 0, 5, 5]}]
        answer = api.put(f"{API}/images/{cells['images'][0]}/annotations/", rows)
        assert answer.status_code == 400 and "no boxes" in str(answer.json())

    def test_no_labels_of_an_image_that_was_looked_at_are_an_answer(self, api, cells):
        assert put(api, cells, 0).status_code == 200
        image = Image.objects.get(pk=cells["images"][0])
        assert image.reviewed and not names_of(str(image.pk))
        listed = api.get(f"{API}/images/", {"dataset": cells["dataset"]["id"], "annotated": "true"}).json()
        assert [row["id"] for row in listed["results"]] == [cells["images"][0]]

    def test_it_is_undone_with_all_labels(self, api, owner, cells):
        put(api, cells, 0, "red", "white")
        put(api, cells, 0)
        change = Change.objects.filter(project=cells["project"]).latest("changed_at")
        assert api.post(f"{API}/changes/{change.pk}/undo/").status_code == 200
        assert names_of(cells["images"][0]) == {"red", "white"}


@pytest.mark.django_db
class TestManyAtOnce:
    def test_a_label_is_added_beside_others(self, api, cells):
        put(api, cells, 0, "red")
        answer = bulk(api, cells, action="label", label="white").json()
        assert answer == {"changed": 2, "unchanged": 0} or answer["changed"] == 2
        assert names_of(cells["images"][0]) == {"red", "white"} and names_of(cells["images"][1]) == {"white"}
        assert bulk(api, cells, action="label", label="white").json()["changed"] == 0

    def test_a_label_is_taken_away_and_the_others_stay(self, api, cells):
        put(api, cells, 0, "red", "white")
        put(api, cells, 1, "white")
        assert bulk(api, cells, action="remove_label", label="white").json()["changed"] == 2
        assert names_of(cells["images"][0]) == {"red"} and names_of(cells["images"][1]) == set()
        assert Image.objects.get(pk=cells["images"][1]).reviewed

    def test_none_of_the_labels_is_said_of_many(self, api, cells):
        put(api, cells, 0, "red")
        assert bulk(api, cells, action="set_empty").json()["changed"] == 2
        assert not Annotation.objects.filter(image__in=cells["images"]).exists()
        assert Image.objects.filter(pk__in=cells["images"], reviewed=True).count() == 2
        assert bulk(api, cells, action="unlabel").json()["changed"] == 2
        assert not Image.objects.filter(pk__in=cells["images"], reviewed=True).exists()

    def test_just_these_labels_are_said_of_many(self, api, cells):
        put(api, cells, 0, "red")
        Annotation.objects.create(
            image_id=cells["images"][1], label_id=cells["labels"]["white"], origin="model", score=0.8, confirmed=False
        )
        answer = bulk(api, cells, action="set_labels", labels=["white", cells["labels"]["white"]])
        assert answer.json() == {"changed": 2, "unchanged": 0}
        assert [names_of(image) for image in cells["images"][:2]] == [{"white"}, {"white"}]
        assert Annotation.objects.filter(image__in=cells["images"]).count() == 2
        assert bulk(api, cells, action="set_labels", labels=["white"]).json()["changed"] == 0
        assert api.post(f"{API}/changes/{answer['X-Change']}/undo/").status_code == 200
        assert names_of(cells["images"][0]) == {"red"} and not Image.objects.get(pk=cells["images"][1]).reviewed
        assert bulk(api, cells, action="set_labels", labels=[]).json()["changed"] == 2
        for body in ({}, {"labels": ["black"]}, {"labels": "white"}):
            assert bulk(api, cells, action="set_labels", **body).status_code == 400

    def test_other_tasks_refuse_what_only_several_labels_have(self, api, owner):
        project = create_project(user=owner, name="p", task="classification")
        dataset = api.post(f"{API}/datasets/", {"project": str(project.pk), "name": "d"}).json()
        (image,) = upload(api, dataset, [("a.jpg", jpeg(9))])["created"]
        answer = api.post(f"{API}/images/bulk/", {"images": [image["id"]], "action": "set_empty"})
        assert answer.status_code == 400

    def test_labels_that_become_one_are_there_once(self, api, cells):
        put(api, cells, 0, "red", "white")
        url = f"{API}/projects/{cells['project'].pk}/labels/{cells['labels']['white']}/"
        answer = api.post(f"{url}merge/", {"into": cells["labels"]["red"]})
        assert answer.status_code in (200, 202), answer.content
        assert Annotation.objects.filter(image=cells["images"][0]).count() == 1


def imported(api, cells: dict, files: dict[str, bytes]) -> dict:
    job = run_import(api, cells["dataset"], make_zip(files))
    assert job["state"] == "succeeded", job
    return job["result"]


def labels_by_name(cells: dict) -> dict[str, set[str] | None]:
    """None: nobody has labelled it."""
    images = Image.objects.filter(dataset=cells["dataset"]["id"])
    return {row.filename: names_of(str(row.pk)) if row.reviewed else None for row in images}


@pytest.mark.django_db
class TestImports:
    def test_a_table_with_a_column_for_each_label(self, api, cells):
        table = b"filename,red,white\na.jpg,1,1\nb.jpg,0,0\nc.jpg,0,1\n"
        imported(api, cells, {"a.jpg": jpeg(11), "b.jpg": jpeg(12), "c.jpg": jpeg(13), "labels.csv": table})
        found = labels_by_name(cells)
        assert (found["a.jpg"], found["b.jpg"], found["c.jpg"]) == ({"red", "white"}, set(), {"white"})

    def test_what_the_table_calls_unlabelled_is_open(self, api, cells):
        table = b"filename,red,Unlabeled\na.jpg,1,0\nb.jpg,0,1\n"
        imported(api, cells, {"a.jpg": jpeg(11), "b.jpg": jpeg(12), "labels.csv": table})
        assert labels_by_name(cells)["b.jpg"] is None

    def test_folders_of_one_image_are_joined(self, api, cells):
        result = imported(api, cells, {"red/a.jpg": jpeg(11), "white/b.jpg": jpeg(11), "white/c.jpg": jpeg(12)})
        found = labels_by_name(cells)
        assert {"red", "white"} in found.values() and found["c.jpg"] == {"white"}
        assert "several_labels" not in result["rejected_by_code"]

    def test_coco_without_boxes(self, api, cells):
        document = {
            "images": [{"id": n, "file_name": f"{name}.jpg", "width": 64, "height": 48} for n, name in enumerate("ab")],
            "categories": [{"id": 1, "name": "red"}, {"id": 2, "name": "white"}],
            "annotations": [{"id": 1, "image_id": 0, "category_id": 1}, {"id": 2, "image_id": 0, "category_id": 2}],
        }
        files = {"a.jpg": jpeg(11), "b.jpg": jpeg(12), "labels.json": json.dumps(document).encode()}
        imported(api, cells, files)
        assert labels_by_name(cells)["a.jpg"] == {"red", "white"}

    def test_boxes_become_labels_of_their_image(self, api, cells):
        table = b"a.jpg,1,1,20,20,red\na.jpg,2,2,30,30,red\na.jpg,5,5,30,30,white\nb.jpg,,,,,\n"
        result = imported(api, cells, {"a.jpg": jpeg(11), "b.jpg": jpeg(12), "annotations.csv": table})
        found = labels_by_name(cells)
        assert found["a.jpg"] == {"red", "white"} and found["b.jpg"] == set()
        assert result["remarks_by_code"]["boxes_as_labels"] == 1

    def test_a_detection_project_learns_nothing_from_a_table_of_labels(self, api, owner, cells):
        project = create_project(user=owner, name="boxes", task="detection")
        dataset = api.post(f"{API}/datasets/", {"project": str(project.pk), "name": "d"}).json()
        table = b"filename,red,white\na.jpg,1,1\nb.jpg,0,0\n"
        imported(api, {"dataset": dataset}, {"a.jpg": jpeg(11), "b.jpg": jpeg(12), "labels.csv": table})
        assert not Image.objects.filter(dataset=dataset["id"], reviewed=True).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("format", ["csv_one_hot", "label_studio", "datumaro"])
def test_an_export_is_read_as_it_was(api, owner, cells, format):
    put(api, cells, 0, "red", "white")
    put(api, cells, 1)
    content = export(api, cells["dataset"], format)
    again = api.post(f"{API}/datasets/", {"project": str(cells["project"].pk), "name": "again"}).json()
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        imported(api, {"dataset": again}, {name: file.read(name) for name in file.namelist()})
    found = labels_by_name({"dataset": again})
    assert found["0.jpg"] == {"red", "white"} and found["2.jpg"] is None
    assert found["1.jpg"] == set()


@pytest.mark.django_db
def test_a_snapshot_has_every_label_and_images_with_none(api, owner, cells):
    put(api, cells, 0, "red", "white")
    put(api, cells, 1)
    answer = api.post(f"{API}/datasets/{cells['dataset']['id']}/snapshots/", {})
    assert answer.status_code in (200, 201), answer.json()
    rows = SnapshotImage.objects.filter(snapshot=answer.json()["id"])
    assert sorted(len(row.annotations) for row in rows) == [0, 2]
    assert answer.json()["counts"]["empty_images"] == 1


def drawn_groups(count: int, seed: int) -> list[LabelledGroup]:
    generator = np.random.default_rng(seed)
    shares = {"a": 0.6, "b": 0.3, "c": 0.05, "d": 0.02}
    return [
        LabelledGroup(
            n, str(generator.random()), 1, {k: 1 for k, share in shares.items() if generator.random() < share}
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_each_label_has_its_share_of_every_split(seed):
    groups = drawn_groups(400, seed)
    splits = stratified_splits(groups, FRACTIONS)
    assert set(splits) == set(range(400))
    sizes = Counter(splits.values())
    for split, share in FRACTIONS.items():
        assert abs(sizes[split] - share * 400) <= 8
        for name in "abcd":
            total = sum(name in group.labels for group in groups)
            here = sum(name in group.labels and splits[group.key] == split for group in groups)
            assert abs(here - share * total) <= max(2.0, 0.1 * share * total), (name, split)


def test_what_was_chosen_stays_and_the_rest_makes_up_for_it():
    groups = [LabelledGroup(n, str(n), 1, {"a": 1}, "train" if n < 80 else None) for n in range(100)]
    splits = stratified_splits(groups, FRACTIONS)
    assert all(splits[n] == "train" for n in range(80))
    assert Counter(splits[n] for n in range(80, 100)) == {"validation": 10, "test": 10}


def test_groups_are_not_parted_and_labels_are_stratified():
    labels = [("a", "b") if n % 10 == 0 else ("a",) if n % 2 else () for n in range(200)]
    candidates = [Candidate(str(n), f"{n:064x}", "", group=f"g{n // 2}" if n < 20 else "") for n in range(200)]
    splits, _ = assign_splits(candidates, FRACTIONS, 1, "off", labels=labels)
    assert all(splits[n] == splits[n + 1] for n in range(0, 20, 2))
    for split, share in FRACTIONS.items():
        here = sum("b" in labels[n] and splits[n] == split for n in range(200))
        assert abs(here - 20 * share) <= 1
