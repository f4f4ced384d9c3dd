"""Names from strangers: nothing that leaves a folder, ends a line, or is taken for a formula."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from datasets.exports import start_export
from datasets.labels import ensure_labels
from datasets.models import Dataset, Image, Label
from inference.models import Model
from inference.registry.model_import_texts import UploadProblem, parse_labels
from jobs import services as jobs
from jobs.models import Job, WorkState
from projects.services import create_project
from storage.filenames import clean_filename, is_safe_path, portable_filename
from storage.resumable import begin_upload
from storage.services import opened
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg
from tests.test_registry import make_model
from training.models import TrainingRun
from vision.formats.csv_writer import meant, plain

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("names of files")]
NASTY = [
    ("../../../etc/passwd.png", "passwd.png"),
    ("..\\..\\windows\\x.png", "x.png"),
    ("/etc/cron.d/x", "x"),
    ("C:x.png", "x.png"),
    ("C:\\x.png", "x.png"),
    ("a\nb.png", "a_b.png"),
    ("a\x00b.png", "a_b.png"),
    ("a\u2028b.png", "a_b.png"),
    ("gnp.\u202eexe.png", "gnp._exe.png"),
    ("..", "image"),
    (".", "image"),
    ("", "image"),
    ("a/..", "image"),
    ("plain ü.jpg", "plain ü.jpg"),
    ("12:30.jpg", "12:30.jpg"),
]


@pytest.mark.parametrize(("name", "kept"), NASTY, ids=[repr(name) for name, _ in NASTY])
def test_a_name_as_it_is_kept(name, kept):
    assert clean_filename(name) == kept


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("CON", "_CON"),
        ("aux.png", "_aux.png"),
        ("com1.jpg", "_com1.jpg"),
        ("12:30?.jpg", "12_30_.jpg"),
        ("end. ", "end"),
        ("console.png", "console.png"),
        ("../x", "x"),
    ],
)
def test_a_name_that_every_system_unpacks(name, written):
    assert portable_filename(name) == written


@pytest.mark.parametrize("path", ["../x", "a/../x", "/x", "C:/x", "a\\..\\x", "a//x", "a/./x", "a\nb", "", "a/.. /x"])
def test_a_path_that_leaves_its_folder(path):
    assert not is_safe_path(path) and is_safe_path("train/images/_.x.png")


class TestWhereTheyAreSet:
    def test_images(self, api, image):
        answer = api.patch(f"/api/v1/images/{image['id']}/", {"filename": "a/../../../etc/x.png"})
        assert answer.status_code == 200 and answer.json()["filename"] == "x.png"

    def test_announced_uploads(self, owner):
        import base64

        name = base64.b64encode(b"../../evil\n.mp4").decode()
        assert begin_upload(user=owner, length=1, metadata=f"filename {name}").filename == "evil_.mp4"

    def test_names_that_are_lists_somewhere(self, api, project, dataset, labels, owner, tmp_path):
        model = make_model(project, owner, tmp_path, "m")
        addresses = [
            f"/api/v1/projects/{project.pk}/",
            f"/api/v1/datasets/{dataset['id']}/",
            f"/api/v1/models/{model.pk}/",
            f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/",
        ]
        device = api.post("/api/v1/devices/", {"project": str(project.pk), "name": "d"}).json()["id"]
        group = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "g"}).json()["id"]
        addresses += [f"/api/v1/devices/{device}/", f"/api/v1/device-groups/{group}/"]
        for address in addresses:
            for name in ("a\nb", "a\rb", "a\x0bb", "a\x1cb", "a\x85b", "a\u2028b", "a\u2029b", "a\x1bb"):
                answer = api.patch(address, {"name": name})
                assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_name"), address
            assert api.patch(address, {"name": "fine ü 山"}).status_code == 200
        assert api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": "a\nb"}).status_code == 400
        assert api.post("/api/v1/tokens/", {"name": "a\nb"}).status_code == 400

    def test_classes_of_uploaded_models(self):
        for labels in ('["cat\\nrest", "dog"]', '["cat\\u2028rest"]', '["cat\\u0085x"]'):
            with pytest.raises(UploadProblem):
                parse_labels(labels)
        assert parse_labels("cat\ndog\n") == ["cat", "dog"]

    def test_labels_of_archives_lose_what_is_not_seen(self, project):
        made = ensure_labels(project=project, names=["cat\nrest", "cat rest", "\x00"])
        assert made["cat\nrest"] == made["cat rest"] and made["\x00"].name == "label"
        assert set(Label.objects.values_list("name", flat=True)) == {"cat rest", "label"}


class TestExports:
    def export(self, api, dataset, format: str) -> zipfile.ZipFile:
        job = start_export(dataset=Dataset.objects.get(pk=dataset["id"]), user=None, format=format)
        jobs.run_job(str(job.pk))
        job.refresh_from_db()
        assert job.state == "succeeded", job.error_detail
        with opened(job.output_blob) as file:
            return zipfile.ZipFile(io.BytesIO(file.read()))

    @pytest.mark.parametrize("format", ["folder", "csv", "yolo", "voc", "coco"])
    def test_old_names_are_cleaned_again(self, api, owner, format):
        task = "classification" if format == "folder" else "detection"
        project = create_project(user=owner, name="p", task=task)
        dataset = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "d"}).json()
        upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)])
        old = ["../../../../evil.jpg", "/etc/x.jpg", "C:\\x.jpg", "nul"]
        for image, name in zip(Image.objects.order_by("id"), old, strict=True):
            Image.objects.filter(pk=image.pk).update(filename=name)
        names = self.export(api, dataset, format).namelist()
        assert len([name for name in names if name.endswith(".jpg")]) == 4
        assert all(is_safe_path(name) for name in names), names

    def test_a_table_holds_no_formulas_and_is_read_back_as_it_was(self, api, owner):
        project = create_project(user=owner, name="p", task="detection")
        dataset = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "d"}).json()
        names = ["=cmd|calc!A0", "+1", "-x", "@sum", "'=y", "plain"]
        for name in names:
            assert api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": name}).status_code == 201
        (image,) = upload(api, dataset, [("a.jpg", jpeg(1, (64, 64)))])["created"]
        boxes = [{"label": name, "box": [0, 0, 10 + n, 10]} for n, name in enumerate(names)]
        assert api.put(f"/api/v1/images/{image['id']}/annotations/", boxes).status_code == 200
        archive = self.export(api, dataset, "csv")
        for table in ("annotations.csv", "classes.csv"):
            cells = [cell for row in csv.reader(io.StringIO(archive.read(table).decode())) for cell in row]
            assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
        rows = list(csv.reader(io.StringIO(archive.read("annotations.csv").decode())))
        assert [meant(row[5]) for row in rows] == names

    @pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "x", "'x", "", "'", "-", "\t1", "1-2"])
    def test_a_cell_there_and_back(self, text):
        assert meant(plain(text)) == text and plain(text)[:1] not in tuple("=+-@\t\r")


class TestRetries:
    """What was started by somebody else, or long ago, is not used without asking again."""

    @pytest.fixture
    def foreign(self, outsider, tmp_path) -> Model:
        model = make_model(create_project(user=outsider, name="theirs"), outsider, tmp_path, "public one")
        Model.objects.filter(pk=model.pk).update(visibility="public")
        return Model.objects.get(pk=model.pk)

    def test_a_training_from_a_model_that_is_private_now(self, api, project, image, labels, foreign, dataset):
        api.put(f"/api/v1/images/{image['id']}/annotations/", [{"label": "good"}])
        snapshot = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["id"]
        run = TrainingRun.objects.create(
            project=project,
            snapshot_id=snapshot,
            configuration={},
            state=WorkState.CANCELLED,
            base_model=foreign,
            starts_from=str(foreign),
        )
        Model.objects.update(visibility="private")
        answer = api.post(f"/api/v1/trainings/{run.pk}/retry/")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "base_model_hidden")

    @pytest.mark.parametrize("parameter", ["model", "models"])
    def test_a_job_with_a_model_that_is_private_now(self, api, project, foreign, parameter):
        value = str(foreign.pk) if parameter == "model" else [str(foreign.pk)]
        job = Job.objects.create(project=project, kind="suggestions", state="failed", parameters={parameter: value})
        assert api.post(f"/api/v1/jobs/{job.pk}/retry/").status_code == 202
        Model.objects.update(visibility="private")
        answer = api.post(f"/api/v1/jobs/{job.pk}/retry/")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "not_usable")

    def test_a_job_on_a_dataset_that_the_other_member_does_not_see(self, api, owner, editor, project):
        theirs = create_project(user=make_user("third"), name="theirs")
        dataset = Dataset.objects.create(project=theirs, name="d")
        job = Job.objects.create(
            project=project, kind="duplicates", state="cancelled", parameters={"dataset": str(dataset.pk)}
        )
        assert client_of(editor).post(f"/api/v1/jobs/{job.pk}/retry/").status_code == 409
