"""Searching for settings: draws, rungs, budgets, and what is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inference.models import Model
from inference.registry.registration import register_model
from jobs import work
from tests.conftest import client_of
from tests.pictures import shapes_zip
from tests.test_imports import run_import
from training.models import Search, TrainingRun
from training.searches import advance, draw, look_after_searches, rung_sizes

pytestmark = pytest.mark.django_db


@pytest.fixture
def snapshot(api, dataset) -> str:
    run_import(api, dataset, shapes_zip(12))
    return api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["id"]


def begin(api, project, snapshot: str, **options):
    body = {"project": str(project.pk), "snapshot": snapshot, "architecture": "small_cnn", "image_size": 32, **options}
    return api.post("/api/v1/searches/", body, format="json")


def finish(run: TrainingRun, score: float | None, owner) -> None:
    """As the supervisor does it, without training."""
    claimed = work.claim(TrainingRun, run.pk)
    if score is None:
        work.finish(claimed, "failed", error_code="x", error_detail="x")
        return
    work.finish(claimed, "succeeded", score=score)
    model = register_model(
        project=run.project,
        name=run.name,
        class_names=["cross", "disc"],
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        files={},
        user=owner,
        training=run.pk,
        snapshot=run.snapshot,
        metrics={},
    )
    TrainingRun.objects.filter(pk=run.pk).update(model=model)


def test_the_rungs_fit_the_budget():
    assert [rung_sizes(n) for n in (3, 6, 7, 15, 20)] == [[2, 1], [3, 1], [4, 2, 1], [8, 4, 2, 1], [11, 5, 2, 1]]
    assert all(sum(rung_sizes(n)) <= n for n in range(3, 101))


def test_the_first_settings_are_the_user_s_own_and_all_are_different():
    space = {"dropout": [0.0, 0.2], "learning_rate": {"min": 1e-4, "max": 1e-2, "log": True}}
    found = draw(space, {"epochs": 5}, 12, seed=3)
    assert found[0] == {"epochs": 5} and found == draw(space, {"epochs": 5}, 12, seed=3)
    rates = [one["learning_rate"] for one in found[1:]]
    assert len(set(map(str, found))) == 12 and all(1e-4 <= rate <= 1e-2 for rate in rates)
    assert sum(rate < 1e-3 for rate in rates) in range(2, 10)


def test_the_better_half_goes_on_and_the_best_model_stays(api, project, snapshot, owner):
    answer = begin(api, project, snapshot, epochs=8, max_runs=7, name="Try")
    assert answer.status_code == 201, answer.content
    found = answer.json()
    assert found["sizes"] == [4, 2, 1] and [run["epochs"] for run in found["runs"]] == [2] * 4
    search = Search.objects.get()
    first = list(search.runs.order_by("id"))
    assert first[0].chosen == {"architecture": "small_cnn", "image_size": 32, "epochs": 8}
    assert look_after_searches() == 1 and search.runs.count() == 4  # nothing has ended yet
    for run, score in zip(first, (0.5, 0.9, None, 0.7), strict=True):
        finish(run, score, owner)
    look_after_searches()
    second = list(search.runs.filter(rung=1).order_by("id"))
    assert [run.chosen for run in second] == [first[1].chosen, first[3].chosen]
    assert {run.configuration["epochs"] for run in second} == {4}
    for run, score in zip(second, (0.8, 0.85), strict=True):
        finish(run, score, owner)
    Model.objects.filter(training=first[0].pk).update(tags=["mine"])
    look_after_searches()
    (last,) = search.runs.filter(rung=2)
    assert last.chosen == first[3].chosen and last.configuration["epochs"] == 8
    finish(last, 0.88, owner)
    assert look_after_searches() == 0
    found = api.get(f"/api/v1/searches/{search.pk}/").json()
    assert found["state"] == "succeeded" and found["best"] == str(last.pk)
    last.refresh_from_db()
    assert found["model"] == str(last.model_id)
    # What somebody put a tag on stays too.
    assert set(Model.objects.values_list("training", flat=True)) == {last.pk, first[0].pk}
    assert [run["score"] for run in found["runs"]] == [0.88, 0.85, 0.8, 0.9, 0.7, 0.5, None]


def test_when_the_minutes_are_over_the_best_so_far_is_kept(api, project, snapshot, owner):
    begin(api, project, snapshot, epochs=8, max_runs=7, max_minutes=5)
    search = Search.objects.get()
    first = list(search.runs.order_by("id"))
    finish(first[0], 0.6, owner)
    Search.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    search = advance(search=search)
    assert search.state == "succeeded" and search.best == first[0] and "minutes" in search.note
    assert set(search.runs.exclude(pk=first[0].pk).values_list("state", flat=True)) == {"cancelled"}


def test_a_search_of_failures_fails(api, project, snapshot, owner):
    begin(api, project, snapshot, max_runs=3)
    search = Search.objects.get()
    for run in search.runs.all():
        finish(run, None, owner)
    assert advance(search=search).state == "failed"


def test_cancelling_a_search_cancels_its_trainings(api, project, snapshot):
    pk = begin(api, project, snapshot, max_runs=3).json()["id"]
    answer = api.post(f"/api/v1/searches/{pk}/cancel/")
    assert answer.status_code == 200 and answer.json()["state"] == "cancelled"
    assert set(TrainingRun.objects.values_list("state", flat=True)) == {"cancelled"}
    assert api.post(f"/api/v1/searches/{pk}/cancel/").json()["errors"][0]["code"] == "already_ended"


BAD = [
    ({"space": {"seed": [1, 2]}}, "unknown"),
    ({"space": {}}, "invalid"),
    ({"space": {"dropout": [2]}}, "max_value"),
    ({"space": {"dropout": {"min": 0, "max": 0.5, "log": True}}}, "invalid"),
    ({"space": {"dropout": []}}, "invalid"),
    ({"space": {"augmentation": ["heavy"]}}, "invalid_choice"),
    ({"max_runs": 2}, "min_value"),
    ({"space": {"dropout": [0.1, 0.2]}, "max_runs": 31}, "space_too_small"),
    ({"epochs": 0}, "min_value"),
    ({"space": {"fine_tune": [True]}, "max_runs": 3}, "invalid_configuration"),
]


@pytest.mark.parametrize(("options", "code"), BAD, ids=[str(one[0]) for one in BAD])
@pytest.mark.any_database("what a request may ask for")
def test_impossible_searches_are_refused(api, project, snapshot, options, code):
    answer = begin(api, project, snapshot, **options)
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == code, answer.content
    assert not Search.objects.exists() and not TrainingRun.objects.exists()


def test_who_may_search(api, project, snapshot, viewer, outsider):
    assert begin(client_of(viewer), project, snapshot).status_code == 403
    assert begin(client_of(outsider), project, snapshot).status_code == 400
    pk = begin(api, project, snapshot, max_runs=3).json()["id"]
    assert client_of(viewer).get(f"/api/v1/searches/{pk}/").status_code == 200
    assert client_of(outsider).get(f"/api/v1/searches/{pk}/").status_code == 404


def test_a_training_can_be_tried_again(api, project, snapshot):
    body = {"project": str(project.pk), "snapshot": snapshot, "architecture": "small_cnn", "image_size": 32, "seed": 7}
    run = api.post("/api/v1/trainings/", body).json()
    url = f"/api/v1/trainings/{run['id']}/"
    assert api.post(f"{url}retry/").status_code == 409
    api.post(f"{url}cancel/")
    again = api.post(f"{url}retry/")
    assert again.status_code == 201 and again.json()["configuration"] == run["configuration"]


def test_the_curves_of_a_training_as_a_picture(api, project, snapshot):
    body = {"project": str(project.pk), "snapshot": snapshot, "architecture": "small_cnn", "image_size": 32}
    run = api.post("/api/v1/trainings/", body).json()
    url = f"/api/v1/trainings/{run['id']}/picture/"
    assert api.get(url).status_code == 404
    history = [{"epoch": n, "loss": 1 / n, "val_loss": 1.2 / n, "accuracy": 0.5, "val_accuracy": 0.4} for n in (1, 2)]
    TrainingRun.objects.update(history=history)
    assert b"<svg" in api.get(url).content and api.get(f"{url}?kind=png").content[:4] == b"\x89PNG"
