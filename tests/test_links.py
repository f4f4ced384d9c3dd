"""Links to exports and models are for the member they were made for, for minutes."""

from __future__ import annotations

import time

import pytest

from inference.models import Model
from jobs.models import Job, JobFile
from projects.models import Membership
from storage.services import keep_bytes
from storage.signing import sign_for, sign_path
from tests.conftest import client_of
from tests.test_registry import make_model

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("signatures and their time")]


@pytest.fixture
def job(project, owner) -> Job:
    blob = keep_bytes(b"the whole dataset", "application/zip")
    job = Job.objects.create(
        project=project, kind="export", state="succeeded", result={}, output_blob=blob, output_name="a.zip"
    )
    JobFile.objects.create(job=job, name="a.png", blob=blob)
    return job


def links_of(user, job) -> list[str]:
    result = client_of(user).get(f"/api/v1/jobs/{job.pk}/").json()["result"]
    return [result["download_url"], result["files"][0]["url"]]


def test_they_need_no_credentials(client, editor, job):
    for link in links_of(editor, job):
        assert b"".join(client.get(link).streaming_content) == b"the whole dataset"


def test_they_end_with_the_membership(client, editor, job):
    links = links_of(editor, job)
    Membership.objects.filter(user=editor).delete()
    assert [client.get(link).status_code for link in links] == [404, 404]


def test_they_end_with_the_account(client, editor, job):
    links = links_of(editor, job)
    editor.is_active = False
    editor.save()
    assert [client.get(link).status_code for link in links] == [401, 401]


def test_they_last_for_minutes(client, editor, job, monkeypatch):
    links = links_of(editor, job)
    now = time.time()
    for minutes, status in ((9, 200), (16, 401)):
        monkeypatch.setattr("storage.signing.time.time", lambda minutes=minutes: now + minutes * 60)
        assert [client.get(link).status_code for link in links] == [status, status]


def test_a_published_link_lasts_as_long_as_was_asked(client, project, owner, tmp_path, monkeypatch):
    model = make_model(project, owner, tmp_path, "m")
    link = sign_for(owner, f"/api/v1/models/{model.pk}/files/litert-float32/", seconds=86_400)
    now = time.time()
    for seconds, status in ((86_340, 200), (86_460, 401)):
        monkeypatch.setattr("storage.signing.time.time", lambda seconds=seconds: now + seconds)
        assert client.get(link).status_code == status


def test_one_that_does_not_work_says_so(client, editor, job, monkeypatch):
    """Somebody without an account is not asked for credentials only."""
    links = links_of(editor, job)
    changed = [f"{link}x" for link in links]
    now = time.time()
    monkeypatch.setattr("storage.signing.time.time", lambda: now + 16 * 60)
    for link in (*links, *changed):
        assert "This link has ended" in client.get(link).json()["errors"][0]["detail"]


def test_another_member_cannot_be_written_into_one(client, editor, owner, job):
    for link in links_of(editor, job):
        for forged in (f"member={owner.pk}", "member=", "member=x", f"member={'9' * 5000}"):
            assert client.get(link.replace(f"member={editor.pk}", forged)).status_code == 401
        assert client.get(f"{link}&member={owner.pk}").status_code == 401


def test_a_signature_without_a_member_opens_neither(client, job, project, owner, tmp_path):
    model = make_model(project, owner, tmp_path, "m")
    for path in (f"/api/v1/jobs/{job.pk}/file/", f"/api/v1/models/{model.pk}/files/litert-float32/"):
        assert client.get(sign_path(path)).status_code == 401


def test_a_model_s_link_follows_who_may_see_it(client, project, owner, outsider, tmp_path):
    model = make_model(project, owner, tmp_path, "m")
    link = sign_for(outsider, f"/api/v1/models/{model.pk}/files/litert-float32/")
    assert client.get(link).status_code == 404
    Model.objects.update(visibility="public")
    assert client.get(link).status_code == 200


def test_a_link_opens_nothing_else(client, editor, job):
    """It is no login: other paths and methods do not take it."""
    query = links_of(editor, job)[0].partition("?")[2]
    for path in (f"/api/v1/jobs/{job.pk}/", "/api/v1/users/me/", f"/api/v1/jobs/{job.pk}/log/"):
        assert client.get(f"{path}?{query}").status_code == 401
    assert client.post(links_of(editor, job)[0]).status_code in (401, 403, 405)
