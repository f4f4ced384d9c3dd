"""One key, one effect: after authentication, by user, by content, and also when a process dies in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.services import issue_login_token
from datasets.models import Image
from mlstudio.models import IdempotencyRecord
from projects.models import Membership, Project
from storage.services import local_cache
from tests.conftest import client_of, make_user
from tests.pictures import jpeg
from tests.studio import ROOT
from tests.test_registry import make_model

pytestmark = pytest.mark.django_db
PROJECT = {"name": "once", "task": "classification"}


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def post(client, path: str = "/api/v1/projects/", body=None, key: str = "k1", **options):
    return client.post(path, PROJECT if body is None else body, HTTP_IDEMPOTENCY_KEY=key, **options)


def bearer(secret: str) -> APIClient:
    return APIClient(raise_request_exception=False, HTTP_AUTHORIZATION=f"Token {secret}")


class TestWhose:
    def test_a_revoked_token_is_not_answered(self, owner):
        token, secret = issue_login_token(user=owner)
        assert post(bearer(secret)).status_code == 201
        token.delete()
        assert post(bearer(secret)).status_code == 401

    def test_it_belongs_to_the_user_not_to_the_token(self, owner):
        first, second = (bearer(issue_login_token(user=owner)[1]) for _ in range(2))
        made = post(first).json()
        again = post(second)
        assert again.json() == made and again["Idempotency-Replayed"] == "true"

    def test_anothers_key_is_another_key(self, api, outsider):
        assert post(api).json()["id"] != post(client_of(outsider)).json()["id"]

    def test_nobody_keeps_anything(self):
        assert post(APIClient()).status_code == 401
        body = {"username": "mia", "email": "mia@example.com", "password": "correct horse battery"}
        assert post(APIClient(), "/api/v1/auth/register/", body).status_code == 201
        assert not IdempotencyRecord.objects.exists()

    @pytest.mark.parametrize("path", ["datasets/{dataset}/exports/", "datasets/"])
    def test_who_is_no_member_any_more_is_not_answered(self, project, dataset, editor, path):
        client = client_of(editor)
        body = {"format": "folder"} if "exports" in path else {"project": str(project.pk), "name": "mine"}
        address = f"/api/v1/{path.format(dataset=dataset['id'])}"
        assert post(client, address, body).status_code in (201, 202)
        assert post(client, address, body)["Idempotency-Replayed"] == "true"
        Membership.objects.filter(user=editor).delete()
        assert post(client, address, body).status_code == 404

    def test_a_model_is_not_uploaded_twice(self, api, project):
        answers = [
            post(
                api,
                "/api/v1/models/",
                {"project": str(project.pk), "file": SimpleUploadedFile("m.keras", b"x"), "labels": "a\nb"},
                format="multipart",
            )
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[1].json() == answers[0].json() and answers[1]["Idempotency-Replayed"] == "true"

    def test_who_may_only_look_now_is_not_answered(self, dataset, editor):
        address = f"/api/v1/datasets/{dataset['id']}/exports/"
        assert post(client_of(editor), address, {"format": "folder"}).status_code == 202
        Membership.objects.filter(user=editor).update(role="viewer")
        assert post(client_of(editor), address, {"format": "folder"}).status_code == 403


class TestContent:
    def send(self, api, dataset, content: bytes, key: str = "k1", **fields):
        files = {"files": [SimpleUploadedFile("a.jpg", content)], **fields}
        return post(api, f"/api/v1/datasets/{dataset['id']}/images/", files, key, format="multipart")

    def test_files_of_the_same_length_are_told_apart(self, api, dataset):
        first, second = (content + b"\0" * (5000 - len(content)) for content in (jpeg(1), jpeg(2)))
        assert self.send(api, dataset, first).status_code == 201
        assert self.send(api, dataset, first)["Idempotency-Replayed"] == "true"
        other = self.send(api, dataset, second)
        assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
        assert (self.send(api, dataset, first, split="test").status_code, Image.objects.count()) == (422, 1)

    def test_announced_uploads_are_told_apart(self, api):
        tus = {"HTTP_TUS_RESUMABLE": "1.0.0"}
        assert post(api, "/api/v1/uploads/", {}, HTTP_UPLOAD_LENGTH="10", **tus).status_code == 201
        assert post(api, "/api/v1/uploads/", {}, HTTP_UPLOAD_LENGTH="11", **tus).status_code == 422

    def test_a_prediction_may_have_a_key(self, api, project, owner, tmp_path):
        model = make_model(project, owner, tmp_path, "m")
        body = {"files": SimpleUploadedFile("a.jpg", jpeg(1))}
        answer = post(api, f"/api/v1/models/{model.pk}/predict/", body, format="multipart")
        # Its file is none; that is found out after the form was read.
        assert code_of(answer) in ("model_not_servable", "model_file_broken"), answer.content


class TestProcessesThatDie:
    @pytest.fixture
    def dead(self) -> str:
        """The name of a process that was killed."""
        code = (
            "import os; from pathlib import Path; from storage.cache import LocalCache; "
            f"print(LocalCache(Path({str(local_cache().root)!r})).receiver_name(), flush=True); os.kill(os.getpid(), 9)"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == -signal.SIGKILL
        return done.stdout.strip()

    def test_a_key_of_a_dead_process_is_taken_over_at_once(self, api, dead):
        post(api)
        Project.objects.all().delete()
        IdempotencyRecord.objects.update(status=None, body=None, owner=dead)
        again = post(api)
        assert again.status_code == 201 and "Idempotency-Replayed" not in again
        assert Project.objects.count() == 1 and IdempotencyRecord.objects.get().status == 201

    def test_also_when_its_lock_was_swept(self, api, dead):
        post(api)
        (local_cache().receivers / dead).unlink()
        IdempotencyRecord.objects.update(status=None, body=None, owner=dead)
        assert post(api).status_code == 201

    def test_one_that_lives_is_waited_for(self, api):
        post(api)
        IdempotencyRecord.objects.update(status=None, body=None)
        again = post(api)
        assert (again.status_code, code_of(again)) == (409, "idempotency_in_progress") and again["Retry-After"]

    def test_only_one_takes_it_over(self, api, dead, monkeypatch):
        post(api)
        IdempotencyRecord.objects.update(status=None, body=None, owner=dead)
        cache = local_cache()

        def somebody_else_is_faster(name: str) -> bool:
            IdempotencyRecord.objects.update(owner="another")
            return False

        monkeypatch.setattr(type(cache), "is_receiving", lambda self, name: somebody_else_is_faster(name))
        assert post(api).status_code == 409 and Project.objects.count() == 1


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
class TestOneTransaction:
    def test_what_was_begun_when_the_process_died_was_not_done(self, api, monkeypatch):
        """The death is played by an error that nothing catches, between the effect and its note."""

        def die(record, request, response):
            assert Project.objects.count() == 1
            raise SystemExit

        from mlstudio import idempotency

        with monkeypatch.context() as patch:
            patch.setattr(idempotency, "_end", die)
            patch.setattr(idempotency, "_forget", lambda record: None)
            with pytest.raises(SystemExit):
                post(api)
        assert not Project.objects.exists() and IdempotencyRecord.objects.get().status is None
        IdempotencyRecord.objects.update(owner="gone")
        assert post(api).status_code == 201
        assert Project.objects.count() == 1

    def test_a_failure_leaves_nothing_and_may_be_repeated(self, api):
        assert post(api, body={"name": ""}).status_code == 400
        assert not IdempotencyRecord.objects.exists()

    def test_also_what_is_no_single_transaction_may_be_repeated_after_a_failure(self, api, dataset):
        address = f"/api/v1/datasets/{dataset['id']}/images/"
        assert post(api, address, {"split": "test"}, format="multipart").status_code == 400
        assert not IdempotencyRecord.objects.exists()
        files = {"files": SimpleUploadedFile("a.jpg", jpeg(1))}
        assert post(api, address, files, format="multipart").status_code == 201

    def test_failed_attempts_stay_counted(self):
        api = client_of(make_user("mia"))
        change = {"current_password": "no", "new_password": "another long phrase"}
        answers = [
            post(api, "/api/v1/users/me/password/", change, key=f"k{number}").status_code for number in range(11)
        ]
        assert answers == [400] * 10 + [429]

    def test_an_error_at_the_very_end_is_a_conflict(self, api, monkeypatch):
        from django.db import IntegrityError

        from mlstudio import idempotency

        def fail(record, request, response):
            record.status = 201
            raise IntegrityError("FOREIGN KEY constraint failed")

        monkeypatch.setattr(idempotency, "_end", fail)
        answer = post(api)
        assert (answer.status_code, code_of(answer)) == (409, "changed_meanwhile")
        assert not Project.objects.exists() and not IdempotencyRecord.objects.exists()


class TestWhat:
    def post(self, api, key, body=None, path="/api/v1/projects/"):
        return api.post(path, body or {"name": "once", "task": "classification"}, HTTP_IDEMPOTENCY_KEY=key)

    def test_a_repeated_request_creates_once_and_answers_the_same(self, api):
        first, second = self.post(api, "k1"), self.post(api, "k1")
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json() and second["Idempotency-Replayed"] == "true"
        assert len(api.get("/api/v1/projects/").json()["results"]) == 1
        assert self.post(api, "k2").json()["id"] != first.json()["id"]

    def test_another_body_under_the_same_key_is_refused(self, api):
        self.post(api, "k1")
        other = self.post(api, "k1", {"name": "other", "task": "classification"})
        assert (other.status_code, other.json()["errors"][0]["code"]) == (422, "idempotency_key_reused")

    def test_a_failed_request_may_be_repeated(self, api):
        assert self.post(api, "k1", {"name": ""}).status_code == 400
        assert self.post(api, "k1").status_code == 201

    def test_what_an_answer_too_large_to_keep_tells_of_was_done(self, api, monkeypatch):
        monkeypatch.setattr("mlstudio.idempotency.MAX_BODY_BYTES", 10)
        made = self.post(api, "k1")
        assert made.status_code == 201 and Project.objects.filter(pk=made.json()["id"]).exists()

    def test_secrets_are_not_kept(self, api):
        body = {"name": "script"}
        assert self.post(api, "k1", body, "/api/v1/tokens/").status_code == 201
        again = self.post(api, "k1", body, "/api/v1/tokens/")
        assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "idempotency_already_done")

    def test_a_request_still_at_work_is_not_done_twice(self, api):
        from mlstudio.models import IdempotencyRecord

        self.post(api, "k1")
        IdempotencyRecord.objects.update(status=None, body=None)
        again = self.post(api, "k1")
        assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "idempotency_in_progress")
