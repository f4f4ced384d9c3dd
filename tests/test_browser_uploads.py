"""Files that a browser sends: with its cookie and the CSRF token in the header, through the real server."""

from __future__ import annotations

import httpx
import pytest
from django.conf import settings

from datasets.models import Dataset, Image
from projects.services import create_project
from tests.conftest import make_user
from tests.pictures import jpeg, shapes_zip
from tests.web import running_web

pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS),
    pytest.mark.any_database("sockets, cookies and CSRF"),
]


@pytest.fixture(scope="module")
def web(django_db_setup):
    with running_web() as running:
        yield running


@pytest.fixture
def browser(web):
    make_user("mia")
    with web.client() as client:
        login = {"username": "mia", "password": "a long pass phrase", "session": True}
        assert client.post("auth/login/", json=login).status_code == 200
        client.headers["X-CSRFToken"] = client.get("auth/session/").json()["csrf_token"]
        yield client


@pytest.fixture
def dataset(browser) -> str:
    project = browser.post("projects/", json={"name": "p"}).json()["id"]
    return browser.post("datasets/", json={"project": project, "name": "d"}).json()["id"]


def test_a_form_with_files_is_taken(browser, dataset):
    sent = browser.post(f"datasets/{dataset}/images/", files={"files": ("a.jpg", jpeg(1), "image/jpeg")})
    assert sent.status_code == 201, sent.text
    assert Image.objects.get().filename == "a.jpg"
    archive = {"file": ("a.zip", shapes_zip(2), "application/zip")}
    assert browser.post(f"datasets/{dataset}/imports/", files=archive).status_code == 202


def test_an_upload_in_parts_is_taken(browser):
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "3"}
    location = browser.post("uploads/", headers=headers).headers["Location"]
    part = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert browser.patch(location, headers=part, content=b"abc").status_code == 204


@pytest.mark.parametrize("token", ["", "x" * 64])
def test_without_the_token_no_file_is_taken(browser, dataset, token):
    browser.headers["X-CSRFToken"] = token
    sent = browser.post(f"datasets/{dataset}/images/", files={"files": ("a.jpg", jpeg(1), "image/jpeg")})
    assert (sent.status_code, sent.json()["errors"][0]["code"]) == (403, "csrf_failed")
    assert not Image.objects.exists()


def test_the_token_in_the_form_is_no_token(browser, dataset):
    """Whoever makes a browser send a form could not set a header."""
    token = browser.headers.pop("X-CSRFToken")
    form = {"csrfmiddlewaretoken": token}
    sent = browser.post(f"datasets/{dataset}/images/", data=form, files={"files": ("a.jpg", jpeg(1), "image/jpeg")})
    assert sent.status_code == 403


def test_another_origin_is_refused(browser, dataset):
    sent = browser.post("projects/", json={"name": "p"}, headers={"Origin": "https://evil.example.com"})
    assert (sent.status_code, sent.json()["errors"][0]["code"]) == (403, "csrf_failed")


def test_a_stream_comes_by_cookie(browser, web):
    project = create_project(user=make_user("other"), name="theirs")
    Dataset.objects.create(project=project, name="secret")
    with httpx.Client(cookies=browser.cookies, timeout=20) as client:
        answer = client.get(f"{web.url}/api/v1/events/", params={"seconds": 1})
    assert answer.status_code == 200 and '"ready"' in answer.text and "secret" not in answer.text
