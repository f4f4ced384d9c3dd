"""Thumbnails with lasting addresses, WebP for those who take it, and images as every browser shows them."""

from __future__ import annotations

import errno
import io
import os
import time

import numpy as np
import pytest
from PIL import Image as Pillow

from datasets.models import Image
from datasets.renditions import delete_old_renditions, rendition_path
from datasets.thumbnails import accepts_webp, make_missing_thumbnails, thumbnail_path
from tests.conftest import client_of, upload
from tests.pictures import HEIC, jpeg
from vision.imaging.thumbhash import thumbhash

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("images as browsers show them")]


def opened(answer) -> Pillow.Image:
    assert answer.status_code == 200, answer
    return Pillow.open(io.BytesIO(answer.getvalue()))


@pytest.fixture
def large(api, dataset) -> dict:
    return upload(api, dataset, [("a.jpg", jpeg(1, (1200, 900)))])["created"][0]


def url_of(image: dict, what: str, query: str = "") -> str:
    return f"/api/v1/images/{image['id']}/{what}/?{query}"


@pytest.mark.parametrize("size", [128, 256, 512])
def test_thumbnails_come_in_three_sizes_and_two_formats(api, large, size):
    for kind in ("jpeg", "webp"):
        picture = opened(api.get(url_of(large, "thumbnail", f"size={size}&format={kind}")))
        assert max(picture.size) == size and picture.format == kind.upper()


def test_webp_is_for_clients_that_name_it(api, large):
    browsers = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"
    for accept, expected in ((browsers, "WEBP"), ("*/*", "JPEG"), ("image/png", "JPEG"), ("image/webp;q=0", "JPEG")):
        answer = api.get(url_of(large, "thumbnail"), headers={"Accept": accept})
        assert opened(answer).format == expected and "Accept" in answer["Vary"].split(", "), accept
    assert accepts_webp("image/webp;q=0.9") and not accepts_webp("")


def test_addresses_with_the_version_last(api, large):
    version = large["sha256"][:8]
    assert "immutable" in api.get(url_of(large, "thumbnail", f"v={version}"))["Cache-Control"]
    for query in ("", "v=00000000"):
        answer = api.get(url_of(large, "thumbnail", query))
        assert "immutable" not in answer["Cache-Control"] and answer["ETag"]
    again = api.get(url_of(large, "thumbnail", f"v={version}"), headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("kind", ["thumbnail", "rendition", "file"])
def test_what_a_browser_keeps_is_for_one_login(api, large, kind):
    """The next user of the same browser asks again, and is told 404 of what is not theirs."""
    answer = api.get(url_of(large, kind, f"v={large['sha256'][:8]}"))
    assert answer.status_code == 200 and {"Cookie", "Authorization"} <= set(answer["Vary"].split(", "))
    unchanged = api.get(url_of(large, kind), headers={"If-None-Match": answer["ETag"]})
    assert unchanged.status_code == 304 and "Cookie" in unchanged["Vary"]


@pytest.mark.parametrize("kind", ["thumbnail", "rendition"])
def test_a_full_disk_keeps_nothing_of_a_picture(api, large, kind, monkeypatch, settings, tmp_path):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    settings.THUMBNAIL_DIR = tmp_path
    monkeypatch.setattr(os, "replace", full)
    shown = api.get(url_of(large, kind, "format=webp"))
    assert opened(shown).format == "WEBP" and shown["Cache-Control"] == "no-store"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("kind", "query"), [("thumbnail", "size=256"), ("rendition", "max=1024")])
def test_pictures_take_none_of_the_space_that_is_kept_free(api, large, kind, query, settings, tmp_path):
    """Everybody who may see images can have renditions of all of them made; people go on seeing them all the same."""
    settings.THUMBNAIL_DIR, settings.MIN_FREE_BYTES = tmp_path, 1 << 60
    picture = opened(api.get(url_of(large, kind, query)))
    assert max(picture.size) == int(query.partition("=")[2]) and picture.format == "JPEG"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    settings.MIN_FREE_BYTES = 0
    assert api.get(url_of(large, kind, query))["ETag"]


@pytest.mark.parametrize("query", ["size=99", "format=gif", "size=x"])
def test_what_there_is_not(api, large, query):
    assert api.get(url_of(large, "thumbnail", query)).status_code == 400


def test_hashes_are_made_with_the_thumbnails(api, large):
    assert make_missing_thumbnails() == 1
    image = Image.objects.get(pk=large["id"])
    assert image.has_thumbnails and 24 <= len(image.thumbhash) <= 36
    assert api.get("/api/v1/images/?fields=grid").json()["results"][0]["thumbhash"] == image.thumbhash
    assert thumbnail_path(large["sha256"], 256).exists()


def test_known_hashes():
    """Those of thumbhash-python 1.0.1."""
    known = {
        (1, (100, 60)): "IPgFJIL5naaNk4V8SWa0i+/66g==",
        (2, (40, 90)): "3wcGGwRAmIaIt2J5qm/4xrs=",
        (3, (64, 64)): "HfgFHwRXzojptme+efl21KhWty+FpusP",
        (5, (100, 1)): "nQc6GYKHiIiIiAh4J4cvgFg=",
    }
    for (seed, size), expected in known.items():
        assert thumbhash(Pillow.open(io.BytesIO(jpeg(seed, size)))) == expected
    assert len(thumbhash(Pillow.new("RGB", (50, 50)))) > 20


class TestRenditions:
    def sixteen_bit(self) -> bytes:
        target = io.BytesIO()
        pixels = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
        Pillow.fromarray(pixels).save(target, "TIFF")
        return target.getvalue()

    @pytest.mark.parametrize("kind", ["heic", "tiff", "turned"])
    def test_what_browsers_do_not_show(self, api, dataset, kind):
        exif = Pillow.Exif()
        exif[0x0112] = 6
        content = {"heic": HEIC, "tiff": self.sixteen_bit(), "turned": jpeg(1, (90, 60), exif=exif.tobytes())}[kind]
        (image,) = upload(api, dataset, [(f"a.{kind}", content)])["created"]
        for wanted in ("jpeg", "webp"):
            answer = api.get(url_of(image, "rendition", f"format={wanted}"))
            picture = opened(answer)
            assert picture.format == wanted.upper() and picture.mode == "RGB"
            assert picture.size == (image["width"], image["height"])
            assert answer["Content-Disposition"].startswith("inline")

    def test_large_ones_are_scaled_down_and_small_ones_are_not(self, api, large):
        assert opened(api.get(url_of(large, "rendition", "max=1024"))).size == (1024, 768)
        assert opened(api.get(url_of(large, "rendition"))).size == (1200, 900)
        assert api.get(url_of(large, "rendition", "max=5000")).status_code == 400

    def test_they_last_while_they_are_looked_at(self, api, large):
        path = rendition_path(large["sha256"], 2048, "jpeg")
        for seen, gone in ((False, 1), (True, 0)):
            opened(api.get(url_of(large, "rendition")))
            os.utime(path, (time.time() - 8 * 86_400,) * 2)
            if seen:
                opened(api.get(url_of(large, "rendition")))
            assert delete_old_renditions() == gone and path.exists() == seen

    def test_who_sees_them(self, large, outsider, viewer, client):
        for what in ("rendition", "thumbnail"):
            assert client.get(url_of(large, what)).status_code in (401, 403)
            assert client_of(outsider).get(url_of(large, what)).status_code == 404
            assert client_of(viewer).get(url_of(large, what)).status_code == 200
