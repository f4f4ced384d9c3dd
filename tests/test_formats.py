"""What readers make of the archives that people send: right, or said; never on another image, never "nothing there"."""

from __future__ import annotations

import json
import zipfile

import pytest

from tests.archives import PHOTO, read_content, read_files, zipped

BOX = [("bolt", [5, 6, 25, 26])]
VOC = "<annotation>{head}<object><name>{name}</name>{box}</object></annotation>"
BNDBOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def voc(box=(5, 6, 25, 26), name="bolt", filename="") -> str:
    head = f"<filename>{filename}</filename>" if filename else ""
    return VOC.format(head=head, name=name, box=BNDBOX.format(*box))


def coco(annotations, images=("a.png",), categories=("bolt",), **more) -> str:
    rows = [{"id": number, "file_name": name} for number, name in enumerate(images, start=1)]
    names = [{"id": number, "name": name} for number, name in enumerate(categories, start=1)]
    return json.dumps({"images": rows, "annotations": annotations, "categories": names, **more})


def annotation(image=1, category=1, bbox=(5, 6, 20, 20), **more) -> dict:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": list(bbox), **more}


class TestNames:
    """Which image is meant."""

    def test_a_namesake_in_another_folder_is_another_image(self):
        boxes = [annotation(1, bbox=(30, 20, 20, 20)), annotation(2)]
        for files in (
            {"c.json": coco(boxes, ["cam2/1.png", "cam1/1.png"])},
            {"annotations.csv": "cam2/1.png,30,20,50,40,bolt\ncam1/1.png,5,6,25,26,bolt\n"},
            {"cam2/1.xml": voc((30, 20, 50, 40)), "cam1/1.xml": voc()},
        ):
            result = read_files({"cam1/1.png": b"", **files})
            assert result.boxes("cam1/1.png") == BOX and result.codes() == {"missing_image"}

    def test_the_bare_name_counts_where_nothing_contradicts_it(self):
        result = read_files({"photos/1.png": b"", "c.json": coco([annotation()], ["/home/me/data/1.png"])})
        assert result.boxes("photos/1.png") == BOX

    def test_two_that_may_be_meant_are_both_left_open(self):
        result = read_files({"x/1.png": b"", "y/1.png": b"", "c.json": coco([annotation()], ["1.png"])})
        assert result.is_open("x/1.png") and result.is_open("y/1.png") and "ambiguous_image" in result.codes()

    @pytest.mark.parametrize(
        ("own", "said"),
        [
            ("Größe_é.png", "Gro\u0308ße_e\u0301.png"),
            ("écran.png", "%C3%A9cran.png"),
            ("a b.png", "a%20b.png"),
            ("x/a.png", "x\\a.png"),
            ("IMG.PNG", "img.png"),
            ("a.png", "a.jpg"),
            ("a.png", "a"),
            ("a.png", "./x/../a.png"),
            ("a.png", "C:\\photos\\a.png"),
            ("data/x/a.png", "x/a.png"),
        ],
    )
    def test_the_same_path_in_another_form(self, own, said):
        assert read_files({own: b"", "c.json": coco([annotation()], [said])}).boxes(own) == BOX

    def test_case_decides_where_names_differ_only_in_it(self):
        boxes = [annotation(1), annotation(2, bbox=(30, 20, 20, 20))]
        result = read_files({"IMG.png": b"", "img.png": b"", "c.json": coco(boxes, ["IMG.png", "img.png"])})
        assert result.boxes("IMG.png") == BOX and result.boxes("img.png") == [("bolt", [30, 20, 50, 40])]
        result = read_files({"IMG.png": b"", "c.json": coco(boxes, ["IMG.png", "img.png"])})
        assert result.boxes("IMG.png") == BOX and "missing_image" in result.codes()

    def test_the_name_in_the_file_decides_between_endings(self):
        result = read_files({"a.jpg": b"", "a.png": b"", "a.xml": voc(filename="a.png")})
        assert result.boxes("a.png") == BOX and result.is_open("a.jpg")
        result = read_files({"a.jpg": b"", "a.png": b"", "a.xml": voc()})
        assert result.is_open("a.png") and result.is_open("a.jpg") and "ambiguous_image" in result.codes()
        result = read_files({"a.jpg": b"", "a.png": b"", "a.txt": "0 .5 .5 .1 .1", "classes.txt": "bolt"})
        assert result.is_open("a.png") and "ambiguous_image" in result.codes()

    def test_files_without_an_ending_are_images_by_their_content(self):
        files = {"a": b"", "b.jfif": b"", "c.jpe": b"", "d.dat": b"", "e.dat": b"no image"}
        images = ["a", "b.jfif", "c.jpe", "d.dat"]
        boxes = [annotation(number) for number in range(1, 5)]
        result = read_files({**files, "c.json": coco(boxes, images)})
        assert all(result.boxes(name) == BOX for name in images) and not result.records["e.dat"].marks

    def test_masks_are_no_images(self):
        files = {"SegmentationClass/1.png": b"", "JPEGImages/1.jpg": b"", "Annotations/1.xml": voc(filename="1.jpg")}
        result = read_files(files)
        assert list(result.records) == ["JPEGImages/1.jpg"] and "masks_left_out" in result.codes()

    def test_the_split_of_a_file_decides_between_equals(self):
        files = {"train/1.png": b"", "val/1.png": b""}
        train = coco([annotation()], ["1.png"])
        val = coco([annotation(bbox=(30, 20, 20, 20))], ["1.png"])
        result = read_files({**files, "annotations/instances_train.json": train, "annotations/instances_val.json": val})
        assert result.boxes("train/1.png") == BOX and result.boxes("val/1.png") == [("bolt", [30, 20, 50, 40])]


