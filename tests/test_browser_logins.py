"""Browsers log in by a cookie alone: what they are told first, how long it lasts, and how each login is ended."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Login, Token
from accounts.services import issue_login_token
from mlstudio.environment import cookie_ending, cookie_suffix
from mlstudio.tasks import housekeeping
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"
ME, LOGINS, SESSION = "/api/v1/users/me/", "/api/v1/users/me/logins/", "/api/v1/auth/session/"


@pytest.fixture
def mia():
    return make_user("mia")


def browser(name: str = "mia", agent: str = "Firefox") -> APIClient:
    """Logged in by a session, with the CSRF token that `auth/session/` gave."""
    client = APIClient(enforce_csrf_checks=True, HTTP_USER_AGENT=agent)
    login = {"username": name, "password": PASSWORD, "session": True}
    answer = client.post("/api/v1/auth/login/", login)
    assert answer.status_code == 200, answer.content
    return with_csrf(client)


def with_csrf(client: APIClient) -> APIClient:
    client.credentials(HTTP_X_CSRFTOKEN=client.get(SESSION).json()["csrf_token"])
    return client


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


@pytest.mark.any_database("what a browser is told first")
class TestSession:
    def test_a_stranger_is_told_what_the_studio_can_do(self, settings):
        settings.REGISTRATION_OPEN = False
        client = APIClient()
        answer = client.get(SESSION)
        body = answer.json()
        assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"
        assert body["user"] is None and body["registration_open"] is False and body["csrf_token"]
        assert settings.CSRF_COOKIE_NAME in client.cookies
        assert body["limits"]["max_upload_bytes"] == settings.MAX_UPLOAD_BYTES and body["limits"]["max_files"] == 1000
        assert set(body["features"]) == {"weights", "onnx", "video_encoder", "keras_retinanet", "model_uploads"}
        assert answer["X-Studio-Version"] == body["version"] == settings.VERSION

    def test_who_is_logged_in_is_told_by_cookie_and_by_token(self, mia):
        assert browser().get(SESSION).json()["user"]["username"] == "mia"
        program = APIClient(HTTP_AUTHORIZATION=f"Token {issue_login_token(user=mia)[1]}")
        assert program.get(SESSION).json()["user"]["id"] == mia.pk
        assert APIClient(HTTP_AUTHORIZATION="Token no").get(SESSION).status_code == 401

    @pytest.mark.parametrize(("backend", "works"), [("console", False), ("smtp", True)])
    def test_mail_that_goes_nowhere_is_said(self, settings, backend, works):
        settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
        assert APIClient().get(SESSION).json()["mail_works"] is works

    def test_a_session_login_makes_no_token(self, mia):
        client = APIClient()
        answer = client.post("/api/v1/auth/login/", {"username": "mia", "password": PASSWORD, "session": True})
        assert answer.json()["token"] is None and answer.json()["expires_at"] and not Token.objects.exists()
        assert client.get(ME).status_code == 200

    def test_a_browser_makes_what_a_program_makes(self, mia):
        """Users of sessions are stand-ins of Django's, which services must not meet."""
        client = browser()
        assert client.post("/api/v1/projects/", {"name": "p"}).status_code == 201
        announced = {"HTTP_TUS_RESUMABLE": "1.0.0", "HTTP_UPLOAD_LENGTH": "9"}
        assert client.post("/api/v1/uploads/", **announced).status_code == 201
        assert client.post("/api/v1/tokens/", {"name": "t"}).status_code == 201

    def test_registering_can_begin_a_session(self):
        client = APIClient(enforce_csrf_checks=True)
        account = {"username": "mia", "email": "mia@example.com", "password": "correct horse battery", "session": True}
        answer = client.post("/api/v1/auth/register/", account)
        assert answer.status_code == 201 and answer.json()["token"] is None and not Token.objects.exists()
        assert with_csrf(client).patch(ME, {"first_name": "Mia"}).status_code == 200

    def test_csrf_failures_have_one_code(self, mia):
        client = browser()
        client.credentials()
        answer = client.patch(ME, {"first_name": "M"})
        assert (answer.status_code, code_of(answer)) == (403, "csrf_failed")
        assert with_csrf(client).patch(ME, {"first_name": "M"}).status_code == 200

    def test_every_answer_has_the_version(self, client):
        for path in ("/healthz/", "/api/v1/nothing/", ME):
            assert client.get(path)["X-Studio-Version"] == django_settings.VERSION

    @pytest.mark.parametrize(
        ("address", "suffix"), [("", ""), ("http://localhost:8000", ""), ("http://[::1]:8421", "_8421")]
    )
    def test_studios_at_other_ports_have_other_cookies(self, address, suffix):
        assert cookie_suffix(address) == suffix

    def test_a_name_that_no_cookie_can_have_is_refused(self, monkeypatch):
        monkeypatch.setenv("MLSTUDIO_COOKIE_SUFFIX", "a b;")
        with pytest.raises(ImproperlyConfigured, match="MLSTUDIO_COOKIE_SUFFIX"):
            cookie_ending("MLSTUDIO_COOKIE_SUFFIX", "_8421")
        monkeypatch.setenv("MLSTUDIO_COOKIE_SUFFIX", "_mine")
        assert cookie_ending("MLSTUDIO_COOKIE_SUFFIX", "_8421") == "_mine"


