"""A classifier's own lowest score: kept with the model, used where a caller names none."""

from __future__ import annotations

import pytest

from inference.models import Model
from inference.serving.prediction import PredictionOptions, serving_thresholds, with_own_threshold
from projects.models import Project, Task
from tests.conftest import client_of

pytestmark = pytest.mark.django_db


def model_of(project: Project, task: str = Task.CLASSIFICATION) -> Model:
    detector = {"score_threshold": 0.4} if task == Task.DETECTION else {}
    return Model.objects.create(
        project=project,
        name="screws",
        version=1,
        task=task,
        class_names=["good", "bad"],
        architecture="tiny",
        input_height=8,
        input_width=8,
        parameters=1,
        detector=detector,
    )


def test_it_is_kept_and_taken_back(api, project):
    model = model_of(project)
    address = f"/api/v1/models/{model.pk}/"
    assert api.get(address).json()["score_threshold"] is None
    answer = api.patch(address, {"score_threshold": 0.8}, format="json")
    assert answer.status_code == 200 and answer.json()["score_threshold"] == 0.8
    assert api.post(f"/api/v1/changes/{answer['X-Change']}/undo/").status_code == 200
    model.refresh_from_db()
    assert model.score_threshold is None


@pytest.mark.parametrize("value", [True, -0.1, 1.5, "high"])
def test_an_odd_value_changes_nothing(api, project, value):
    answer = api.patch(f"/api/v1/models/{model_of(project).pk}/", {"score_threshold": value}, format="json")
    assert answer.status_code == 400 and answer.json()["errors"][0]["attr"] == "score_threshold"


def test_a_detector_has_others(api, project):
    model = model_of(project, Task.DETECTION)
    answer = api.patch(f"/api/v1/models/{model.pk}/", {"score_threshold": 0.5}, format="json")
    assert answer.status_code == 400 and "`detector`" in answer.json()["errors"][0]["detail"]


def test_who_may_set_it(project, viewer, outsider, client):
    address = f"/api/v1/models/{model_of(project).pk}/"
    assert client.patch(address, {"score_threshold": 0.5}, content_type="application/json").status_code == 401
    assert client_of(viewer).patch(address, {"score_threshold": 0.5}, format="json").status_code == 403
    assert client_of(outsider).patch(address, {"score_threshold": 0.5}, format="json").status_code == 404


def test_a_caller_goes_before_the_model(project):
    model = model_of(project)
    model.score_threshold = 0.7
    assert with_own_threshold(model, PredictionOptions()).threshold == 0.7
    assert with_own_threshold(model, PredictionOptions(threshold=0.0)).threshold == 0.0
    assert serving_thresholds(model) == {"good": 0.7, "bad": 0.7}
    assert serving_thresholds(model, 0.2) == {"good": 0.2, "bad": 0.2}
    detector = model_of(Project.objects.create(name="b", task=Task.DETECTION), Task.DETECTION)
    assert with_own_threshold(detector, PredictionOptions()).threshold is None
