# ruff: noqa: F811 - fixtures
"""Trainings, published names, figures and predictions as programs for Custom Vision ask for them."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from datasets.models import Annotation, Image, Label, Snapshot
from inference.models import Evaluation, Model
from storage import services as storage
from tests.conftest import client_of, upload
from tests.custom_vision import COMPACT, PREDICTION, Service, nameless, predictor_of, refused, service_of, trained
from tests.custom_vision_fixtures import at, path, run, service  # noqa: F401 - fixtures
from tests.pictures import jpeg, shape_jpeg
from training.models import TrainingRun
from vision.analysis.predictions import ClassifierPredictions, DetectorPredictions
from vision.runtime.boxes import Detections
from vision.runtime.matching import GroundTruth

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("addresses and answers of another service")]


@pytest.fixture
def fillable(api, service, project, dataset, labels) -> str:
    """A project with what a training needs."""
    for name, start in (("good", 0), ("bad", 100)):
        upload(api, dataset, [(f"{start + n}.jpg", jpeg(start + n)) for n in range(12)], label=name)
    return f"projects/{project.pk}"


class TestTraining:
    def test_the_first_answer_says_that_it_is_trained(self, service, fillable):
        made = service.post(f"{fillable}/train?reservedBudgetInHours=0&forceTrain=false")
        assert (made["status"], made["name"], made["trainingTimeInMinutes"]) == ("Training", "Iteration 1", 0)
        for name in ("exportableTo", "domainId", "classificationType", "publishName", "trainedAt"):
            assert made[name] is None
        assert [row["id"] for row in service.get(f"{fillable}/iterations")] == [made["id"]]
        assert service.get(f"{fillable}/iterations/{made['id'].upper()}") == made
        run = TrainingRun.objects.get(pk=made["id"])
        assert run.custom_vision.tags == {label.name: str(label.pk) for label in Label.objects.all()}
        answer = service.ask("POST", f"{fillable}/train?forceTrain=true")
        assert refused(answer) == (400, "BadRequestTrainingAlreadyInProgress")
        TrainingRun.objects.update(state="cancelled")
        failed = service.get(f"{fillable}/iterations/{made['id']}")
        assert failed["status"] == "Failed" and failed["trainingErrorDetails"]

    def test_nothing_changed_since_the_last_one(self, service, api, owner, fillable, dataset, tmp_path):
        from tests.test_registry import make_model

        made = service.post(f"{fillable}/train")
        run = TrainingRun.objects.get(pk=made["id"])
        model = make_model(run.project, owner, tmp_path, snapshot=run.snapshot)
        TrainingRun.objects.update(state="succeeded", model=model)
        answer = service.ask("POST", f"{fillable}/train", b"", content_type="")
        assert refused(answer) == (400, "BadRequestTrainingNotNeeded")
        assert "Nothing changed since last training" in answer.json()["message"]
        service.patch(fillable, {"settings": {"domainId": COMPACT}})
        assert service.post(f"{fillable}/train")["name"] == "Iteration 2"
        TrainingRun.objects.exclude(pk=run.pk).delete()
        upload(api, dataset, [("n.jpg", jpeg(500))], label="good")
        assert service.post(f"{fillable}/train")["name"] == "Iteration 3"

    def test_chosen_tags_a_budget_and_a_base(self, service, api, dataset, project, fillable, owner):
        third = api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": "third"}).json()
        upload(api, dataset, [(f"t{n}.jpg", jpeg(300 + n)) for n in range(12)], label="third")
        tags = [str(label.pk) for label in Label.objects.exclude(name="bad")]
        body = {"SelectedTags": tags, "customBaseModelInfo": None}
        made = service.post(f"{fillable}/train?trainingType=Advanced&reservedBudgetInHours=2", body)
        assert (made["trainingType"], made["reservedBudgetInHours"]) == ("Advanced", 2)
        run = TrainingRun.objects.get(pk=made["id"])
        assert set(run.snapshot.class_names) == {"good", "third"} and third["id"] in tags
        assert run.configuration["minutes"] == 120
        TrainingRun.objects.update(state="failed")
        base = {"customBaseModelInfo": {"projectId": str(project.pk), "iterationId": made["id"]}}
        answer = service.ask("POST", f"{fillable}/train?forceTrain=true", base)
        assert refused(answer) == (400, "BadRequestCustomBaseModelIterationStatusNotCompleted")
        answer = service.ask("POST", f"{fillable}/train", {"selectedTags": [str(uuid.uuid4())]})
        assert refused(answer) == (404, "NotFoundTag")
        answer = service.ask("POST", f"{fillable}/train?notificationEmailAddress=x")
        assert refused(answer) == (400, "BadRequestInvalidEmailAddress")

    def test_too_little_to_train_with(self, service, api, dataset, labels, project):
        answer = service.ask("POST", f"projects/{project.pk}/train")
        assert refused(answer) == (400, "BadRequestTrainingValidationFailed")
        assert "Not enough images for training" in answer.json()["message"]
        upload(api, dataset, [("a.jpg", jpeg(1))], label="good")
        answer = service.ask("POST", f"projects/{project.pk}/train")
        assert refused(answer) == (400, "BadRequestTrainingValidationFailed")

    def test_a_viewer_does_not_train(self, fillable, viewer):
        answer = service_of(viewer).ask("POST", f"{fillable}/train")
        assert refused(answer) == (403, "ForbiddenUserInsufficientCapability")


class TestIterations:
    def test_a_training_of_the_studio_is_one(self, service, path, at, run):
        read = service.get(at)
        assert (read["status"], read["exportable"], read["exportableTo"]) == ("Completed", True, ["TensorFlow", "ONNX"])
        assert read["trainedAt"].endswith("Z") and read["domainId"] and read["classificationType"] == "Multiclass"
        assert service.patch(at, {"name": "Named", "isDefault": True})["name"] == "Named"
        assert service.get(at)["name"] == "Named"
        assert refused(service.ask("PATCH", at, {"name": ""})) == (400, "BadRequestIterationName")
        assert refused(service.ask("GET", f"{path}/iterations/{uuid.uuid4()}")) == (404, "NotFoundIteration")

    def test_deleted_it_is_gone_with_its_model(self, service, path, at, run):
        service.delete(at)
        assert service.get(f"{path}/iterations") == [] and not Model.objects.filter(project=run.project).exists()
        assert refused(service.ask("GET", at)) == (404, "NotFoundIteration")

    def test_one_at_work_stays(self, service, at, run):
        TrainingRun.objects.update(state="running", model=None)
        assert refused(service.ask("DELETE", at)) == (400, "BadRequestTrainingAlreadyInProgress")


class TestPublishing:
    def test_there_and_back(self, service, api, at, path, run):
        assert service.post(f"{at}/publish?publishName=best&predictionId=/subscriptions/x") is True
        read = service.get(at)
        assert (read["publishName"], read["originalPublishResourceId"]) == ("best", "/subscriptions/x")
        for query in ("publishName=best", "publishName=other&overwrite=true"):
            answer = service.ask("POST", f"{at}/publish?predictionId=x&{query}")
            assert refused(answer) == (400, "BadRequestIterationIsPublished")
            assert answer.json()["message"] == "Iteration is already published as: best"
        assert refused(service.ask("DELETE", at)) == (400, "BadRequestIterationIsPublished")
        assert refused(service.ask("DELETE", path)) == (400, "BadRequestIterationIsPublished")
        # Nor does the studio itself take it away.
        for address in (f"models/{run.model_id}/?force=true", f"trainings/{run.pk}/", f"projects/{run.project_id}/"):
            assert api.delete(f"/api/v1/{address}").status_code == 409, address
        service.delete(f"{at}/publish")
        assert refused(service.ask("DELETE", f"{at}/publish")) == (400, "BadRequestIterationNotPublished")
        service.delete(path)

    def test_a_name_belongs_to_one_until_it_is_moved(self, service, at, path, run, owner, tmp_path):
        from tests.test_registry import make_model

        other = trained(make_model(run.project, owner, tmp_path, snapshot=run.snapshot), owner)
        service.post(f"{at}/publish?publishName=best&predictionId=x")
        second = f"{path}/iterations/{other.pk}/publish?publishName=best&predictionId=x"
        assert refused(service.ask("POST", second)) == (400, "BadRequestInvalidPublishName")
        assert service.post(f"{second}&overwrite=true") is True
        names = {row["id"]: row["publishName"] for row in service.get(f"{path}/iterations")}
        assert names == {str(run.pk): None, str(other.pk): "best"}

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("predictionId=x", "BadRequestInvalidPublishName"),
            ("publishName=a", "BadRequestInvalidPublishTarget"),
        ],
    )
    def test_what_is_missing(self, service, at, query, code):
        assert refused(service.ask("POST", f"{at}/publish?{query}")) == (400, code)

    def test_not_before_it_is_trained(self, service, at):
        TrainingRun.objects.update(state="running")
        answer = service.ask("POST", f"{at}/publish?publishName=a&predictionId=x")
        assert refused(answer) == (400, "BadRequestIterationIsNotTrained")


class TestPredictions:
    @pytest.fixture
    def published(self, service, at, run, owner) -> str:
        service.post(f"{at}/publish?publishName=my%20name%2Fone&predictionId=x")
        return f"{run.project_id}/classify/iterations/my%20name%2Fone"

    @pytest.mark.parametrize(
        ("body", "kind"), [nameless(shape_jpeg(1, "disc")), (shape_jpeg(1, "disc"), "application/octet-stream")]
    )
    def test_every_tag_the_best_first(self, owner, run, published, body, kind):
        predictor = predictor_of(owner)
        for end in ("image", "image/nostore", "Image/NoStore/?application=a"):
            answer = predictor.ask("POST", f"{published}/{end}", body, content_type=kind).json()
            assert (answer["project"], answer["iteration"]) == (str(run.project_id), str(run.pk))
            assert uuid.UUID(answer["id"]) and answer["created"].endswith("Z")
            rows = answer["predictions"]
            assert [row["tagName"] for row in rows] == ["disc", "cross"] and "boundingBox" not in rows[0]
            assert sum(row["probability"] for row in rows) == pytest.approx(1, abs=1e-4)
            assert rows[0]["tagId"] == str(Label.objects.get(name="disc").pk) and rows[0]["tagType"] == "Regular"

    def test_a_tag_keeps_its_id_when_its_name_changes_or_it_goes(self, service, owner, published, run):
        body, kind = nameless(shape_jpeg(1, "disc"))
        disc = Label.objects.get(name="disc")
        before = str(disc.pk)
        Label.objects.filter(pk=disc.pk).update(name="circle")
        ask = predictor_of(owner).ask
        first = ask("POST", f"{published}/image", body, content_type=kind).json()["predictions"][0]
        assert (first["tagId"], first["tagName"]) == (before, "circle")
        Annotation.objects.all().delete()
        disc.delete()
        first = ask("POST", f"{published}/image", body, content_type=kind).json()["predictions"][0]
        assert (first["tagId"], first["tagName"]) == (before, "disc")

    def test_keys(self, owner, outsider, service, published, run):
        body, kind = nameless(shape_jpeg(1, "disc"))
        other = service.post("projects?name=other")["id"]

        def status(asking: Service) -> int:
            return asking.ask("POST", f"{published}/image", body, base=PREDICTION, content_type=kind).status_code

        for header in ("Prediction-Key", "Training-Key", "Ocp-Apim-Subscription-Key"):
            assert status(Service(service.secret, header)) == 200
        assert status(predictor_of(owner, project=run.project_id)) == 200
        assert status(predictor_of(owner, project=uuid.UUID(other))) == 404
        assert status(predictor_of(outsider)) == 404 and status(Service("", "Prediction-Key")) == 401

    def test_what_cannot_be_answered(self, owner, published, run):
        predictor = predictor_of(owner)
        body, kind = nameless(shape_jpeg(1, "disc"))

        def refusal(path: str, body: bytes = body, kind: str = kind) -> tuple[int, str]:
            return refused(predictor.ask("POST", path, body, content_type=kind))

        detect = published.replace("/classify/", "/detect/")
        assert refusal(f"{run.project_id}/classify/iterations/other/image") == (404, "NotFoundIteration")
        assert refusal(f"{detect}/image") == (400, "BadRequestUnsupportedDomain")
        assert refusal(f"{published}/image", b"text", "image/jpeg") == (400, "BadRequestImageFormat")
        assert refusal(f"{published}/image", b"") == (400, "BadRequestImageStream")
        assert refusal(f"{uuid.uuid4()}/classify/iterations/a/image") == (404, "NotFoundProject")

    def test_a_quick_test_needs_no_name(self, service, path, run, viewer):
        body, kind = nameless(shape_jpeg(1, "disc"))
        for query in ("", f"?iterationId={run.pk}&store=false"):
            answer = service_of(viewer).ask("POST", f"{path}/quicktest/image{query}", body, content_type=kind)
            assert answer.json()["predictions"][0]["tagName"] == "disc"
        TrainingRun.objects.update(state="running")
        answer = service.ask("POST", f"{path}/quicktest/image", body, content_type=kind)
        assert refused(answer) == (400, "BadRequestIterationIsNotTrained")

    def test_boxes_are_parts_of_the_image(self, owner, detector):
        run = trained(detector, owner)
        service, image = service_of(owner), Image.objects.filter(dataset__project=run.project_id).first()
        service.post(f"projects/{run.project_id}/iterations/{run.pk}/publish?publishName=m&predictionId=x")
        with storage.opened(image.blob) as file:
            body, kind = nameless(file.read())
        predictor = predictor_of(owner)
        path = f"{run.project_id}/detect/iterations/m/image"
        rows = predictor.ask("POST", path, body, content_type=kind).json()["predictions"]
        assert 0 < len(rows) <= 64
        for row in rows:
            box = row["boundingBox"]
            assert row["probability"] >= 0.01 and min(box.values()) >= 0
            assert box["left"] + box["width"] <= 1 and box["top"] + box["height"] <= 1


class TestPerformance:
    def keep(self, model: Model, outcomes, tmp_path) -> None:
        outcomes.save(tmp_path / "outcomes.npz")
        blob = storage.keep_path(tmp_path / "outcomes.npz", "application/octet-stream")
        Evaluation.objects.create(model=model, snapshot=model.snapshot, split="test", metrics={}, outcomes=blob)

    def test_of_labels_at_any_threshold(self, service, at, run, tmp_path):
        assert refused(service.ask("GET", f"{at}/performance")) == (404, "NotFoundIterationPerformance")
        cross = np.array([0.9, 0.6, 0.55, 0.2])
        scores = np.stack([cross, 1 - cross], axis=1)
        truth = np.array([0, 0, 1, 1])
        self.keep(run.model, ClassifierPredictions(["a", "b", "c", "d"], truth, scores, ["cross", "disc"]), tmp_path)
        read = service.get(f"{at}/performance?threshold=0.5")
        of = {row["name"]: row for row in read["perTagPerformance"]}
        assert of["cross"]["precision"] == pytest.approx(2 / 3) and of["cross"]["recall"] == 1
        assert (of["disc"]["precision"], of["disc"]["recall"]) == (1, 0.5)
        assert (read["precision"], read["recall"]) == (0.75, 0.75) and read["precisionStdDeviation"] == 0
        assert of["cross"]["averagePrecision"] == 1 and read["averagePrecision"] == 1
        assert of["cross"]["id"] == str(Label.objects.get(name="cross").pk)
        strict = service.get(f"{at}/performance?threshold=0.95")
        assert (strict["precision"], strict["recall"]) == (0, 0)
        assert refused(service.ask("GET", f"{at}/performance?threshold=x")) == (400, "BadRequest")
        TrainingRun.objects.update(state="running")
        assert refused(service.ask("GET", f"{at}/performance")) == (400, "BadRequestIterationIsNotTrained")

    def test_of_boxes_at_any_overlap(self, owner, detector, tmp_path):
        run = trained(detector, owner)
        names = run.model.class_names
        box = np.array([[0, 0, 10, 10]], np.float32)
        half = np.array([[0, 0, 10, 4]], np.float32)  # overlaps by 0.4
        truths = [GroundTruth("a", box, np.array([0])), GroundTruth("b", box, np.array([1]))]
        found = [Detections(half, np.array([0.8]), np.array([0])), Detections(box, np.array([0.4]), np.array([1]))]
        self.keep(run.model, DetectorPredictions(truths, found, names), tmp_path)
        service, at = service_of(owner), f"projects/{run.project_id}/iterations/{run.pk}/performance"
        loose = service.get(f"{at}?threshold=0.3&overlapThreshold=0.3")
        assert (loose["precision"], loose["recall"], loose["averagePrecision"]) == (1, 1, 1)
        tight = service.get(f"{at}?threshold=0.3&overlapThreshold=0.5")
        assert (tight["precision"], tight["recall"], tight["averagePrecision"]) == (0.5, 0.5, 0.5)
        assert service.get(f"{at}?threshold=0.5")["recall"] == 0.5


def test_a_snapshot_of_some_labels_only(api, owner, dataset, labels):
    from datasets.models import Dataset
    from datasets.snapshots import take_snapshot

    upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)], label="good")
    upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4, 7)], label="bad")
    made = take_snapshot(dataset=Dataset.objects.get(pk=dataset["id"]), user=owner, labels={"good"})
    assert made.class_names == ["good"] and made.images.count() == 4 == made.counts["images"]
    assert Snapshot.objects.count() == 1 and client_of(owner).get(f"/api/v1/snapshots/{made.pk}/").status_code == 200
