"""Archives of kinds that public reports describe: read right, or left open and said; no label or box is made up."""

from __future__ import annotations

import json

import pytest

from tests.archives import Read, read_files
from vision.formats.boxes import to_pixel_boxes

BOX = [("bolt", [5, 6, 25, 26])]
PLACE = {"x": 10, "y": 20, "width": 20, "height": 20, "rotation": 0}
SIZE = {"original_width": 64, "original_height": 48}
BNDBOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def coco(*annotations: dict, name: str = "a.png", **image) -> str:
    rows = [{"id": 1, "image_id": 1, "category_id": 1} | one for one in annotations]
    images = [{"id": 1, "file_name": name, "width": 64, "height": 48} | image]
    return json.dumps({"images": images, "annotations": rows, "categories": [{"id": 1, "name": "bolt"}]})


def placed(read: Read, path: str) -> list[tuple[str, list[float]]]:
    """Boxes in pixels of an image of 64 x 48."""
    marks = to_pixel_boxes(read.records[path], 64, 48).marks
    return [(mark.label, [round(edge, 2) for edge in mark.box or ()]) for mark in marks]


def splits(read: Read) -> dict[str, str | None]:
    return {path: record.split for path, record in read.records.items()}


NAMED = {
    "a JSON of another tool": {"all.json": json.dumps({"a.png": {"boxes": [[1, 2, 3, 4]]}})},
    "a JSON an image": {"a.png.json": json.dumps({"objects": [{"classTitle": "bolt"}]})},
    "VIA 3": {"via.json": json.dumps({"project": {}, "file": {"1": {"fname": "a.png"}}, "metadata": {}})},
    "images with lists of their own": {
        "c.json": json.dumps({"images": [{"id": 1, "file_name": "a.png", "annotations": [{"bbox": [1, 2, 3, 4]}]}]})
    },
    "a plain JSON an image": {"photos/a.json": json.dumps({"label": "cat"}), "photos/b.json": '"dog"'},
    "a list beside its image": {"photos/a.json": '["cat"]', "photos/b.json": "[]"},
    "lines of JSON": {"all.jsonl": json.dumps({"image": "a.png", "label": "x"})},
    "a manifest of SageMaker": {"output.manifest": json.dumps({"source-ref": "s3://bucket/photos/a.png", "bolt": {}})},
    "CVAT for video": {
        "annotations.xml": "<annotations><meta/><track id='0' label='bolt'><box frame='0' xtl='5' ytl='6' xbr='25' "
        "ybr='26' outside='0'/></track></annotations>"
    },
    "an XML of dlib": {
        "all.xml": "<dataset><images><image file='photos/a.png'><box top='6' left='5' width='20' height='20'/></image>"
        "</images></dataset>"
    },
    "a name with a space": {"all.json": json.dumps({"photo 1.png": {"boxes": [[1, 2, 3, 4]]}})},
    "a table with the label first": {"t.csv": "bolt,5,6,20,20,a.png,64,48\nbolt,1,2,20,20,b.png,64,48\n"},
    "a table of names without endings": {"t.csv": 'image_id,bbox,label\na,"[5, 6, 20, 20]",bolt\n'},
    "a spreadsheet": {"labels.xlsx": "PK\x03\x04"},
    "a compressed JSON": {"coco.json.gz": "\x1f\x8b"},
    "an archive that is not read": {"labels.rar": "Rar!"},
    "predictions that name images by numbers": {
        "results.json": json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.9}])
    },
    "images in an object": {"c.json": json.dumps({"images": {"1": {"file_name": "a.png"}}, "annotations": []})},
    "annotations in an object": {
        "c.json": json.dumps({"images": [{"id": 1, "file_name": "a.png"}], "annotations": {"1": [{"bbox": [1, 2]}]}})
    },
    "numbers of classes by names without endings": {
        "all.json": json.dumps({"classes": ["cat"], "labels": {"a": 0, "b": 0, "photo 1": 0}})
    },
    "lines with tabs": {"list.txt": "a.png\tcat\nb.png\tdog\n"},
    "lines with commas": {"list.txt": "a.png,cat\nb.png,dog\n"},
    "a list of labels": {"labels.txt": "a.png cat\nb.png dog\n"},
    "several boxes in a line": {"train.txt": "photos/a.png 5,6,25,26,0 1,2,9,9,0\nphotos/b.png 5,6,25,26,0 1,2,9,9,1"},
}


