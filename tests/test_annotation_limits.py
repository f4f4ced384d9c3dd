"""Annotation files of strangers: read in the sandbox, with little memory, and never believed."""

from __future__ import annotations

import json

import pytest

from datasets.models import Image
from tests.pictures import jpeg, make_zip
from tests.test_boxes import new_dataset
from tests.test_imports import report_of, run_import
from vision.formats import transfer
from vision.formats.base import FormatError, ImportWarning, Parsed, ParsedAnnotation, Record
from vision.formats.transfer import BrokenTransfer, Transferred

NAN = float("nan")
YOLO = {"images/a.jpg": jpeg(1), "labels/a.txt": b"0 0.5 0.5 0.2 0.2\n"}
# Nine lines of YAML that stand for 10^9 words ("billion laughs").
LAUGHS = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    + ["names: *a8"]
)


@pytest.fixture
def boxes(owner) -> dict:
    return new_dataset(owner, "boxes")


@pytest.mark.django_db
@pytest.mark.any_database("what is read in the sandbox")
@pytest.mark.sandbox
class TestHostileFiles:
    def test_yaml_references_are_refused(self, api, boxes):
        job = run_import(api, boxes, make_zip(YOLO | {"data.yaml": LAUGHS.encode()}), format="yolo")
        assert (job["state"], job["error"]["code"]) == ("failed", "no_class_names")

    @pytest.mark.parametrize("names", ["[[x], y]", "{0: {a: b}}", "!!python/name:os.system"])
    def test_names_are_plain_values(self, api, boxes, names):
        job = run_import(api, boxes, make_zip(YOLO | {"data.yaml": f"names: {names}".encode()}), format="yolo")
        assert (job["state"], job["error"]["code"]) == ("failed", "no_class_names")

    def test_a_harmless_neighbour_is_read_all_the_same(self, api, boxes):
        content = make_zip(YOLO | {"data.yaml": LAUGHS.encode(), "classes.txt": b"screw\n"})
        job = run_import(api, boxes, content)
        assert job["state"] == "succeeded" and job["result"]["boxes"] == 1

    def test_nested_json_ends_its_own_job_only(self, api, boxes, settings):
        settings.ANNOTATION_MEMORY_BYTES = 200 << 20
        document = b'{"annotations": [], "images": [{"id": 1, "file_name": ' + b"[" + b"[]," * (6 << 20) + b"[]]}]}"
        job = run_import(api, boxes, make_zip({"a.jpg": jpeg(1), "ann.json": document}))
        assert job["state"] == "failed", job
        assert job["error"]["code"] == "annotations_too_complex"
        assert "Split the archive" in job["error"]["detail"]
        again = run_import(api, boxes, make_zip(YOLO | {"classes.txt": b"screw\n"}))
        assert again["state"] == "succeeded"

    def test_reading_for_too_long_ends_the_job(self, api, boxes, settings):
        settings.ANNOTATION_SECONDS = 1
        settings.ANNOTATION_MEMORY_BYTES = 8 << 30
        row = b'{"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]},'
        document = (
            b'{"images": [{"id": 1, "file_name": "a.jpg"}], "categories": [{"id": 1, "name": "x"}], "annotations": ['
            + row * 400_000
            + row[:-1]
            + b"]}"
        )
        job = run_import(api, boxes, make_zip({"a.jpg": jpeg(1), "ann.json": document}))
        assert (job["state"], job["error"]["code"]) == ("failed", "annotations_too_complex")

    def test_all_annotation_files_together_have_one_limit(self, api, boxes, settings):
        settings.MAX_ANNOTATION_BYTES = 10_000
        files = {f"{n}.json": b'{"images": [], "annotations": [], "x": "' + b"y" * 3000 + b'"}' for n in range(5)}
        job = run_import(api, boxes, make_zip(files | {"a.jpg": jpeg(1)}))
        assert (job["state"], job["error"]["code"]) == ("failed", "annotations_too_large")
        assert "MLSTUDIO_MAX_ANNOTATION_BYTES" in job["error"]["detail"]

    def test_a_file_that_is_looked_at_twice_counts_once(self, api, boxes, settings):
        document = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": []}
        settings.MAX_ANNOTATION_BYTES = len(json.dumps(document)) + 10
        job = run_import(api, boxes, make_zip({"a.jpg": jpeg(1), "ann.json": json.dumps(document).encode()}))
        assert job["state"] == "succeeded" and job["result"]["format"] == "coco"

    def test_nothing_is_left_in_the_work_folder(self, api, boxes, settings):
        run_import(api, boxes, make_zip(YOLO | {"data.yaml": LAUGHS.encode()}))
        job = run_import(api, boxes, make_zip(YOLO | {"classes.txt": b"screw\n"}))
        assert not list((settings.WORK_DIR / "jobs").glob(f"{job['id']}*"))


