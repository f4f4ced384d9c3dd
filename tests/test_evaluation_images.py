"""Figures of an evaluation over HTTP: the images behind a cell, and what a lowest score costs."""

from __future__ import annotations

import numpy as np
import pytest
from django.utils.crypto import get_random_string

from inference.models import Evaluation, Model
from projects.models import Project, Task
from storage import services as storage
from tests.conftest import client_of
from vision.analysis.predictions import OUTCOMES, ClassifierPredictions, DetectorPredictions
from vision.runtime.boxes import Detections
from vision.runtime.matching import GroundTruth

pytestmark = pytest.mark.django_db
NAMES = ["good", "bad"]
KEYS = [f"01980000-0000-7000-8000-00000000000{index}" for index in range(4)]


def evaluation_of(project: Project, tmp_path, outcomes, metrics: dict) -> Evaluation:
    outcomes.save(tmp_path / OUTCOMES)
    model = Model.objects.create(
        project=project,
        name=get_random_string(6),
        version=1,
        task=project.task,
        class_names=NAMES,
        architecture="tiny",
        input_height=8,
        input_width=8,
        parameters=1,
        detector={"score_threshold": 0.9},
    )
    blob = storage.keep_path(tmp_path / OUTCOMES, "application/octet-stream")
    return Evaluation.objects.create(model=model, split="test", metrics=metrics, outcomes=blob)


@pytest.fixture
def classified(project, tmp_path) -> str:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]], np.float32)
    outcomes = ClassifierPredictions(KEYS, np.array([0, 0, 0, 1]), probabilities, NAMES)
    return f"/api/v1/evaluations/{evaluation_of(project, tmp_path, outcomes, {'count': 4}).pk}/"


@pytest.fixture
def detected(project, tmp_path) -> str:
    """One box found by its label, one as the other label, one not found, one where nothing is; one image each."""
    project.task = Task.DETECTION
    project.save()
    here, none = np.array([[0, 0, 10, 10]], np.float32), np.zeros((0, 4), np.float32)
    label = {name: np.array([index]) for index, name in enumerate(NAMES)}
    empty = np.zeros(0, int)

    def found(boxes, score: float, labels) -> Detections:
        return Detections(boxes, np.full(len(boxes), score, np.float32), labels)

    truths = [GroundTruth(KEYS[0], here, label["good"]), GroundTruth(KEYS[1], here, label["good"])]
    truths += [GroundTruth(KEYS[2], here, label["good"]), GroundTruth(KEYS[3], none, empty)]
    said = [found(here, 0.8, label["good"]), found(here, 0.7, label["bad"])]
    said += [found(here, 0.2, label["good"]), found(here, 0.6, label["bad"])]
    metrics = {"count": 4, "per_class": [{"label": name, "threshold": 0.5} for name in NAMES]}
    return (
        f"/api/v1/evaluations/{evaluation_of(project, tmp_path, DetectorPredictions(truths, said, NAMES), metrics).pk}/"
    )


def behind(api, address: str, query: str) -> list[str]:
    return [row["image"] for row in api.get(f"{address}images/?{query}").json()["results"]]


def test_cells_of_a_detector_open_what_they_count(api, detected):
    """The thresholds are those of the figures, not the model's 0.9."""
    assert behind(api, detected, "outcome=cell&label=good&predicted=good") == [KEYS[0]]
    assert behind(api, detected, "outcome=cell&label=good&predicted=bad") == [KEYS[1]]
    assert behind(api, detected, "outcome=cell&label=good") == [KEYS[2]]
    assert behind(api, detected, "outcome=cell&predicted=bad") == [KEYS[3]]
    assert behind(api, detected, "outcome=cell&label=good&threshold=0.1") == []
    assert behind(api, detected, "outcome=miss&label=bad") == []
    (row,) = api.get(f"{detected}images/?outcome=cell&predicted=bad").json()["results"]
    assert row["is_deleted"] and row["boxes"][0]["match"] == "false_positive"


def test_a_cell_needs_a_name(api, classified):
    answer = api.get(f"{classified}images/?outcome=cell")
    assert answer.status_code == 400 and answer.json()["errors"][0]["attr"] == "outcome"


def test_what_a_threshold_costs_a_classifier(api, classified):
    table = api.get(f"{classified}thresholds/?label=bad").json()
    assert table["label"] == "bad" and table["total"] == 1 and len(table["rows"]) == 101
    at = {row["threshold"]: row for row in table["rows"]}
    assert (at[0]["right"], at[0]["wrong"], at[0]["left"]) == (1, 2, 0)
    assert (at[0.65]["right"], at[0.65]["wrong"], at[0.65]["left"]) == (1, 1, 1)
    assert at[1]["precision"] is None and at[1]["recall"] == 0
    everything = api.get(f"{classified}thresholds/").json()
    assert everything["label"] is None and everything["rows"][0]["right"] == 2


