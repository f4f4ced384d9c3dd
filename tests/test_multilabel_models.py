"""A multilabel project from drawn images to a model that is measured, served, exported and run elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from datasets.models import Annotation, Dataset, Image
from inference.evaluation.evaluations import outcomes_of
from inference.models import Evaluation, Model
from inference.registry.bundles import write_bundle
from inference.registry.registration import copy_file
from jobs import services as jobs
from projects.models import Project
from tests.pictures import jpeg
from training import services
from vision.analysis.comparison import mean_average_precision_difference
from vision.analysis.curves import multilabel_curves
from vision.analysis.predictions import MultilabelPredictions
from vision.runtime.answers import labels_with_thresholds, present_labels

pytestmark = pytest.mark.any_database("networks")
API = "/api/v1"
TINY = {
    "architecture": "small_cnn",
    "image_size": 32,
    "epochs": 3,
    "batch_size": 8,
    "early_stopping": 0,
    "augmentation": "none",
    "minutes": 0,
}


def test_labels_are_answered_with_their_thresholds():
    scores = np.array([0.2, 0.9, 0.6], np.float32)
    labels = labels_with_thresholds(scores, ["a", "b", "c"], [0.1, 0.95, 0.6])
    assert [answer["label"] for answer in labels] == ["b", "c", "a"]
    assert [answer["label"] for answer in present_labels(labels)] == ["c", "a"]
    assert len(labels_with_thresholds(scores, ["a", "b", "c"], 0.5, 1)) == 1
    assert present_labels([{"label": "a", "score": 0.9}, {"label": "b", "score": 0.1}]) == [
        {"label": "a", "score": 0.9}
    ]
    assert present_labels([]) == []


def test_a_device_doubts_what_is_near_its_threshold_and_sends_what_is_there(tmp_path):
    from agent.mlstudio_agent.uncertain import UncertainQueue, is_uncertain

    sure = labels_with_thresholds(np.array([0.99, 0.01], np.float32), ["a", "b"], [0.5, 0.5])
    unsure = labels_with_thresholds(np.array([0.99, 0.45], np.float32), ["a", "b"], [0.5, 0.5])
    assert not is_uncertain({"labels": sure, "boxes": []}, 0.9)
    assert is_uncertain({"labels": unsure, "boxes": []}, 0.9)
    queue = UncertainQueue(tmp_path)
    settings = {"uncertain_below": 0.9, "uncertain_per_day": 5}
    assert queue.consider(b"image", "a.jpg", {"labels": unsure, "boxes": []}, settings)
    (notes,) = (path for path in tmp_path.glob("*.json") if path.name != "day.json")
    assert json.loads(notes.read_text())["labels"] == [{"label": "a", "score": 0.99}]


def test_curves_are_those_of_scikit_learn():
    from sklearn.metrics import average_precision_score, roc_auc_score

    generator = np.random.default_rng(0)
    truth = generator.random((80, 3)) < 0.4
    scores = np.clip(0.3 * truth + generator.random((80, 3)) * 0.7, 0, 1).astype(np.float32)
    curves = multilabel_curves(scores, truth, ["a", "b", "c"])
    assert curves["macro_auc"] == pytest.approx(roc_auc_score(truth, scores))
    assert curves["mean_average_precision"] == pytest.approx(average_precision_score(truth, scores), abs=1e-9)
    assert sum(row["count"] for row in curves["calibration"]) == 240


def test_the_difference_of_two_models_has_an_interval():
    generator = np.random.default_rng(0)
    truth = generator.random((120, 3)) < 0.4
    good = (truth * 0.5 + generator.random(truth.shape) * 0.5).astype(np.float32)
    bad = generator.random(truth.shape).astype(np.float32)
    tested = mean_average_precision_difference(bad, good, truth)
    assert tested["is_significant"] and tested["interval"][0] <= tested["difference"] <= tested["interval"][1]
    same = mean_average_precision_difference(good, good, truth)
    assert same["difference"] == 0 and not same["is_significant"] and same["p_value"] == 1.0


def test_models_are_compared_by_the_labels_that_both_know():
    from inference.evaluation.compared_labels import SeveralLabels

    generator = np.random.default_rng(0)
    truth = generator.random((60, 2)) < 0.5
    good = (truth * 0.6 + generator.random(truth.shape) * 0.4).astype(np.float32)
    first = MultilabelPredictions([str(n) for n in range(60)], truth, good, ["a", "b"], [0.5, 0.5])
    order = generator.permutation(60)
    bad = generator.random((60, 3)).astype(np.float32)
    wider = np.column_stack([np.zeros(60, bool), truth[order][:, ::-1]])
    second = MultilabelPredictions([str(n) for n in order], wider, bad, ["c", "b", "a"], [0.5] * 3)
    keys = first.keys
    compared = SeveralLabels([first, second], [range(60), np.argsort(order).tolist()], keys)
    assert compared.figures(0)["micro_f1"] > compared.figures(1)["micro_f1"]
    assert set(compared.figures(1)["average_precision_by_label"]) == {"a", "b"}
    tested = compared.test(0, 1)
    assert tested["difference"] < 0 and tested["is_significant"]
    row = compared.differences()[0]
    place = keys.index(row["image"])
    assert row["labels"] == [name for name, there in zip(["a", "b"], truth[place], strict=True) if there]


def done(api, answer) -> dict:
    assert answer.status_code in (201, 202), answer.content
    jobs.run_job(answer.json()["id"])
    job = api.get(f"{API}/jobs/{answer.json()['id']}/").json()
    assert job["state"] == "succeeded", job["error"]
    return job["result"]


@pytest.fixture
def drawn(api, owner) -> Dataset:
    from datasets.samples import start_samples
    from projects.models import Task

    started = start_samples(user=owner, task=Task.MULTILABEL, images=60)
    jobs.run_job(str(started.job.pk))
    return started.dataset


@pytest.mark.django_db
def test_samples_have_several_labels_an_image(drawn):
    project = Project.objects.get(pk=drawn.project_id)
    counts = [image.annotations.count() for image in Image.objects.filter(dataset=drawn, reviewed=True)]
    assert project.task == "multilabel" and max(counts) > 1 and min(counts) >= 1
    assert not Annotation.objects.exclude(x_min=None).exists()


@pytest.mark.django_db
class TestRefusals:
    def test_too_few_images_are_refused_before_a_training_starts(self, api, owner):
        made = api.post(f"{API}/projects/", {"name": "cells", "task": "multilabel"})
        assert made.status_code == 201, made.content
        answer = api.post(f"{API}/trainings/", {"project": made.json()["id"]})
        assert answer.json()["errors"][0]["code"] == "no_dataset"

    def test_networks_are_those_of_classifiers(self, api):
        rows = api.get(f"{API}/architectures/?task=multilabel").json()
        assert rows and rows == api.get(f"{API}/architectures/?task=classification").json()

    def test_presets_are_offered(self, api, owner):
        made = api.post(f"{API}/projects/", {"name": "cells", "task": "multilabel"}).json()
        options = api.get(f"{API}/trainings/options/?project={made['id']}")
        assert options.status_code == 200, options.content
        assert {row["name"] for row in options.json()["presets"]} >= {"quick", "balanced", "best"}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.django_db
def test_from_drawn_images_to_a_model_that_runs_elsewhere(api, owner, drawn, tmp_path):
    run = api.post(f"{API}/trainings/", {"project": str(drawn.project_id), **TINY})
    assert run.status_code == 201, run.content
    services.run_training(run.json()["id"])
    run = api.get(run["Location"]).json()
    assert run["state"] == "succeeded", run["error"]
    assert run["history"][0]["val_average_precision"] >= 0
    row = Model.objects.get(pk=run["model"])
    model = api.get(f"{API}/models/{row.pk}/").json()
    assert model["task"] == "multilabel" and set(model["label_thresholds"]) == set(model["class_names"])
    assert model["metrics"]["task"] == "multilabel" and len(model["metrics"]["per_class"]) == len(row.class_names)
    card = b"".join(api.get(f"{API}/models/{row.pk}/files/model_card/").streaming_content).decode()
    assert "mean average precision" in card and "images with exactly their labels" in card
    _check_evaluation(api, row)
    _check_predictions(api, row, drawn)
    _check_thresholds(api, row)
    _check_exports(api, row, tmp_path)
    _check_agent(api, row, tmp_path)


def _check_evaluation(api, model: Model) -> None:
    """The figures are those of the images that it lists, also when they are measured again by the file that serves."""
    snapshot = str(model.snapshot_id)
    again = done(api, api.post(f"{API}/models/{model.pk}/evaluations/", {"snapshot": snapshot}))
    fresh = api.get(f"{API}/evaluations/{again['evaluation']}/").json()
    for name in ("mean_average_precision", "micro_f1", "subset_accuracy"):
        assert fresh["metrics"][name] == pytest.approx(model.metrics[name], abs=1e-6)
    found = outcomes_of(Evaluation.objects.get(pk=again["evaluation"]))
    url = f"{API}/evaluations/{again['evaluation']}"
    right = api.get(f"{url}/images/", {"outcome": "right"}).json()["count"]
    assert right == round(fresh["metrics"]["subset_accuracy"] * len(found.keys))
    name = model.class_names[0]
    missed = api.get(f"{url}/images/", {"outcome": "miss", "label": name}).json()
    assert missed["count"] == int((found.truth[:, 0] & ~found.predicted[:, 0]).sum())
    everything = api.get(f"{url}/images/").json()
    assert everything["count"] == len(found.keys)
    assert {"labels", "predicted_labels", "misses"} <= set(everything["results"][0])
    table = api.get(f"{url}/thresholds/", {"label": name}).json()
    assert table["total"] == int(found.truth[:, 0].sum())
    assert api.get(f"{url}/curves/", {"label": name}).status_code == 200
    assert api.get(f"{url}/pictures/precision_recall/").status_code == 200


def _check_predictions(api, model: Model, dataset: Dataset) -> None:
    images = [str(pk) for pk in Image.objects.filter(dataset=dataset).values_list("pk", flat=True)[:2]]
    answer = api.post(f"{API}/models/{model.pk}/predict/", {"images": images})
    assert answer.status_code == 200, answer.content
    for prediction in answer.json()["predictions"]:
        assert {row["label"] for row in prediction["labels"]} == set(model.class_names)
        for row in prediction["labels"]:
            assert row["is_present"] == (row["score"] >= row["threshold"])
            assert row["threshold"] == pytest.approx(model.label_thresholds[row["label"]], abs=1e-6)
    everything = api.post(f"{API}/models/{model.pk}/predict/?threshold=0", {"images": images[:1]}).json()
    assert all(row["is_present"] for row in everything["predictions"][0]["labels"])
    waiting = Image.objects.filter(dataset=dataset, reviewed=False).count()
    result = done(
        api,
        api.post(f"{API}/models/{model.pk}/suggestions/", {"dataset": str(dataset.pk)}),
    )
    assert result["images"] == waiting
    suggested = Annotation.objects.filter(image__dataset=dataset, confirmed=False)
    assert suggested.count() == result["suggestions"]


def _check_thresholds(api, model: Model) -> None:
    url, name = f"{API}/models/{model.pk}/", model.class_names[0]
    others = {label: limit for label, limit in model.label_thresholds.items() if label != name}
    assert api.patch(url, {"label_thresholds": {name: 0.123}}).json()["label_thresholds"] == {**others, name: 0.123}
    assert api.patch(url, {"label_thresholds": {"no such": 0.5}}).status_code == 400
    assert api.patch(url, {"score_threshold": 0.5}).status_code == 400
    model.refresh_from_db()


def _check_exports(api, model: Model, folder: Path) -> None:
    result = done(api, api.post(f"{API}/models/{model.pk}/exports/", {"kinds": ["onnx"], "largest_drop": 0.5}))
    (export,) = result["exports"]
    assert export["offered"] and "micro_f1" in export and export["agreement"] == 1.0
    path, target = folder / "model-float32.tflite", folder / "bundle.zip"
    copy_file(model=model, kind="litert-float32", target=path)
    write_bundle(target, model=model, kind="litert-float32", file=path, documents={})
    with zipfile.ZipFile(target) as archive:
        archive.extractall(folder)
    (program,) = folder.glob("*/predict.py")
    expected = json.loads((program.parent / "expected.json").read_text())
    command = [sys.executable, "predict.py", "sample.png"]
    said = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    assert [row["label"] for row in found["labels"]] == [row["label"] for row in expected["labels"]]
    assert f"THRESHOLDS = [{model.label_thresholds[model.class_names[0]]}" in program.read_text()


def _check_agent(api, model: Model, folder: Path) -> None:
    """What a device answers is what the studio answers."""
    from agent.mlstudio_agent.predictor import Predictor, sure_enough
    from edge.rollouts import _info

    entry = {"model": _info(model, model.files.get(kind="litert-float32")), "file": {"kind": "litert-float32"}}
    image = jpeg(3)
    found = sure_enough(Predictor(entry, folder / "model-float32.tflite").predict(image), entry["model"])
    (folder / "a.jpg").write_bytes(image)
    with (folder / "a.jpg").open("rb") as file:
        answer = api.post(f"{API}/models/{model.pk}/predict/", {"files": file}, format="multipart").json()
    assert found["labels"] == answer["predictions"][0]["labels"]
