"""Nobody is put into a stranger's project, and asking tells nobody who has an account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from projects.invitations import delete_old_invitations
from projects.models import Invitation, Membership
from projects.services import add_member, create_project
from tests.conftest import client_of, make_user

pytestmark = pytest.mark.django_db
ME = "/api/v1/invitations/"


@pytest.fixture
def members(project) -> str:
    return f"/api/v1/projects/{project.pk}/members/"


@pytest.fixture
def pending(project) -> str:
    return f"/api/v1/projects/{project.pk}/invitations/"


def test_the_answer_is_the_same_whether_there_is_such_a_user_or_not(api, members, pending, outsider):
    there = api.post(members, {"username": "outsider", "role": "viewer"})
    not_there = api.post(members, {"username": "nobody", "role": "viewer"})
    assert there.status_code == not_there.status_code == 202
    assert there.json()["state"] == "invited" and set(there.json()) == set(not_there.json())
    varying = {"id": 0, "username": 0, "created_at": 0, "expires_at": 0}
    assert there.json() | varying == not_there.json() | varying
    listed = api.get(pending).json()["results"]
    assert {one["username"] for one in listed} == {"outsider", "nobody"}
    assert not Membership.objects.filter(user=outsider).exists()
    assert client_of(outsider).get("/api/v1/projects/").json()["results"] == []


def test_the_invited_accepts(api, members, pending, project, outsider):
    api.post(members, {"username": "outsider", "role": "viewer"})
    guest = client_of(outsider)
    (invitation,) = guest.get(ME).json()["results"]
    assert (invitation["project_name"], invitation["role"], invitation["invited_by"]) == ("Screws", "viewer", "owner")
    accepted = guest.post(f"{ME}{invitation['id']}/accept/")
    assert accepted.status_code == 201 and accepted.json()["state"] == "member"
    assert Membership.objects.get(user=outsider, project=project).role == "viewer"
    assert guest.get(ME).json()["results"] == [] == api.get(pending).json()["results"]
    assert api.post(members, {"username": "outsider"}).status_code == 409


def test_declining_is_told_to_nobody(api, members, pending, outsider):
    api.post(members, {"username": "outsider"})
    guest = client_of(outsider)
    (invitation,) = guest.get(ME).json()["results"]
    assert guest.post(f"{ME}{invitation['id']}/decline/").status_code == 204
    assert guest.get(ME).json()["results"] == []
    assert guest.post(f"{ME}{invitation['id']}/accept/").status_code == 404
    assert len(api.get(pending).json()["results"]) == 1
    api.post(members, {"username": "outsider"})  # asked again, it is there again
    assert len(guest.get(ME).json()["results"]) == 1


def test_who_takes_the_name_later_is_not_meant(api, members):
    api.post(members, {"username": "later"})
    assert client_of(make_user("later")).get(ME).json()["results"] == []


def test_an_invitation_is_for_one_alone(api, members, outsider):
    api.post(members, {"username": "outsider"})
    other = client_of(make_user("other"))
    invitation = Invitation.objects.get()
    for action in ("accept", "decline"):
        assert other.post(f"{ME}{invitation.pk}/{action}/").status_code == 404
    assert api.post(f"{ME}{invitation.pk}/accept/").status_code == 404


def test_owners_see_and_withdraw_what_waits(api, members, pending, editor, outsider):
    api.post(members, {"username": "outsider"})
    assert client_of(editor).get(pending).status_code == 403
    (waiting,) = api.get(pending).json()["results"]
    assert client_of(editor).delete(f"{pending}{waiting['id']}/").status_code == 403
    assert api.delete(f"{pending}{waiting['id']}/").status_code == 204
    assert client_of(outsider).get(ME).json()["results"] == []


def test_who_works_with_me_already_is_added_at_once(api, members, owner, outsider):
    add_member(project=create_project(user=owner, name="other"), user=outsider, role="viewer")
    added = api.post(members, {"username": "outsider", "role": "editor"})
    assert (added.status_code, added.json()["state"], added.json()["role"]) == (201, "member", "editor")


def test_the_staff_adds_whom_it_wants(api, owner, members, outsider):
    owner.is_staff = True
    owner.save()
    assert api.post(members, {"username": "outsider"}).status_code == 201
    assert api.post(members, {"username": "nobody"}).status_code == 202


def test_asking_is_limited(api, members):
    answers = [api.post(members, {"username": f"user{number}"}).status_code for number in range(61)]
    assert answers == [202] * 60 + [429]


def test_old_ones_are_forgotten(api, members, pending, outsider):
    api.post(members, {"username": "outsider"})
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client_of(outsider).get(ME).json()["results"] == [] == api.get(pending).json()["results"]
    assert delete_old_invitations() == 1


def test_inviting_again_changes_the_role(api, members):
    first = api.post(members, {"username": "Somebody", "role": "viewer"}).json()
    second = api.post(members, {"username": "somebody ", "role": "owner"}).json()
    assert first["id"] == second["id"] and second["role"] == "owner"