@pytest.mark.parametrize("files", NAMED.values(), ids=NAMED)
def test_folders_are_no_labels_beside_a_file_about_their_images(files):
    result = read_files({"photos/a.png": b"", "photos/b.png": b"", "photos/photo 1.png": b"", **files})
    images = [path for path in result.records if path.endswith(".png")]
    assert len(images) == 3 and all(map(result.is_open, images)) and not result.labels
    assert result.unread == list(files) and {"unknown_annotations", "folders_ignored"} <= result.codes()


@pytest.mark.parametrize(
    "files",
    [
        {"c.json": coco({"bbox": [5, 6, 20, 20]})[:-40]},
        {"photos/a.xml": "<annotation><object>"},
        {"photos/a.xml": "<!DOCTYPE x [<!ENTITY y 'z'>]><annotation/>"},
    ],
)
def test_folders_are_no_labels_beside_a_damaged_file_about_their_images(files):
    result = read_files({"photos/a.png": b"", "photos/b.png": b"", **files})
    assert not result.labels and result.is_open("photos/a.png") and "folders_ignored" in result.codes()


def test_folders_of_one_name_are_one_label_which_is_said():
    result = read_files({"apple/good/1.png": b"", "apple/bad/2.png": b"", "pear/good/3.png": b""})
    (remark,) = [remark for remark in result.remarks if remark.code == "folders_joined"]
    assert set(result.labels) == {"good", "bad"} and "'apple/good' and 'pear/good'" in remark.detail
    splits_alone = read_files({"train/cat/1.png": b"", "test/cat/2.png": b"", "valid/dog/3.png": b""})
    assert not splits_alone.codes()


def test_folders_are_labels_beside_a_file_about_something_else():
    files = {
        "log.csv": "date,line,camera\n2024,3,c\n",
        "setup.json": json.dumps({"lens": {"f": [8]}, "logo": "x.svg"}),
        "list.txt": "cat/1.png\ndog/2.png\n",
    }
    result = read_files({"cat/1.png": b"", "dog/2.png": b"", **files})
    assert result.boxes("cat/1.png") == [("cat", [])] and result.boxes("dog/2.png") == [("dog", [])]


class TestFolders:
    @pytest.mark.parametrize(
        "path",
        [
            "{label}/{split}/{name}",
            "site/{split}/{label}/{name}",
            "{split}/{label}/{name}",
            "{label}/{split}/images/{name}",
        ],
    )
    def test_splits_around_labels_and_inside_of_them(self, path):
        images = [("cat", "train", "1.png"), ("cat", "test", "2.png"), ("dog", "train", "3.png")]
        paths = {path.format(label=label, split=split, name=name): (label, split) for label, split, name in images}
        result = read_files(dict.fromkeys(paths, b""))
        found = {name: (record.marks[0].label, record.split) for name, record in result.records.items()}
        assert found == paths

    @pytest.mark.parametrize(
        ("first", "second"),
        [("training_set", "test_set"), ("Train", "Testing"), ("train_images", "val_images"), ("train-data", "Valid")],
    )
    def test_names_of_splits(self, first, second):
        result = read_files({f"{first}/cat/1.png": b"", f"{second}/dog/2.png": b""})
        assert set(result.labels) == {"cat", "dog"}
        assert list(splits(result).values()) == ["train", "test" if second.lower().startswith("test") else "validation"]

    @pytest.mark.parametrize("name", ["train station", "test_猫", "seg_train", "data"])
    def test_labels_that_are_no_splits(self, name):
        result = read_files({f"{name}/1.png": b"", "dog/2.png": b""})
        assert set(result.labels) == {name, "dog"} and set(splits(result).values()) == {None}

    @pytest.mark.parametrize(
        ("mask", "image"),
        [
            ("labels/a.png", "images/a.jpg"),
            ("annotations/training/a.png", "images/training/a.jpg"),
            ("annotations/trimaps/a.png", "images/a.jpg"),
            ("train/labels/a_mask.png", "train/images/a.jpg"),
        ],
    )
    def test_masks_in_folders_of_annotations_are_no_images(self, mask, image):
        result = read_files({mask: b"", image: b""})
        assert list(result.records) == [image] and "masks_left_out" in result.codes()

    def test_images_in_folders_of_annotations_without_others_are_images(self):
        assert len(read_files({"labels/a.png": b"", "images/b.png": b"", "labels/b.jpg": b""}).records) == 3


