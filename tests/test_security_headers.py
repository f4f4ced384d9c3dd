"""What browsers are told, and what is told to nobody."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from accounts.services import issue_login_token
from tests.conftest import make_user
from tests.studio import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("headers")]
PAGES = (
    "/",
    "/api/docs/",
    "/api/docs/?script=",
    "/api/schema/",
    "/api/v1/",
    "/api/v1/projects/",
    "/admin/login/",
    "/nowhere/",
    "/healthz/",
    "/readyz/",
    "/metrics",
    "/edge/v1/manifest/",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_them(client, path, settings, tmp_path):
    settings.FRONTEND_DIR = tmp_path  # built pages may use the camera
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin" and "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("path", ["/api/docs/", "/admin/login/"])
def test_pages_have_no_script_in_them(client, path):
    page = client.get(path).content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page) == [] and not re.search(r"\son\w+=", page)


def test_the_documentation_s_script_is_a_file_of_ours(client):
    page = client.get("/api/docs/").content.decode()
    (address,) = [one for one in re.findall(r'<script src="([^"]+)"', page) if "script" in one.partition("?")[2]]
    answer = client.get(address.replace("&amp;", "&"))
    assert answer.status_code == 200 and "javascript" in answer["Content-Type"]


@pytest.mark.parametrize(("https", "seconds"), [("true", 365 * 86_400), ("false", 0)])
def test_https_is_kept(https, seconds):
    code = "from mlstudio import settings; print(settings.SECURE_HSTS_SECONDS)"
    environment = {**os.environ, "MLSTUDIO_HTTPS": https}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert int(done.stdout) == seconds


class TestFigures:
    def test_strangers_and_users_learn_only_whether_it_is_ready(self, client):
        _, secret = issue_login_token(user=make_user("mia"))
        for headers in ({}, {"Authorization": f"Token {secret}"}, {"Authorization": "Bearer "}):
            assert client.get("/readyz/", headers=headers).json() == {"status": "ready"}
            assert client.get("/metrics", headers=headers).status_code == 401

    def test_a_full_disk_is_told_by_the_status(self, client, settings):
        settings.MIN_FREE_BYTES = 1 << 62
        answer = client.get("/readyz/")
        assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})

    def test_the_staff_and_the_token_see_more(self, client, settings):
        settings.METRICS_TOKEN = "look"
        staff = get_user_model().objects.create_superuser("root", "root@example.com", "a long pass phrase")
        _, secret = issue_login_token(user=staff)
        by_session = Client()
        by_session.force_login(staff)
        for headers in ({"Authorization": "Bearer look"}, {"Authorization": f"Token {secret}"}):
            assert "checks" in client.get("/readyz/", headers=headers).json()
            assert b"mlstudio_jobs" in client.get("/metrics", headers=headers).content
        assert "checks" in json.loads(by_session.get("/readyz/").content)
        for wrong in ("Bearer lookk", "Bearer \xff", "Token look"):
            assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 401


def test_answers_are_kept_by_nobody(client, settings):
    make_user("mia")
    client.force_login(get_user_model().objects.get(username="mia"))
    for path in ("/api/v1/projects/", "/api/v1/users/me/", "/api/v1/nowhere/", "/api/v1/auth/session/"):
        assert client.get(path)["Cache-Control"] == "no-store", path
