"""Links into a project: for who has an account, and for who makes one for it, even where registration is closed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from mlstudio.tasks import housekeeping
from projects.invitation_links import join, make_link
from projects.models import InvitationLink, Membership
from projects.services import add_member, create_project
from tests.conftest import client_of, make_user

pytestmark = pytest.mark.django_db
JOIN, PREVIEW, REGISTER = "/api/v1/join/", "/api/v1/join/preview/", "/api/v1/auth/register/"
ACCOUNT = {"username": "mia", "email": "mia@example.com", "password": "correct horse battery", "session": True}


@pytest.fixture
def links(project) -> str:
    return f"/api/v1/projects/{project.pk}/invitation-links/"


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def test_who_has_the_link_joins_once(api, links, project, outsider, settings):
    settings.CONFIGURED_PUBLIC_URL = "https://studio.example.com"
    made = api.post(links, {"role": "viewer"})
    assert made.status_code == 201
    token = made.json()["token"]
    assert made.json()["url"] == f"https://studio.example.com/join/{token}"
    assert token not in str(api.get(links).json()) and token not in InvitationLink.objects.get().digest
    guest = client_of(outsider)
    preview = APIClient().post(PREVIEW, {"token": token}).json()
    assert (preview["project_name"], preview["role"], preview["invited_by"]) == ("Screws", "viewer", "owner")
    joined = guest.post(JOIN, {"token": token})
    assert joined.status_code == 201 and joined.json()["project"] == str(project.pk)
    assert Membership.objects.get(user=outsider).role == "viewer"
    assert (guest.post(JOIN, {"token": token}).status_code, api.get(links).json()["results"]) == (400, [])


def test_a_link_for_several_counts_its_uses(api, links, outsider):
    token = api.post(links, {"uses": 2}).json()["token"]
    guest = client_of(outsider)
    assert guest.post(JOIN, {"token": token}).status_code == 201
    again = guest.post(JOIN, {"token": token})
    assert (again.status_code, code_of(again)) == (409, "already_member")
    assert InvitationLink.objects.get().uses_left == 1
    assert client_of(make_user("b")).post(JOIN, {"token": token}).status_code == 201
    late = client_of(make_user("c")).post(JOIN, {"token": token})
    assert (late.status_code, code_of(late)) == (400, "invalid_invitation")


@pytest.mark.parametrize("end", ["expired", "withdrawn", "deleted", "unknown"])
def test_a_link_that_is_over_says_one_thing(api, links, project, outsider, end):
    made = api.post(links, {}).json()
    token = made["token"]
    if end == "expired":
        InvitationLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "withdrawn":
        assert api.delete(f"{links}{made['id']}/").status_code == 204
    elif end == "deleted":
        project.delete()
    else:
        token = "x" * 32
    for client, path in ((client_of(outsider), JOIN), (APIClient(), PREVIEW)):
        answer = client.post(path, {"token": token})
        assert (answer.status_code, code_of(answer)) == (400, "invalid_invitation")
    answer = APIClient().post(REGISTER, ACCOUNT | {"invitation": token})
    assert (answer.status_code, code_of(answer)) == (400, "invalid_invitation")


class TestRegistration:
    @pytest.fixture(autouse=True)
    def closed(self, settings) -> None:
        settings.REGISTRATION_OPEN = False

    def test_a_link_opens_it_and_makes_a_member(self, project, owner):
        _, token = make_link(project=project, user=owner, role="editor")
        browser = APIClient()
        answer = browser.post(REGISTER, ACCOUNT | {"invitation": token})
        assert answer.status_code == 201 and answer.json()["token"] is None
        (mine,) = browser.get("/api/v1/projects/").json()["results"]
        assert (mine["id"], mine["role"]) == (str(project.pk), "editor")
        assert APIClient().post(REGISTER, ACCOUNT | {"invitation": token, "username": "ben"}).status_code == 400

    def test_a_refused_account_uses_nothing_up(self, project, owner):
        _, token = make_link(project=project, user=owner, role="editor")
        assert APIClient().post(REGISTER, ACCOUNT | {"invitation": token, "password": "1"}).status_code == 400
        assert InvitationLink.objects.get().uses_left == 1

    def test_without_one_nothing_is_said_about_names(self, owner):
        answer = APIClient().post(REGISTER, ACCOUNT | {"username": "owner"})
        assert (answer.status_code, code_of(answer)) == (403, "registration_closed")


class TestWhoMay:
    def test_owners_alone_make_and_see_them(self, editor, viewer, outsider, links):
        for user, status in ((editor, 403), (viewer, 403), (outsider, 404)):
            assert client_of(user).post(links, {}).status_code == client_of(user).get(links).status_code == status
        assert APIClient().post(links, {}).status_code == APIClient().post(JOIN, {"token": "x"}).status_code == 401

    @pytest.mark.parametrize("wrong", [{"uses": 0}, {"uses": 101}, {"role": "boss"}, {"email": "x"}, {"rolle": "x"}])
    def test_wrong_links_are_refused(self, api, links, wrong):
        assert api.post(links, wrong).status_code == 400

    def test_secrets_that_are_tried_are_counted(self, outsider):
        guest = client_of(outsider)
        codes = [guest.post(JOIN, {"token": f"t{number}"}).status_code for number in range(61)]
        assert codes == [400] * 60 + [429]

    def test_an_answer_with_a_secret_is_not_kept(self, api, links):
        key = {"HTTP_IDEMPOTENCY_KEY": "k"}
        assert api.post(links, {}, **key).status_code == 201
        again = api.post(links, {}, **key)
        assert (again.status_code, InvitationLink.objects.count()) in {(409, 1), (201, 2)}


def test_a_link_can_be_mailed(api, links, settings, django_capture_on_commit_callbacks):
    settings.PUBLIC_URL = "https://studio.example.com"
    with django_capture_on_commit_callbacks(execute=True):
        token = api.post(links, {"email": "ben@example.com"}).json()["token"]
    (message,) = mail.outbox
    assert message.to == ["ben@example.com"]
    assert re.search(r"https://studio\.example\.com/join/(\S+)", message.body)[1] == token


def test_links_that_are_over_are_forgotten(project, owner, outsider):
    _, used = make_link(project=project, user=owner, role="viewer")
    join(token=used, user=outsider)
    old, _ = make_link(project=project, user=owner, role="viewer")
    InvitationLink.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    kept, _ = make_link(project=project, user=owner, role="viewer")
    housekeeping()
    assert InvitationLink.objects.get() == kept


class TestCandidates:
    def test_only_people_one_works_with_are_found(self, api, owner, project, outsider, editor):
        make_user("eve")
        add_member(project=create_project(user=owner, name="other"), user=outsider, role="viewer")
        path = f"/api/v1/projects/{project.pk}/members/candidates/"
        assert api.get(path).json() == [
            {"username": "editor", "is_member": True},
            {"username": "outsider", "is_member": False},
        ]
        assert [one["username"] for one in api.get(path, {"q": "OUT"}).json()] == ["outsider"]
        assert api.get(path, {"q": "eve"}).json() == []
        assert api.get(path, {"name": "eve"}).status_code == 400

    def test_the_staff_finds_everybody(self, api, owner, project):
        make_user("eve")
        owner.is_staff = True
        owner.save()
        assert [one["username"] for one in api.get(f"/api/v1/projects/{project.pk}/members/candidates/").json()] == [
            "eve"
        ]

    def test_who_is_no_member_sees_no_list(self, outsider, project):
        assert client_of(outsider).get(f"/api/v1/projects/{project.pk}/members/candidates/").status_code == 404
