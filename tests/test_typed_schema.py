"""Clients are made from the schema: it says what every object holds, and what it says is what is answered."""

from __future__ import annotations

import jsonschema
import pytest
from django.conf import settings

from datasets.models import Snapshot
from edge.devices import create_group
from edge.rollouts import start_deployment
from inference.models import Evaluation, Model
from jobs import services as jobs
from jobs.contracts import PARAMETERS
from jobs.models import Job, JobKind
from jobs.services import HANDLERS
from jobs.shapes import RESULTS
from tests.pictures import shapes_zip
from tests.test_imports import run_import
from tests.test_registry import make_model
from tests.test_routes import SCHEMA
from training.models import Search, TrainingRun
from vision.detection.configuration import DetectionConfiguration
from vision.training.configuration import Configuration
from webhooks.models import Webhook
from webhooks.services import send_ping

# What nobody can describe, with the reason.
UNTYPED = {
    "preferences": "is each client's own",
    "network": "is Keras' own configuration of layers",
    "label_map": "comes as text in a form, too",
    "skip": "comes as text in a form, too",
}
FILES = "/api/v1/models/{id}/files/{kind}/"  # model_card_json is a file, as all others there


def untyped(node, path: str):
    """Paths of schemas that allow anything."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from untyped(item, f"{path}/{number}")
    if not isinstance(node, dict):
        return
    kinds = node.get("type") if isinstance(node.get("type"), list) else [node.get("type")]
    is_open = node.get("additionalProperties") in (None, True, {})
    if "object" in kinds and is_open and not {"properties", "oneOf", "allOf"} & set(node):
        yield path
    for name, child in node.get("properties", {}).items():
        if not {"type", "$ref", "oneOf", "allOf", "anyOf", "enum", "const"} & set(child):
            yield f"{path}/properties/{name}"
    for name, child in node.items():
        if name not in ("example", "examples", "default", "enum", "mapping", "security"):
            yield from untyped(child, f"{path}/{name}")


def test_no_object_is_left_open():
    open_ones = list(untyped(SCHEMA["components"], "components")) + [
        found for path, item in SCHEMA["paths"].items() if path != FILES for found in untyped(item, path)
    ]
    assert [one for one in open_ones if one.rpartition("/")[2] not in UNTYPED] == []


def test_every_kind_of_job_has_a_result():
    assert set(JobKind.values) == set(PARAMETERS) and set(PARAMETERS.values()) == set(HANDLERS)
    assert set(RESULTS) == {*PARAMETERS, "import_dry_run"}


def fits(value, component: str) -> None:
    """Raises where the value is not as the schema has it."""
    schema = {"$ref": f"#/components/schemas/{component}", "components": SCHEMA["components"]}
    jsonschema.Draft202012Validator(schema).validate(value)


@pytest.fixture
def snapshot(api, dataset) -> Snapshot:
    run_import(api, dataset, shapes_zip(6))
    made = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
    return Snapshot.objects.get(pk=made["id"])


@pytest.mark.django_db
class TestAnswers:
    def read(self, api, path: str) -> dict:
        answer = api.get(f"/api/v1/{path}/")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def test_imports_and_their_dry_runs(self, api, dataset):
        job = run_import(api, dataset, shapes_zip(6))
        fits(job, "Job")
        assert job["result"]["kind"] == "import" and job["result"]["created"] == 12
        dry = api.post(f"/api/v1/datasets/{dataset['id']}/imports/", {"job": job["id"], "dry_run": True}).json()
        jobs.run_job(dry["id"])
        dry = self.read(api, f"jobs/{dry['id']}")
        fits(dry, "Job")
        assert dry["result"]["kind"] == "import_dry_run"

    @pytest.mark.parametrize(
        ("path", "body", "kind"),
        [
            ("duplicates", {}, "duplicates"),
            ("exports", {"format": "csv"}, "export"),
        ],
    )
    def test_jobs_on_datasets(self, api, dataset, snapshot, path, body, kind):
        made = api.post(f"/api/v1/datasets/{dataset['id']}/{path}/", body).json()
        jobs.run_job(made["id"])
        job = self.read(api, f"jobs/{made['id']}")
        fits(job, "Job")
        assert job["result"]["kind"] == kind and (job["result"].get("download_url") or job["result"].get("files"))

    def test_snapshots_and_histories(self, api, snapshot, dataset):
        fits(self.read(api, f"snapshots/{snapshot.pk}"), "Snapshot")
        image = self.read(api, "images")["results"][0]
        api.put(f"/api/v1/images/{image['id']}/annotations/", [])
        for change in self.read(api, f"images/{image['id']}/history")["results"]:
            fits(change, "Change")

    @pytest.mark.parametrize("task", ["classification", "detection"])
    def test_trainings_searches_and_activity(self, api, project, owner, snapshot, task):
        if task == "classification":
            configuration = Configuration(architecture="small_cnn").resolved().to_dict()
        else:
            configuration = DetectionConfiguration(anchor_sizes=(1.0, 2.0)).resolved(10).to_dict()
        space = {"learning_rate": {"min": 1e-4, "max": 1e-2, "log": True}, "augmentation": ["none", "light"]}
        search = Search.objects.create(
            project=project, snapshot=snapshot, configuration=configuration, space=space, sizes=[1], max_runs=3
        )
        run = TrainingRun.objects.create(
            project=project,
            snapshot=snapshot,
            configuration=configuration,
            search=search,
            chosen={"learning_rate": 1e-3},
            rung=0,
        )
        fits(self.read(api, f"trainings/{run.pk}"), "Training")
        fits(self.read(api, "trainings")["results"][0], "TrainingSummary")
        fits(self.read(api, f"searches/{search.pk}"), "Search")
        fits(self.read(api, "activity")[0], "Activity")

    @pytest.mark.parametrize("task", ["classification", "detection"])
    def test_models_and_evaluations(self, api, project, owner, snapshot, tmp_path, task):
        model = make_model(project, owner, tmp_path, "m", snapshot=snapshot, metrics=self.metrics(task))
        Model.objects.filter(pk=model.pk).update(task=task)
        read = self.read(api, f"models/{model.pk}")
        fits(read, "Model")
        assert read["metrics"]["task"] == task
        fits(self.read(api, "models")["results"][0], "ModelSummary")
        evaluation = Evaluation.objects.get()
        evaluation.curves = self.curves() if task == "classification" else {}
        evaluation.save()
        fits(self.read(api, f"evaluations/{evaluation.pk}"), "Evaluation")

    def metrics(self, task: str) -> dict:
        import numpy as np

        from vision.runtime.boxes import Detections
        from vision.runtime.detection_metrics import detection_metrics
        from vision.runtime.matching import GroundTruth
        from vision.runtime.metrics import classification_metrics

        if task == "classification":
            return classification_metrics(np.eye(2)[[0, 1, 0]], np.array([0, 1, 1]), ["a", "b"])
        box = np.array([[0, 0, 9, 9]], np.float32)
        truth, found = GroundTruth("x", box, np.array([0])), Detections(box, np.array([0.9]), np.array([0]))
        return detection_metrics([truth], [found], ["a", "b"], 0.5)

    def curves(self) -> dict:
        import numpy as np

        from vision.analysis.curves import classifier_curves

        return classifier_curves(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1]), ["a", "b"])

    def test_deployments_and_deliveries(self, api, project, owner, snapshot, tmp_path):
        model = make_model(project, owner, tmp_path, "m", snapshot=snapshot)
        group = create_group(project=project, name="g")
        deployment = start_deployment(group=group, model=model, kind="litert-float32", user=owner)
        fits(self.read(api, f"deployments/{deployment.pk}"), "Deployment")
        webhook = Webhook.objects.create(project=project, url="https://example.com", secret="whsec_eA==")
        send_ping(webhook=webhook)
        fits(self.read(api, f"webhooks/{webhook.pk}/deliveries")["results"][0], "Delivery")

    def test_jobs_of_earlier_versions_are_answered(self, api, project):
        Job.objects.create(project=project, kind="gone", result={"a": 1}, state="succeeded")
        assert self.read(api, "jobs")["results"][0]["result"] == {"kind": "gone", "a": 1}


def test_the_settings_say_what_the_schema_is_about():
    assert settings.SPECTACULAR_SETTINGS["OAS_VERSION"].startswith("3.1")
