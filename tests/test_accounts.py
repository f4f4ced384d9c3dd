from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from rest_framework.test import APIClient

from accounts.models import Token
from projects.models import Project
from projects.services import add_member, create_project
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
ACCOUNT = {"username": "mia", "email": "mia@example.com", "password": "correct horse battery"}


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def logged_in(token: str, scheme: str = "Token") -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {token}")
    return client


def test_registering_answers_with_a_token_that_works():
    answer = APIClient().post("/api/v1/auth/register/", ACCOUNT)
    assert answer.status_code == 201
    body = answer.json()
    assert body["user"]["username"] == "mia" and body["expires_at"]
    assert "password" not in body["user"]
    for scheme in ("Token", "Bearer", "token"):
        assert logged_in(body["token"], scheme).get("/api/v1/users/me/").json()["username"] == "mia"


def test_tokens_are_not_stored_in_plain():
    secret = APIClient().post("/api/v1/auth/register/", ACCOUNT).json()["token"]
    token = Token.objects.get()
    assert secret not in (token.digest, token.token_key) and len(token.digest) == 128


@pytest.mark.parametrize(
    ("change", "attr", "code"),
    [
        ({"password": "short"}, "password", "password_too_short"),
        ({"password": "password123"}, "password", "password_too_common"),
        ({"password": "48151623421"}, "password", "password_entirely_numeric"),
        ({"email": "no address"}, "email", "invalid"),
        ({"username": ""}, "username", "blank"),
        ({"username": "mia\x00"}, "username", "null_characters_not_allowed"),
    ],
)
def test_bad_registrations_are_refused_with_a_code(change, attr, code):
    answer = APIClient().post("/api/v1/auth/register/", ACCOUNT | change)
    assert answer.status_code == 400
    assert (attr, code) in [(error["attr"], error["code"]) for error in answer.json()["errors"]]


def test_a_name_and_an_address_are_taken_once():
    APIClient().post("/api/v1/auth/register/", ACCOUNT)
    answer = APIClient().post("/api/v1/auth/register/", ACCOUNT | {"email": "MIA@example.com"})
    assert {error["attr"] for error in answer.json()["errors"]} == {"username", "email"}


def test_registration_can_be_switched_off(settings):
    settings.REGISTRATION_OPEN = False
    answer = APIClient().post("/api/v1/auth/register/", ACCOUNT)
    assert (answer.status_code, code_of(answer)) == (403, "registration_closed")


