"""Thresholds that are changed later are not in files that were written before, which is said; labels as they are."""

from __future__ import annotations

import json

import pytest

from inference.models import FileKind, Model, ModelFile
from inference.registry import exports as model_exports
from inference.registry.exports import ModelExportParameters
from inference.registry.registration import register_model
from projects.services import create_project
from tests.test_edge import fresh_keys  # noqa: F401 - a fixture
from vision.exporting.request import Export

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("files of models")]
DETECTOR = {"score_threshold": 0.5, "label_thresholds": {"cat": 0.4}, "iou_threshold": 0.5, "anchors": {}}
NAMES = ["cat", "a\nb", " dog\u2028"]


@pytest.fixture
def detector(owner, tmp_path) -> Model:
    project = create_project(user=owner, name="Cats", task="detection")
    path = tmp_path / "model.tflite"
    path.write_bytes(b"a network")
    return register_model(
        project=project,
        name="cats",
        class_names=NAMES,
        architecture="retinanet",
        input_size=(32, 32),
        parameters=1,
        files={"litert-float32": path, "keras": path},
        detector=DETECTOR,
        user=owner,
    )


def export(model: Model, tmp_path, monkeypatch, kinds=("litert-int8", "onnx"), bundle_of="litert-int8") -> None:
    """The end of an export, as when the engine has written the files."""
    exports = []
    for kind in kinds:
        path = tmp_path / f"{kind}.file"
        path.write_bytes(kind.encode())
        exports.append(Export(kind, str(path), {"size": 1}))
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(b"zip")
    monkeypatch.setattr(model_exports, "_bundle", lambda *arguments: bundle)
    asked = ModelExportParameters(
        str(model.pk), [one.kind for one in exports], bundle_of=bundle_of, snapshot=None, largest_drop=0.02
    )
    model_exports._keep(Model.objects.get(pk=model.pk), exports, asked, tmp_path)


def stale(api, model: Model) -> set[str]:
    files = api.get(f"/api/v1/models/{model.pk}/").json()["files"]
    assert all(isinstance(file["stale"], bool) for file in files)
    return {file["kind"] for file in files if file["stale"]}


def change(api, model: Model, **detector) -> None:
    answer = api.patch(f"/api/v1/models/{model.pk}/", {"detector": detector})
    assert answer.status_code == 200, answer.content


def test_a_bundle_is_stale_when_the_thresholds_have_changed(api, detector, tmp_path, monkeypatch):
    export(detector, tmp_path, monkeypatch)
    assert stale(api, detector) == set()
    change(api, detector, label_thresholds={"cat": 0.35})
    assert stale(api, detector) == {"bundle"}
    export(detector, tmp_path, monkeypatch)
    assert stale(api, detector) == set()
    change(api, detector, iou_threshold=0.6)
    assert stale(api, detector) == {"bundle", "onnx"}  # boxes are suppressed inside of an ONNX file
    rows = api.get(f"/api/v1/models/{detector.pk}/exports/").json()
    assert {row["kind"] for row in rows if row["file"] and row["file"]["stale"]} == {"onnx"}


def test_thresholds_that_change_while_the_bundle_is_made(api, detector, tmp_path, monkeypatch):
    """The job has read the model when it began; what it writes is of then."""
    before = Model.objects.get(pk=detector.pk)
    change(api, detector, score_threshold=0.9)
    monkeypatch.setattr(model_exports.Model.objects, "get", lambda pk: before)
    export(detector, tmp_path, monkeypatch)
    assert stale(api, detector) == {"bundle"}


def test_a_deployment_says_that_devices_have_other_thresholds(api, detector):
    group = api.post("/api/v1/device-groups/", {"project": str(detector.project_id), "name": "gate"}).json()
    body = {"group": group["id"], "model": str(detector.pk)}
    first = api.post("/api/v1/deployments/", body).json()
    assert first["stale"] is False
    change(api, detector, score_threshold=0.9)
    assert api.get(f"/api/v1/deployments/{first['id']}/").json()["stale"] is True
    assert api.post("/api/v1/deployments/", body).json()["stale"] is False


def test_a_classifier_s_lowest_score(api, owner, tmp_path, monkeypatch):
    project = create_project(user=owner, name="Dogs", task="classification")
    path = tmp_path / "model.tflite"
    path.write_bytes(b"a network")
    model = register_model(
        project=project,
        name="dogs",
        class_names=NAMES,
        architecture="tiny",
        input_size=(32, 32),
        parameters=1,
        files={"litert-float32": path, "keras": path},
        user=owner,
    )
    group = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "gate"}).json()
    body = {"group": group["id"], "model": str(model.pk)}
    export(model, tmp_path, monkeypatch)
    first = api.post("/api/v1/deployments/", body).json()
    assert stale(api, model) == set() and first["stale"] is False and first["info"]["score_threshold"] is None
    assert api.patch(f"/api/v1/models/{model.pk}/", {"score_threshold": 0.8}).status_code == 200
    assert stale(api, model) == {"bundle"}
    assert api.get(f"/api/v1/deployments/{first['id']}/").json()["stale"] is True
    export(model, tmp_path, monkeypatch)
    second = api.post("/api/v1/deployments/", body).json()
    assert stale(api, model) == set() and second["stale"] is False and second["info"]["score_threshold"] == 0.8


def test_labels_are_kept_as_they_are(api, detector):
    answer = api.get(f"/api/v1/models/{detector.pk}/files/labels_json/")
    assert json.loads(b"".join(answer.streaming_content)) == NAMES and answer["Content-Type"] == "application/json"
    assert ModelFile.objects.get(model=detector, kind=FileKind.LABELS_JSON).filename == "labels.json"


def test_a_list_of_labels_has_a_line_each(tmp_path):
    from vision.training.labels import write_labels

    write_labels(tmp_path / "labels.txt", NAMES)
    assert len((tmp_path / "labels.txt").read_text().splitlines()) == len(NAMES)


def test_what_another_user_changes_meanwhile_stays(api, detector, monkeypatch):
    from inference.views.models import ModelViewSet

    found = ModelViewSet.get_object

    def slower(self):
        model = found(self)
        Model.objects.filter(pk=model.pk).update(detector={**model.detector, "iou_threshold": 0.3})
        return model

    monkeypatch.setattr(ModelViewSet, "get_object", slower)
    change(api, detector, score_threshold=0.7)
    detector.refresh_from_db()
    assert detector.detector == {**DETECTOR, "iou_threshold": 0.3, "score_threshold": 0.7}