class TestUnusable:
    """An annotation that cannot be used leaves its image open."""

    @pytest.mark.parametrize(
        "files",
        [
            {"c.json": coco([annotation(category=9)])},
            {"c.json": coco([{**annotation(), "bbox": None}])},
            {"c.json": coco([annotation(iscrowd=1)])},
            {"c.json": coco([], images=["a.png"])},
            {"a.xml": "<annotation><object><name>bolt</name></object></annotation>"},
            {"a.txt": "7 .5 .5 .1 .1", "classes.txt": "bolt"},
            {"a.txt": "0 320 240 50 50", "classes.txt": "bolt"},
            {"a.txt": "0 .5 .5", "classes.txt": "bolt"},
            {"a.txt": "0 .5 .5 .1 nan", "classes.txt": "bolt"},
            {"a.txt": "0 .5 .5 .1 .1"},
            {"annotations.csv": "a.png,1,2,x,4,bolt\na.png,1,2,,4,bolt\na.png,9,9,9,q,bolt\n"},
            {"annotations.csv": "a.png,1,2,30,40,nut\n", "classes.csv": "bolt,0\n"},
            {"t.csv": "filename,class,xmin,ymin,xmax,ymax\na.png,bolt,1,2,three,4\n"},
            {"a.xml": "<annotation><object>"},
            {"c.json": '[{"image": "a.png", "annotations": [{"coordinates": {}}]}]'},
            {"c.json": json.dumps([{"data": {"image": "a.png"}, "predictions": [{"result": []}]}])},
            {
                "c.json": json.dumps(
                    [{"data": {"image": "a.png"}, "annotations": [{"result": [], "was_cancelled": True}]}]
                )
            },
            {"a.json": json.dumps({"shapes": [{"label": "bolt", "shape_type": "point", "points": [[1, 2]]}]})},
            {"v.json": json.dumps({"a.png1": {"filename": "a.png", "regions": []}})},
            {"x.xml": "<annotations><meta/><image name='a.png' width='9' height='9'/></annotations>"},
        ],
        ids=range(20),
    )
    def test_the_image_is_open(self, files):
        result = read_files({"a.png": b"", **files})
        assert result.is_open("a.png"), result

    def test_others_of_the_image_are_kept_and_it_is_not_whole(self):
        result = read_files({"a.png": b"", "a.txt": "0 .5 .5 .1 .1\n7 .2 .2 .1 .1", "classes.txt": "bolt"})
        record = result.records["a.png"]
        assert len(record.marks) == 1 and record.left_out == 1
        (remark,) = [remark for remark in result.remarks if remark.code == "unknown_label"]
        assert (remark.source, remark.line) == ("a.txt", 2)

    def test_what_nobody_reads_is_named(self):
        result = read_files({"a.png": b"", "a.json": '{"boxes": [{"x": 1}]}', "about.xml": "<kitchen/>"})
        assert set(result.unread) == {"a.json", "about.xml"} and "unknown_annotations" in result.codes()

    def test_an_image_that_a_file_says_is_empty_is_empty(self):
        for files in (
            {"a.xml": "<annotation></annotation>"},
            {"a.txt": "", "classes.txt": "bolt"},
            {"c.json": coco([annotation(2)], ["a.png", "b.png"])},
            {"annotations.csv": "b.png,1,2,30,40,bolt\na.png,,,,,\n"},
            {"c.json": json.dumps([{"data": {"image": "a.png"}, "annotations": [{"result": []}]}])},
            {"a.json": json.dumps({"shapes": [], "imagePath": "a.png"})},
        ):
            record = read_files({"a.png": b"", "b.png": b"", **files}).records["a.png"]
            assert record.is_annotated and not record.marks and not record.left_out, files


