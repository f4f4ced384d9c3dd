"""What an owner handed out ends with their role: nobody comes back by an invitation of their own."""

from __future__ import annotations

import pytest

from mlstudio.tasks import housekeeping
from projects.models import Invitation, InvitationLink, Membership, Role
from projects.services import add_member
from tests.conftest import client_of, make_user

pytestmark = pytest.mark.django_db
JOIN, PREVIEW, MINE = "/api/v1/join/", "/api/v1/join/preview/", "/api/v1/invitations/"
ENDS = ["removed", "demoted", "account deleted", "account closed"]


@pytest.fixture
def other_owner(project):
    user = make_user("other-owner")
    add_member(project=project, user=user, role=Role.OWNER)
    return user


def end(how: str, api, user) -> None:
    """The project's first owner, or the user, ends the other's ownership."""
    member = Membership.objects.get(user=user)
    path = f"/api/v1/projects/{member.project_id}/members/{member.pk}/"
    if how == "removed":
        assert api.delete(path).status_code == 204
    elif how == "demoted":
        assert api.patch(path, {"role": "editor"}).status_code == 200
    elif how == "account deleted":
        assert client_of(user).delete("/api/v1/users/me/").status_code == 204
    else:
        user.is_active = False
        user.save()


@pytest.mark.parametrize("how", ENDS)
def test_links_end_with_who_made_them(api, project, other_owner, outsider, how):
    links = f"/api/v1/projects/{project.pk}/invitation-links/"
    token = client_of(other_owner).post(links, {"role": "owner", "uses": 100}).json()["token"]
    kept = api.post(links, {"role": "viewer"}).json()
    end(how, api, other_owner)
    guest = client_of(outsider)
    for path in (PREVIEW, JOIN):
        refused = guest.post(path, {"token": token})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "invalid_invitation")
    assert [link["id"] for link in api.get(links).json()["results"]] == [kept["id"]]
    housekeeping()
    assert [str(pk) for pk in InvitationLink.objects.values_list("pk", flat=True)] == [kept["id"]]
    assert guest.post(JOIN, {"token": kept["token"]}).status_code == 201


@pytest.mark.parametrize("how", ENDS)
def test_invitations_end_with_who_made_them(api, project, other_owner, outsider, how):
    members = f"/api/v1/projects/{project.pk}/members/"
    assert client_of(other_owner).post(members, {"username": outsider.username, "role": "owner"}).status_code == 202
    guest = client_of(outsider)
    invitation = guest.get(MINE).json()["results"][0]["id"]
    end(how, api, other_owner)
    assert guest.get(MINE).json()["results"] == []
    assert guest.post(f"{MINE}{invitation}/accept/").status_code == 404
    assert not Membership.objects.filter(project=project, user=outsider).exists()
    housekeeping()
    assert not Invitation.objects.exists()
    assert api.post(members, {"username": outsider.username, "role": "viewer"}).status_code == 202  # by an owner


def test_an_invitation_is_accepted_once(api, project, outsider):
    """Also when it ends between being found and being accepted."""
    from accounts.errors import InvalidInvitation
    from projects.invitations import accept

    api.post(f"/api/v1/projects/{project.pk}/members/", {"username": outsider.username, "role": "owner"})
    found = Invitation.objects.get()
    Invitation.objects.all().delete()
    with pytest.raises(InvalidInvitation):
        accept(invitation=found)
    assert not Membership.objects.filter(user=outsider).exists()
