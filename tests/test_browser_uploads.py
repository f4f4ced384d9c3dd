"""Files sent by a browser: a session cookie and its CSRF token instead of a token in a header."""

from __future__ import annotations

import uuid

import httpx
import pytest
from django.conf import settings

from tests.conftest import make_user
from tests.pictures import jpeg
from tests.web import running_web

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


@pytest.fixture(scope="module")
def web(django_db_setup):
    with running_web() as running:
        yield running


@pytest.fixture
def browser(web):
    make_user("ada")
    with httpx.Client(base_url=web.url) as client:
        login = {"username": "ada", "password": "a long pass phrase", "session": True}
        token = client.get("/api/v1/auth/session/").json()["csrf_token"]
        answer = client.post("/api/v1/auth/login/", json=login, headers={"X-CSRFToken": token})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRFToken"] = client.get("/api/v1/auth/session/").json()["csrf_token"]
        client.headers["Origin"] = web.url
        yield client


@pytest.fixture
def dataset(browser) -> str:
    project = browser.post("/api/v1/projects/", json={"name": "Screws", "task": "classification"}).json()["id"]
    return browser.post("/api/v1/datasets/", json={"name": "Images", "project": project}).json()["id"]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "key"}], ids=["once", "with-a-key"])
def test_files_of_a_form_arrive(browser, dataset, headers):
    headers = {name: f"{value}-{uuid.uuid4()}" for name, value in headers.items()}
    files = [("files", (f"{n}.jpg", jpeg(seed=n), "image/jpeg")) for n in range(2)]
    answer = browser.post(f"/api/v1/datasets/{dataset}/images/", files=files, headers=headers)
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["created"]) == 2
    again = browser.post(f"/api/v1/datasets/{dataset}/images/", files=files, headers=headers)
    assert len(again.json()["created"]) == (2 if headers else 0)


def test_without_the_csrf_token_nothing_is_taken(browser, dataset):
    del browser.headers["X-CSRFToken"]
    files = [("files", ("1.jpg", jpeg(1), "image/jpeg"))]
    assert browser.post(f"/api/v1/datasets/{dataset}/images/", files=files).status_code in (401, 403)
