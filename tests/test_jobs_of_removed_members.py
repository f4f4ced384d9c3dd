"""Jobs that change what others made end when the user who asked may not change it any more."""

from __future__ import annotations

import io
import zipfile

import pytest

from datasets import bulk, label_jobs
from datasets.models import Annotation, Image, Label
from jobs import services as jobs
from jobs.models import Job, WorkState
from projects.models import Membership
from projects.permissions import require_still_editor
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("who may still change something")]
API = "/api/v1"


@pytest.fixture
def few(monkeypatch) -> None:
    monkeypatch.setattr("datasets.views.bulk.MOST_AT_ONCE", 2)
    monkeypatch.setattr(bulk, "CHUNK", 2)
    monkeypatch.setattr(label_jobs, "MOST_AT_ONCE", 2)


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(5)], label="good")["created"]


def archive() -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("bad/9.jpg", jpeg(9))
    content.seek(0)
    content.name = "a.zip"
    return content


def start(kind: str, client, project, dataset, labels) -> str:
    if kind == "delete images":
        body = {"filter": {"project": str(project.pk)}, "action": "delete"}
        answer = client.post(f"{API}/images/bulk/", body, format="json")
    elif kind == "delete label":
        answer = client.delete(f"{API}/projects/{project.pk}/labels/{labels['good']['id']}/?images=delete")
    else:
        answer = client.post(f"{API}/datasets/{dataset['id']}/imports/", {"file": archive()}, format="multipart")
    assert answer.status_code == 202, answer.content
    return answer.json()["id"]


@pytest.mark.parametrize("how", ["removed", "viewer now", "account gone"])
@pytest.mark.parametrize("kind", ["delete images", "delete label", "import"])
def test_a_job_that_waited(api, project, dataset, labels, images, editor, few, kind, how):
    job = start(kind, client_of(editor), project, dataset, labels)
    if how == "removed":
        Membership.objects.filter(user=editor).delete()
    elif how == "viewer now":
        Membership.objects.filter(user=editor).update(role="viewer")
    else:
        editor.delete()
    jobs.run_job(job)
    row = Job.objects.get(pk=job)
    assert (row.state, row.error_code) == (WorkState.FAILED, "not_allowed_any_more")
    assert (Image.objects.count(), Annotation.objects.count(), Label.objects.count()) == (5, 5, 2)
    assert "another member" in api.get(f"{API}/jobs/{job}/").json()["error"]["detail"]


def test_a_job_that_runs_ends_at_its_next_part(project, dataset, labels, images, editor, few, monkeypatch):
    job = start("delete images", client_of(editor), project, dataset, labels)
    real = bulk.change_images

    def then_removed(**options) -> int:
        changed = real(**options)
        Membership.objects.filter(user=editor).update(role="viewer")
        return changed

    monkeypatch.setattr(bulk, "change_images", then_removed)
    jobs.run_job(job)
    assert Job.objects.get(pk=job).error_code == "not_allowed_any_more"
    assert Image.objects.filter(dataset=dataset["id"]).count() == 3


def test_another_member_starts_it_again(api, owner, project, dataset, labels, images, editor, few):
    job = start("delete images", client_of(editor), project, dataset, labels)
    Membership.objects.filter(user=editor).delete()
    jobs.run_job(job)
    again = api.post(f"{API}/jobs/{job}/retry/")
    assert again.status_code == 202
    jobs.run_job(again.json()["id"])
    assert Job.objects.get(pk=again.json()["id"]).state == WorkState.SUCCEEDED
    assert not Image.objects.filter(dataset=dataset["id"]).exists()
    require_still_editor(Job.objects.get(pk=again.json()["id"]))
