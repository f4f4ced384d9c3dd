"""What of a tool's file cannot be understood: it is said with its place, and the image waits instead of being empty."""

from __future__ import annotations

import json

import pytest

from tests.archives import Read, read_files


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


BOX = [("bolt", [10, 20, 40, 50])]


def with_image(**files) -> Read:
    texts = {name.replace("__", "."): value for name, value in files.items()}
    return read_files({"a.jpg": b"", **{name: v if isinstance(v, str) else json.dumps(v) for name, v in texts.items()}})


# Label Studio


def result(value: dict, kind: str = "rectanglelabels", **more) -> dict:
    size = {"original_width": 100, "original_height": 200}
    return {"id": "r", "type": kind, "to_name": "image", "value": value, **size, **more}


def rectangle(**more) -> dict:
    return {"x": 10, "y": 10, "width": 30, "height": 15, "rectanglelabels": ["bolt"], **more}


def task(*results, data: dict | None = None, **annotation) -> dict:
    return {"id": 1, "data": data or {"image": "a.jpg"}, "annotations": [{"result": list(results), **annotation}]}


def label_studio(*results, **options) -> Read:
    return with_image(tasks__json=[task(*results, **options)])


def placed(result: Read, size: tuple[int, int] = (100, 200)) -> list[tuple[str, list[float]]]:
    """Boxes in pixels of an image of that size."""
    from vision.formats.boxes import to_pixel_boxes

    marks = to_pixel_boxes(result.records["a.jpg"], *size).marks
    return sorted((mark.label, [round(edge, 3) for edge in mark.box or ()]) for mark in marks)


def test_a_box_of_label_studio_is_in_percent():
    assert placed(label_studio(result(rectangle()))) == BOX


@pytest.mark.parametrize(
    ("region", "code"),
    [
        ("no region", "incomplete_annotation"),
        (result({"taxonomy": [["a", "b"]]}, "taxonomy"), "incomplete_annotation"),
        (result({"x": 1, "y": 2, "width": 3, "height": 4}, "rectangle"), "incomplete_annotation"),
        (result(rectangle(rectanglelabels=[])), "incomplete_annotation"),
        (result(rectangle(x="left")), "incomplete_annotation"),
        (result(rectangle(height=None)), "incomplete_annotation"),
        (result(rectangle(), image_rotation=90), "image_rotated"),
        (result({"points": [[1, 1], [5]], "polygonlabels": ["bolt"]}, "polygonlabels"), "incomplete_annotation"),
        (result({"x": 1, "y": 1, "width": 2, "choices": ["bolt"]}, "choices"), "incomplete_annotation"),
    ],
)
def test_a_region_that_is_not_understood_leaves_its_image_open(region, code):
    alone, beside = label_studio(region), label_studio(region, result(rectangle(), id="other"))
    assert alone.is_open("a.jpg") and alone.codes() == {code}
    assert beside.records["a.jpg"].left_out == 1 and placed(beside) == BOX


@pytest.mark.parametrize("kind", ["relation", "textarea", "rating", "number", "datetime", "pairwise"])
def test_what_has_no_labels_is_no_region_that_was_lost(kind):
    found = label_studio(result({"text": ["a note"]}, kind), result(rectangle(), id="other"))
    assert placed(found) == BOX and not found.codes() and not found.records["a.jpg"].left_out


def test_a_shape_that_is_repeated_without_its_label_counts_once():
    shape = result({"x": 10, "y": 10, "width": 30, "height": 15}, "rectangle")
    assert placed(label_studio(shape, result(rectangle()))) == BOX


def test_a_choice_about_a_region_that_has_a_label_is_no_label_of_the_image():
    place = {"x": 10, "y": 10, "width": 30, "height": 15}
    found = label_studio(result(rectangle()), result({**place, "choices": ["rusty"]}, "choices"))
    assert placed(found) == BOX and not found.codes()


