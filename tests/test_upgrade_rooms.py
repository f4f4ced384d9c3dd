"""Jobs and webhooks left the app `projects`: what an earlier version wrote is still there, and also on the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import Job, WorkEvent
from training.models import TrainingRun

BEFORE = ("projects", "0013_job_video")
pytestmark = pytest.mark.django_db(transaction=True)


def migrate(*targets: tuple[str, str]) -> StateApps:
    executor = MigrationExecutor(connection)
    targets = targets or tuple(executor.loader.graph.leaf_nodes())
    state = executor.migrate(list(targets))
    ContentType.objects.clear_cache()
    return state.apps


@pytest.fixture
def before(transactional_db) -> Iterator[StateApps]:
    """The models of the version before."""
    migrate(BEFORE)
    executor = MigrationExecutor(connection)
    try:
        yield executor.loader.project_state(list(executor.loader.applied_migrations)).apps
    finally:
        migrate()


def tables() -> dict[str, tuple]:
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("projects_")]
        return {
            name: (
                [column.name for column in connection.introspection.get_table_description(cursor, name)],
                sorted(connection.introspection.get_constraints(cursor, name)),
            )
            for name in names
        }


class Written:
    """Rows as an earlier version wrote them."""

    def __init__(self, apps: StateApps) -> None:
        user = apps.get_model("auth", "User").objects.create(username="ada", is_staff=True)
        project = apps.get_model("projects", "Project").objects.create(name="p", created_by=user)
        apps.get_model("projects", "Membership").objects.create(project=project, user=user, role="owner")
        blob = apps.get_model("storage", "Blob").objects.create(sha256="0" * 64, size=3)
        job = apps.get_model("projects", "Job").objects.create(
            project=project, created_by=user, kind="export", state="succeeded", output_blob=blob, result={"images": 3}
        )
        apps.get_model("projects", "JobFile").objects.create(job=job, name="a.txt", blob=blob)
        dataset = apps.get_model("datasets", "Dataset").objects.create(project=project, name="d")
        snapshot = apps.get_model("datasets", "Snapshot").objects.create(
            dataset=dataset, project=project, number=1, seed=1, fractions={}, class_names=[], counts={}
        )
        training = apps.get_model("training", "TrainingRun").objects.create(
            project=project, snapshot=snapshot, created_by=user, configuration={}, state="succeeded"
        )
        for work in (job, training):
            apps.get_model("projects", "WorkEvent").objects.create(work=work.pk, kind="log", content={"line": "x"})
        webhook = apps.get_model("projects", "Webhook").objects.create(
            project=project, url="https://example.com/", events=["job.finished"], secret="whsec_eA==", created_by=user
        )
        apps.get_model("projects", "WebhookDelivery").objects.create(
            webhook=webhook, event="job.finished", payload={"type": "job.finished"}, next_attempt_at=timezone.now()
        )
        self.user, self.job, self.training, self.webhook = user.pk, job.pk, training.pk, webhook.pk
        self._write_what_the_admin_keeps(apps)

    def _write_what_the_admin_keeps(self, apps: StateApps) -> None:
        kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="projects", model="job")
        apps.get_model("admin", "LogEntry").objects.create(
            user_id=self.user, content_type=kind, object_id=str(self.job), object_repr="job", action_flag=ADDITION
        )
        permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=kind, codename="view_job", defaults={"name": "Can view job"}
        )
        group = apps.get_model("auth", "Group").objects.create(name="lookers")
        group.permissions.add(permission)
        group.user_set.add(self.user)


def test_an_upgrade_keeps_jobs_and_webhooks(before):
    written, earlier = Written(before), tables()
    migrate()
    assert tables() == earlier and {"projects_job", "projects_webhookdelivery"} <= set(earlier)
    assert (Job.objects.get().pk, Job.objects.get().result) == (written.job, {"images": 3})
    assert set(WorkEvent.objects.values_list("work", flat=True)) == {written.job, TrainingRun.objects.get().pk}
    client = APIClient()
    client.force_authenticate(get_user_model().objects.get())
    assert client.get(f"/api/v1/jobs/{written.job}/").json()["result"]["files"][0]["name"] == "a.txt"
    assert client.get(f"/api/v1/trainings/{written.training}/log/").content.decode().endswith(" x\n")
    deliveries = client.get(f"/api/v1/webhooks/{written.webhook}/deliveries/").json()["results"]
    assert [delivery["payload"] for delivery in deliveries] == [{"type": "job.finished"}]


def test_the_log_and_the_permissions_of_the_admin_follow(before):
    """Also where Django has made rows for the new names by itself."""
    written = Written(before)
    ContentType.objects.get_or_create(app_label="jobs", model="job")
    migrate()
    assert LogEntry.objects.get().get_edited_object() == Job.objects.get()
    assert get_user_model().objects.get(pk=written.user).has_perm("jobs.view_job")
    assert Group.objects.get().permissions.get().content_type.model_class() is Job
    assert not ContentType.objects.filter(app_label="projects", model__in=("job", "webhook")).exists()


def test_the_way_back_keeps_them_too(before):
    written = Written(before)
    migrate()
    migrate(BEFORE)
    assert before.get_model("projects", "Job").objects.get().pk == written.job
    assert before.get_model("projects", "WebhookDelivery").objects.get().webhook_id == written.webhook
    assert before.get_model("admin", "LogEntry").objects.get().content_type.app_label == "projects"
