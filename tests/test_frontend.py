"""The pages of the studio as the server gives them, and the schema that they are written against."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from tests.once import read_yaml
from tests.test_routes import SCHEMA

pytestmark = pytest.mark.any_database("pages as files")
ROOT = Path(__file__).parent.parent
INDEX = '<html><meta name="nonce" nonce="__NONCE__"><script src="/static/studio/assets/a-12345678.js"></script></html>'


@pytest.fixture
def built(settings, tmp_path):
    (tmp_path / "index.html").write_text(INDEX)
    settings.FRONTEND_DIR = tmp_path


def test_the_schema_of_the_pages_is_the_server_s():
    kept = read_yaml((ROOT / "frontend" / "schema" / "openapi.yml").read_text())
    assert kept == read_yaml(yaml.safe_dump(SCHEMA)), "Run `make schema` and commit what it writes."


@pytest.mark.parametrize("path", ["/", "/login", "/projects/1/images?label=2", "/reset/uid/token", "/join/secret"])
def test_each_address_is_a_page_with_a_policy_of_its_own(client, db, built, path):
    answers = [client.get(path) for _ in range(2)]
    nonces = [answer["Content-Security-Policy"].split("'nonce-")[1].split("'")[0] for answer in answers]
    assert nonces[0] != nonces[1]
    for answer, nonce in zip(answers, nonces, strict=True):
        assert answer.status_code == 200 and f'nonce="{nonce}"' in answer.content.decode()
        assert answer["Cache-Control"] == "no-cache" and "unsafe" not in answer["Content-Security-Policy"]
        assert "csrftoken" in str(answer.cookies)
    is_secret = path.startswith(("/reset/", "/join/"))
    assert answers[0]["Referrer-Policy"] == ("no-referrer" if is_secret else "same-origin")


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/static/studio/nothing.js", "/edge/v1/nothing/", "/admin/x/y/"])
def test_what_is_no_page_is_none(client, db, built, path):
    answer = client.get(path)
    assert answer.status_code in (302, 401, 404) and b"nonce" not in answer.content


def test_pages_are_only_read(client, db, built):
    assert client.post("/login", {}).status_code == 405


def test_a_build_that_fails_says_why_and_not_only_where_npm_has_its_log(tmp_path):
    folder, programs = tmp_path / "frontend", tmp_path / "programs"
    for path in (folder, programs, folder / "src"):
        path.mkdir()
    shutil.copy(ROOT / "frontend" / "build.py", folder)
    for name in ("package-lock.json", "vite.config.ts", "lingui.config.ts", "tsconfig.json", "index.html"):
        (folder / name).write_text("{}")
    said = ["npm error no certificate", "npm error A complete log of this run can be found in: /x"]
    for name, lines in {"node": ["v24.19.0"], "npm": said}.items():
        program = programs / name
        echoes = "\n".join(f"echo '{line}'" for line in lines)
        program.write_text(f"#!/bin/sh\n{echoes}\nexit {int(name == 'npm')}\n")
        program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, str(folder / "build.py")]
    seen = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert seen.returncode == 0
    assert "could not be built (npm error no certificate)" in seen.stdout


def test_without_a_build_the_reason_is_shown(client, db, settings, tmp_path):
    settings.FRONTEND_DIR = tmp_path
    (tmp_path / ".failed").write_text("npm <found> no network")
    answer = client.get("/")
    assert answer.status_code == 503
    assert "npm &lt;found&gt; no network" in answer.content.decode() and "/api/docs/" in answer.content.decode()
    # Links of mails work without it.
    assert client.get("/reset/uid/token").status_code == 200


def test_files_of_the_pages_are_for_their_own_origin():
    assert settings.WHITENOISE_ALLOW_ALL_ORIGINS is False