class TestJoining:
    def test_several_files_about_the_same_images(self):
        people = coco([annotation()], categories=["person"])
        cars = coco([annotation(bbox=(30, 20, 20, 20))], categories=["car"])
        result = read_files({"a.png": b"", "people.json": people, "cars.json": cars})
        assert result.boxes("a.png") == [("car", [30, 20, 50, 40]), ("person", [5, 6, 25, 26])]
        assert "joined" in result.codes() and result.labels == ["person", "car"]

    def test_captions_and_lists_of_images_leave_no_trace(self):
        captions = coco([{"id": 1, "image_id": 1, "caption": "a bolt"}], categories=[])
        listed = json.dumps({"images": [{"id": 1, "file_name": "b.png"}], "categories": []})
        files = {"a.png": b"", "b.png": b"", "captions.json": captions, "image_info.json": listed}
        result = read_files({**files, "instances.json": coco([annotation()])})
        assert result.boxes("a.png") == BOX and result.is_open("b.png")

    def test_one_odd_file_does_not_decide_for_the_others(self):
        odd = {
            "log.csv": "date,time,line,shift,camera,lens\n2024,12,3,1,c,l\n",
            "about.xml": "<kitchen/>",
            "notes.yaml": "names: 3",
            "info.json": '{"year": 2024}',
        }
        result = read_files({**odd, "a.png": b"", "a.xml": voc()})
        assert result.boxes("a.png") == BOX and result.format == "voc"

    def test_ids_count_by_their_meaning(self):
        for image, category in ((1, "1"), (1.0, 1.0), ("1", 1)):
            rows = [annotation(image, category)]
            assert read_files({"a.png": b"", "c.json": coco(rows)}).boxes("a.png") == BOX

    def test_an_id_that_two_images_have_means_neither(self):
        images = [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"}]
        document = json.dumps({"images": images, "annotations": [annotation()], "categories": [{"id": 1, "name": "x"}]})
        result = read_files({"a.png": b"", "b.png": b"", "c.json": document})
        assert result.is_open("a.png") and result.is_open("b.png") and "ambiguous_id" in result.codes()


class TestShapes:
    @pytest.mark.parametrize(
        "more",
        [
            {"segmentation": [[5, 6, 25, 6, 25, 26, 5, 26]]},
            {"segmentation": [5, 6, 25, 6, 25, 26]},
            {"segmentation": {"size": [48, 64], "counts": [5 * 48 + 6] + [20, 28] * 19 + [20, 1876]}},
        ],
    )
    def test_a_box_around_an_outline_or_mask(self, more):
        for bbox in (None, [], [0, 0, 0, 0]):
            row = {**annotation(), "bbox": bbox, **more}
            result = read_files({"a.png": b"", "c.json": coco([row])})
            assert result.boxes("a.png") == BOX and "outline_as_box" in result.codes()

    def test_masks_are_read_as_pycocotools_reads_them(self):
        masks = pytest.importorskip("pycocotools.mask")
        import numpy as np

        from vision.formats.shapes import around_mask

        random = np.random.default_rng(3)
        for _ in range(50):
            pixels = np.asfortranarray(random.random((17, 23)) > 0.97, dtype=np.uint8)
            coded = masks.encode(pixels)
            x, y, width, height = masks.toBbox(coded)
            found = around_mask({"size": coded["size"], "counts": coded["counts"].decode()})
            assert found == ((x, y, x + width, y + height) if pixels.any() else None)

    def test_corners_in_the_wrong_order(self):
        result = read_files({"a.png": b"", "a.xml": voc((25, 26, 5, 6))})
        assert result.boxes("a.png") == BOX and "corners_swapped" in result.codes()

    def test_outlines_in_voc(self):
        polygon = "<polygon><x1>5</x1><y1>6</y1><x2>25</x2><y2>6</y2><x3>25</x3><y3>26</y3></polygon>"
        turned = "<robndbox><cx>15</cx><cy>16</cy><w>20</w><h>20</h><angle>0</angle></robndbox>"
        for box in (polygon, turned):
            text = VOC.format(head="", name="bolt", box=box)
            assert read_files({"a.png": b"", "a.xml": text}).boxes("a.png") == BOX

    @pytest.mark.parametrize(
        ("line", "settings"),
        [
            ("0 .75 .75 .2 .2 .7 .7 .8 .8", "kpt_shape: [2, 2]\n"),
            ("0 .75 .75 .2 .2 .7 .7 2", "kpt_shape: [1, 3]\n"),
            ("0 .75 .75 .2 .2 .7 .7 2", ""),
            ("0 .75 .75 .2 .2" + " .7 .7 2" * 17, ""),
            ("0 .75 .75 .2 .2 .93", ""),
            ("0.0 .65 .65 .85 .65 .85 .85 .65 .85", ""),
            ("0 .65 .65 .85 .7 .75 .85", ""),
        ],
    )
    def test_lines_of_poses_scores_and_outlines(self, line, settings):
        result = read_files({"a.png": b"", "a.txt": line, "data.yaml": f"{settings}names: [bolt]"})
        assert result.boxes("a.png") == [("bolt", [0.65, 0.65, 0.85, 0.85])]

    def test_fractions_where_pixels_are_expected(self):
        result = read_files({"a.png": b"", "a.xml": voc((0.1, 0.2, 0.3, 0.4))})
        (mark,) = result.records["a.png"].marks
        assert mark.is_relative and "fractions" in result.codes()


class TestWords:
    def test_class_names_as_they_are_written(self):
        names = ["on", "yes", "off", "010", "1.10", "null", "2024-01-02", "~"]
        lines = "".join(f"{number} .5 .5 .1 .{number + 1}\n" for number in range(len(names)))
        for text in (f"names: [{', '.join(names)}]", "names:\n" + "".join(f"  - {name}\n" for name in names)):
            result = read_files({"a.png": b"", "a.txt": lines, "data.yaml": text})
            assert result.labels == names and [mark.label for mark in result.records["a.png"].marks] == names

    def test_an_empty_line_is_a_class(self):
        result = read_files({"a.png": b"", "a.txt": "2 .5 .5 .1 .1", "classes.txt": "bolt\r\n\r\nnut\r\nwasher"})
        assert result.boxes("a.png")[0][0] == "nut"

    def test_the_nearest_names_count_and_others_are_said(self):
        files = {
            "x/a.png": b"",
            "x/a.txt": "0 .5 .5 .1 .1",
            "x/data.yaml": "names: [bolt]",
            "old/data.yaml": "names: [dog]",
        }
        result = read_files(files)
        assert (
            result.boxes("x/a.png")[0][0] == "bolt" and result.labels == ["bolt"] and "names_disagree" in result.codes()
        )

    @pytest.mark.parametrize("encoding", ["gbk", "windows-1251", "shift_jis", "utf-16", "euc-kr"])
    def test_an_xml_says_its_encoding(self, encoding):
        name = {"gbk": "螺栓", "windows-1251": "болт", "shift_jis": "ソフト", "utf-16": "é", "euc-kr": "볼트"}[encoding]
        content = f'<?xml version="1.0" encoding="{encoding}"?>\n{voc(name=name)}'.encode(encoding)
        assert read_files({"a.png": b"", "a.xml": content}).labels == [name]

    @pytest.mark.parametrize(
        ("encoding", "names"),
        [
            ("gbk", ["猫", "狗"]),
            ("gbk", ["螺丝", "螺母"]),
            ("shift_jis", ["ソフト", "表"]),
            ("cp1251", ["болт", "гайка"]),
            ("cp866", ["болт", "гайка"]),
            ("cp949", ["불량", "정상"]),
            ("cp437", ["Größe", "écran"]),
        ],
    )
    def test_names_in_a_zip_of_an_old_system(self, encoding, names):
        content = zipped({f"{number}!{number}.png": PHOTO for number in range(len(names))})
        for number, name in enumerate(names):
            raw = name.encode(encoding)
            content = _renamed(content, f"{number}!{number}.png".encode(), raw + b"/1.png")
        assert set(read_content(content).labels) == set(names)

    def test_the_name_that_a_zip_gives_in_unicode_counts(self):
        info = zipfile.ZipInfo("x.png")
        raw = b"x.png"
        field = b"\x01" + zipfile.crc32(raw).to_bytes(4, "little") + "猫/1.png".encode()
        info.extra = b"\x75\x70" + len(field).to_bytes(2, "little") + field
        assert read_content(zipped({info: PHOTO})).labels == ["猫"]

    def test_a_class_that_is_called_train_is_no_split(self):
        result = read_files({"train/1.png": b"", "bus/2.png": b"", "car/3.png": b""})
        assert set(result.labels) == {"train", "bus", "car"}
        assert all(record.split is None for record in result.records.values())


def _renamed(content: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with another name for an entry, in bytes and without a flag that says UTF-8."""
    import io

    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as copy:
        for info in source.infolist():
            name = new.decode("cp437") if info.filename.encode("cp437") == old else info.filename
            copy.writestr(_OldName(name), source.read(info))
    return target.getvalue()


class _OldName(zipfile.ZipInfo):
    """An entry whose name says nothing about its encoding."""

    def _encodeFilenameFlags(self):
        return self.filename.encode("cp437"), 0


class TestTables:
    @pytest.mark.parametrize(
        "text",
        [
            "a.png,5,6,25,26,bolt\n",
            "\na.png, 5, 6, 25, 26, bolt\n",
            "a.png;5;6;25;26;bolt\n",
            "a.png\t5\t6\t25\t26\tbolt\n",
            "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,64,48,bolt,5,6,25,26\n",
            "image,label,x1,y1,x2,y2\na.png,bolt,5,6,25,26\n",
            "path,label,x,y,w,h\na.png,bolt,5,6,20,20\n",
            "\ufeffclass;xmin;ymin;xmax;ymax;filename\nbolt;5;6;25;26;a.png\n",
        ],
    )
    def test_tables_of_boxes(self, text):
        assert read_files({"a.png": b"", "table.csv": text}).boxes("a.png") == BOX

    def test_a_comma_in_a_name(self):
        result = read_files({"a,1.png": b"", "b.png": b"", "t.csv": "a,1.png,5,6,25,26,bolt\nb.png,5,6,25,26,bolt\n"})
        assert result.boxes("a,1.png") == result.boxes("b.png") == BOX

    def test_open_images(self):
        table = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\nabc,x,/m/01,1,0.1,0.3,0.2,0.5\n"
        files = {"train/abc.jpg": b"", "train-annotations-bbox.csv": table, "class-descriptions.csv": "/m/01,Bolt\n"}
        result = read_files(files)
        assert result.boxes("train/abc.jpg") == [("Bolt", [0.1, 0.2, 0.3, 0.5])]
        assert result.records["train/abc.jpg"].marks[0].is_relative

    @pytest.mark.parametrize(
        "text",
        [
            "filename,label\na.png,cat\nb.png,dog\n",
            "a.png,cat\nb.png,dog\n",
            "filename, cat, dog\na.png, 1, 0\nb.png, 0, 1\n",
            "image_id;category;split\na;cat;train\nb;dog;test\n",
        ],
    )
    def test_labels_of_whole_images(self, text):
        result = read_files({"images/a.png": b"", "images/b.png": b"", "labels.csv": text})
        assert result.boxes("images/a.png") == [("cat", [])] and result.boxes("images/b.png") == [("dog", [])]

    def test_lines_count_as_an_editor_counts_them(self):
        result = read_files({"a.png": b"", "t.csv": "\n\na.png,5,6,25,26,bolt\na.png,1,2,bolt\n"})
        (remark,) = [remark for remark in result.remarks if remark.code == "incomplete_annotation"]
        assert remark.line == 4


class TestOtherTools:
    def test_createml(self):
        rows = [
            {
                "image": "a.png",
                "annotations": [{"label": "bolt", "coordinates": {"x": 15, "y": 16, "width": 20, "height": 20}}],
            }
        ]
        assert read_files({"a.png": b"", "_annotations.createml.json": json.dumps(rows)}).boxes("a.png") == BOX

    @pytest.mark.parametrize(
        "image",
        [
            "/data/upload/1/a.png",
            "/data/upload/1/0a1b2c3d-a.png",
            "http://host/data/a.png?x=1",
            "s3://bucket/x/a.png",
            "/data/local-files/?d=x/a.png",
            "a.png",
        ],
    )
    def test_label_studio(self, image):
        value = {"x": 10, "y": 20, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["bolt"]}
        result = {"type": "rectanglelabels", "original_width": 64, "original_height": 48, "value": value}
        whole = [{"id": 1, "data": {"image": image}, "annotations": [{"result": [result]}]}]
        least = [{"id": 1, "image": image, "label": [{**value, "original_width": 64, "original_height": 48}]}]
        for document in (whole, least):
            found = read_files({"a.png": b"", "export.json": json.dumps(document)})
            assert found.boxes("a.png") == [("bolt", [0.1, 0.2, 0.3, 0.4])], document

    def test_label_studio_choices_are_labels_of_images(self):
        result = {"type": "choices", "value": {"choices": ["cat"]}}
        tasks = [{"id": 1, "data": {"image": "a.png"}, "annotations": [{"result": [result]}]}]
        assert read_files({"a.png": b"", "e.json": json.dumps(tasks)}).boxes("a.png") == [("cat", [])]

    def test_labelme(self):
        document = {
            "version": "5",
            "imagePath": "..\\img\\a.png",
            "imageWidth": 64,
            "imageHeight": 48,
            "flags": {},
            "shapes": [{"label": "bolt", "points": [[5, 6], [25, 26]], "shape_type": "rectangle"}],
        }
        assert read_files({"img/a.png": b"", "json/a.json": json.dumps(document)}).boxes("img/a.png") == BOX

    def test_via_in_json_and_csv(self):
        shape = {"name": "rect", "x": 5, "y": 6, "width": 20, "height": 20}
        regions = [{"shape_attributes": shape, "region_attributes": {"type": "bolt"}}]
        for regions_ in (regions, dict(enumerate(regions))):
            images = {"a.png9": {"filename": "a.png", "size": 9, "regions": regions_, "file_attributes": {}}}
            for document in (images, {"_via_settings": {}, "_via_img_metadata": images}):
                assert read_files({"a.png": b"", "via.json": json.dumps(document)}).boxes("a.png") == BOX
        head = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
        shape_text, attributes = json.dumps(shape).replace('"', '""'), '{""type"":""bolt""}'
        table = f'{head}\na.png,9,"{{}}",1,0,"{shape_text}","{attributes}"\n'
        assert read_files({"a.png": b"", "via.csv": table}).boxes("a.png") == BOX

    def test_cvat(self):
        text = (
            "<annotations><version>1.1</version><meta/><image id='0' name='x/a.png' width='64' height='48'>"
            "<box label='bolt' xtl='5' ytl='6' xbr='25' ybr='26'/></image></annotations>"
        )
        assert read_files({"x/a.png": b"", "annotations.xml": text}).boxes("x/a.png") == BOX

    def test_cvats_yolo_and_its_lists(self):
        files = {
            "obj.data": "train = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\n",
            "obj.names": "bolt\n",
            "train.txt": "data/obj_train_data/a.png\n",
            "valid.txt": "data/obj_valid_data/b.png\n",
            "obj_train_data/a.png": b"",
            "obj_train_data/a.txt": "0 .5 .5 .2 .2",
            "obj_valid_data/b.png": b"",
            "obj_valid_data/b.txt": "0 .5 .5 .2 .2",
        }
        result = read_files(files)
        splits = {path: record.split for path, record in result.records.items()}
        assert splits == {"obj_train_data/a.png": "train", "obj_valid_data/b.png": "validation"}

    def test_splits_of_data_yaml(self):
        files = {
            "data.yaml": "names: [bolt]\ntrain: images/one\nval: images/two\n",
            "images/one/a.png": b"",
            "images/two/b.png": b"",
            "labels/one/a.txt": "0 .5 .5 .2 .2",
            "labels/two/b.txt": "",
        }
        result = read_files(files)
        assert [record.split for record in result.records.values()] == ["train", "validation"]

    def test_datumaro(self):
        document = {
            "info": {},
            "categories": {"label": {"labels": [{"name": "bolt"}]}},
            "items": [
                {
                    "id": "a",
                    "annotations": [{"type": "bbox", "label_id": 0, "bbox": [5, 6, 20, 20]}],
                    "image": {"path": "a.png", "size": [48, 64]},
                }
            ],
        }
        result = read_files({"images/train/a.png": b"", "annotations/train.json": json.dumps(document)})
        assert result.boxes("images/train/a.png") == BOX and result.records["images/train/a.png"].split == "train"


def test_folders_of_images_inside_of_labels():
    result = read_files({"cat/images/1.png": b"", "dog/images/2.png": b""})
    assert set(result.labels) == {"cat", "dog"}
    assert read_files({"images/1.png": b"", "images/2.png": b""}).labels == []


class TestCollidingNames:
    """Images that are called like files that say something about all of them."""

    @pytest.mark.parametrize("name", ["NOTES", "README", "classes", "train", "obj", "data", "license"])
    def test_label_files_of_such_images(self, name):
        files = {f"images/{name}.jpg": b"", f"labels/{name}.txt": "0 .5 .5 .2 .2", "data.yaml": "names: [bolt]"}
        assert read_files(files).boxes(f"images/{name}.jpg") == [("bolt", [0.4, 0.4, 0.6, 0.6])]


def test_sizes_without_an_end_are_none():
    image = {"id": 1, "file_name": "a.png", "width": 1e400, "height": 48}
    document = json.dumps({"images": [image], "annotations": [annotation()], "categories": [{"id": 1, "name": "bolt"}]})
    assert read_files({"a.png": b"", "c.json": document}).records["a.png"].size is None


def test_text_between_the_shapes_of_an_image_is_damage():
    text = (
        "<annotations><meta/><image name='a.png' width='64' height='48'>ge name='b.png'>"
        "<box label='bolt' xtl='5' ytl='6' xbr='25' ybr='26'/></image></annotations>"
    )
    assert read_files({"a.png": b"", "b.png": b"", "x.xml": text}).is_open("a.png")


class TestWhatElsePeopleSend:
    @pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig", "utf-16", "cp1251"])
    def test_texts_that_do_not_say_their_encoding(self, encoding):
        name = "болт" if encoding == "cp1251" else "螺栓"
        files: list[dict] = [
            {"a.xml": voc(name=name).encode(encoding)},
            {"t.csv": f"a.png,5,6,25,26,{name}\n".encode(encoding)},
            {"c.json": coco([annotation()], categories=[name]).encode().decode("unicode_escape").encode(encoding)},
        ]
        for some in files:
            assert [label for label, _ in read_files({"a.png": b"", **some}).boxes("a.png")] == [name], some

    def test_an_xml_with_a_namespace(self):
        text = voc().replace("<annotation>", '<annotation xmlns="http://example.org/voc">')
        assert read_files({"a.png": b"", "a.xml": text}).boxes("a.png") == BOX

    def test_decimal_commas(self):
        result = read_files(
            {"a.png": b"", "t.csv": "file name;class;x min;y min;x max;y max\na.png;bolt;5,5;6;25,25;26\n"}
        )
        assert result.boxes("a.png") == [("bolt", [5.5, 6, 25.25, 26])]
        assert read_files({"a.png": b"", "t.csv": "a.png;1,234;6;25;26;bolt\n"}).is_open("a.png")

    def test_label_files_with_commas(self):
        result = read_files({"a.png": b"", "a.txt": "0, 0.5, 0.5, 0.2, 0.2\n", "classes.txt": "bolt"})
        assert result.boxes("a.png") == [("bolt", [0.4, 0.4, 0.6, 0.6])]

    @pytest.mark.parametrize("head", ["id,breed\n", "Image,Id\n", ",filename,label\n"])
    def test_tables_of_labels_with_columns_of_any_name(self, head):
        rows = ("0,a,cat\n1,b,dog\n") if head.startswith(",") else "a,cat\nb,dog\n"
        result = read_files({"train/a.jpg": b"", "train/b.jpg": b"", "labels.csv": head + rows})
        assert result.boxes("train/a.jpg") == [("cat", [])] and result.boxes("train/b.jpg") == [("dog", [])]
        assert "missing_image" not in result.codes()

    def test_a_large_json_with_a_mark_at_its_beginning(self, monkeypatch):
        monkeypatch.setattr("vision.formats.documents.WHOLE_BYTES", 10)
        for content in (coco([annotation()]).encode("utf-8-sig"), coco([annotation()]).encode()):
            result = read_files({"a.png": b"", "c.json": content})
            assert result.boxes("a.png") == BOX

    def test_large_files_are_read_as_small_ones(self, monkeypatch):
        rows = [
            {
                "image": "a.png",
                "annotations": [{"label": "bolt", "coordinates": {"x": 15, "y": 16, "width": 20, "height": 20}}],
            }
        ]
        shape = {"name": "rect", "x": 5, "y": 6, "width": 20, "height": 20}
        regions = [{"shape_attributes": shape, "region_attributes": {"type": "bolt"}}]
        items = [{"id": "a", "annotations": [{"type": "bbox", "label_id": 0, "bbox": [5, 6, 20, 20]}]}]
        documents = [
            rows,
            {"k": {"filename": "a.png", "regions": regions}},
            {"_via_img_metadata": {"k": {"filename": "a.png", "regions": regions}}},
            {"categories": {"label": {"labels": [{"name": "bolt"}]}}, "items": items},
            {
                "shapes": [{"label": "bolt", "points": [[5, 6], [25, 26]], "shape_type": "rectangle"}],
                "imagePath": "a.png",
            },
        ]
        monkeypatch.setattr("vision.formats.documents.WHOLE_BYTES", 10)
        for document in documents:
            assert read_files({"a.png": b"", "a.json": json.dumps(document)}).boxes("a.png") == BOX, document


def test_labels_of_a_list_of_classes_may_have_the_signs_of_tables():
    from vision.formats.tables import _before_the_ids

    assert _before_the_ids(";;,0\na;b,1\n") == "," and _before_the_ids("a,b;0\r\nc;1\r\n") == ";"
    assert _before_the_ids("name\n") is None
