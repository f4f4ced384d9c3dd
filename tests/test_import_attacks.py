"""Archives that nearly say what they mean: never a box on another image, classes merged, or an image called empty."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import tarfile
import warnings
import zipfile

import pytest

from datasets.models import Image
from jobs import services as jobs
from jobs import work
from jobs.errors import LeaseLost
from jobs.models import Job, WorkState
from jobs.report_lines import encode_cursor
from tests.archives import PHOTO, Read, read_content, read_files
from tests.pictures import jpeg, make_zip
from tests.test_boxes import new_dataset
from tests.test_imports import run_import, start
from vision.formats import transfer
from vision.formats.base import ImportWarning, Parsed, Record
from vision.formats.texts import is_junk

IMAGES = {"a.jpg": b"", "b.jpg": b""}
CATEGORIES = ((1, "bolt"), (2, "nut"))


def shape(image: object = 1, category: object = 1, **more: object) -> dict:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": [1, 2, 10, 10], **more}


def coco(annotations: list, categories=CATEGORIES, names=("a.jpg", "b.jpg")) -> str:
    images = [{"id": at, "file_name": name, "width": 64, "height": 48} for at, name in enumerate(names, start=1)]
    rows = [{"id": identifier, "name": name} for identifier, name in categories]
    return json.dumps({"images": images, "annotations": annotations, "categories": rows})


def region(kind: str = "rectanglelabels", **more: object) -> dict:
    place = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0}
    value = place | ({kind: ["bolt"]} if kind.endswith("labels") else {})
    return {"id": "r1", "type": kind, "original_width": 64, "original_height": 48, "value": value} | more


def tasks(**results: list) -> str:
    return json.dumps(
        [
            {"id": at, "data": {"image": f"{name}.jpg"}, "annotations": [{"id": at, "result": rows}]}
            for at, (name, rows) in enumerate(results.items(), start=1)
        ]
    )


def datumaro(items: list, labels: object = ({"name": "bolt"},)) -> str:
    return json.dumps({"info": {}, "categories": {"label": {"labels": labels}}, "items": items})


def voc(body: str) -> str:
    return f"<annotation><filename>a.jpg</filename><size><width>64</width></size>{body}</annotation>"


def boxed(label: str, more: str = "", tag: str = "object") -> str:
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>20</xmax><ymax>30</ymax></bndbox>"
    return f"<{tag}><name>{label}</name>{more}{box}</{tag}>"


VIA = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
# Nobody can know what these say of b.jpg (and a.jpg has a box in some of them): it stays open.
OPEN = {
    "an image id that is a name": {"c.json": coco([shape("a.jpg"), shape(None)])},
    "an image id that is not there": {"c.json": coco([shape(1), {"id": 2, "category_id": 1, "bbox": [1, 2, 3, 4]}])},
    "an annotation that is none": {"c.json": coco([shape(1), 7])},
    "a category id of two categories": {"c.json": coco([shape(2)], ((1, "bolt"), (1, "nut")))},
    "a CreateML row without a list": {
        "c.json": json.dumps([{"image": "a.jpg", "annotations": []}, {"image": "b.jpg", "annotations": None}])
    },
    "a CreateML row with another key": {
        "c.json": json.dumps([{"image": "a.jpg", "annotations": []}, {"image": "b.jpg", "labels": [{"label": "x"}]}])
    },
    "a task of texts": {"c.json": tasks(a=[region()], b=[region("textarea")])},
    "a rectangle that nobody gave a label": {"c.json": tasks(a=[region()], b=[region("rectangle")])},
    "a region on a turned image": {"c.json": tasks(a=[region()], b=[region(image_rotation=90)])},
    "a region that is none": {"c.json": tasks(a=[region()], b=["region"])},
    "JSON-MIN of texts": {
        "c.json": json.dumps([{"image": "b.jpg", "annotation_id": 2, "annotator": 1, "caption": ["x", "y"]}])
    },
    "a region whose quotes a spreadsheet ate": {
        "v.csv": VIA + 'b.jpg,1,{},1,0,"{name:rect,x:1}","{""class"":""x""}"\n'
    },
    "a VIA region that is none": {
        "v.json": json.dumps({"b.jpg1": {"filename": "b.jpg", "size": 1, "regions": ["rect"], "file_attributes": {}}})
    },
    "captions alone": {
        "annotations/default.json": datumaro(
            [{"id": "b", "annotations": [{"type": "caption", "caption": "x"}], "image": {"path": "b.jpg"}}]
        )
    },
    "annotations that are a number": {
        "annotations/default.json": datumaro([{"id": "b", "annotations": 5, "image": {"path": "b.jpg"}}])
    },
    "half a label": {
        "annotations/default.json": datumaro(
            [{"id": "b", "annotations": [{"type": "bbox", "label_id": 0.5, "bbox": [1, 2, 3, 4]}]}]
        )
    },
    "labels that are a number": {
        "annotations/default.json": datumaro(
            [{"id": "b", "annotations": [{"type": "bbox", "label_id": 0, "bbox": [1, 2, 3, 4]}]}], labels=3
        )
    },
    "another dialect of VOC": {"b.xml": voc(f"<items>{boxed('bolt', tag='item')}</items>")},
    "a polygon with a point that is none": {
        "x.xml": '<annotations><image name="b.jpg" width="64" height="48">'
        '<polygon label="x" points="1,1;20,20;bad;30,40"/></image></annotations>'
    },
    "an outline with a gap": {
        "c.json": coco([{"image_id": 2, "category_id": 1, "segmentation": [[1, 1, 20, 20, None, 40, 50, 50]]}])
    },
    "an outline of an odd number of values": {
        "c.json": coco([{"image_id": 2, "category_id": 1, "segmentation": [[1, 1, 20, 20, 40]]}])
    },
    "an outline in LabelMe with a gap": {
        "b.json": json.dumps({"shapes": [{"label": "x", "points": [[1, 2], [3], [9, 9]]}], "imagePath": "b.jpg"})
    },
    "class numbers that stand twice": {"b.txt": "0 .5 .5 .2 .2\n", "data.yaml": "names: {0: bolt, 00: nut}"},
    "boxes in columns that are not known": {"t.csv": "filename,label,x_center,y_center\nb.jpg,nut,5,5\n"},
    "boxes in one column": {"t.csv": 'image_id,bbox,label\nb,"[1, 2, 30, 40]",nut\n'},
    "a quote that is not closed": {
        "t.csv": "filename,xmin,ymin,xmax,ymax,class\nb.jpg,1,2,30,40,bolt\n"
        'a.jpg,1,2,30,40,"3/4 nut\nb.jpg,5,6,30,40,bolt\na.jpg,9,9,30,40,bolt\n'
    },
}


@pytest.mark.parametrize("files", OPEN.values(), ids=OPEN)
def test_what_is_not_understood_leaves_its_image_open_and_is_said(files):
    read = read_files({**IMAGES, **files})
    record = read.records["b.jpg"]
    assert record.left_out or not record.is_annotated
    assert_said(read)


def assert_said(read: Read) -> None:
    """All of these but texts are worth a word; for texts it is enough that the image has no annotations."""
    said = read.codes() - {"no_annotations", "splits_incomplete", "outline_as_box"}
    assert said or read.records["b.jpg"].left_out == 0


def test_labels_of_two_categories_with_one_id_are_not_merged():
    read = read_files({**IMAGES, "c.json": coco([shape(1), shape(2, 2)], ((1, "bolt"), (1, "nut"), (2, "pin")))})
    assert read.labels == ["pin"] and read.is_open("a.jpg") and "ambiguous_id" in read.codes()


def test_deleted_objects_of_labelmes_web_tool_are_no_boxes():
    body = boxed("bolt", "<deleted>1</deleted>") + boxed("nut", "<deleted>0</deleted>")
    assert read_files({"a.jpg": b"", "a.xml": voc(body)}).boxes("a.jpg") == [("nut", [1, 2, 20, 30])]


def test_a_region_without_its_label_leaves_the_image_of_the_others_open():
    read = read_files({**IMAGES, "c.json": tasks(a=[region(), region("rectangle", id="r2")])})
    assert len(read.boxes("a.jpg")) == 1 and read.records["a.jpg"].left_out == 1


def test_a_reader_that_stumbles_loses_one_file(monkeypatch):
    def stumble(collection, file):
        claim = collection.claim("coco", file.name, "a.jpg")
        collection.add(claim, "bolt", (1, 2, 3, 4), 1)
        raise KeyError("unforeseen")

    monkeypatch.setattr("vision.formats.coco.read", stumble)
    read = read_files({**IMAGES, "c.json": coco([shape()]), "b.xml": voc(boxed("nut"))})
    assert read.records["a.jpg"].left_out == 1 and len(read.boxes("b.jpg")) == 1
    assert "damaged_annotations" in read.codes()


def test_halves_of_characters_and_nul_are_stored_nowhere(tmp_path):
    remark = ImportWarning("a\ud83d.jpg", "unknown_label", "category \ud83d\x00", "c.json", 1)
    transfer.write(Parsed([Record("a.jpg")], 1, ["\udc80"], [remark], "coco"), tmp_path)
    read = transfer.Transferred(tmp_path)
    (kept,) = read.remarks()
    assert (kept.filename, kept.detail, read.labels) == ("a\ufffd.jpg", "category \ufffd\ufffd", ["\ufffd"])


HEADER = "filename,xmin,ymin,xmax,ymax,class"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (f"{HEADER}\na.jpg,1,2,30,40,bolt,\n", "bolt"),
        (f"{HEADER}\na.jpg,1,2,30,40,bolt, large\n", "bolt,large"),
        ("sep=;\n" + f"{HEADER}\na.jpg,1,2,30,40,bolt\n".replace(",", ";"), "bolt"),
        ("\ufeffsep=\t\r\n" + f"{HEADER}\r\na.jpg,1,2,30,40,bolt\r\n".replace(",", "\t"), "bolt"),
        (f"{HEADER},confidence\na.jpg,1,2,30,40,bolt,0.9\n", "bolt"),
    ],
)
def test_tables_as_spreadsheets_and_models_write_them(text, label):
    read = read_files({**IMAGES, "t.csv": text})
    assert read.boxes("a.jpg") == [(label, [1, 2, 30, 40])]
    assert not any(mark.is_relative for mark in read.records["a.jpg"].marks)
    assert read.codes() <= {"no_annotations"}


def test_a_name_with_a_line_end_is_one_name():
    read = read_files({"a\nb.jpg": b"", "t.csv": f'{HEADER}\n"a\nb.jpg",1,2,30,40,bolt\n'})
    assert len(read.boxes("a\nb.jpg")) == 1


def test_lvis_names_its_images_by_address():
    images = [{"id": 1, "coco_url": "http://images.example/val2017/a.jpg"}]
    text = json.dumps({"images": images, "annotations": [shape()], "categories": [{"id": 1, "name": "bolt"}]})
    assert len(read_files({"val2017/a.jpg": b"", "c.json": text}).boxes("val2017/a.jpg")) == 1


def test_a_broken_line_leaves_an_image_without_ending_open():
    read = read_files({"a": b"", "b": b"", "t.csv": "a,1,2,3,4,x\na,1,2,3,,x\nb,1,2,3,4,x\n"})
    assert (read.records["a"].left_out, read.records["b"].left_out) == (1, 0)


def test_folders_of_images_and_masks_are_no_labels():
    assert read_files({"images/a.jpg": b"", "labels/a_mask.png": b""}).labels == []


def test_labels_json_may_be_coco():
    read = read_files({"data/a.jpg": b"", "labels.json": coco([shape()], names=["a.jpg"])})
    assert (read.format, len(read.boxes("data/a.jpg"))) == ("coco", 1)


def test_a_name_that_is_no_address_loses_its_task_alone():
    rows = [
        {"id": 1, "data": {"image": name}, "annotations": [{"result": [region()]}]} for name in ("http://[x", "a.jpg")
    ]
    read = read_files({**IMAGES, "t.json": json.dumps(rows)})
    assert len(read.boxes("a.jpg")) == 1 and read.codes() == {"missing_image", "no_annotations"}


def test_two_uploads_of_one_name_have_no_certain_image():
    rows = [
        {"id": at, "data": {"image": f"/data/upload/1/{prefix}-a.jpg"}, "annotations": [{"result": [region()]}]}
        for at, prefix in enumerate(("0a1b2c3d", "ffffffff"))
    ]
    assert len(read_files({**IMAGES, "t.json": json.dumps(rows[:1])}).boxes("a.jpg")) == 1
    read = read_files({**IMAGES, "t.json": json.dumps(rows)})
    assert read.is_open("a.jpg") and "ambiguous_image" in read.codes()


@pytest.mark.parametrize(("to_name", "count"), [("image", 1), ("image2", 0)])
def test_a_task_of_two_images(to_name, count):
    task = {"data": {"image": "a.jpg", "image2": "b.jpg"}, "id": 1}
    task["annotations"] = [{"result": [region(to_name=to_name)]}]
    read = read_files({**IMAGES, "t.json": json.dumps([task])})
    assert len(read.boxes("a.jpg")) == count and read.is_open("b.jpg")
    assert ("several_images" in read.codes()) is (count == 0)


def test_a_label_file_of_another_split_is_of_another_image():
    files = {"train/images/a.jpg": b"", "valid/labels/a.txt": "0 .5 .5 .2 .2", "data.yaml": "names: [bolt]"}
    read = read_files(files)
    assert read.is_open("train/images/a.jpg") and "missing_image" in read.codes()


# Zips, tars and archives in archives


def pairs(*files: tuple[str, bytes | str]) -> bytes:
    """A zip of files whose paths may repeat."""
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w") as archive:
        warnings.simplefilter("ignore")
        for name, content in files:
            archive.writestr(name, content)
    return target.getvalue()


def test_names_that_are_made_up_are_no_other_files():
    images = [("a.jpg", PHOTO + b"1"), ("a.jpg", PHOTO + b"2"), ("a (2).jpg", PHOTO + b"3")]
    read = read_content(pairs(*images, ("c.json", coco([shape()], names=["a (2).jpg"]))))
    assert len(read.boxes("a (2).jpg")) == 1 and "a (3).jpg" in read.records


@pytest.mark.parametrize(("second", "left_out"), [(b"2", 1), (b"1", 0)])
def test_two_images_of_one_path_have_no_certain_box(second, left_out):
    images = [("a.jpg", PHOTO + b"1"), ("a.jpg", PHOTO + second)]
    read = read_content(pairs(*images, ("c.json", coco([shape()], names=["a.jpg"]))))
    assert read.records["a.jpg"].left_out == left_out
    assert ("ambiguous_image" in read.codes()) is bool(left_out)


@pytest.mark.parametrize(
    ("name", "is_junk_file"),
    [
        (".22 cal/a.jpg", False),
        (".a.jpg", False),
        ("x/._a.jpg", True),
        ("._x/a.jpg", True),
        (".git/a.jpg", True),
        (".DS_Store", True),
        ("x/.gitkeep", True),
        (".ipynb_checkpoints/a-checkpoint.jpg", True),
    ],
)
def test_only_what_tools_leave_behind_is_junk(name, is_junk_file):
    assert is_junk(name) is is_junk_file


@pytest.fixture
def boxes(owner) -> dict:
    return new_dataset(owner, "boxes")


YOLO = {"images/a.jpg": jpeg(1), "images/b.jpg": jpeg(2), "data.yaml": b"names: [bolt]"}
GOOD_LINE = b"0 0.5 0.5 0.4 0.4\n"


def tar_of(*members: tuple[str, bytes], links: tuple[str, ...] = (), **headers: object) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in headers.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
        for name in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.LNKTYPE, members[0][0]
            archive.addfile(info)
    return target.getvalue()


@pytest.mark.django_db
@pytest.mark.any_database("what is in an archive")
class TestContainers:
    def test_a_label_file_that_is_a_link_says_nothing_of_its_image(self, api, boxes):
        content = tar_of(*YOLO.items(), ("labels/a.txt", GOOD_LINE), links=("labels/b.txt",))
        job = run_import(api, boxes, content)
        assert (job["result"]["labelled"], job["result"]["boxes"]) == (1, 1)
        assert not Image.objects.get(filename="b.jpg").reviewed
        assert "not_a_file" in job["result"]["remarks_by_code"]

    def test_annotations_may_be_larger_than_an_image(self, api, boxes, settings):
        settings.MAX_IMAGE_BYTES = 20_000
        lines = GOOD_LINE + b"0 0.2 0.2 0.1 0.1\n" * 2000
        job = run_import(api, boxes, tar_of(*YOLO.items(), ("labels/a.txt", lines)))
        assert job["result"]["boxes"] == 2001

    def test_what_is_behind_damage_is_said(self, api, boxes):
        one = tar_of(("images/a.jpg", jpeg(1)))
        damaged = one.rstrip(b"\0") + bytes(-len(one.rstrip(b"\0")) % 512) + b"x" * 512
        for content in (damaged, one + tar_of(("images/b.jpg", jpeg(2)))):
            job = run_import(api, boxes, content)
            assert job["state"] == "succeeded", job["error"]
            assert "damaged_archive" in job["result"]["remarks_by_code"]

    @pytest.mark.parametrize(
        "name", ["a" * 70_000 + ".jpg", "a.txt\0.jpg", "x/\udcff.jpg"], ids=["long", "nul", "bytes"]
    )
    def test_names_that_nothing_can_hold(self, api, boxes, name):
        job = run_import(api, boxes, tar_of(("a.jpg", jpeg(1)), (name, jpeg(2)), ("data.yaml", b"names: [bolt]")))
        assert job["state"] == "succeeded", job["error"]
        assert not Image.objects.filter(reviewed=True).exists()

    def test_a_name_encoding_that_the_user_gives_holds_for_annotations_too(self, api, boxes):
        raw = make_zip({"@@@.jpg": jpeg(1), "@@@.xml": voc(boxed("bolt")).encode()}).replace(
            b"@@@", "кот".encode("cp866")
        )
        job = run_import(api, boxes, raw, name_encoding="koi8_r")
        (image,) = Image.objects.all()
        assert image.filename == f"{'кот'.encode('cp866').decode('koi8_r')}.jpg"
        assert job["result"]["boxes"] == 1, job["result"]

    @pytest.mark.parametrize("encoding", ["idna", "punycode", "undefined", "hex"])
    def test_encodings_that_cannot_read_any_name_are_refused(self, api, boxes, encoding):
        answer = start(api, boxes, make_zip({"\xe9.jpg": jpeg(1)}), name_encoding=encoding)
        assert answer.status_code == 400, answer.content

    def test_archives_of_one_name_do_not_mix(self, api, boxes):
        first = make_zip({"a.jpg": jpeg(1), "a.txt": GOOD_LINE, "classes.txt": b"bolt"})
        content = make_zip({"train.zip": first, "train.tar": tar_of(("a.jpg", jpeg(2)))})
        job = run_import(api, boxes, content)
        assert job["result"]["created"] == 2 and job["result"]["boxes"] == 1
        labelled = Image.objects.get(reviewed=True)
        assert labelled.blob.sha256 == hashlib.sha256(jpeg(1)).hexdigest()

    def test_bombs_in_an_archive_count_together(self, api, boxes, monkeypatch):
        monkeypatch.setattr("datasets.tars.RATIO_FREE_BYTES", 3 << 20)
        bomb = gzip.compress(tar_of(("a.bin", bytes(2 << 20))))
        job = run_import(api, boxes, make_zip({f"{n}.tar.gz": bomb for n in range(3)}))
        assert (job["state"], job["error"]["code"]) == ("failed", "archive_bomb")

    def test_folders_alone_are_not_encrypted(self, api, boxes):
        assert run_import(api, boxes, make_zip({"a/": b""}))["error"]["code"] == "empty_archive"

    def test_too_many_archives(self, api, boxes, monkeypatch):
        monkeypatch.setattr("datasets.containers.MOST_INNER", 3)
        job = run_import(api, boxes, make_zip({f"{n}.zip": make_zip({"a.jpg": jpeg(n)}) for n in range(4)}))
        assert (job["state"], job["error"]["code"]) == ("failed", "too_many_archives")

    def test_xz_within_memory_and_in_streams(self, api, boxes, monkeypatch):
        content = tar_of(("a.jpg", jpeg(1)))
        streams = lzma.compress(content[:1000]) + bytes(8) + lzma.compress(content[1000:])
        assert run_import(api, boxes, streams)["result"]["created"] == 1
        monkeypatch.setattr("datasets.tars.MAX_XZ_BYTES", 1 << 20)
        job = run_import(api, boxes, lzma.compress(tar_of(("b.jpg", jpeg(2)))))
        assert (job["state"], job["error"]["code"]) == ("failed", "damaged_archive")

    def test_annotations_for_images_of_any_name(self, api, boxes):
        run_import(api, boxes, make_zip({"IMG1": jpeg(1), "b.jpg": jpeg(2)}))
        job = run_import(api, boxes, coco([shape(1)], names=["IMG1"]).encode())
        assert job["result"]["boxes"] == 1


@pytest.mark.django_db
class TestRequests:
    def test_a_cursor_behind_the_end_is_none(self, api, boxes):
        job = run_import(api, boxes, make_zip({"a.jpg": jpeg(1), "x.json": "{"}))
        path = f"/api/v1/jobs/{job['id']}/report/lines/"
        for position in (1 << 20, 999_999_999_999_999):
            assert api.get(path, {"cursor": encode_cursor(position)}).status_code == 404

    def test_maps_of_labels_are_limited(self, api, boxes, monkeypatch):
        monkeypatch.setattr("datasets.import_serializers.MAX_LABELS", 30)
        content = make_zip({"a.jpg": jpeg(1), "c.json": coco([shape()])})
        for fields in ({"label_map": {f"{n}": "x" for n in range(31)}}, {"skip": [f"{n}" for n in range(31)]}):
            answer = start(api, boxes, content, **{key: json.dumps(value) for key, value in fields.items()})
            assert answer.status_code == 400, answer.content
        job = run_import(api, boxes, content, label_map=json.dumps({f"none{n}": "x" for n in range(30)}))
        assert job["result"]["remarks_by_code"]["label_not_found"] == 21


@pytest.mark.django_db
class TestInterruption:
    def test_images_that_go_and_come_meanwhile_shift_nothing(self, api, boxes, settings, monkeypatch):
        """Annotations alone, interrupted after each batch of two; an image goes and one comes before the next."""
        monkeypatch.setattr("datasets.annotation_imports.BATCH", 2)
        names = [f"{n}.jpg" for n in range(6)]
        run_import(api, boxes, make_zip({name: jpeg(n) for n, name in enumerate(names)}))
        annotations = [shape(n + 1) for n in range(6)]
        job = start(api, boxes, coco(annotations, names=names).encode()).json()
        leftover = settings.WORK_DIR / "jobs" / f"{job['id']}-earlier.unpacked"
        leftover.mkdir(parents=True)
        real, calls = work.renew, []

        def dies_in_the_second_batch(item, **changes):
            if "position" in changes:
                calls.append(1)
                if len(calls) == 2:
                    raise LeaseLost(str(item.pk))
            real(item, **changes)

        monkeypatch.setattr("jobs.services.work.renew", dies_in_the_second_batch)
        jobs.run_job(job["id"])
        assert Image.objects.filter(reviewed=True).count() == 2
        monkeypatch.setattr("jobs.services.work.renew", real)
        Job.objects.update(lease_expires_at="2020-01-01T00:00:00Z")
        Image.objects.filter(reviewed=True).first().delete()
        jobs.run_job(job["id"])
        assert Job.objects.get(pk=job["id"]).state == WorkState.SUCCEEDED
        assert Image.objects.filter(reviewed=True).count() == 5
        assert not leftover.exists()
