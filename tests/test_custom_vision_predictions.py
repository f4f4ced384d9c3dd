# ruff: noqa: F811 - fixtures
"""Predictions that are kept, exports, metadata and suggestions."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from datetime import timedelta
from urllib.parse import urlsplit

import numpy as np
import onnx
import onnxruntime
import pytest
from django.test import Client
from django.utils import timezone
from onnx import TensorProto, helper

from custom_vision.models import StoredPrediction
from custom_vision.tasks import forget_predictions
from datasets.gallery.keeping import settle
from datasets.models import Annotation, Image, Label
from inference.models import Evaluation, ModelFile
from jobs.models import Job
from storage import services as storage
from tests.custom_vision import nameless, predictor_of, refused
from tests.custom_vision_fixtures import at, path, run, service  # noqa: F401 - fixtures
from tests.pictures import jpeg, shape_jpeg
from vision.analysis.predictions import ClassifierPredictions

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("addresses and answers of another service")]


def download(address: str) -> bytes:
    parts = urlsplit(address)
    answer = Client().get(f"{parts.path}?{parts.query}")
    assert answer.status_code == 200, answer.content
    assert Client().get(parts.path).status_code == 401
    return b"".join(answer.streaming_content)


class TestKept:
    @pytest.fixture
    def ask(self, service, owner, at, run):
        service.post(f"{at}/publish?publishName=m&predictionId=x")
        predictor = predictor_of(owner)

        def ask(number: int, end: str = "image?application=line%203", kind: str = "disc") -> dict:
            body, form = nameless(shape_jpeg(number, kind))
            answer = predictor.ask("POST", f"{run.project_id}/classify/iterations/m/{end}", body, content_type=form)
            return answer.json()

        return ask

    def test_asked_for_again(self, service, ask, path, run):
        first, second = ask(1), ask(2, "image", "cross")
        ask(3, "image/nostore")
        query = f"{path}/predictions/query"

        def ids(**token) -> list[str]:
            return [row["id"] for row in service.post(query, token)["results"]]

        assert ids() == [second["id"], first["id"]] and ids(orderBy="Oldest") == [first["id"], second["id"]]
        assert set(ids(OrderBy="Suggested", maxCount=0)) == {first["id"], second["id"]}
        assert ids(application="line 3") == [first["id"]] and ids(iterationId=str(run.pk).upper()) == ids()
        assert ids(iterationId=str(uuid.uuid4())) == []
        disc = str(Label.objects.get(name="disc").pk)
        assert ids(tags=[{"id": disc, "minThreshold": 0.9, "maxThreshold": 1.0}]) == [first["id"]]
        soon = (timezone.now() + timedelta(days=1)).isoformat()
        assert ids(startTime=soon) == [] and len(ids(endTime=soon)) == 2
        page = service.post(query, {"maxCount": 1})
        rest = service.post(query, page["token"])
        assert [page["results"][0]["id"], rest["results"][0]["id"]] == ids() and rest["token"]["continuation"] is None
        row = service.post(query, {"application": "line 3"})["results"][0]
        assert row["predictions"] == first["predictions"] and row["domain"]
        assert download(row["originalImageUri"]) == shape_jpeg(1, "disc")

    def test_what_cannot_be_asked_for(self, service, path):
        for token, code in (
            ({"tags": [{"id": "x"}] * 3}, "BadRequestPredictionTagsExceededCount"),
            ({"orderBy": "x"}, "BadRequestPredictionInvalidQueryParameters"),
            ({"startTime": "x"}, "BadRequestPredictionInvalidQueryParameters"),
            ({"maxCount": "x"}, "BadRequest"),
            ({"iterationId": "x"}, "BadRequestInvalidIds"),
        ):
            assert refused(service.ask("POST", f"{path}/predictions/query", token)) == (400, code)

    def test_added_to_the_training_images(self, service, ask, path):
        kept = ask(901)
        tag = str(Label.objects.get(name="disc").pk)
        batch = {"images": [{"id": kept["id"], "tagIds": [tag]}, {"id": str(uuid.uuid4())}]}
        answer = service.ask("POST", f"{path}/images/predictions", batch)
        rows = answer.json()["images"]
        assert answer.status_code == 207 and [row["status"] for row in rows] == ["OK", "ErrorSource"]
        assert rows[0]["sourceUrl"] == kept["id"] and rows[0]["image"]["tags"][0]["tagId"] == tag
        assert service.post(f"{path}/predictions/query", {})["results"] == []

    def test_deleted_or_forgotten_after_a_while(self, service, ask, path, settings):
        first, second = ask(1), ask(2)
        service.delete(f"{path}/predictions?ids={first['id']},{uuid.uuid4()}")
        assert [str(row.pk) for row in StoredPrediction.objects.all()] == [second["id"]]
        StoredPrediction.objects.update(expires_at=timezone.now())
        assert service.post(f"{path}/predictions/query", {})["results"] == []
        forget_predictions()
        assert not StoredPrediction.objects.exists()
        settings.KEEP_PREDICTIONS_DAYS = 0
        ask(3)
        assert not StoredPrediction.objects.exists()

    def test_a_quick_test_is_kept_unless_it_says_otherwise(self, service, path):
        service.upload(f"{path}/quicktest/image?store=false", shape_jpeg(1, "disc"))
        assert not StoredPrediction.objects.exists()
        service.upload(f"{path}/quicktest/image", shape_jpeg(1, "disc"))
        assert StoredPrediction.objects.count() == 1


class TestExports:
    def test_a_file_that_is_there_is_a_zip_at_once(self, service, at, run, classifier_files):
        made = service.post(f"{at}/export?platform=tensorflow&flavor=TensorFlowLite")
        assert (made["platform"], made["flavor"], made["status"]) == ("tensorflow", "TensorFlowLite", "Exporting")
        (row,) = service.get(f"{at}/export")
        assert (row["platform"], row["flavor"], row["status"]) == ("tensorflow", "TensorFlowLite", "Done")
        archive = zipfile.ZipFile(io.BytesIO(download(row["downloadUri"])))
        assert archive.read("model.tflite") == classifier_files["litert-float32"].read_bytes()
        assert archive.read("labels.txt").decode().split() == ["cross", "disc"]
        manifest = json.loads(archive.read("cvexport.manifest"))
        assert manifest["DomainType"] == "Classification" and manifest["ModelFileName"] == "model.tflite"
        answer = service.ask("POST", f"{at}/export?platform=TensorFlow&flavor=tensorflowlite")
        assert refused(answer) == (400, "BadRequestExportAlreadyInProgress")

    def test_onnx_takes_channels_first_and_says_what_it_reads(self, service, at, run, tmp_path):
        """The product of an input of (1, 4, 6, 3) with a weight for each channel, summed: it tells the order."""
        weight = helper.make_tensor("weight", TensorProto.FLOAT, [3], [1, 10, 100])
        graph = helper.make_graph(
            [
                helper.make_node("Mul", ["image", "weight"], ["product"]),
                helper.make_node("ReduceMean", ["product"], ["answer"], axes=[1, 2], keepdims=0),
            ],
            "channels",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 4, 6, 3])],
            [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1, 3])],
            [weight],
        )
        opset = [helper.make_opsetid("", 13)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(tmp_path / "m.onnx"))
        blob = storage.keep_path(tmp_path / "m.onnx", "application/octet-stream")
        ModelFile.objects.create(model=run.model, kind="onnx", filename="m.onnx", blob=blob)
        service.post(f"{at}/export?platform=ONNX")
        archive = zipfile.ZipFile(io.BytesIO(download(service.get(f"{at}/export")[0]["downloadUri"])))
        content = archive.read("model.onnx")
        manifest = json.loads(archive.read("cvexport.manifest"))
        assert manifest["ModelFileSHA1"] == hashlib.sha1(content).hexdigest()
        session = onnxruntime.InferenceSession(content)
        assert session.get_modelmeta().custom_metadata_map == {
            "Image.BitmapPixelFormat": "Rgb8",
            "Image.NominalPixelRange": "NominalRange_0_255",
        }
        (given,) = session.get_inputs()
        image = np.stack([np.full((4, 6), value, np.float32) for value in (1, 2, 3)])[np.newaxis]
        assert (given.name, given.shape) == ("image", [1, 3, 4, 6])
        assert session.run(None, {"image": image})[0].tolist() == [[1, 20, 300]]

    def test_others_are_written_by_a_job(self, service, at, run):
        made = service.post(f"{at}/export?platform=ONNX")
        assert made["flavor"] is None and made["downloadUri"] is None
        job = Job.objects.get(kind="model_export")
        assert job.parameters["kinds"] == ["onnx"] and service.get(f"{at}/export")[0]["status"] == "Exporting"
        assert refused(service.ask("POST", f"{at}/export?platform=onnx")) == (400, "BadRequestExportAlreadyInProgress")
        # A file that is worse than the model is not kept.
        Job.objects.update(state="succeeded")
        assert service.get(f"{at}/export")[0]["status"] == "Failed"
        service.post(f"{at}/export?platform=ONNX&flavor=")
        assert Job.objects.filter(kind="model_export").count() == 2 and len(service.get(f"{at}/export")) == 1

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("platform=CoreML", "BadRequestProjectUnsupportedExportPlatform"),
            ("platform=DockerFile&flavor=Linux", "BadRequestProjectUnsupportedExportPlatform"),
            ("platform=TensorFlow&flavor=TensorFlowJS", "BadRequestExportValidationFailed"),
            ("", "BadRequestExportValidationFailed"),
        ],
    )
    def test_what_is_not_written(self, service, at, query, code):
        assert refused(service.ask("POST", f"{at}/export?{query}")) == (400, code)
        assert service.get(f"{at}/export") == []


class TestMetadata:
    def test_kept_with_images_and_asked_for(self, service, project):
        path = f"projects/{project.pk}"
        image = service.upload(f"{path}/images", jpeg(1))["images"][0]["image"]["id"]
        service.upload(f"{path}/images", jpeg(2))
        made = service.post(f"{path}/images/metadata?imageIds={image}", {"Camera": "left", "line": "3"})
        assert made == {
            "isBatchSuccessful": True,
            "images": [{"imageId": image, "status": "OK", "metadata": {"Camera": "left", "line": "3"}}],
        }
        service.post(f"{path}/images/metadata?imageIds={image}", {"line": "4"})
        read = service.get(f"{path}/images?$filter=metadata=Camera eq 'left'")
        assert [(row["id"], row["metadata"]) for row in read] == [(image, {"Camera": "left", "line": "4"})]
        assert service.get(f"{path}/images/count?%24filter=metadata%3Dline%20eq%20%274%27") == 1
        assert service.get(f"{path}/images?$filter=line eq 5") == []
        assert refused(service.ask("GET", f"{path}/images?$filter=x")) == (400, "BadRequest")
        answer = service.ask("POST", f"{path}/images/metadata?imageIds={uuid.uuid4()}", {"a": "b"})
        assert (answer.status_code, answer.json()["images"][0]["status"]) == (207, "ErrorImageNotFound")
        for data, code in (({"a" * 129: "b"}, "Key"), ({"a": "b" * 257}, "Value"), ({"a": 1}, "Value")):
            answer = service.ask("POST", f"{path}/images/metadata?imageIds={image}", data)
            assert refused(answer) == (400, f"BadRequestImageMetadata{code}")


class TestSuggestions:
    def test_of_the_model_now_and_of_what_waits(self, service, path, run):
        image = service.upload(f"{path}/images", shape_jpeg(902, "disc"))["images"][0]["image"]["id"]
        tag = Label.objects.get(name="disc")
        address = f"{path}/tagsandregions/suggestions?iterationId={run.pk}&imageIds={image}"
        (row,) = service.post(address)
        assert row["id"] == image and row["predictions"][0]["tagName"] == "disc"
        assert row["predictionUncertainty"] == pytest.approx(1 - row["predictions"][0]["probability"])
        Annotation.objects.create(image_id=image, label=tag, origin="model", score=0.7, confirmed=False)
        settle([Image.objects.get(pk=image).pk])
        query = {"tagIds": [str(tag.pk)], "threshold": 0.5, "maxCount": 10, "sortBy": "UncertaintyAscending"}
        address = f"{path}/images/suggested?iterationId={run.pk}"
        answer = service.post(address, query)
        assert [row["id"] for row in answer["results"]] == [image] and answer["token"]["continuation"] is None
        assert answer["results"][0]["predictions"][0]["probability"] == 0.7
        assert service.post(address, {**query, "threshold": 0.8})["results"] == []
        count = service.post(f"{path}/images/suggested/count?iterationId={run.pk}", {"tagIds": [str(tag.pk)]})
        assert count == {str(tag.pk): 1}


def test_what_was_said_of_each_test_image(service, at, run, tmp_path):
    keys = [str(pk) for pk in run.snapshot.images.values_list("image_key", flat=True)[:2]]
    scores = np.array([[0.9, 0.1], [0.2, 0.8]])
    outcomes = ClassifierPredictions(keys, np.array([0, 1]), scores, ["cross", "disc"])
    outcomes.save(tmp_path / "outcomes.npz")
    blob = storage.keep_path(tmp_path / "outcomes.npz", "application/octet-stream")
    Evaluation.objects.create(model=run.model, snapshot=run.snapshot, split="test", metrics={}, outcomes=blob)
    rows = service.get(f"{at}/performance/images?orderBy=Oldest")
    assert {row["id"] for row in rows} == set(keys) and service.get(f"{at}/performance/images/count") == 2
    of = {row["id"]: row for row in rows}
    assert [one["tagName"] for one in of[keys[1]]["predictions"]] == ["disc", "cross"] and of[keys[0]]["imageUri"]
    disc = Label.objects.get(name="disc").pk
    assert [row["id"] for row in service.get(f"{at}/performance/images?tagIds={disc}")] == [keys[1]]