@pytest.mark.parametrize(
    ("annotation", "code"),
    [({"was_cancelled": True}, "skipped_task"), ({"result": "none"}, None)],
)
def test_a_task_that_was_skipped_is_open(annotation, code):
    found = with_image(
        tasks__json=[{"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"result": [], **annotation}]}]
    )
    assert found.is_open("a.jpg") and (code is None or code in found.codes())


def test_predictions_are_no_annotations():
    rows = [
        {"id": 1, "data": {"image": "a.jpg"}, "annotations": [], "predictions": [{"result": [result(rectangle())]}]}
    ]
    found = with_image(tasks__json=rows)
    assert found.is_open("a.jpg") and "predictions_left_out" in found.codes()


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        ({"ground_truth": True}, {"updated_at": "2030-01-01"}, "first"),
        ({"updated_at": "2024-01-01"}, {"updated_at": "2025-01-01"}, "second"),
        ({"updated_at": "2025-01-01"}, {"updated_at": "2024-01-01"}, "first"),
        ({"id": 7}, {"id": 9}, "second"),
        ({"id": 7}, {"id": "what"}, "first"),
    ],
)
def test_of_several_annotations_the_ground_truth_or_the_newest_counts(first, second, taken):
    rows = [
        {"result": [result(rectangle(rectanglelabels=[name]))], **said}
        for name, said in (("first", first), ("second", second))
    ]
    found = with_image(tasks__json=[{"id": 1, "data": {"image": "a.jpg"}, "annotations": rows}])
    assert [label for label, _ in placed(found)] == [taken] and found.codes() == {"several_annotations"}


def test_regions_of_another_image_of_the_task_are_not_of_this_one():
    two = {"image": "a.jpg", "second": "b.jpg"}
    found = label_studio(result(rectangle()), result(rectangle(), to_name="second", id="s"), data=two)
    found_own = label_studio(result(rectangle(), to_name="image"), data={"image": "a.jpg"})
    assert "several_images" in found.codes() and found.records["a.jpg"].left_out
    assert not found_own.codes()


@pytest.mark.parametrize("data", [{"text": "no image"}, {"image": 7}])
def test_a_task_without_an_image_is_said(data):
    found = with_image(tasks__json=[task(result(rectangle()), data=data)])
    assert "incomplete_annotation" in found.codes() and found.is_open("a.jpg")


# CreateML


def createml(annotation, key: str = "annotations") -> Read:
    return with_image(
        x_createml__json=[
            {"image": "b.jpg", "annotations": [{"label": "bolt", "coordinates": {}}]},
            {"image": "a.jpg", key: annotation},
        ]
    )


PLACE = {"x": 25, "y": 35, "width": 30, "height": 30}


def test_a_box_of_createml_lies_around_its_middle():
    assert createml([{"label": "bolt", "coordinates": PLACE}]).boxes("a.jpg") == BOX


@pytest.mark.parametrize(
    "annotation",
    [
        [{"label": None, "coordinates": PLACE}],
        [{"coordinates": PLACE}],
        [{"label": "bolt", "coordinates": [1, 2, 3, 4]}],
        ["bolt"],
        None,
        7,
    ],
)
def test_an_annotation_of_createml_without_its_parts_leaves_the_image_open(annotation):
    found = createml(annotation)
    assert found.is_open("a.jpg") and "incomplete_annotation" in found.codes()


def test_a_text_in_the_place_of_boxes_is_the_label_of_the_image():
    assert createml("bolt").boxes("a.jpg") == [("bolt", [])]
    assert createml([{"label": "bolt"}]).boxes("a.jpg") == [("bolt", [])]


# CVAT