class TestCoco:
    @pytest.mark.parametrize(
        "name", ["https://host.example/x/a.png?token=1&e=2", "s3://bucket/x/a.png", "gs://bucket/a.png#1"]
    )
    def test_names_that_are_addresses(self, name):
        read = read_files({"a.png": b"", "c.json": coco({"bbox": [5, 6, 20, 20]}, name=name)})
        assert read.boxes("a.png") == BOX
        table = f"filename,xmin,ymin,xmax,ymax,class\n{name},5,6,25,26,bolt\n"
        assert read_files({"a.png": b"", "t.csv": table}).boxes("a.png") == BOX

    @pytest.mark.parametrize(
        "more",
        [{"bbox_mode": 0}, {"area": 400}, {"segmentation": [[5, 6, 25, 6, 25, 26, 5, 26]], "area": 321}],
    )
    def test_two_corners_where_something_says_so(self, more):
        read = read_files({"a.png": b"", "c.json": coco({"bbox": [5, 6, 25, 26], **more})})
        assert read.boxes("a.png") == BOX and read.codes() == {"boxes_as_corners"}

    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"bbox_mode": 1},
            {"area": 650},
            {"area": 0},
            {"area": 400, "segmentation": [[5, 6, 30, 6, 30, 32]]},
            {"segmentation": [[5, 6, 6, 6, 6, 7]]},
            {"segmentation": [[]]},
        ],
    )
    def test_a_corner_and_a_size_otherwise(self, more):
        read = read_files({"a.png": b"", "c.json": coco({"bbox": [5, 6, 25, 26], **more})})
        assert read.boxes("a.png") == [("bolt", [5, 6, 30, 32])] and not read.codes()


class TestYolo:
    def test_lines_that_end_as_on_an_old_macintosh(self):
        files = {"a.txt": "0 .5 .5 .2 .2\r0 .2 .2 .1 .1\r1 .3 .3 .1 .1", "classes.txt": "bolt\rnut\r"}
        result = read_files({"a.png": b"", **files})
        assert [label for label, _ in result.boxes("a.png")] == ["bolt", "bolt", "nut"] and not result.codes()

    @pytest.mark.parametrize("line", ["0 .5 .5 .2 .2 .9 1", "0 .5 .5 .2 .2 .9 17"])
    def test_a_box_with_its_score_and_track_is_no_outline(self, line):
        result = read_files({"a.png": b"", "a.txt": line, "classes.txt": "bolt"})
        assert result.is_open("a.png") and result.codes() == {"incomplete_annotation"}

    @pytest.mark.parametrize("line", ["0 .9 .1 .9 .3 .5 1", "0 .1 .1 .5 .5 .9 .2"])
    def test_three_points_are_an_outline(self, line):
        result = read_files({"a.png": b"", "a.txt": line, "classes.txt": "bolt"})
        assert len(result.boxes("a.png")) == 1 and result.codes() == {"outline_as_box"}

    def test_settings_that_cannot_be_read_are_named_where_they_lack(self):
        result = read_files({"a.png": b"", "a.txt": "0 .5 .5 .2 .2", "data.yaml": "names: ['bolt', 'it's']"})
        (remark,) = [remark for remark in result.remarks if remark.code == "no_class_names"]
        assert result.is_open("a.png") and "data.yaml cannot be read: line 1: expected" in remark.detail


class TestTables:
    @pytest.mark.parametrize(
        "table",
        [
            "Dateiname;links;oben;Breite;Höhe;Klasse\na.png;5,5;6;20;20;bolt\n",
            "img_file,xc,yc,w,h,cls\na.png,15,16,20,20,bolt\n",
            "fichier;x;y;l;h;classe\na.png;5;6;20;20;bolt\n",
        ],
    )
    def test_columns_in_words_that_are_not_known_have_no_known_order(self, table):
        result = read_files({"a.png": b"", "t.csv": table})
        assert result.is_open("a.png") and result.unread == ["t.csv"]

    @pytest.mark.parametrize("head", ["left,top,width,height", "xmin,ymin,width,height", "x_min,y_min,w,h"])
    def test_a_corner_and_a_size(self, head):
        result = read_files({"a.png": b"", "t.csv": f"filename,{head},class\na.png,5,6,20,20,bolt\n"})
        assert result.boxes("a.png") == BOX and result.records["a.png"].size is None

    def test_a_corner_alone_is_no_label_of_the_image(self):
        result = read_files({"a.png": b"", "t.csv": "filename,left,top,class\na.png,5,6,bolt\n"})
        assert result.is_open("a.png") and result.unread == ["t.csv"]

    def test_paths_labels_and_sets_in_the_plural(self):
        table = "class id,filepaths,labels,data set\n0,images/a.png,cat,train\n1,images/b.png,dog,test\n"
        result = read_files({"images/a.png": b"", "images/b.png": b"", "t.csv": table})
        assert result.boxes("images/a.png") == [("cat", [])] and list(splits(result).values()) == ["train", "test"]

    @pytest.mark.parametrize("head", ["label,label_name", "class_id,class_name", "label,category"])
    def test_names_of_labels_beside_their_numbers(self, head):
        files = {"a.png": b"", "b.png": b"", "t.csv": f"filename,{head}\na.png,0,cat\nb.png,1,dog\n"}
        assert read_files(files).boxes("a.png") == [("cat", [])]

    def test_a_group_in_open_images_is_not_one_object(self):
        table = (
            "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\na,/m/1,1,.1,.5,.1,.5,1\nb,/m/1,1,0,.5,0,.5,0\n"
        )
        files = {"a.png": b"", "b.png": b"", "x-bbox.csv": table, "class-descriptions.csv": "/m/1,Bolt\n"}
        result = read_files(files)
        assert result.is_open("a.png") and len(result.boxes("b.png")) == 1 and "crowd" in result.codes()

    def test_fractions_that_reach_a_little_beyond_the_image(self):
        result = read_files({"a.png": b"", "t.csv": "a.png,0.5,0.5,1.02,0.75,bolt\n"})
        assert placed(result, "a.png") == [("bolt", [32, 24, 64, 36])] and "fractions" in result.codes()


