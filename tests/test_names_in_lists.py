"""Lists say what things are called, with the same number of queries for one row as for many."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasets.models import Snapshot
from edge.devices import create_device, create_group
from edge.models import Device, Health
from edge.rollouts import start_deployment
from inference.models import Evaluation, Model
from jobs.models import Job
from projects.services import create_project
from tests.conftest import client_of, make_user
from tests.test_registry import make_model
from training.models import Search, TrainingRun

pytestmark = pytest.mark.django_db
METRICS = {"accuracy": 0.9, "top": None, "accuracy_interval": [0.8, 1.0], "confusion_matrix": [[1, 2], [3, 4]]}


@pytest.fixture
def snapshot(project, dataset, owner) -> Snapshot:
    return Snapshot.objects.create(
        project=project,
        dataset_id=dataset["id"],
        number=1,
        digest="",
        fractions={},
        seed=1,
        class_names=["a"],
        counts={},
        created_by=owner,
    )


@pytest.fixture
def model(project, owner, snapshot, tmp_path) -> Model:
    return make_model(project, owner, tmp_path, "Screws", snapshot=snapshot, metrics=METRICS)


def rows(api, path: str) -> list[dict]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def queries(api, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        rows(api, path)
    return len(captured)


class TestModels:
    def test_a_list_names_and_leaves_out_what_is_large(self, api, project, model, snapshot, owner, tmp_path):
        again = make_model(project, owner, tmp_path, "Again", base_model=model)
        first, second = rows(api, "/api/v1/models/?ordering=id")
        assert first["metrics"] == {"accuracy": 0.9, "top": None}
        names = ("project_name", "dataset_name", "snapshot_name", "created_by")
        assert [first[name] for name in names] == ["Screws", "photos", "photos #1", "owner"]
        assert second["base_model_name"] == "Screws v1" and first["dataset"] == str(snapshot.dataset_id)
        assert api.get(f"/api/v1/models/{model.pk}/").json()["metrics"] == {"task": "classification", **METRICS}
        assert again.figures == {}

    def test_what_others_made_public_says_nothing_of_their_project(self, api, model, outsider):
        Model.objects.update(visibility="public")
        (row,) = rows(client_of(outsider), "/api/v1/models/")
        assert row["name"] == "Screws"
        hidden = ("project_name", "dataset", "dataset_name", "snapshot_name", "base_model_name", "created_by")
        assert {row[name] for name in hidden} == {None}

    def test_a_base_of_a_project_that_others_do_not_see_has_no_name(self, api, owner, model, tmp_path):
        other = create_project(user=owner, name="Other", task="classification")
        make_model(other, owner, tmp_path, "Child", base_model=model)
        (row,) = rows(api, f"/api/v1/models/?project={other.pk}")
        assert row["base_model"] == str(model.pk) and row["base_model_name"] is None

    def test_figures_of_models_from_before_are_filled_in(self, model):
        Model.objects.update(figures={})
        import_module("inference.migrations.0008_model_figures").fill(apps, None)
        model.refresh_from_db()
        assert model.figures == {"accuracy": 0.9, "top": None}

    def test_evaluations(self, api, model, snapshot):
        Evaluation.objects.all().delete()
        Evaluation.objects.create(model=model, snapshot=snapshot, split="test", metrics={})
        (row,) = rows(api, f"/api/v1/models/{model.pk}/evaluations/")
        assert [row["model_name"], row["dataset_name"], row["snapshot_name"]] == ["Screws v1", "photos", "photos #1"]


class TestTrainings:
    def test_a_list_names(self, api, project, snapshot, model, owner):
        TrainingRun.objects.create(
            project=project, snapshot=snapshot, configuration={}, model=model, created_by=owner, base_model=model
        )
        (row,) = rows(api, "/api/v1/trainings/")
        names = ("project_name", "dataset_name", "snapshot_name", "model_name", "base_model_name", "created_by")
        assert [row[name] for name in names] == ["Screws", "photos", "photos #1", "Screws v1", "Screws v1", "owner"]
        assert api.get(f"/api/v1/trainings/{row['id']}/").json()["dataset"] == str(snapshot.dataset_id)

    def test_a_search_names(self, api, project, snapshot, owner):
        Search.objects.create(project=project, snapshot=snapshot, space={}, sizes=[1], max_runs=3, created_by=owner)
        (row,) = rows(api, "/api/v1/searches/")
        assert [row["project_name"], row["dataset_name"], row["created_by"]] == ["Screws", "photos", "owner"]


class TestJobs:
    def test_what_they_are_about(self, api, project, dataset, model, owner):
        about = {"dataset": dataset["id"], "model": str(model.pk)}
        Job.objects.create(project=project, kind="suggestions", parameters=about, created_by=owner)
        Job.objects.create(project=project, kind="odd", parameters={"dataset": ["x"], "model": "x"})
        odd, row = rows(api, "/api/v1/jobs/")
        assert [row["project_name"], row["created_by"]] == ["Screws", "owner"]
        assert row["dataset"] == {"id": dataset["id"], "name": "photos"}
        assert row["model"] == {"id": str(model.pk), "name": "Screws v1"}
        assert odd["dataset"] is odd["model"] is odd["created_by"] is None
        model.delete()
        assert api.get(f"/api/v1/jobs/{row['id']}/").json()["model"] == {"id": about["model"], "name": None}


class TestSnapshots:
    def test_they_are_listed_by_project_and_have_names(self, api, project, snapshot, owner):
        other = create_project(user=owner, name="Other", task="classification")
        (row,) = rows(api, f"/api/v1/snapshots/?project={project.pk}")
        assert [row["title"], row["project_name"], row["created_by"]] == ["photos #1", "Screws", "owner"]
        assert rows(api, f"/api/v1/snapshots/?project={other.pk}") == []
        path = f"/api/v1/snapshots/{snapshot.pk}/"
        named = api.patch(path, {"name": "Before Easter", "notes": "clean"}).json()
        assert [named["title"], named["notes"]] == ["Before Easter", "clean"]

    def test_what_is_in_one_never_changes(self, api, snapshot):
        path = f"/api/v1/snapshots/{snapshot.pk}/"
        for wrong in ({"seed": 3}, {"name": "a\nb"}, {"name": "x" * 101}):
            assert api.patch(path, wrong).status_code == 400

    def test_who_may_name_one(self, snapshot, viewer, outsider):
        path = f"/api/v1/snapshots/{snapshot.pk}/"
        codes = [client_of(user).patch(path, {"name": "x"}).status_code for user in (viewer, outsider)]
        assert [*codes, APIClient().patch(path, {"name": "x"}).status_code] == [403, 404, 401]


class TestDeployments:
    @pytest.fixture
    def deployment(self, project, model, owner):
        group = create_group(project=project, name="Line 3")
        for name in ("d1", "d2", "d3"):
            create_device(project=project, name=name, group=group)
        return start_deployment(group=group, model=model, kind="litert-float32", user=owner)

    def test_a_list_names_and_counts(self, api, deployment):
        device, failing, revoked = Device.objects.order_by("name")
        for row, health in ((device, Health.OK), (failing, Health.FAILED), (revoked, Health.OK)):
            Device.objects.filter(pk=row.pk).update(running=deployment, health=health)
        Device.objects.filter(pk=revoked.pk).update(revoked_at=deployment.created_at)
        (row,) = rows(api, "/api/v1/deployments/")
        names = ("project_name", "group_name", "model_name", "created_by")
        assert [row[name] for name in names] == ["Screws", "Line 3", "Screws v1", "owner"]
        assert row["reports"] == api.get(f"/api/v1/deployments/{row['id']}/").json()["reports"]
        assert row["reports"] == {"assigned": 2, "told": 2, "reported": 2, "failed": 1}


@pytest.mark.parametrize("path", ["models", "trainings", "searches", "jobs", "snapshots", "deployments"])
def test_many_rows_cost_as_many_queries_as_one(api, project, dataset, snapshot, model, owner, tmp_path, path):
    def more(number: int) -> None:
        user = make_user(f"user{number}")
        taken = Snapshot.objects.create(
            project=project,
            dataset_id=dataset["id"],
            number=number,
            digest="",
            fractions={},
            seed=1,
            class_names=[],
            counts={},
            created_by=user,
        )
        made = make_model(project, user, tmp_path, f"m{number}", snapshot=taken, base_model=model)
        common = {"project": project, "snapshot": taken, "created_by": user}
        TrainingRun.objects.create(**common, configuration={}, model=made, base_model=made, state="succeeded")
        Search.objects.create(**common, space={}, sizes=[1], max_runs=3)
        about = {"dataset": dataset["id"], "model": str(made.pk)}
        Job.objects.create(project=project, kind="x", parameters=about, created_by=user, state="succeeded")
        group = create_group(project=project, name=f"g{number}")
        start_deployment(group=group, model=made, kind="litert-float32", user=user)

    more(2)
    few = queries(api, f"/api/v1/{path}/")
    for number in range(3, 7):
        more(number)
    assert queries(api, f"/api/v1/{path}/") == few
