"""Accounts and members at their edges: tokens, resets, names, roles of each pair, and two who change roles at once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import Token
from accounts.names import cleaned, hashed, in_one_line, is_one_line, is_visible, skeleton
from accounts.services import delete_expired_tokens, issue_login_token
from projects.models import Membership, Project, Role
from projects.permissions import RANK
from projects.services import create_project
from tests.conftest import client_of, make_user
from tests.test_two_writers import together

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def with_token(secret: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


# Tokens


@pytest.mark.parametrize(("days", "status"), [(0, 400), (1, 201), (3650, 201), (3651, 400), (None, 201), (1.5, 400)])
def test_a_token_lasts_a_day_to_ten_years_or_for_good(api, days, status):
    answer = api.post("/api/v1/tokens/", {"name": "t", "expires_in_days": days}, format="json")
    assert answer.status_code == status
    if status == 201 and days is not None:
        assert abs(Token.objects.get().expiry - timezone.now() - timedelta(days=days)) < timedelta(minutes=1)
    elif status == 201:
        assert answer.json()["expires_at"] is None and Token.objects.get().expiry is None


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "\u200b", "a\u202eb", None])
def test_a_token_has_a_name_that_can_be_seen(api, name):
    assert api.post("/api/v1/tokens/", {"name": name}, format="json").status_code == 400
    assert not Token.objects.exists()


def test_a_token_of_another_user_does_not_exist(api, outsider):
    pk = client_of(outsider).post("/api/v1/tokens/", {"name": "t"}).json()["id"]
    assert api.delete(f"/api/v1/tokens/{pk}/").status_code == 404
    assert api.get("/api/v1/tokens/").json()["results"] == [] and Token.objects.exists()


def test_a_login_is_no_personal_token_and_is_not_ended_as_one(owner):
    token, secret = issue_login_token(user=owner)
    client = with_token(secret)
    assert client.get("/api/v1/tokens/").json()["results"] == []
    assert client.delete(f"/api/v1/tokens/{token.id}/").status_code == 404
    assert client.get("/api/v1/users/me/").status_code == 200


@pytest.mark.parametrize(
    "header", ["Token", "Token a b", "Token \xe4", "Bearer ", "Basic YTpi", "token x", "Token " + "x" * 500]
)
def test_a_header_that_is_no_token_is_refused_and_no_fault(header):
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=header)
    answer = client.get("/api/v1/users/me/")
    assert answer.status_code == 401 and code_of(answer) in ("authentication_failed", "not_authenticated")


def test_tokens_that_have_ended_are_forgotten_and_others_stay(owner):
    kept, _ = issue_login_token(user=owner)
    gone, _ = issue_login_token(user=owner)
    Token.objects.filter(pk=gone.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    assert delete_expired_tokens() >= 1 and list(Token.objects.all()) == [kept]
    assert delete_expired_tokens() == 0


def test_a_user_who_is_switched_off_has_no_way_in_and_gets_no_mail(owner):
    _, secret = issue_login_token(user=owner)
    owner.is_active = False
    owner.save()
    assert with_token(secret).get("/api/v1/users/me/").status_code == 401
    login = {"username": owner.username, "password": PASSWORD}
    assert code_of(APIClient().post("/api/v1/auth/login/", login)) == "wrong_credentials"
    assert APIClient().post("/api/v1/auth/password/reset/", {"email": owner.email}).status_code == 202
    assert mail.outbox == []


def test_a_reset_ends_every_way_in_and_names_the_tokens(owner, api):
    names = ["backup", "line 3"]
    secrets = [api.post("/api/v1/tokens/", {"name": name}).json()["token"] for name in names]
    secrets.append(issue_login_token(user=owner)[1])
    APIClient().post("/api/v1/auth/password/reset/", {"email": owner.email})
    uid, token = (re.search(rf'"{name}": "([^"]+)"', mail.outbox[0].body).group(1) for name in ("uid", "token"))
    body = {"uid": uid, "token": token, "new_password": "short"}
    assert APIClient().post("/api/v1/auth/password/reset/confirm/", body).status_code == 400
    assert all(with_token(secret).get("/api/v1/users/me/").status_code == 200 for secret in secrets)
    body["new_password"] = "another long phrase"
    assert APIClient().post("/api/v1/auth/password/reset/confirm/", body).status_code == 204
    assert all(with_token(secret).get("/api/v1/users/me/").status_code == 401 for secret in secrets)
    assert all(name in mail.outbox[1].body for name in names)


def test_a_reset_link_ends_with_the_next_login_or_change(owner):
    APIClient().post("/api/v1/auth/password/reset/", {"email": owner.email})
    uid, token = (re.search(rf'"{name}": "([^"]+)"', mail.outbox[0].body).group(1) for name in ("uid", "token"))
    owner.set_password("changed meanwhile by hand")
    owner.save()
    body = {"uid": uid, "token": token, "new_password": "another long phrase"}
    assert code_of(APIClient().post("/api/v1/auth/password/reset/confirm/", body)) == "invalid_reset_link"
    assert client_of(owner).get("/api/v1/users/me/").status_code == 200 and owner.check_password(
        "changed meanwhile by hand"
    )


# Names


@given(st.text(max_size=30))
def test_names_are_compared_in_one_spelling(name):
    assert cleaned(cleaned(name)) == cleaned(name)
    assert cleaned(f"  {name}\t") == cleaned(name)
    assert skeleton(name) == skeleton(cleaned(name))


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_keys_of_texts_are_the_same_for_the_same_texts_alone(first, second):
    assert (hashed(*first) == hashed(*second)) == (first == second)


@given(st.text(max_size=30))
def test_a_name_from_a_file_becomes_one_line(text):
    line = in_one_line(text)
    assert is_one_line(line) and len(line.splitlines()) <= 1
    assert line == text or not is_one_line(text)
    assert in_one_line(line) == line


@pytest.mark.parametrize(
    ("text", "is_seen"), [("a", True), (" ", False), ("\u200b\u2060", False), ("\u3164x", True), ("", False)]
)
def test_a_name_is_seen_or_not(text, is_seen):
    assert is_visible(text) is is_seen


# Members


@pytest.fixture
def people(project, owner, editor, viewer, outsider) -> dict:
    return {"owner": owner, "editor": editor, "viewer": viewer, "outsider": outsider}


@pytest.mark.parametrize("target", ["owner", "editor", "viewer"])
@pytest.mark.parametrize("actor", ["owner", "editor", "viewer", "outsider"])
def test_only_owners_change_and_remove_members_whoever_they_are(project, people, actor, target):
    second = make_user("second")
    Membership.objects.create(project=project, user=second, role=Role.OWNER)  # so that the last owner is no matter
    member = Membership.objects.get(project=project, user=people[target])
    path = f"/api/v1/projects/{project.pk}/members/{member.pk}/"
    client, wanted = client_of(people[actor]), {"owner": 200, "outsider": 404}.get(actor, 403)
    assert client.patch(path, {"role": "viewer"}).status_code == wanted
    member.refresh_from_db()
    assert member.role == ("viewer" if actor == "owner" else target)
    if (actor, target) != ("owner", "owner"):  # who has made themselves a viewer removes nobody
        assert client.delete(path).status_code == {200: 204}.get(wanted, wanted)
        assert Membership.objects.filter(pk=member.pk).exists() == (actor != "owner")


@pytest.mark.parametrize("role", ["", "admin", "OWNER", None, 1])
def test_a_role_is_one_of_three(api, project, viewer, role):
    member = Membership.objects.get(user=viewer)
    answer = api.patch(f"/api/v1/projects/{project.pk}/members/{member.pk}/", {"role": role}, format="json")
    assert answer.status_code == 400
    member.refresh_from_db()
    assert member.role == Role.VIEWER


def test_a_member_of_another_project_is_none_of_this_one(api, owner, project, viewer):
    other = create_project(user=owner, name="other", task="classification")
    theirs = Membership.objects.get(project=project, user=viewer)
    assert api.patch(f"/api/v1/projects/{other.pk}/members/{theirs.pk}/", {"role": "owner"}).status_code == 404
    assert api.delete(f"/api/v1/projects/{other.pk}/members/{theirs.pk}/").status_code == 404


def test_what_a_member_sees_of_their_own_role(project, people):
    for name in RANK:
        answer = client_of(people[name]).get(f"/api/v1/projects/{project.pk}/").json()
        assert answer["role"] == name


@pytest.mark.parametrize(
    ("name", "status"), [("x" * 100, 201), ("x" * 101, 400), ("", 400), ("a\u2028b", 400), ("\u200b", 400), ("猫", 201)]
)
def test_a_project_has_a_name_of_one_line(api, name, status):
    answer = api.post("/api/v1/projects/", {"name": name})
    assert answer.status_code == status and Project.objects.count() == (status == 201)


def test_leaving_twice_is_leaving_once(project, viewer):
    client = client_of(viewer)
    path = f"/api/v1/projects/{project.pk}/leave/"
    assert [client.post(path).status_code for _ in range(2)] == [204, 404]


@pytest.mark.django_db(transaction=True, available_apps=django_settings.INSTALLED_APPS)
@pytest.mark.parametrize("ways", [("delete", "delete"), ("patch", "patch"), ("patch", "delete")])
def test_two_owners_who_go_at_once_leave_one(project, owner, ways):
    second = make_user("second")
    Membership.objects.create(project=project, user=second, role=Role.OWNER)
    paths = [
        f"/api/v1/projects/{project.pk}/members/{Membership.objects.get(user=user).pk}/" for user in (owner, second)
    ]

    def go(user, way: str, path: str) -> int:
        return getattr(client_of(user), way)(path, {"role": "viewer"}).status_code

    calls = [lambda args=args: go(*args) for args in zip((owner, second), ways, paths, strict=True)]
    statuses = together(*calls)
    assert sorted(statuses)[-1] == 409 and Membership.objects.filter(role=Role.OWNER).count() == 1
