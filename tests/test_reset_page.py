"""The link of a reset mail opens a page that works."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

import pytest
from django.core import mail
from rest_framework.test import APIClient

from tests.conftest import make_user

pytestmark = pytest.mark.django_db
NEW = "a fresh long phrase"


@pytest.fixture
def link(settings, tmp_path) -> str:
    settings.FRONTEND_DIR = tmp_path  # as where the pages were not built
    settings.PUBLIC_URL = "https://studio.example.com"
    user = make_user("mia")
    APIClient().post("/api/v1/auth/password/reset/", {"email": user.email})
    return re.search(r"https://studio\.example\.com/reset/\S+", mail.outbox[-1].body)[0]


def send(client, values: dict):
    return client.post("/password-reset/", urlencode(values), content_type="application/x-www-form-urlencoded")


def test_the_form_sets_the_password_once(client, link, django_user_model):
    parts = urlsplit(link)
    page = client.get(parts.path)
    assert page.status_code == 200 and page["Referrer-Policy"] == "no-referrer" and page["Cache-Control"] == "no-store"
    assert "form-action 'self'" in page["Content-Security-Policy"]
    hidden = dict(re.findall(r'name="(uid|token)" value="([^"]+)"', page.content.decode()))
    assert [hidden["uid"], hidden["token"]] == parts.path.split("/")[2:]
    assert client.get("/password-reset/", hidden).content == page.content  # links of earlier mails
    differs = send(client, {**hidden, "new_password": NEW, "again": "another"})
    assert differs.status_code == 400 and "differ" in differs.content.decode()
    weak = send(client, {**hidden, "new_password": "123", "again": "123"})
    assert weak.status_code == 400 and hidden["token"] in weak.content.decode()
    done = send(client, {**hidden, "new_password": NEW, "again": NEW})
    assert done.status_code == 200 and django_user_model.objects.get().check_password(NEW)
    again = send(client, {**hidden, "new_password": NEW, "again": NEW})
    assert again.status_code == 400 and "expired" in again.content.decode()


def test_what_a_link_says_is_no_html(client):
    page = client.get("/password-reset/", {"uid": '"><script>', "token": "<b>"}).content.decode()
    assert "<script>" not in page and "<b>" not in page


def test_guesses_are_counted(client, settings):
    body = {"uid": "MQ", "token": "x", "new_password": NEW, "again": NEW}
    codes = [send(client, body).status_code for _ in range(12)]
    assert codes[:10] == [400] * 10 and codes[-1] == 429
    assert client.get("/password-reset/").status_code == 200