def cvat(shape: str, image: str = 'name="a.jpg" width="100" height="200"') -> Read:
    return with_image(annotations__xml=f'<annotations><meta/><image id="0" {image}>{shape}</image></annotations>')


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ('<box label="bolt" xtl="10" ytl="20" xbr="40" ybr="50"/>', [10, 20, 40, 50]),
        ('<polygon label="bolt" points="10,20;40,20;40,50"/>', [10, 20, 40, 50]),
        ('<ellipse label="bolt" cx="25" cy="35" rx="15" ry="15"/>', [10, 20, 40, 50]),
        ('<mask label="bolt" left="10" top="20" width="30" height="30" rle="1"/>', [10, 20, 40, 50]),
        ('<box label="bolt" xtl="10" ytl="30" xbr="40" ybr="40" rotation="90"/>', [20, 20, 30, 50]),
    ],
)
def test_shapes_of_cvat_have_a_box(shape, box):
    assert cvat(shape).boxes("a.jpg") == [("bolt", box)]


@pytest.mark.parametrize(
    "shape",
    [
        '<polygon label="bolt" points="10,20"/>',
        '<polygon label="bolt" points="10,20;x,y;40,50"/>',
        '<polygon label="bolt"/>',
        '<ellipse label="bolt" cx="25" cy="35" rx="wide" ry="15"/>',
        '<skeleton label="bolt"/>',
        '<cuboid label="bolt" xtl1="1"/>',
    ],
)
def test_a_shape_of_cvat_without_a_box_leaves_the_image_open(shape):
    found = cvat(shape)
    assert found.is_open("a.jpg") and "incomplete_annotation" in found.codes()


def test_an_image_of_cvat_without_a_name_is_said():
    found = cvat('<tag label="bolt"/>', 'width="1" height="1"')
    assert "incomplete_annotation" in found.codes() and found.is_open("a.jpg")


# Datumaro


def datumaro(*annotations, item: dict | None = None) -> Read:
    document = {
        "info": {},
        "categories": {"label": {"labels": [{"name": "bolt"}, "broken", {"name": "nut"}]}},
        "items": [{"id": "a", "annotations": list(annotations), "image": {"path": "a.jpg"}, **(item or {})}],
    }
    return with_image(default__json=document)


def test_labels_of_datumaro_count_by_their_place_also_behind_one_that_cannot_be_read():
    row = {"type": "bbox", "bbox": [10, 20, 30, 30], "label_id": 2}
    assert datumaro(row).boxes("a.jpg") == [("nut", [10, 20, 40, 50])]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"type": "bbox", "bbox": [10, 20, 30, 30], "label_id": 1}, "unknown_label"),  # the broken one
        ({"type": "bbox", "bbox": [10, 20, 30, 30], "label_id": 9}, "unknown_label"),
        ({"type": "bbox", "bbox": [10, 20, 30, 30], "label_id": -1}, "unknown_label"),
        ({"type": "bbox", "bbox": [10, 20, 30, 30]}, "unknown_label"),
        ({"type": "bbox", "bbox": [10, 20, 30, 30], "label_id": 0.5}, "unknown_label"),
        ({"type": "bbox", "bbox": [10, 20, 30], "label_id": 0}, "incomplete_annotation"),
        ({"type": "polygon", "points": [1, 2, 3], "label_id": 0}, "incomplete_annotation"),
        ({"type": "cuboid_3d", "label_id": 0}, "incomplete_annotation"),
        ({"type": "mask", "rle": {"size": [4, 4], "counts": [16]}, "label_id": 0}, "incomplete_annotation"),
        ("bolt", "unknown_label"),
    ],
)
def test_an_annotation_of_datumaro_that_is_not_understood_leaves_the_image_open(row, code):
    found = datumaro(row)
    assert found.is_open("a.jpg") and code in found.codes()


def test_a_caption_says_nothing_of_labels():
    found = datumaro({"type": "caption", "caption": "a bolt"})
    assert found.is_open("a.jpg") and "unknown_label" not in found.codes()


def test_an_item_of_datumaro_without_an_id_is_said():
    assert "incomplete_annotation" in datumaro(item={"id": 7, "image": {}}).codes()


# LabelMe, VIA and Pascal VOC


