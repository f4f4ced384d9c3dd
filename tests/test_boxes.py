"""Annotated archives in every format: read, reported, written, and read again as the same dataset."""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.examining import StagedImage, stage_image
from datasets.ingest import add_images
from datasets.labels import create_label
from datasets.models import Annotation, Dataset, Image, Label
from jobs import services as jobs
from projects.services import create_project
from tests.conftest import client_of
from tests.pictures import jpeg, make_zip
from tests.real_data import FOLDER
from tests.test_imports import report_of, run_import, start

pytestmark = pytest.mark.django_db
BOX_FORMATS = ("coco", "voc", "yolo", "csv")
PICTURE = jpeg(1, (100, 80))


@pytest.fixture
def boxes(owner):
    """A detection project with a dataset, as the API shows it."""
    return new_dataset(owner, "boxes")


def marks(rows: list[dict]) -> list[tuple]:
    """What the history says of annotations, without who made them."""
    return [(row["label"], row["box"]) for row in rows]


def new_dataset(user, name: str, task: str = "detection") -> dict:
    project = create_project(user=user, name=name, task=task)
    body = {"project": str(project.pk), "name": name}
    return client_of(user).post("/api/v1/datasets/", body).json()


def content_of(dataset: dict) -> dict:
    """sha256 → split, whether it was looked at, and its sorted (label, box); what must survive a round trip."""
    rows = Image.objects.filter(dataset=dataset["id"]).select_related("blob").prefetch_related("annotations__label")
    return {
        row.blob.sha256: (
            row.split,
            row.reviewed,
            sorted((one.label.name, list(one.box or ())) for one in row.annotations.all()),
        )
        for row in rows
    }


def export(api, dataset: dict, name: str) -> bytes:
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/exports/", {"format": name})
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    job = api.get(answer["Location"]).json()
    assert job["state"] == "succeeded", job
    response = api.get(job["result"]["download_url"])
    assert response["Content-Type"] == "application/zip"
    return b"".join(response.streaming_content)


# Reading

VOC = """<annotation><filename>{name}</filename><size><width>{width}</width><height>{height}</height></size>{objects}
</annotation>"""


def voc(*boxes, name="a.jpg", width=100, height=80) -> bytes:
    edges = ("xmin", "ymin", "xmax", "ymax")
    objects = "".join(
        f"<object><name>{label}</name><bndbox>"
        + "".join(f"<{edge}>{value}</{edge}>" for edge, value in zip(edges, box, strict=True))
        + "</bndbox></object>"
        for label, *box in boxes
    )
    return VOC.format(name=name, width=width, height=height, objects=objects).encode()