def test_what_a_threshold_costs_a_detector(api, detected):
    at = {row["threshold"]: row for row in api.get(f"{detected}thresholds/?label=good").json()["rows"]}
    assert (at[0]["right"], at[0]["wrong"], at[0]["missed"]) == (2, 0, 1)
    assert (at[0.5]["right"], at[0.5]["wrong"], at[0.5]["missed"]) == (1, 0, 2)


def test_every_point_of_a_classifiers_curves_opens_its_images(api, classified):
    charts = api.get(f"{classified}curves/?label=bad").json()
    roc, curve = charts["roc"], charts["precision_recall"]
    points = zip(roc["threshold"], roc["true_positive_rate"], roc["false_positive_rate"], strict=True)
    assert next(points) == (None, 0, 0)
    for score, found, wrong in points:
        images = behind(api, classified, f"score_of=bad&min_score={score}")
        assert (KEYS[3] in images, len(images) - (KEYS[3] in images)) == (found == 1, round(3 * wrong))
    for score, precision in zip(curve["threshold"], curve["precision"], strict=True):
        images = behind(api, classified, f"score_of=bad&min_score={score}")
        assert precision == pytest.approx((KEYS[3] in images) / len(images), abs=1e-5)
    # What is called so wrongly comes first; and the other side of the same figures.
    assert behind(api, classified, "score_of=bad&min_score=0.65") == [KEYS[2], KEYS[3]]
    assert behind(api, classified, "score_of=bad&min_score=0.65&outcome=wrong") == [KEYS[2]]
    for one in charts["calibration"]:
        images = behind(api, classified, f"score_of=bad&min_score={one['from']}&max_score={one['to']}")
        assert len(images) == one["count"] and one["accuracy"] == (KEYS[3] in images) / len(images)


def test_every_point_of_a_detectors_curve_opens_its_images(api, detected):
    charts = api.get(f"{detected}curves/?label=good").json()
    assert charts["roc"] is None
    assert charts["precision_recall"] == {
        "precision": [1, 1],
        "recall": [pytest.approx(1 / 3, abs=1e-5), pytest.approx(2 / 3, abs=1e-5)],
        "threshold": [pytest.approx(0.8, abs=1e-5), pytest.approx(0.2, abs=1e-5)],
        "average_precision": pytest.approx(2 / 3),
    }
    for score, images in zip(charts["precision_recall"]["threshold"], ([KEYS[0]], [KEYS[0], KEYS[2]]), strict=True):
        assert behind(api, detected, f"threshold={score}&predicted=good") == images
    low, high = charts["calibration"]
    assert (low["count"], low["accuracy"], high["count"]) == (1, 1, 1)
    query = f"threshold=0&score_of=good&min_score={low['from']}&max_score={low['to']}"
    assert behind(api, detected, query) == [KEYS[2]]
    # Found twice, both times where something else is: no recall, and precision all the same.
    bad = api.get(f"{detected}curves/?label=bad").json()
    assert bad["precision_recall"] is None and [one["accuracy"] for one in bad["calibration"]] == [0, 0]


def test_curves_of_an_unknown_label_or_without_outcomes(api, classified, outsider):
    assert api.get(f"{classified}curves/").json()["errors"][0]["code"] == "required"
    for query in ("curves/?label=none", "images/?score_of=none"):
        assert api.get(f"{classified}{query}").json()["errors"][0]["code"] == "unknown_label"
    assert client_of(outsider).get(f"{classified}curves/?label=bad").status_code == 404
    Evaluation.objects.update(outcomes=None)
    assert api.get(f"{classified}curves/?label=bad").json()["errors"][0]["code"] == "not_evaluated"


def test_thresholds_of_an_unknown_label_or_without_outcomes(api, classified):
    assert api.get(f"{classified}thresholds/?label=none").json()["errors"][0]["code"] == "unknown_label"
    Evaluation.objects.update(outcomes=None)
    answer = api.get(f"{classified}thresholds/")
    assert answer.status_code == 409 and answer.json()["errors"][0]["code"] == "not_evaluated"


def test_who_may_see_what_a_threshold_costs(api, classified, outsider, viewer, client):
    address = f"{classified}thresholds/"
    assert client.get(address).status_code == 401
    assert client_of(outsider).get(address).status_code == 404
    assert client_of(viewer).get(address).status_code == 200
    assert api.post(address).status_code == 405
