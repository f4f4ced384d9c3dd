"""Tokens that read and change nothing."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.models import Token
from accounts.services import issue_personal_token
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a token may do")]


def client_with(secret: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


@pytest.fixture
def reader(owner) -> APIClient:
    return client_with(issue_personal_token(user=owner, name="r", expires_in_days=1, scope="read")[1])


def test_a_token_is_made_for_all_or_for_reading(api):
    made = api.post("/api/v1/tokens/", {"name": "a"}).json()
    assert made["scope"] == "all"
    made = api.post("/api/v1/tokens/", {"name": "b", "scope": "read"}).json()
    assert made["scope"] == "read" and client_with(made["token"]).get("/api/v1/users/me/").status_code == 200
    assert {row["name"]: row["scope"] for row in api.get("/api/v1/tokens/").json()["results"]} == {
        "a": "all",
        "b": "read",
    }
    assert api.post("/api/v1/tokens/", {"name": "c", "scope": "some"}).status_code == 400


def test_a_reading_token_reads(api, reader, project, dataset):
    image = upload(api, dataset, [("a.jpg", jpeg(1))])["created"][0]
    for path in ("projects/", f"projects/{project.pk}/", f"images/{image['id']}/", f"images/{image['id']}/file/"):
        assert reader.get(f"/api/v1/{path}").status_code == 200
    assert reader.head("/api/v1/projects/").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "projects/"),
        ("patch", "projects/{project}/"),
        ("delete", "projects/{project}/"),
        ("post", "datasets/{dataset}/images/"),
        ("post", "tokens/"),
        ("patch", "users/me/"),
        ("delete", "users/me/"),
        ("post", "auth/logout-all/"),
        ("post", "users/me/password/"),
        ("post", "uploads/"),
    ],
)
def test_a_reading_token_changes_nothing(reader, project, dataset, method, path):
    answer = getattr(reader, method)(f"/api/v1/{path.format(project=project.pk, dataset=dataset['id'])}", {})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "token_reads_only")
    project.refresh_from_db()
    assert Token.objects.count() == 1


def test_a_token_without_a_scope_may_do_all(owner):
    client = client_with(issue_personal_token(user=owner, name="a", expires_in_days=1)[1])
    assert client.post("/api/v1/projects/", {"name": "p", "task": "classification"}).status_code == 201
    assert client_of(owner).get("/api/v1/projects/").json()["results"][0]["name"] == "p"