def coco(annotations, images=None, categories=None) -> bytes:
    return json.dumps(
        {
            "images": images or [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
            "categories": categories or [{"id": 7, "name": "cat"}],
            "annotations": annotations,
        }
    ).encode()


BOX = voc(("x", 1, 1, 9, 9))
GOOD = {
    "voc": {"JPEGImages/a.jpg": PICTURE, "Annotations/a.xml": voc(("cat", 10, 20, 50, 60))},
    "voc beside": {"a.jpg": PICTURE, "a.xml": voc(("cat", 10, 20, 50, 60), name="other.jpg")},
    "voc other case": {"0AF.jpg": PICTURE, "0af.xml": voc(("cat", 10, 20, 50, 60), name="x.jpg")},
    "coco": {
        "a.jpg": PICTURE,
        "_annotations.coco.json": coco([{"id": 1, "image_id": 1, "category_id": 7, "bbox": [10, 20, 40, 40]}]),
    },
    "coco in folders": {
        "images/a.jpg": PICTURE,
        "annotations/instances_x.json": coco([{"id": 1, "image_id": 1, "category_id": 7, "bbox": [10, 20, 40, 40]}]),
    },
    "yolo": {"images/a.jpg": PICTURE, "labels/a.txt": b"0 0.3 0.5 0.4 0.5\n", "data.yaml": b"names: [cat]\n"},
    "yolo names by number": {"a.jpg": PICTURE, "a.txt": b"3 .3 .5 .4 .5", "d.yaml": b"names: {3: cat}"},
    "yolo classes.txt": {"a.jpg": PICTURE, "a.txt": b"0 .3 .5 .4 .5 0.97", "classes.txt": b"cat\n"},
    "yolo outline": {"a.jpg": PICTURE, "a.txt": b"0 .1 .25 .5 .25 .5 .75 .1 .75", "classes.txt": b"cat\n"},
    "csv": {"images/a.jpg": PICTURE, "annotations.csv": b"images/a.jpg,10,20,50,60,cat\n", "classes.csv": b"cat,0\n"},
    "csv, absolute paths": {"a.jpg": PICTURE, "annotations.csv": b"/home/me/data/a.jpg,10,20,50,60,cat\n"},
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", GOOD)
@pytest.mark.any_database("what archives say")
def test_every_format_is_recognised_and_read(api, boxes, name):
    job = run_import(api, boxes, make_zip(GOOD[name]))
    assert job["state"] == "succeeded", job["error"]
    assert (job["result"]["format"], job["result"]["created"], job["result"]["boxes"]) == (
        name.split()[0].strip(","),
        1,
        1,
    )
    (annotation,) = Annotation.objects.all()
    assert annotation.label.name == "cat" and annotation.box == pytest.approx([10, 20, 50, 60])
    assert annotation.origin == "imported"


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        ({"train/a.jpg": 1, "valid/b.jpg": 2, "train/a.xml": BOX, "valid/b.xml": BOX}, ["train", "validation"]),
        (
            {
                "JPEGImages/a.jpg": 1,
                "JPEGImages/b c 1.jpg": 2,
                "Annotations/a.xml": BOX,
                "Annotations/b c 1.xml": BOX,
                "ImageSets/Main/train.txt": b"a\n",
                "ImageSets/Main/test.txt": b"b c 1\n",
                "ImageSets/Main/trainval.txt": b"a\n",
            },
            ["train", "test"],
        ),
    ],
)
def test_official_splits_are_kept(api, boxes, files, splits):
    made = {
        name: jpeg(what, (100, 80))
        if isinstance(what, int)
        else voc(("x", 1, 1, 9, 9))
        if isinstance(what, str)
        else what
        for name, what in files.items()
    }
    run_import(api, boxes, make_zip(made))
    assert list(Image.objects.order_by("filename").values_list("split", flat=True)) == splits


