"""Guessing, confusing and taking over accounts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.authentication import is_still_valid, session_stands, token_stands
from accounts.emails import delete_old_changes
from accounts.models import AccountKey, EmailChange, Token
from accounts.names import mixes_scripts, skeleton
from accounts.services import issue_login_token, issue_personal_token
from storage import downloads
from tests.conftest import client_of, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"
User = get_user_model()


def login(name: str, password: str = "no", address: str = "10.0.0.1"):
    body = {"username": name, "password": password}
    return APIClient().post("/api/v1/auth/login/", body, REMOTE_ADDR=address)


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


@pytest.mark.any_database("rates that are counted in the cache")
class TestLogin:
    @pytest.mark.parametrize("written", ["mia ", " mia", "mia\t", "mia\u00a0", "mia\u2003", "MIA", "\uff4dia"])
    def test_a_name_is_counted_however_it_is_written(self, written):
        make_user("mia")
        for _ in range(10):
            assert login("mia").status_code == 401
        assert login(written).status_code == 429

    def test_long_names_are_counted_apart(self):
        for _ in range(10):
            login("x" * 149 + "a")
        assert login("x" * 149 + "b").status_code == 401

    def test_one_address_cannot_try_many_accounts(self):
        answers = [login(f"user{number}").status_code for number in range(31)]
        assert answers == [401] * 30 + [429]
        assert login("user1", address="10.0.0.2").status_code == 401

    def test_one_account_cannot_be_tried_from_many_addresses(self, monkeypatch):
        monkeypatch.setattr("accounts.throttles.LoginAccountThrottle.rate", "12/hour", raising=False)
        make_user("mia")
        answers = [login("mia", address=f"10.0.1.{number}").status_code for number in range(13)]
        assert answers == [401] * 12 + [429]

    def test_successes_are_not_counted(self):
        make_user("mia")
        assert {login("mia", PASSWORD).status_code for _ in range(35)} == {200}

    def test_a_forged_address_is_not_believed(self):
        answers = [
            APIClient()
            .post(
                "/api/v1/auth/login/",
                {"username": "mia", "password": "no"},
                REMOTE_ADDR="10.0.0.9",
                HTTP_X_FORWARDED_FOR=f"1.1.1.{number}",
            )
            .status_code
            for number in range(11)
        ]
        assert answers[-1] == 429

    def test_names_made_up_do_not_drive_counts_out(self, settings):
        from mlstudio import settings as own

        assert own.CACHES["throttle"]["OPTIONS"]["MAX_ENTRIES"] >= 100_000

    def test_the_admins_login_has_the_same_rates(self, client):
        User.objects.create_superuser("root", "root@example.com", PASSWORD)
        wrong = {"username": "root", "password": "no"}
        assert [client.post("/admin/login/", wrong).status_code for _ in range(11)] == [200] * 10 + [429]
        assert login("root ", PASSWORD, address="127.0.0.1").status_code == 429
        right = client.post("/admin/login/", wrong | {"password": PASSWORD}, REMOTE_ADDR="10.0.0.2")
        assert right.status_code == 302
        assert client.get("/admin/login/", REMOTE_ADDR="10.0.0.7").status_code in (200, 302)


class TestOwnPassword:
    def test_guessing_it_is_limited_wherever_it_is_asked_for(self):
        api = client_of(make_user("mia"))
        change = {"current_password": "no", "new_password": "another long phrase"}
        answers = [api.post("/api/v1/users/me/password/", change).status_code for _ in range(6)]
        for _ in range(4):
            body = {"email": "new@example.com", "current_password": "no"}
            answers.append(api.patch("/api/v1/users/me/", body).status_code)
        assert answers == [400] * 10
        assert api.post("/api/v1/users/me/password/", change).status_code == 429
        assert api.patch("/api/v1/users/me/", {"first_name": "M"}).status_code == 200

    def test_the_admins_form_too(self, client):
        client.force_login(User.objects.create_superuser("root", "root@example.com", PASSWORD))
        form = {"old_password": "no", "new_password1": "x", "new_password2": "x"}
        answers = [client.post("/admin/password_change/", form).status_code for _ in range(11)]
        assert answers == [200] * 10 + [429]


class TestEmail:
    @pytest.fixture
    def mia(self):
        return make_user("mia")

    def ask(self, user, email: str, **fields):
        return client_of(user).patch("/api/v1/users/me/", {"email": email, "current_password": PASSWORD, **fields})

    def secret(self) -> str:
        return re.search(r'"token": "([^"]+)"', mail.outbox[-1].body).group(1)

    def confirm(self, token: str):
        return APIClient().post("/api/v1/auth/email/confirm/", {"token": token})

    def test_another_address_needs_the_password(self, mia):
        for fields in ({}, {"current_password": "no"}):
            answer = client_of(mia).patch("/api/v1/users/me/", {"email": "new@example.com", **fields})
            assert (answer.status_code, code_of(answer)) == (400, "wrong_password")
        assert mail.outbox == [] and not EmailChange.objects.exists()

    def test_it_is_used_once_it_was_confirmed(self, mia):
        answer = self.ask(mia, "new@example.com")
        assert answer.status_code == 200
        assert (answer.json()["email"], answer.json()["pending_email"]) == ("mia@example.com", "new@example.com")
        assert mail.outbox[-1].to == ["new@example.com"]
        secret = self.secret()
        assert self.confirm("x").status_code == 400
        assert self.confirm(secret).status_code == 204
        mia.refresh_from_db()
        assert mia.email == "new@example.com" and mail.outbox[-1].to == ["mia@example.com"]
        again = self.confirm(secret)
        assert (again.status_code, code_of(again)) == (400, "invalid_email_link")
        assert client_of(mia).get("/api/v1/users/me/").json()["pending_email"] is None

    def test_whether_it_is_taken_is_told_to_nobody_else(self, mia):
        make_user("zoe")
        free, taken = self.ask(mia, "free@example.com"), self.ask(mia, "ZOE@example.com")
        assert free.status_code == taken.status_code == 200
        same = {"pending_email": None}
        assert free.json() | same == taken.json() | same
        assert mail.outbox[-1].to == ["ZOE@example.com"] and "token" not in mail.outbox[-1].body

    def test_an_address_that_was_taken_meanwhile_is_not_given_twice(self, mia):
        self.ask(mia, "new@example.com")
        User.objects.create_user("zoe", "NEW@example.com", PASSWORD)
        assert self.confirm(self.secret()).status_code == 400

    def test_the_link_lasts_a_day(self, mia):
        self.ask(mia, "new@example.com")
        EmailChange.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))
        assert self.confirm(self.secret()).status_code == 400
        assert delete_old_changes() == 1

    def test_only_the_latest_link_works(self, mia):
        self.ask(mia, "first@example.com")
        first = self.secret()
        self.ask(mia, "second@example.com")
        assert self.confirm(first).status_code == 400 and self.confirm(self.secret()).status_code == 204

    def test_nobody_is_flooded_with_mails(self, mia):
        answers = [self.ask(mia, f"{number}@example.com").status_code for number in range(11)]
        assert answers == [200] * 10 + [429]


class TestReset:
    def reset(self, user) -> dict:
        assert APIClient().post("/api/v1/auth/password/reset/", {"email": user.email}).status_code == 202
        body = mail.outbox[-1].body
        uid, token = (re.search(rf'"{name}": "([^"]+)"', body).group(1) for name in ("uid", "token"))
        return {"uid": uid, "token": token, "new_password": "a fresh long phrase"}

    def test_it_ends_all_ways_in(self, client):
        user = make_user("mia")
        _, login_secret = issue_login_token(user=user)
        _, personal = issue_personal_token(user=user, name="backup script", expires_in_days=None)
        client.force_login(user)
        link = self.reset(user)
        assert APIClient().post("/api/v1/auth/password/reset/confirm/", link).status_code == 204
        for secret in (login_secret, personal):
            answer = APIClient().get("/api/v1/users/me/", HTTP_AUTHORIZATION=f"Token {secret}")
            assert answer.status_code == 401
        assert client.get("/api/v1/users/me/").status_code == 401
        assert not Token.objects.exists() and "backup script" in mail.outbox[-1].body

    def test_those_who_ask_keep_nobody_from_confirming(self):
        user = make_user("mia")
        link = self.reset(user)
        for number in range(12):
            answer = APIClient().post("/api/v1/auth/password/reset/", {"email": f"{number}@example.com"})
        assert answer.status_code == 429
        assert APIClient().post("/api/v1/auth/password/reset/confirm/", link).status_code == 204

    def test_one_address_gets_few_mails(self):
        user = make_user("mia")
        for number in range(6):
            answer = APIClient().post(
                "/api/v1/auth/password/reset/", {"email": user.email.upper()}, REMOTE_ADDR=f"10.0.0.{number}"
            )
        assert answer.status_code == 429 and len(mail.outbox) == 5

    def test_a_mail_server_that_fails_tells_nothing(self, monkeypatch):
        user = make_user("mia")

        def fail(self) -> None:
            raise OSError("no mail server")

        monkeypatch.setattr("django.core.mail.EmailMessage.send", fail)
        assert APIClient().post("/api/v1/auth/password/reset/", {"email": user.email}).status_code == 202


class TestNames:
    ACCOUNT = {"email": "new@example.com", "password": "correct horse battery"}

    def register(self, name: str, **fields):
        return APIClient().post("/api/v1/auth/register/", {**self.ACCOUNT, "username": name, **fields})

    @pytest.mark.parametrize("name", ["ALICE", "Alice", "alіce", "аlice", "ａlice", "al1ce", "aIice", "аӏісе"])
    def test_a_name_that_looks_like_anothers_is_refused(self, name):
        make_user("alice")
        answer = self.register(name)
        assert answer.status_code == 400 and code_of(answer) in ("unique", "mixed_scripts"), answer.content

    def test_the_digit_one_is_taken_for_an_l(self):
        make_user("bill")
        assert code_of(self.register("bi11")) == "unique"

    @pytest.mark.parametrize(
        "name", ["müller", "zoë.k", "иван", "山田太郎", "ゆきミカ山", "김철수kim", "user_12", "anna-lena"]
    )
    def test_names_of_all_alphabets_are_welcome(self, name):
        assert not mixes_scripts(name)
        assert self.register(name).status_code == 201

    def test_alphabets_that_nobody_mixes(self):
        assert code_of(self.register("ivanиван")) == "mixed_scripts"

    def test_accounts_that_were_there_stay_valid(self):
        User.objects.create_user("alice", "a@example.com", PASSWORD)
        User.objects.create_user("ALICE", "b@example.com", PASSWORD)  # by the operator
        assert AccountKey.objects.filter(kind="name", key=skeleton("alice")).count() == 1
        assert login("alice", PASSWORD).status_code == login("ALICE", PASSWORD).status_code == 200

    def test_two_at_once_are_one(self, monkeypatch):
        make_user("alice")
        monkeypatch.setattr("accounts.serializers.looks_taken", lambda name: False)
        monkeypatch.setattr("accounts.serializers.is_taken", lambda email: False)
        assert code_of(self.register("Alice")) == "unique"
        assert self.register("bert").status_code == 201
        assert code_of(self.register("carl", email="NEW@example.com")) == "unique"
        assert not User.objects.filter(username__in=("Alice", "carl")).exists()

    def test_a_name_is_free_again_when_its_account_is_gone(self):
        make_user("alice").delete()
        assert self.register("Alice").status_code == 201

    def test_the_migration_gives_keys_to_those_that_are_there(self):
        from importlib import import_module

        from django.apps import apps

        for name in ("alice", "Alice", "bert"):
            User.objects.create_user(name, f"{name.lower()}@example.com", PASSWORD)
        AccountKey.objects.all().delete()
        import_module("accounts.migrations.0002_keys_and_email_changes").give_keys(apps, None)
        assert AccountKey.objects.filter(kind="name").count() == 2
        assert AccountKey.objects.get(kind="name", key=skeleton("alice")).user.username == "alice"


class TestStanding:
    """What streams and downloads ask while they last."""

    def test_a_token(self):
        user = make_user("mia")
        token, _ = issue_login_token(user=user)
        assert token_stands(token.pk)
        Token.objects.update(expiry=timezone.now() - timedelta(seconds=1))
        assert not token_stands(token.pk)
        Token.objects.update(expiry=None)
        assert token_stands(token.pk)
        User.objects.update(is_active=False)
        assert not token_stands(token.pk)
        Token.objects.all().delete()
        assert not token_stands(token.pk)

    def test_a_session(self, client):
        user = make_user("mia")
        client.force_login(user)
        key = client.session.session_key
        assert session_stands(key, user.pk)
        user.set_password("another long phrase")
        user.save()
        assert not session_stands(key, user.pk)
        client.force_login(user)
        client.logout()
        assert not session_stands(key, user.pk)

    @pytest.mark.parametrize("way", ["token", "session"])
    def test_a_request_carries_the_question(self, way, client, rf, monkeypatch):
        from accounts import views

        asked = []
        answer = views.MeView.get

        def get(self, request):
            asked.append(request)
            return answer(self, request)

        monkeypatch.setattr(views.MeView, "get", get)
        user = make_user("mia")
        if way == "token":
            _, secret = issue_login_token(user=user)
            client.get("/api/v1/users/me/", headers={"Authorization": f"Token {secret}"})
        else:
            client.force_login(user)
            client.get("/api/v1/users/me/")
        assert is_still_valid(asked[0])
        User.objects.update(is_active=False)
        assert not is_still_valid(asked[0]) and is_still_valid(rf.get("/"))

    def test_a_download_ends_with_its_token(self, rf, tmp_path, monkeypatch):
        monkeypatch.setattr(downloads, "ASK_SECONDS", -1)
        (tmp_path / "file").write_bytes(b"x" * (downloads.CHUNK_BYTES * 3))
        request = rf.get("/")
        answers = [True, False]
        request.is_still_valid = lambda: answers.pop(0)
        response = downloads.file_response(request, tmp_path / "file", "tag", "video/mp4", "file")
        assert len(b"".join(response.streaming_content)) == downloads.CHUNK_BYTES