@pytest.mark.parametrize("name", ["C:\\data\\photo1.png", "/home/me/photo1.png"])
def test_a_path_of_another_machine_in_voc_whose_file_is_called_otherwise(name):
    box = BNDBOX.format(5, 6, 25, 26)
    text = f"<annotation><filename>{name}</filename><object><name>bolt</name>{box}</object></annotation>"
    files = {"img/photo1.png": b"", "xml/0001.xml": text}
    assert read_files(files).boxes("img/photo1.png") == BOX
    own = text.replace(name, "photo1.png").replace("bolt", "nut")
    assert read_files({**files, "img/photo1.xml": own}).boxes("img/photo1.png") == [("nut", [5, 6, 25, 26])]


@pytest.mark.parametrize("place", ["", "labels/"])
def test_label_files_that_keep_the_ending_of_their_image(place):
    line, images = "0 .5 .5 .2 .2\n", "images/" if place else ""
    files = {f"{images}a.png": b"", f"{images}a.jpg": b"", f"{images}b.v2.png": b"", "classes.txt": "bolt\n"}
    result = read_files({**files, f"{place}a.png.txt": line, f"{place}b.v2.png.txt": line})
    assert [len(result.records[path].marks) for path in list(files)[:3]] == [1, 0, 1]
    assert result.is_open(f"{images}a.jpg") and result.codes() == {"no_annotations"}


def test_an_ending_that_no_image_has_is_a_part_of_the_name():
    result = read_files({"a.png": b"", "a.old.txt": "0 .5 .5 .2 .2\n", "classes.txt": "bolt\n"})
    assert result.is_open("a.png") and result.codes() == {"missing_image"}


def test_a_small_box_in_the_corner_is_in_pixels():
    result = read_files({"a.png": b"", "t.csv": "a.png,0,0,1.2,1.2,bolt\n"})
    assert placed(result, "a.png") == [("bolt", [0, 0, 1.2, 1.2])] and not result.codes()


def test_two_boxes_of_one_object_in_voc_leave_it_open():
    boxes = BNDBOX.format(5, 6, 25, 26) + BNDBOX.format(1, 2, 3, 4)
    text = f"<annotation><object><name>bolt</name>{boxes}</object></annotation>"
    assert read_files({"a.png": b"", "a.xml": text}).is_open("a.png")


class TestLabelStudio:
    def results(self, *rows: tuple[str, dict]) -> Read:
        made = [{"id": "r", "type": kind, "value": PLACE | value, **SIZE} for kind, value in rows]
        tasks = [{"id": 1, "data": {"image": "a.png"}, "annotations": [{"id": 1, "result": made}]}]
        return read_files({"a.png": b"", "t.json": json.dumps(tasks)})

    def test_a_choice_about_a_region_is_no_label_of_the_image(self):
        result = self.results(("rectanglelabels", {"rectanglelabels": ["bolt"]}), ("choices", {"choices": ["rusty"]}))
        assert result.boxes("a.png") == [("bolt", [0.1, 0.2, 0.3, 0.4])] and not result.codes()
        assert result.labels == ["bolt"] and not result.records["a.png"].left_out

    def test_a_region_with_choices_alone_is_open(self):
        result = self.results(("rectangle", {}), ("choices", {"choices": ["bolt"]}))
        assert result.is_open("a.png") and result.codes() == {"incomplete_annotation"}
