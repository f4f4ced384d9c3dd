"""Pages that mails link to: they say what they are about, do nothing when opened, and have a style of their own."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import urlencode, urlsplit

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import EmailChange
from tests.conftest import client_of, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("pages that mails link to")]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def mia():
    return make_user("mia")


@pytest.fixture
def link(mia, settings) -> str:
    settings.PUBLIC_URL = "https://studio.example.com"
    body = {"email": "new@example.com", "current_password": "a long pass phrase"}
    assert client_of(mia).patch("/api/v1/users/me/", body).status_code == 200
    parts = urlsplit(re.search(r"https://studio\.example\.com/email-confirm/\S+", mail.outbox[-1].body)[0])
    return f"{parts.path}?{parts.query}"


def press(client, page):
    """Send the page's form as it is."""
    text = page.content.decode()
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
    return client.post(re.search(r'action="([^"]+)"', text)[1], urlencode(fields), content_type=FORM)


def test_opening_the_link_changes_nothing_and_the_button_does(client, link, mia):
    for _ in range(3):
        page = client.get(link)
        assert page.status_code == 200 and b"new@example.com" in page.content and b"mia" in page.content
    client.head(link)
    mia.refresh_from_db()
    assert mia.email == "mia@example.com"
    done = press(client, page)
    assert done.status_code == 200 and b"new@example.com" in done.content and b"<form" not in done.content
    mia.refresh_from_db()
    assert mia.email == "new@example.com"
    again = press(client, page)
    assert again.status_code == 400 and b"expired or was used" in again.content


def test_a_link_that_is_wrong_or_old_has_no_button(client, link):
    EmailChange.objects.update(created_at=timezone.now() - timezone.timedelta(days=2))
    for address in (link, "/email-confirm/", "/email-confirm/?token=%00", "/email-confirm/?token=%22%3E%3Cscript%3E"):
        page = client.get(address)
        assert page.status_code == 400 and b"<button" not in page.content and b"<script" not in page.content
        assert page["Content-Type"].startswith("text/html")


def test_guesses_are_counted_and_refused_on_a_page(client, link):
    pages = [client.post("/email-confirm/", "token=x", content_type=FORM) for _ in range(40)]
    assert pages[0].status_code == 400 and pages[-1].status_code == 429
    assert pages[-1]["Content-Type"].startswith("text/html") and pages[-1]["Retry-After"]
    assert client.get(link).status_code == 200
    wrong = client.put("/email-confirm/")
    assert wrong.status_code == 405 and wrong["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/password-reset/?uid=MQ&token=x", "/email-confirm/?token=x"])
def test_the_style_is_the_one_that_the_policy_allows(client, path):
    page = client.get(path)
    policy, text = page["Content-Security-Policy"], page.content.decode()
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy
    assert "form-action 'self'" in policy and "frame-ancestors 'none'" in policy and "script" not in policy
    assert page["Referrer-Policy"] == "no-referrer" and page["Cache-Control"] == "no-store"
    assert "<script" not in text and not re.search(r'\s(style|on\w+)="', text)
    assert "prefers-color-scheme: dark" in style and 'name="viewport"' in text and "&" not in style


def test_programs_still_send_a_post(mia, link):
    token = re.search(r'"token": "([^"]+)"', mail.outbox[-1].body)[1]
    assert APIClient().post("/api/v1/auth/email/confirm/", {"token": token}).status_code == 204
