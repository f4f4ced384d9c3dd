"""The users of the studio, as its staff sees and changes them."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.models import Login
from accounts.services import issue_login_token, issue_personal_token
from mlstudio import system
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db
USERS = "/api/v1/system/users/"


@pytest.fixture(autouse=True)
def nothing_remembered():
    system.remembered.clear()
    yield
    system.remembered.clear()


@pytest.fixture
def staff(db):
    return make(name="boss", is_staff=True)


@pytest.fixture
def root(db):
    return make(name="root", is_staff=True, is_superuser=True)


def make(*, name: str, **changes):
    user = make_user(name)
    for field, value in changes.items():
        setattr(user, field, value)
    user.save()
    return user


def change(by, user, **changes):
    return client_of(by).patch(f"{USERS}{user.pk}/", changes)


def test_they_are_for_the_staff(owner, staff):
    for address in (USERS, f"{USERS}{owner.pk}/"):
        assert APIClient().get(address).status_code == 401
        assert client_of(owner).get(address).status_code == 403
        assert client_of(staff).get(address).status_code == 200
    assert APIClient().patch(f"{USERS}{owner.pk}/", {"is_active": False}).status_code == 401
    assert change(owner, staff, is_active=False).status_code == 403
    assert change(owner, owner, is_staff=True).status_code == 403
    owner.refresh_from_db()
    assert not owner.is_staff


def test_the_list_says_what_they_have(api, owner, staff, dataset):
    image = upload(api, dataset, [("a.jpg", jpeg(1))])["created"][0]
    rows = {row["username"]: row for row in client_of(staff).get(USERS).json()["results"]}
    assert set(rows) == {"owner", "boss"}
    assert (rows["owner"]["project_count"], rows["owner"]["bytes"]) == (1, image["size"])
    assert (rows["boss"]["project_count"], rows["boss"]["bytes"]) == (0, 0)
    assert rows["owner"]["may_change"] and not rows["owner"]["may_change_staff"]
    assert not rows["boss"]["may_change"]


def test_the_list_is_searched_narrowed_and_paged(staff, owner):
    make(name="anna", email="anna@elsewhere.org", is_active=False)
    client = client_of(staff)
    names = lambda query: [row["username"] for row in client.get(f"{USERS}?{query}").json()["results"]]  # noqa: E731
    assert names("search=ANN") == names("search=elsewhere") == names("is_active=false") == ["anna"]
    assert names("is_staff=true") == ["boss"]
    assert names("search=nobody") == []
    first = client.get(f"{USERS}?page_size=2&ordering=username").json()
    assert [row["username"] for row in first["results"]] == ["anna", "boss"]
    assert [row["username"] for row in client.get(first["next"]).json()["results"]] == ["owner"]
    assert client.get(f"{USERS}?serach=x").status_code == 400


def test_the_list_costs_the_same_for_many(staff, django_assert_max_num_queries):
    for number in range(12):
        make_user(f"user-{number}")
    client = client_of(staff)
    client.get(USERS)
    with django_assert_max_num_queries(3):
        assert len(client.get(USERS).json()["results"]) == 13


def test_who_is_switched_off_is_let_in_no_more(staff, owner):
    (_, login), (_, personal) = (
        issue_login_token(user=owner),
        issue_personal_token(user=owner, name="script", expires_in_days=None),
    )
    browser = APIClient()
    browser.post("/api/v1/auth/login/", {"username": "owner", "password": "a long pass phrase", "session": True})
    assert browser.get("/api/v1/users/me/").status_code == 200
    answer = change(staff, owner, is_active=False)
    assert answer.status_code == 200 and answer.json()["is_active"] is False
    for secret in (login, personal):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
        assert client.get("/api/v1/users/me/").status_code == 401
    assert browser.get("/api/v1/users/me/").status_code == 401
    assert not Login.objects.filter(user=owner).exists()
    again = {"username": "owner", "password": "a long pass phrase"}
    assert APIClient().post("/api/v1/auth/login/", again).status_code == 401
    assert change(staff, owner, is_active=True).status_code == 200
    assert APIClient().post("/api/v1/auth/login/", again).status_code == 200


def test_the_staff_is_changed_by_superusers_alone(staff, root, owner):
    colleague = make(name="colleague", is_staff=True)
    for refused in (
        change(staff, owner, is_staff=True),
        change(staff, colleague, is_staff=False),
        change(staff, colleague, is_active=False),
        change(staff, root, is_active=False),
    ):
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "permission_denied")
    assert change(staff, owner, is_staff=False).status_code == 200  # as it is: nothing changes
    assert change(root, owner, is_staff=True).json()["is_staff"] is True
    assert change(root, staff, is_staff=False).json()["is_staff"] is False
    assert client_of(staff.__class__.objects.get(pk=staff.pk)).get(USERS).status_code == 403


def test_nobody_changes_their_own_account(staff, root):
    for user in (staff, root):
        for changes in ({"is_staff": False}, {"is_active": False}, {"is_staff": True}):
            answer = change(user, user, **changes)
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "own_account")
    root.refresh_from_db()
    assert root.is_active and root.is_staff


def test_what_is_no_change_is_refused(staff, owner):
    assert change(staff, owner, is_superuser=True).json()["errors"][0]["code"] == "unknown_field"
    assert change(staff, owner, is_active="perhaps").status_code == 400
    assert client_of(staff).patch(f"{USERS}999999/", {"is_active": False}).status_code == 404
    assert client_of(staff).delete(f"{USERS}{owner.pk}/").status_code == 405