@pytest.mark.parametrize(
    "shape",
    [
        {"label": "bolt", "shape_type": "line", "points": [[1, 2], [3, 4]]},
        {"label": "bolt", "shape_type": "point", "points": [[1, 2]]},
        {"label": "bolt", "shape_type": "rectangle", "points": [[1, 2]]},
        {"label": "bolt", "shape_type": "rectangle", "points": "1 2 3 4"},
        {"label": None, "shape_type": "rectangle", "points": [[1, 2], [30, 40]]},
        "bolt",
    ],
)
def test_a_shape_of_labelme_without_a_box_or_label_leaves_the_image_open(shape):
    found = with_image(a__json={"imagePath": "a.jpg", "shapes": [shape]})
    assert found.is_open("a.jpg") and found.codes() == {"incomplete_annotation"}


def test_a_circle_of_labelme_is_its_middle_and_a_point_on_its_edge():
    shape = {"label": "bolt", "shape_type": "circle", "points": [[25, 35], [25, 50]]}
    assert with_image(a__json={"imagePath": "a.jpg", "shapes": [shape]}).boxes("a.jpg") == BOX


def test_ticked_flags_of_labelme_are_labels_of_the_image_and_others_are_not():
    content = {"imagePath": "a.jpg", "shapes": [], "flags": {"bolt": True, "nut": False, "key": "yes"}}
    assert with_image(a__json=content).boxes("a.jpg") == [("bolt", [])]


def via(shape, attributes) -> Read:
    region = {"shape_attributes": shape, "region_attributes": attributes}
    return with_image(via__json={"a.jpg1": {"filename": "a.jpg", "size": 1, "regions": [region]}})


RECT = {"name": "rect", "x": 10, "y": 20, "width": 30, "height": 30}


@pytest.mark.parametrize(
    ("attributes", "label"),
    [
        ({"label": "bolt"}, "bolt"),
        ({"Class": "bolt", "color": "red"}, "bolt"),
        ({"anything": "bolt"}, "bolt"),
        ({"type": {"bolt": True, "nut": False}}, "bolt"),
        ({"label": 7}, "7"),
    ],
)
def test_the_label_of_a_region_of_via(attributes, label):
    assert via(RECT, attributes).boxes("a.jpg") == [(label, [10, 20, 40, 50])]


@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        (RECT, {}),
        (RECT, {"color": "red", "shape": "round"}),
        (RECT, {"type": {"bolt": True, "nut": True}}),
        (RECT, None),
        ({"name": "point", "cx": 1, "cy": 2}, {"label": "bolt"}),
        ({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1]}, {"label": "bolt"}),
        (None, {"label": "bolt"}),
    ],
)
def test_a_region_of_via_without_a_box_or_a_certain_label_leaves_the_image_open(shape, attributes):
    found = via(shape, attributes)
    assert found.is_open("a.jpg") and found.codes() == {"incomplete_annotation"}


def voc(rows: str) -> Read:
    return with_image(a__xml=f"<annotation><filename>a.jpg</filename>{rows}</annotation>")


BNDBOX = "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>40</xmax><ymax>50</ymax></bndbox>"


@pytest.mark.parametrize(
    "rows",
    [
        f"<object>{BNDBOX}</object>",
        f"<object><name> </name>{BNDBOX}</object>",
        "<object><name>bolt</name></object>",
        f"<object><name>bolt</name>{BNDBOX}{BNDBOX}</object>",
        "<object><name>bolt</name><robndbox><cx>1</cx></robndbox></object>",
        "<objects><thing><name>bolt</name></thing></objects>",
    ],
)
def test_an_object_of_voc_that_is_not_understood_leaves_the_image_open(rows):
    found = voc(rows)
    assert found.is_open("a.jpg") and "incomplete_annotation" in found.codes()


def test_an_object_that_was_deleted_in_labelme_is_none():
    rows = f"<object><name>nut</name><deleted>1</deleted>{BNDBOX}</object><object><name>bolt</name>{BNDBOX}</object>"
    found = voc(rows)
    assert found.boxes("a.jpg") == BOX and not found.codes()