class TestPassword:
    def change(self, client, new: str = "another long phrase"):
        return client.post("/api/v1/users/me/password/", {"current_password": PASSWORD, "new_password": new})

    def test_this_session_stays_and_others_end(self, mia):
        mine, other = browser(), browser()
        program = APIClient(HTTP_AUTHORIZATION=f"Token {issue_login_token(user=mia)[1]}")
        assert self.change(mine).status_code == 204
        assert mine.get(ME).status_code == 200
        assert other.get(ME).status_code == program.get(ME).status_code == 401
        (login,) = mine.get(LOGINS).json()["results"]
        assert login["is_current"]
        assert with_csrf(mine).patch(ME, {"first_name": "M"}).status_code == 200

    def test_a_wrong_password_ends_nothing(self, mia):
        mine, other = browser(), browser()
        wrong = mine.post("/api/v1/users/me/password/", {"current_password": "no", "new_password": "another phrase"})
        assert (wrong.status_code, code_of(wrong)) == (400, "wrong_password")
        assert mine.get(ME).status_code == other.get(ME).status_code == 200


class TestSliding:
    def test_a_session_that_is_used_lasts(self, mia):
        client = browser()
        later = timezone.now() + timedelta(days=1)
        Session.objects.update(expire_date=later)
        caches["default"].clear()  # as after a quarter of an hour
        client.cookies[django_settings.SESSION_COOKIE_NAME]["max-age"] = 1
        answer = client.get(ME)
        assert Session.objects.get().expire_date > timezone.now() + timedelta(days=13)
        assert answer.cookies[django_settings.SESSION_COOKIE_NAME]["max-age"] == 14 * 86_400

    def test_a_request_soon_after_writes_nothing(self, mia, django_assert_num_queries):
        client = browser()
        client.get(ME)
        with django_assert_num_queries(2):  # the session, the user
            client.get("/api/v1/architectures/")


