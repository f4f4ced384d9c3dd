"""Fields with a better name are answered under the deprecated one too, also in rows of earlier versions."""

import pytest

from common.renamed_fields import under_both_names
from inference.evaluation.serializers import MistakeSerializer
from inference.models import Evaluation, FileKind
from inference.registry.registration import add_file
from tests.once import openapi_schema

DEPRECATED = {
    ("DeploymentReports", "told", "assigned"),
    ("Architecture", "starts_from", "initial_weights"),
    ("ExportReport", "pictures", "measured_on"),
    ("Exported", "pictures", "measured_on"),
    ("FramesResult", "chosen", "frames"),
    ("Mistake", "surest_mistake", "highest_wrong_score"),
}


@pytest.mark.parametrize("row", [{"old": 1}, {"new": 1}])
def test_a_row_of_any_version(row):
    assert under_both_names(row | {"other": 2}, {"old": "new"}) == {"old": 1, "new": 1, "other": 2}
    assert under_both_names({"other": 2}, {"old": "new"}) == {"other": 2}


@pytest.mark.parametrize(("shape", "old", "new"), sorted(DEPRECATED))
def test_the_schema_marks_the_old_name(shape, old, new):
    properties = openapi_schema()["components"]["schemas"][shape]["properties"]
    assert properties[old]["deprecated"] is True and f"`{new}`" in properties[old]["description"]
    assert "deprecated" not in properties[new]


@pytest.mark.parametrize("written", ["surest_mistake", "highest_wrong_score"])
def test_mistakes_of_any_version(written):
    row = {"image": "a", "false_positives": 1, "misses": 0, written: 0.8}
    answer = MistakeSerializer(row).data
    assert answer["surest_mistake"] == answer["highest_wrong_score"] == 0.8
    assert "highest_wrong_score" not in MistakeSerializer({"image": "a", "label": "good"}).data


@pytest.mark.parametrize("written", ["pictures", "measured_on"])
def test_reports_of_exports_of_any_version(api, classifier, written, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"a file")
    add_file(model=classifier, kind=FileKind.LITERT_FLOAT16, path=path, report={written: "test split", "images": 3})
    files = api.get(f"/api/v1/models/{classifier.pk}/").json()["files"]
    (report,) = [file["report"] for file in files if file["kind"] == "litert-float16"]
    assert report == {"pictures": "test split", "measured_on": "test split", "images": 3}
    assert not Evaluation.objects.exists()