def test_login_does_not_tell_which_part_is_wrong():
    make_user("mia")
    wrong = APIClient().post("/api/v1/auth/login/", {"username": "mia", "password": "no"})
    unknown = APIClient().post("/api/v1/auth/login/", {"username": "nobody", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json() and code_of(wrong) == "wrong_credentials"


def test_logins_are_rate_limited():
    make_user("mia")
    for _ in range(10):
        APIClient().post("/api/v1/auth/login/", {"username": "mia", "password": "no"})
    answer = APIClient().post("/api/v1/auth/login/", {"username": "mia", "password": "a long pass phrase"})
    assert answer.status_code == 429 and int(answer["Retry-After"]) > 0
    assert APIClient().post("/api/v1/auth/login/", {"username": "other", "password": "no"}).status_code == 401


def test_logging_out_ends_this_login_and_logout_all_every_one():
    make_user("mia")
    tokens = [
        APIClient().post("/api/v1/auth/login/", {"username": "mia", "password": "a long pass phrase"}).json()["token"]
        for _ in range(3)
    ]
    assert logged_in(tokens[0]).post("/api/v1/auth/logout/").status_code == 204
    assert logged_in(tokens[0]).get("/api/v1/users/me/").status_code == 401
    assert logged_in(tokens[1]).post("/api/v1/auth/logout-all/").status_code == 204
    assert logged_in(tokens[2]).get("/api/v1/users/me/").status_code == 401


def test_a_browser_session_needs_csrf():
    make_user("mia")
    browser = APIClient(enforce_csrf_checks=True)
    login = {"username": "mia", "password": "a long pass phrase", "session": True}
    assert browser.post("/api/v1/auth/login/", login).status_code == 200
    assert browser.get("/api/v1/users/me/").status_code == 200
    assert browser.patch("/api/v1/users/me/", {"first_name": "M"}).status_code == 403
    browser.credentials(HTTP_X_CSRFTOKEN=browser.cookies["csrftoken"].value)
    assert browser.patch("/api/v1/users/me/", {"first_name": "M"}).status_code == 200


def test_personal_tokens_are_named_shown_once_and_revoked():
    secret = APIClient().post("/api/v1/auth/register/", ACCOUNT).json()["token"]
    client = logged_in(secret)
    made = client.post("/api/v1/tokens/", {"name": "backup script", "expires_in_days": 30})
    assert made.status_code == 201
    token = made.json()
    listed = client.get("/api/v1/tokens/").json()["results"]
    assert [one["name"] for one in listed] == ["backup script"] and "token" not in listed[0]
    assert logged_in(token["token"]).get("/api/v1/users/me/").status_code == 200
    assert client.delete(f"/api/v1/tokens/{token['id']}/").status_code == 204
    assert logged_in(token["token"]).get("/api/v1/users/me/").status_code == 401


def test_an_expired_token_is_refused():
    from datetime import timedelta

    from django.utils import timezone

    secret = APIClient().post("/api/v1/auth/register/", ACCOUNT).json()["token"]
    Token.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert logged_in(secret).get("/api/v1/users/me/").status_code == 401


def test_changing_the_password_ends_other_logins():
    mine = APIClient().post("/api/v1/auth/register/", ACCOUNT).json()["token"]
    login = {"username": "mia", "password": ACCOUNT["password"]}
    other = APIClient().post("/api/v1/auth/login/", login).json()["token"]
    change = {"current_password": ACCOUNT["password"], "new_password": "another long phrase"}
    wrong = logged_in(mine).post("/api/v1/users/me/password/", change | {"current_password": "no"})
    assert (wrong.status_code, code_of(wrong)) == (400, "wrong_password")
    assert logged_in(mine).post("/api/v1/users/me/password/", change).status_code == 204
    assert logged_in(mine).get("/api/v1/users/me/").status_code == 200
    assert logged_in(other).get("/api/v1/users/me/").status_code == 401


def test_a_reset_mail_leads_to_a_new_password_once():
    user = make_user("mia")
    assert APIClient().post("/api/v1/auth/password/reset/", {"email": "MIA@example.com"}).status_code == 202
    assert APIClient().post("/api/v1/auth/password/reset/", {"email": "nobody@example.com"}).status_code == 202
    (message,) = mail.outbox
    uid, token = (re.search(rf'"{name}": "([^"]+)"', message.body).group(1) for name in ("uid", "token"))
    reset = {"uid": uid, "token": token, "new_password": "a fresh long phrase"}
    assert APIClient().post("/api/v1/auth/password/reset/confirm/", reset).status_code == 204
    again = APIClient().post("/api/v1/auth/password/reset/confirm/", reset)
    assert (again.status_code, code_of(again)) == (400, "invalid_reset_link")
    user.refresh_from_db()
    assert user.check_password("a fresh long phrase")


@pytest.mark.parametrize("uid", ["", "!!", "OTk5OTk5", "4pyT", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"])
def test_a_wrong_reset_link_is_a_client_error(uid):
    body = {"uid": uid, "token": "x", "new_password": "a fresh long phrase"}
    assert APIClient().post("/api/v1/auth/password/reset/confirm/", body).status_code == 400


def test_deleting_an_account_takes_its_own_projects_along():
    user = make_user("mia")
    create_project(user=user, name="alone", task="classification")
    client = APIClient()
    client.force_authenticate(user)
    assert client.delete("/api/v1/users/me/").status_code == 204
    assert not Project.objects.exists() and not get_user_model().objects.filter(username="mia").exists()


def test_deleting_an_account_is_refused_while_others_need_its_owner():
    user = make_user("mia")
    project = create_project(user=user, name="shared", task="classification")
    add_member(project=project, user=make_user("other"), role="editor")
    client = APIClient()
    client.force_authenticate(user)
    answer = client.delete("/api/v1/users/me/")
    assert (answer.status_code, code_of(answer)) == (409, "last_owner")
    assert Project.objects.filter(pk=project.pk).exists()