class TestLogins:
    def test_they_are_listed_with_the_current_one(self, mia):
        _, secret = issue_login_token(user=mia, user_agent="quickstart/1")
        Login.objects.update(last_used_at=timezone.now() - timedelta(days=2))
        program = APIClient(HTTP_AUTHORIZATION=f"Token {secret}")
        phone = browser(agent="Phone\r\nX: y")
        by_agent = {one["user_agent"]: one for one in phone.get(LOGINS).json()["results"]}
        assert set(by_agent) == {"quickstart/1", "Phone X: y"}
        assert by_agent["Phone X: y"]["is_current"] and by_agent["Phone X: y"]["kind"] == "session"
        assert not by_agent["quickstart/1"]["is_current"] and by_agent["quickstart/1"]["kind"] == "token"
        used_before = by_agent["quickstart/1"]["last_used_at"]
        (token,) = [one for one in program.get(LOGINS).json()["results"] if one["is_current"]]
        assert token["user_agent"] == "quickstart/1"
        assert program.get(LOGINS).json()["results"][-1]["last_used_at"] > used_before

    def test_each_is_ended_by_itself(self, mia):
        mine, lost = browser(agent="mine"), browser(agent="lost")
        _, secret = issue_login_token(user=mia, user_agent="script")
        program = APIClient(HTTP_AUTHORIZATION=f"Token {secret}")
        ids = {one["user_agent"]: one["id"] for one in mine.get(LOGINS).json()["results"]}
        assert mine.delete(f"{LOGINS}{ids['lost']}/").status_code == 204
        assert lost.get(ME).status_code == 401 and program.get(ME).status_code == 200
        assert mine.delete(f"{LOGINS}{ids['script']}/").status_code == 204
        assert program.get(ME).status_code == 401 and mine.get(ME).status_code == 200
        assert mine.delete(f"{LOGINS}{ids['script']}/").status_code == 404
        assert mine.delete(f"{LOGINS}{ids['mine']}/").status_code == 204
        assert mine.get(ME).status_code == 401

    def test_those_of_others_do_not_exist(self, mia):
        make_user("eve")
        victim, eve = browser(), browser("eve")
        (login,) = victim.get(LOGINS).json()["results"]
        assert eve.delete(f"{LOGINS}{login['id']}/").status_code == 404
        assert [one["id"] for one in eve.get(LOGINS).json()["results"]] != [login["id"]]
        assert APIClient().get(LOGINS).status_code == 401

    def test_a_session_from_before_they_were_kept_appears_with_its_next_use(self, mia):
        client = browser()
        Login.objects.all().delete()
        caches["default"].clear()
        client.get(ME)
        assert len(client.get(LOGINS).json()["results"]) == 1

    def test_logging_out_takes_the_row_along(self, mia):
        client = browser()
        assert client.post("/api/v1/auth/logout/").status_code == 204
        assert client.get(ME).status_code == 401 and not Login.objects.exists()

    def test_logout_all_ends_sessions_without_rows_too(self, mia):
        client, unseen = browser(), browser()
        Login.objects.all().delete()
        assert client.post("/api/v1/auth/logout-all/").status_code == 204
        assert client.get(ME).status_code == unseen.get(ME).status_code == 401

    def test_housekeeping_removes_what_is_over(self, mia):
        browser()
        kept = browser().session.session_key
        Session.objects.exclude(session_key=kept).update(expire_date=timezone.now() - timedelta(seconds=1))
        housekeeping()
        assert [login.session_key for login in Login.objects.all()] == [kept]
        assert Session.objects.get().session_key == kept

    def test_a_list_costs_the_same_for_many(self, mia, django_assert_max_num_queries):
        client = browser()
        for _ in range(20):
            issue_login_token(user=mia)
        with django_assert_max_num_queries(4):
            assert len(client.get(LOGINS).json()["results"]) == 21

    def test_a_login_to_the_administration_is_one(self, client):
        staff = make_user("boss")
        staff.is_staff = True
        staff.save()
        client.post("/admin/login/", {"username": "boss", "password": PASSWORD})
        assert Login.objects.get().user == staff


class TestPreferences:
    def test_keys_are_merged_and_null_removes_one(self, api):
        assert api.get(ME).json()["preferences"] == {}
        api.patch(ME, {"preferences": {"theme": "dark", "size": 3}})
        answer = api.patch(ME, {"preferences": {"size": None, "keys": {"a": ["b"]}}})
        assert answer.json()["preferences"] == {"theme": "dark", "keys": {"a": ["b"]}}
        assert api.patch(ME, {"first_name": "O"}).json()["preferences"] == {"theme": "dark", "keys": {"a": ["b"]}}

    def test_they_are_limited_together(self, api):
        assert api.patch(ME, {"preferences": {"a": "x" * 10_000}}).status_code == 200
        answer = api.patch(ME, {"preferences": {"b": "x" * 10_000}, "first_name": "changed"})
        assert (answer.status_code, code_of(answer)) == (400, "preferences_too_large")
        assert list(api.get(ME).json()["preferences"]) == ["a"] and api.get(ME).json()["first_name"] == ""

    @pytest.mark.parametrize("value", [[1], "x", 3, None])
    def test_they_are_an_object(self, api, value):
        assert api.patch(ME, {"preferences": value}).status_code == 400

    def test_the_staff_is_known_and_nobody_makes_themselves_one(self, api, owner):
        assert api.get(ME).json()["is_staff"] is False
        assert api.patch(ME, {"is_staff": True}).status_code == 400
        owner.is_staff = True
        owner.save()
        assert api.get(ME).json()["is_staff"] is True


def test_login_tokens_from_before_get_a_row(mia):
    from django.apps import apps

    migration = import_module("accounts.migrations.0003_logins_and_preferences")
    token, _ = issue_login_token(user=mia)
    Login.objects.all().delete()
    migration.give_logins(apps, None)
    assert Login.objects.get().token == token