def test_an_image_with_an_empty_annotation_file_shows_nothing_and_one_without_is_unlabelled(api, boxes):
    files = {"a.jpg": jpeg(1), "b.jpg": jpeg(2), "a.txt": b"", "classes.txt": b"cat"}
    job = run_import(api, boxes, make_zip(files))
    assert dict(Image.objects.values_list("filename", "reviewed")) == {"a.jpg": True, "b.jpg": False}
    assert job["result"]["remarks_by_code"] == {"no_annotations": 1}
    assert [label.name for label in Label.objects.all()] == ["cat"]


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>
<annotation>&lol2;</annotation>"""
OUTSIDE_FILE = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<annotation><object><name>&x;</name></object></annotation>"""
ONE = {"id": 1, "image_id": 1, "category_id": 7}
REMARKS = [
    ("XML bomb", {"a.jpg": PICTURE, "a.xml": BOMB, "b.xml": voc(name="b.jpg")},
     {"forbidden_xml", "missing_image", "no_annotations"}),
    ("external entity", {"a.jpg": PICTURE, "a.xml": OUTSIDE_FILE}, {"forbidden_xml", "no_annotations"}),
    ("damaged XML", {"a.jpg": PICTURE, "a.xml": b"<annotation><object>"}, {"damaged_annotations", "no_annotations"}),
    ("no area", {"a.jpg": PICTURE, "a.xml": voc(("x", 10, 10, 10, 30))}, {"box_without_area"}),
    ("turned round", {"a.jpg": PICTURE, "a.xml": voc(("x", 30, 10, 10, 30))}, {"corners_swapped"}),
    ("beyond the border", {"a.jpg": PICTURE, "a.xml": voc(("x", -5, 10, 30, 90))}, {"box_clipped"}),
    ("outside", {"a.jpg": PICTURE, "a.xml": voc(("x", 200, 10, 300, 90))}, {"box_outside"}),
    ("wrong size", {"a.jpg": PICTURE, "a.xml": voc(("x", 1, 1, 9, 9), width=640)}, {"wrong_size"}),
    ("no number", {"a.jpg": PICTURE, "a.xml": voc(("x", "nan", 1, "inf", 9))}, {"box_not_finite"}),
    ("words", {"a.jpg": PICTURE, "a.xml": voc(("x", "left", 1, 5, 9))}, {"box_not_finite"}),
    ("no label", {"a.jpg": PICTURE, "a.xml": voc(("", 1, 1, 5, 9))}, {"incomplete_annotation"}),
    ("long label", {"a.jpg": PICTURE, "a.xml": voc(("x" * 101, 1, 1, 5, 9))}, {"bad_label"}),
    ("missing image", {"a.jpg": PICTURE, "a.xml": voc(), "b.xml": voc(name="b.jpg")}, {"missing_image"}),
    ("missing ids", {"a.jpg": PICTURE, "c.json": coco([{**ONE, "image_id": 9}, {**ONE, "category_id": 9}, {"id": 3}])},
     {"unknown_image", "unknown_label"}),
    ("NaN in JSON", {"a.jpg": PICTURE, "c.json": coco([{**ONE, "bbox": [float("nan"), 1, 2, 3]}])}, {"box_not_finite"}),
    ("negative size", {"a.jpg": PICTURE, "c.json": coco([{**ONE, "bbox": [50, 50, -20, 10]}])}, {"corners_swapped"}),
    ("no box", {"a.jpg": PICTURE, "c.json": coco([{**ONE, "bbox": [1, 2]}])}, {"incomplete_annotation"}),
    ("a crowd", {"a.jpg": PICTURE, "c.json": coco([{**ONE, "bbox": [1, 2, 3, 4], "iscrowd": 1}])}, {"crowd"}),
    ("nonsense in JSON",
     {"a.jpg": PICTURE, "c.json": coco([{**ONE, "bbox": "x"}, 5, None, {**ONE, "bbox": [None] * 4}])},
     {"incomplete_annotation", "box_not_finite", "unknown_image"}),
    ("an image twice", {"a.jpg": PICTURE, "c.json": coco([], images=[{"id": 1, "file_name": "a.jpg"},
     {"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "a.jpg"}, {"id": 3}])},
     {"incomplete_annotation"}),
    ("YOLO class", {"a.jpg": PICTURE, "a.txt": b"1 .5 .5 .1 .1\n-1 .5 .5 .1 .1\nx .5 .5 .1 .1", "classes.txt": b"cat"},
     {"unknown_label"}),
    ("YOLO values", {"a.jpg": PICTURE, "a.txt": b"0 .5 .5\n0 nan .5 .1 .1", "classes.txt": b"cat"},
     {"incomplete_annotation", "box_not_finite"}),
    ("CSV lines", {"a.jpg": PICTURE, "classes.csv": b"cat,0\nbad",
     "annotations.csv": b"a.jpg,1,1,9,9,cat\na.jpg,1\nb.jpg,1,1,9,9,cat\na.jpg,1,1,9,9,dog\n"},
     {"incomplete_annotation", "missing_image", "unknown_label"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "files", "codes"), REMARKS, ids=[one[0] for one in REMARKS])
@pytest.mark.any_database("what archives say")
def test_what_is_left_out_or_changed_is_reported(api, boxes, name, files, codes):
    job = run_import(api, boxes, make_zip(files))
    assert job["state"] == "succeeded", job["error"]
    assert set(job["result"]["remarks_by_code"]) == codes and job["result"]["created"] == 1
    rows = [row for row in report_of(api, job) if row["outcome"] == "remark"]
    assert {row["code"] for row in rows} == codes and all(row["filename"] and row["detail"] for row in rows)


def test_a_hundred_thousand_boxes_in_one_image(api, boxes):
    content = coco([{**ONE, "id": n, "bbox": [1, 2, 3, 4]} for n in range(100_000)])
    job = run_import(api, boxes, make_zip({"a.jpg": PICTURE, "c.json": content}))
    assert job["result"]["boxes"] == 10_000 == Annotation.objects.count()
    assert job["result"]["remarks_by_code"] == {"too_many_boxes": 1}


FAILURES = [
    ("coco", {"a.jpg": PICTURE}, "no_annotations"),
    ("csv", {"a.jpg": PICTURE}, "no_annotations"),
    ("yolo", {"a.jpg": PICTURE, "a.txt": b"0 1 1 1 1"}, "no_class_names"),
    ("auto", {"a.xml": voc(("x", 1, 1, 5, 5))}, "no_images"),
    ("voc", {"ReadMe.txt": b"x"}, "no_images"),
]


@pytest.mark.parametrize(("name", "files", "code"), FAILURES)
@pytest.mark.any_database("what archives say")
def test_an_archive_that_is_not_of_its_format(api, boxes, name, files, code):
    job = run_import(api, boxes, make_zip(files), format=name)
    assert (job["state"], job["error"]["code"]) == ("failed", code) and len(job["error"]["detail"]) > 20


@pytest.mark.any_database("what archives say")
def test_a_too_large_annotation_file_is_refused(api, boxes, settings):
    settings.MAX_ANNOTATION_BYTES = 100
    job = run_import(
        api,
        boxes,
        make_zip({"a.jpg": PICTURE, "classes.csv": b"cat,0\n", "annotations.csv": b"a.jpg,1,1,9,9,cat\n" * 50}),
        format="csv",
    )
    assert job["error"]["code"] in ("annotations_too_large", "damaged_annotations")


def test_boxes_do_not_fit_a_classification_project(api, dataset, boxes):
    job = run_import(api, dataset, make_zip(GOOD["voc"]))
    assert job["error"]["code"] == "boxes_in_classification" and not Image.objects.exists()
    job = run_import(api, boxes, make_zip({"cats/a.jpg": PICTURE}))
    assert job["result"]["remarks_by_code"] == {"folders_ignored": 1} and not Annotation.objects.exists()
    for where, name in ((dataset, "coco"), (boxes, "folder")):
        answer = api.post(f"/api/v1/datasets/{where['id']}/exports/", {"format": name})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "format_does_not_fit")


def test_annotations_of_a_picture_that_is_here_already_are_taken_when_it_has_none(api, boxes):
    run_import(api, boxes, make_zip({"a.jpg": jpeg(1), "b.jpg": jpeg(2)}))
    job = run_import(api, boxes, make_zip({"x.jpg": jpeg(1), "x.xml": voc(("dog", 1, 2, 9, 12))}))
    assert job["result"]["duplicates_labelled"] == job["result"]["boxes"] == job["result"]["duplicates"] == 1
    assert job["result"]["labelled"] == job["result"]["annotated"] == 1
    (row,) = [row for row in report_of(api, job) if row["outcome"] == "duplicate"]
    assert row["code"] == "annotated" and "were taken" in row["detail"]
    image = Image.objects.get(filename="a.jpg")
    assert image.reviewed and [one.box for one in image.annotations.all()] == [[1, 2, 9, 12]]
    (change,) = api.get(f"/api/v1/images/{image.pk}/history/").json()["results"]
    assert change["before"] == [] and marks(change["after"]) == [("dog", [1, 2, 9, 12])]
    again = run_import(api, boxes, make_zip({"x.jpg": jpeg(1), "x.xml": voc(("cat", 3, 3, 9, 12))}))
    assert again["result"]["labelled"] == 0 and Annotation.objects.get().label.name == "dog"


def test_a_label_is_found_however_a_keyboard_writes_it(api, project):
    decomposed, precomposed = "caf\u0065\u0301", "caf\u00e9"
    made = api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": decomposed})
    assert (made.status_code, made.json()["name"]) == (201, precomposed)
    assert api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": precomposed}).status_code == 409


# Round trips


def composed(name: str) -> str:
    """As the studio keeps names that come from files."""
    return unicodedata.normalize("NFC", name).strip()


names = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=12).map(composed)
labels = st.lists(names.filter(bool), min_size=1, max_size=4, unique_by=lambda name: name.casefold())
fractions = st.floats(0, 1, width=32)


@st.composite
def pictures(draw, label_names):
    """Boxes as fractions, a split, and whether somebody looked."""
    edges = st.tuples(st.sampled_from(label_names), fractions, fractions, fractions, fractions)
    marks = [
        (label, min(a, b), min(c, d), max(a, b), max(c, d))
        for label, a, b, c, d in draw(st.lists(edges, max_size=4))
        if abs(a - b) > 0.05 and abs(c - d) > 0.05  # at least a pixel
    ]
    return marks, draw(st.sampled_from(["train", "validation", "test", None])), bool(marks) or draw(st.booleans())


@st.composite
def datasets(draw):
    label_names = draw(labels)
    filenames = draw(st.lists(names.filter(bool).map(lambda name: name + ".jpg"), min_size=1, max_size=4))
    return label_names, [(name, *draw(pictures(label_names))) for name in filenames]


def build(user, label_names: list[str], images: list) -> dict:
    dataset = new_dataset(user, "made")
    row = Dataset.objects.get(pk=dataset["id"])
    by_name = {name: create_label(project=row.project, name=name) for name in label_names}
    items: list[StagedImage] = []
    for number, (filename, marks, split, reviewed) in enumerate(images):
        width, height = 48 + 7 * number, 32
        item = stage_image(jpeg(number, (width, height)), filename)
        item.split, item.is_reviewed = split, reviewed
        item.boxes = [
            (by_name[label], (x * width, y * height, x_max * width, y_max * height))
            for label, x, y, x_max, y_max in marks
        ]
        items.append(item)
    add_images(dataset=row, items=items, source="test")
    return dataset


# Every property has its many examples in `test_round_trips`; here the whole way is gone.
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(made=datasets())
@pytest.mark.parametrize("name", BOX_FORMATS)
def test_an_export_imported_again_is_the_same_dataset(api, owner, name, made):
    dataset = build(owner, *made)
    content = export(api, dataset, name)
    copy = new_dataset(owner, "copy")
    job = run_import(api, copy, content, format=name)
    assert job["state"] == "succeeded", job["error"]
    assert set(job["result"]["remarks_by_code"]) <= {"no_annotations", "splits_incomplete"}, report_of(api, job)
    assert content_of(copy) == content_of(dataset)
    seen = {label for _, _, marks in content_of(dataset).values() for label, _ in marks}
    labels_here, labels_there = (
        set(Label.objects.filter(project=one["project"]).values_list("name", flat=True)) for one in (dataset, copy)
    )
    assert seen <= labels_there <= labels_here


def test_folders_make_the_round_trip_too(api, owner, dataset):
    files = {"train/猫/a.jpg": jpeg(1), "valid/猫/b.jpg": jpeg(2), "test/a b/c.jpg": jpeg(3)}
    run_import(api, dataset, make_zip(files))
    copy = new_dataset(owner, "copy", "classification")
    run_import(api, copy, export(api, dataset, "folder"))
    assert content_of(copy) == content_of(dataset) and len(content_of(copy)) == 3


def test_an_export_is_read_by_another_tool_and_names_stay_apart(api, boxes):
    same = {
        "train/a.jpg": jpeg(1),
        "valid/a.jpg": jpeg(2),
        "train/a.xml": voc(("x", 1, 2, 9, 12)),
        "valid/a.xml": voc(),
    }
    run_import(api, boxes, make_zip(same))
    with zipfile.ZipFile(io.BytesIO(export(api, boxes, "coco"))) as archive:
        document = json.loads(archive.read("train/_annotations.coco.json"))
        assert {"train/a.jpg", "valid/a (2).jpg"} <= set(archive.namelist())
    assert document["images"] == [{"id": 1, "file_name": "a.jpg", "width": 48, "height": 32}]
    assert document["annotations"][0]["bbox"] == [1, 2, 8, 10]
    pycocotools = pytest.importorskip("pycocotools.coco")
    reader = pycocotools.COCO()
    reader.dataset = document
    reader.createIndex()
    assert reader.loadCats(reader.loadAnns(reader.getAnnIds())[0]["category_id"])[0]["name"] == "x"


def test_exports_need_an_editor_and_their_file_a_member(api, boxes, outsider, client):
    run_import(api, boxes, make_zip(GOOD["voc"]))
    path = f"/api/v1/datasets/{boxes['id']}/exports/"
    assert client_of(outsider).post(path, {"format": "voc"}).status_code == 404
    job = api.post(path, {"format": "voc"}).json()
    assert api.get(f"/api/v1/jobs/{job['id']}/file/").status_code == 404
    jobs.run_job(job["id"])
    assert api.get(f"/api/v1/jobs/{job['id']}/file/").status_code == 200
    assert client_of(outsider).get(f"/api/v1/jobs/{job['id']}/file/").status_code == 404
    url = api.get(f"/api/v1/jobs/{job['id']}/").json()["result"]["download_url"]
    assert client.get(url).status_code == 200 and client.get(url + "0").status_code == 401


# Annotating


class TestAnnotating:
    @pytest.fixture
    def image(self, api, boxes) -> dict:
        run_import(api, boxes, make_zip(GOOD["voc"]))
        return api.get("/api/v1/images/").json()["results"][0]

    def test_who_changed_what_is_kept(self, api, image, boxes, owner):
        path = f"/api/v1/images/{image['id']}/"
        api.put(path + "annotations/", [{"label": "cat", "box": [1, 2, 3, 4]}])
        api.put(path + "annotations/", [])
        first, second = reversed(api.get(path + "history/").json()["results"])
        assert marks(first["before"]) == [("cat", [10, 20, 50, 60])] and first["before"][0]["origin"] == "imported"
        assert first["after"] == second["before"] and marks(first["after"]) == [("cat", [1, 2, 3, 4])]
        assert second["after"] == [] and second["changed_by"] == owner.username and second["revision"] == 2

    def test_an_emptied_image_is_a_negative_in_the_next_snapshot(self, api, image, boxes):
        run_import(api, boxes, make_zip({"b.jpg": jpeg(5), "b.xml": voc(("cat", 1, 1, 9, 9))}))
        api.put(f"/api/v1/images/{image['id']}/annotations/", [])
        counts = api.post(f"/api/v1/datasets/{boxes['id']}/snapshots/", {}).json()["counts"]
        assert (counts["images"], counts["empty_images"], sum(counts["annotations"]["cat"].values())) == (2, 1, 1)


@pytest.mark.real_data
@pytest.mark.any_database("what archives say")
class TestRealArchives:
    @pytest.mark.long
    def test_blood_cells(self, api, boxes, owner):
        """364 images, 4,886 usable boxes, two without area, official splits; four formats there and back."""
        job = run_import(api, boxes, (FOLDER / "bccd-voc.zip").read_bytes())
        result = job["result"]
        assert (result["format"], result["created"], result["boxes"]) == ("voc", 364, 4886)
        assert result["remarks_by_code"]["box_without_area"] == 2
        splits = api.get(f"/api/v1/datasets/{boxes['id']}/statistics/").json()["splits"]
        assert sum(splits.values()) == 364 and set(splits) == {"train", "validation", "test"}
        for name in BOX_FORMATS:
            copy = new_dataset(owner, name)
            assert run_import(api, copy, export(api, boxes, name))["result"]["boxes"] == 4886
            assert content_of(copy) == content_of(boxes)

    @pytest.mark.parametrize(
        ("name", "kind", "images", "found"),
        [("chess", "voc", 12, 180), ("sharks-tiny-coco", "coco", 10, None), ("sharks-tiny-yolov9", "yolo", 10, None)],
    )
    def test_what_a_popular_tool_exports(self, api, boxes, name, kind, images, found):
        job = run_import(api, boxes, (FOLDER / "formats" / f"{name}.zip").read_bytes())
        assert job["state"] == "succeeded" and job["result"]["format"] == kind
        assert job["result"]["rejected"] == 0 and job["result"]["boxes"] > 0
        assert images is None or job["result"]["created"] == images
        assert found is None or job["result"]["boxes"] == found

    def test_class_folders_of_that_tool(self, api, dataset):
        job = run_import(api, dataset, (FOLDER / "formats" / "corrosion-singlelabel-classification.zip").read_bytes())
        assert job["result"]["format"] == "folder" and job["result"]["created"] >= 9


def test_the_front_door_refuses_unknown_formats(api, boxes):
    assert start(api, boxes, make_zip(GOOD["voc"]), format="nonsense").status_code == 400