@pytest.mark.django_db
def test_an_interrupted_import_goes_on_with_the_record_after_the_last_one(api, boxes, monkeypatch):
    from jobs.context import JobContext
    from jobs.errors import WorkInterrupted
    from jobs.services import run_job
    from tests.test_imports import start

    monkeypatch.setattr("datasets.import_batches.BATCH", 2)
    files = {f"images/{n}.jpg": jpeg(n) for n in range(6)}
    files |= {f"labels/{n}.txt": f"0 0.5 0.5 0.{n + 1} 0.2\n".encode() for n in range(6)} | {"classes.txt": b"screw\n"}
    job = start(api, boxes, make_zip(files)).json()
    real, calls = JobContext.report, []

    def report(context, *arguments, **changes):
        real(context, *arguments, **changes)
        calls.append(1)
        if len(calls) == 2:
            raise WorkInterrupted()

    monkeypatch.setattr(JobContext, "report", report)
    run_job(job["id"])
    assert api.get(f"/api/v1/jobs/{job['id']}/").json()["state"] == "queued"
    run_job(job["id"])
    done = api.get(f"/api/v1/jobs/{job['id']}/").json()
    assert done["state"] == "succeeded" and done["result"]["boxes"] == 6
    widths = sorted(image.annotations.get().box[2] - image.annotations.get().box[0] for image in Image.objects.all())
    assert len(widths) == 6 and widths == sorted(set(widths))


class TestTransfer:
    """What comes back from the sandbox is checked as if a stranger had written it."""

    PARSED = Parsed(
        [
            Record(
                "a/ü.jpg",
                [ParsedAnnotation("x", (1.0, 2.0, 3.5, 4.0)), ParsedAnnotation("y", None)],
                "train",
                True,
                (640, 480),
            ),
            Record(
                "b.jpg",
                [
                    ParsedAnnotation("x", (0.1, 0.2, 0.3, 0.4), is_relative=True),
                    ParsedAnnotation("x", (0.0, 0.0, float("nan"), 1.0)),
                ],
            ),
        ],
        2,
        ["x", "y"],
        [ImportWarning("a/ü.jpg", "code", "sentence", "a.xml", 3)],
        "coco",
    )

    def test_there_and_back(self, tmp_path):
        transfer.write(self.PARSED, tmp_path)
        said = Transferred(tmp_path)
        assert (said.format, said.labels, said.count) == ("coco", ["x", "y"], 2)
        assert repr(list(said.records())) == repr(self.PARSED.records)  # NaN is not equal to itself
        assert list(said.remarks()) == self.PARSED.remarks
        assert [record.path for record in said.records(1)] == ["b.jpg"]

    def test_what_is_wrong_with_the_archive_comes_back_as_that(self, tmp_path):
        transfer.write_error("no_annotations", "There are none.", tmp_path)
        with pytest.raises(FormatError) as error:
            Transferred(tmp_path)
        assert error.value.code == "no_annotations"

    @pytest.mark.parametrize(
        "line",
        [
            b"{}",
            b"[",
            b"[1,2,3,4,5,6,7]",
            b'["a",[["x",[1,2,3],false,0,1]],null,true,null,0,[""]]',
            b'["a",[],"other",true,null,0,[]]',
            b'["a",[["x",["1e999999",{},3,4],false,0,1]],null,true,null,0,[""]]',
            b'["a",[["x",[1,2,3,4],false,7,1]],null,true,null,0,[""]]',
            b'["a",[],null,true,["x","y"],0,[]]',
            b"\xff",
            b"[" * 100_000,
        ],
    )
    def test_wrong_records_are_one_error(self, tmp_path, line):
        transfer.write(self.PARSED, tmp_path)
        (tmp_path / transfer.RECORDS).write_bytes(line + b"\n")
        with pytest.raises(BrokenTransfer):
            list(Transferred(tmp_path).records())

    @pytest.mark.parametrize(
        "head",
        [
            b"",
            b"[]",
            b"{}",
            b'{"error": 3}',
            b'{"format": 1, "labels": [], "records": 1, "unread": [], "holds": {"boxes": 0, "whole": 0}}',
        ],
    )
    def test_wrong_heads_are_one_error(self, tmp_path, head):
        (tmp_path / transfer.HEAD).write_bytes(head)
        with pytest.raises(BrokenTransfer):
            Transferred(tmp_path)


@pytest.mark.django_db
def test_a_record_of_a_file_that_the_archive_does_not_have_is_rejected(api, boxes, monkeypatch):
    real = transfer.Transferred.records

    def records(said, start=0):
        yield Record("../../etc/passwd", [], None, True)
        yield from real(said, start)

    monkeypatch.setattr("vision.formats.transfer.Transferred.records", records)
    job = run_import(api, boxes, make_zip(YOLO | {"classes.txt": b"screw\n"}))
    assert (job["result"]["created"], job["result"]["rejected"]) == (1, 1)
    assert report_of(api, job)[0]["code"] == "missing_image"
