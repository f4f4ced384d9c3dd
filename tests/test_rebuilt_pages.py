"""The pages are built again while the studio runs."""

from __future__ import annotations

import gzip
import os

import pytest
from django.test import Client

pytestmark = pytest.mark.any_database("pages as files")


@pytest.fixture
def build(settings, tmp_path):
    """Builds pages that consist of one script."""
    settings.FRONTEND_DIR = tmp_path
    assets = tmp_path / "assets"
    moments = iter(range(1_800_000_000, 1_900_000_000, 10))

    def build(name: str, *, compressed: bool = True) -> str:
        assets.mkdir(exist_ok=True)
        for old in assets.iterdir():
            old.unlink()
        (assets / name).write_text(f"/* {name} */" * 100)
        if compressed:
            (assets / f"{name}.gz").write_bytes(gzip.compress((assets / name).read_bytes()))
        marks = ["index.html", ".built"] if compressed else ["index.html"]
        (tmp_path / ".built").unlink(missing_ok=True)
        for mark in marks:
            (tmp_path / mark).write_text(f'<meta name="nonce" nonce="__NONCE__"><script src="{name}"></script>')
            moment = next(moments)
            os.utime(tmp_path / mark, (moment, moment))
        return f"/static/studio/assets/{name}"

    return build


def read(answer) -> str:
    return b"".join(answer.streaming_content).decode()


def test_a_new_build_is_served_without_a_restart(build, db):
    first = build("index-aaaaaaaa.js")
    client = Client()
    assert "index-aaaaaaaa.js" in client.get("/").content.decode()
    assert "aaaaaaaa" in read(client.get(first))
    second = build("index-bbbbbbbb.js")
    assert "index-bbbbbbbb.js" in client.get("/").content.decode()
    answer = client.get(second)
    assert "bbbbbbbb" in read(answer) and "immutable" in answer["Cache-Control"]
    assert client.get(first).status_code == 404


def test_a_build_that_comes_after_the_start_is_served(build, db):
    client = Client()
    assert client.get("/static/studio/assets/index-cccccccc.js").status_code == 404
    assert "cccccccc" in read(client.get(build("index-cccccccc.js")))


def test_what_is_compressed_a_moment_later_is_sent_compressed(build, db):
    client = Client()
    address = build("index-dddddddd.js", compressed=False)
    assert "Content-Encoding" not in client.get(address, headers={"Accept-Encoding": "gzip"})
    build("index-dddddddd.js")
    assert client.get(address, headers={"Accept-Encoding": "gzip"})["Content-Encoding"] == "gzip"


def test_a_file_that_goes_away_during_a_build_is_missing(build, db, settings):
    address = build("index-eeeeeeee.js")
    client = Client()
    assert client.get(address).status_code == 200
    for path in (settings.FRONTEND_DIR / "assets").iterdir():
        path.unlink()
    assert client.get(address).status_code == 404
    other = client.get("/static/admin/css/base.css")
    assert other.status_code == 200 and "immutable" not in other["Cache-Control"]
