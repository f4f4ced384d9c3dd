"""Uploading, listing, changing and reading images."""

from __future__ import annotations

import io
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow

from datasets.models import Image
from storage.services import local_cache
from tests.conftest import client_of, upload
from tests.pictures import HEIC, encoded, jpeg, pixels, png_header
from vision.imaging.preprocessing import load_pixels

pytestmark = pytest.mark.django_db


def rotated_jpeg(seed: int, orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    return jpeg(seed, exif=exif.tobytes())


def located(kind: str, **options) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    return encoded(7, kind, exif=exif.tobytes(), **options)


def test_every_file_has_its_own_outcome(api, dataset):
    answer = upload(
        api,
        dataset,
        [
            ("a.jpg", jpeg(1)),
            ("b.jpg", jpeg(1)),
            ("empty.jpg", b""),
            ("note.jpg", b"no image"),
            ("c.png", encoded(2, "PNG")),
        ],
    )
    assert [one["filename"] for one in answer["created"]] == ["a.jpg", "c.png"]
    assert [(one["filename"], one["id"]) for one in answer["duplicates"]] == [("b.jpg", answer["created"][0]["id"])]
    assert [(one["filename"], one["code"]) for one in answer["rejected"]] == [
        ("empty.jpg", "empty_file"),
        ("note.jpg", "not_an_image"),
    ]
    again = upload(api, dataset, [("a.jpg", jpeg(1))])
    assert not again["created"] and len(again["duplicates"]) == 1


BAD_FILES = [
    ("truncated JPEG", jpeg(3, (400, 300))[:-2000], "corrupted_image"),
    ("half a PNG", encoded(3, "PNG", (200, 200))[:4000], "corrupted_image"),
    ("60,000 x 60,000 PNG", png_header(60_000, 60_000), "too_many_pixels"),
    ("a line", encoded(3, "PNG", (4000, 1)), "extreme_aspect_ratio"),
    ("text", b"hello, I am a text" * 100, "not_an_image"),
    ("nothing", b"", "empty_file"),
    ("PNG without data", png_header(10, 10)[:45], "corrupted_image"),
    ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not_an_image"),
    ("HTML", b"<html><script>alert(1)</script>", "not_an_image"),
    ("EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not_an_image"),
]


@pytest.mark.parametrize(("name", "content", "code"), BAD_FILES, ids=[name for name, _, _ in BAD_FILES])
@pytest.mark.any_database("decoding images")
def test_a_bad_file_is_rejected_with_its_code_and_leaves_nothing(api, dataset, name, content, code):
    answer = upload(api, dataset, [("file.jpg", content)])
    assert [one["code"] for one in answer["rejected"]] == [code]
    assert answer["rejected"][0]["detail"]
    incoming = local_cache().incoming
    assert not incoming.exists() or not list(incoming.iterdir())


def test_a_file_above_the_limit_is_rejected(api, dataset, settings):
    settings.MAX_IMAGE_BYTES = 500
    assert upload(api, dataset, [("a.jpg", jpeg(1))])["rejected"][0]["code"] == "file_too_large"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
@pytest.mark.any_database("decoding images")
def test_formats_are_read(api, dataset, kind):
    (image,) = upload(api, dataset, [(f"picture.{kind.lower()}", encoded(5, kind))])["created"]
    assert (image["format"], image["width"], image["height"]) == (kind, 48, 32)
    assert api.get(f"/api/v1/images/{image['id']}/thumbnail/").status_code == 200


@pytest.mark.any_database("decoding images")
def test_the_first_frame_of_an_animation_counts(api, dataset):
    frames = [Pillow.fromarray(pixels(seed)) for seed in (1, 2)]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    assert len(upload(api, dataset, [("a.gif", target.getvalue())])["created"]) == 1


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "1"])
@pytest.mark.any_database("decoding images")
def test_unusual_pixel_modes_are_read(api, dataset, mode):
    import numpy as np

    if mode == "I;16":
        image = Pillow.fromarray(pixels(4)[:, :, 0].astype(np.uint16) * 257)
    else:
        image = Pillow.fromarray(pixels(4)).convert(mode)
    target = io.BytesIO()
    image.save(target, "TIFF" if mode == "CMYK" else "PNG")
    (made,) = upload(api, dataset, [("a", target.getvalue())])["created"]
    assert api.get(f"/api/v1/images/{made['id']}/thumbnail/?size=512").status_code == 200


@pytest.mark.any_database("decoding images")
def test_orientation_is_applied(api, dataset):
    (image,) = upload(api, dataset, [("a.jpg", rotated_jpeg(1, 6))])["created"]
    assert (image["width"], image["height"]) == (32, 48)
    thumbnail = api.get(f"/api/v1/images/{image['id']}/thumbnail/")
    assert Pillow.open(io.BytesIO(b"".join(thumbnail.streaming_content))).size == (32, 48)


@pytest.mark.any_database("decoding images")
def test_heic_of_a_phone_is_read(api, dataset):
    image = upload(api, dataset, [("IMG_0001.HEIC", HEIC)])["created"][0]
    assert (image["format"], image["width"], image["height"]) == ("HEIF", 64, 48)
    assert api.get(image["file_url"])["Content-Type"] == "image/heic"
    pixels = load_pixels(HEIC, (48, 64)).astype(int)
    assert pixels[24, 4, 2] > 200 > pixels[24, 60, 2] and pixels[46, 32, 1] > 200 > pixels[2, 32, 1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.any_database("decoding images")
def test_the_place_is_removed_on_request_and_the_pixels_stay(api, dataset, kind):
    content = located(kind)
    (kept,) = upload(api, dataset, [("kept", content)])["created"]
    (image,) = upload(api, dataset, [("stripped", content)], strip_location="true")["created"]
    stored = {}
    for one in (kept, image):
        stored[one["id"]] = b"".join(api.get(f"/api/v1/images/{one['id']}/file/").streaming_content)
    original, stripped = (Pillow.open(io.BytesIO(stored[one["id"]])) for one in (kept, image))
    assert original.getexif().get_ifd(0x8825)
    assert not stripped.getexif().get_ifd(0x8825)
    assert list(original.getdata()) == list(stripped.getdata())
    if kind in ("JPEG", "WEBP", "PNG"):
        assert stripped.getexif()[0x0112] == 6 and stripped.getexif()[0x010F] == "Maker"
        assert (image["width"], image["height"]) == (32, 48)


def test_names_in_any_script_and_hostile_ones(api, dataset):
    names = ["ねじ.jpg", "schräge Größe.jpg", "../../etc/passwd", "a\x07b.jpg", "x" * 400 + ".jpg"]
    answer = upload(api, dataset, [(name, jpeg(n)) for n, name in enumerate(names)])
    made = [one["filename"] for one in answer["created"]]
    assert made[:3] == ["ねじ.jpg", "schräge Größe.jpg", "passwd"]
    assert all(len(name) <= 255 and "/" not in name for name in made)


def test_lists_filter(api, dataset, labels):
    upload(api, dataset, [("a.jpg", jpeg(1))], label="good", split="train", group="box 1")
    upload(api, dataset, [("b.jpg", jpeg(2))], label=labels["bad"]["id"])
    upload(api, dataset, [("c.jpg", jpeg(3))])

    def names(query: str) -> list[str]:
        answer = api.get(f"/api/v1/images/?ordering=filename&{query}")
        assert answer.status_code == 200, answer.content
        return [one["filename"] for one in answer.json()["results"]]

    assert names(f"dataset={dataset['id']}") == ["a.jpg", "b.jpg", "c.jpg"]
    assert names("label=good") == names(f"label={labels['good']['id']}") == ["a.jpg"]
    assert names("split=train") == ["a.jpg"] and names("split=none") == ["b.jpg", "c.jpg"]
    assert names("annotated=false") == ["c.jpg"] and names("annotated=true") == ["a.jpg", "b.jpg"]
    assert names("origin=human") == ["a.jpg", "b.jpg"] and names("origin=model") == []
    assert names(f"dataset={uuid.uuid4()}") == [] and names("label=nothing") == []
    assert names("filename=B") == ["b.jpg"]
    assert api.get("/api/v1/images/?split=nope").status_code == 400
    assert api.get("/api/v1/images/?dataset=nope").status_code == 400


def test_an_unknown_label_creates_nothing(api, dataset):
    parts = [SimpleUploadedFile("a.jpg", jpeg(1))]
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", {"files": parts, "label": "x"}, format="multipart")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown_label")
    assert not Image.objects.exists()


class TestBulk:
    def change(self, api, images, **body):
        return api.post("/api/v1/images/bulk/", {"images": [one["id"] for one in images], **body})

    def test_label_split_group_move_and_delete(self, api, project, dataset, labels):
        images = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(3)])["created"]
        assert self.change(api, images[:2], action="label", label="good").json() == {"changed": 2, "unchanged": 0}
        assert self.change(api, images, action="split", split="test").json()["changed"] == 3
        assert self.change(api, images, action="split", split=None).json()["changed"] == 3
        assert self.change(api, images[:1], action="group", group="tray 4").json()["changed"] == 1
        assert self.change(api, images[:1], action="unlabel").json()["changed"] == 1
        assert len(api.get("/api/v1/images/?label=good").json()["results"]) == 1
        other = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "other"}).json()
        assert self.change(api, images[:2], action="move", dataset=other["id"]).json() == {"changed": 2, "unchanged": 0}
        assert api.get(f"/api/v1/datasets/{other['id']}/").json()["image_count"] == 2
        assert self.change(api, images, action="delete").json()["changed"] == 3
        assert api.get(f"/api/v1/datasets/{other['id']}/").json()["image_count"] == 0

    @pytest.mark.parametrize(
        "body",
        [
            {"action": "label"},
            {"action": "label", "label": "x"},
            {"action": "explode"},
            {"action": "split"},
            {"action": "split", "split": "x"},
            {"action": "move"},
            {},
        ],
    )
    def test_wrong_bodies_are_refused(self, api, dataset, image, body):
        assert self.change(api, [image], **body).status_code == 400

    def test_one_foreign_image_refuses_all(self, api, dataset, image):
        answer = self.change(api, [image, {"id": str(uuid.uuid4())}], action="delete")
        assert answer.status_code == 404
        assert Image.objects.count() == 1


class TestAnnotations:
    def address(self, image):
        return f"/api/v1/images/{image['id']}/annotations/"

    def test_replacing_counts_revisions_and_locks(self, api, image, labels):
        first = api.put(self.address(image) + "?revision=0", [{"label": "good"}])
        assert first.status_code == 200, first.content
        assert first.json()["revision"] == 1 and first.json()["annotations"][0]["label"] == "good"
        late = api.put(self.address(image) + "?revision=0", [{"label": "bad"}])
        assert (late.status_code, late.json()["errors"][0]["code"]) == (409, "revision_conflict")
        assert api.get(self.address(image)).json()["annotations"][0]["label"] == "good"
        assert api.put(self.address(image), []).json()["annotations"] == []

    @pytest.mark.parametrize(
        "body",
        [
            [{"label": "good"}, {"label": "bad"}],
            [{"label": "x"}],
            [{"label": "good", "box": [0, 0, 1, 1]}],
            {"label": "good"},
            [{}],
            ["good"],
        ],
    )
    def test_wrong_annotations_of_a_classified_image(self, api, image, labels, body):
        assert api.put(self.address(image), body).status_code == 400

    def test_boxes_are_clipped_and_checked(self, api, owner):
        project = api.post("/api/v1/projects/", {"name": "boxes", "task": "detection"}).json()
        dataset = api.post("/api/v1/datasets/", {"project": project["id"], "name": "d"}).json()
        api.post(f"/api/v1/projects/{project['id']}/labels/", {"name": "screw"})
        (image,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
        put = api.put(self.address(image), [{"label": "screw", "box": [-5, 1.5, 20, 400]}])
        assert put.json()["annotations"][0]["box"] == [0, 1.5, 20, 32]
        for box in ([5, 5, 5, 9], [100, 0, 200, 20], [9, 9, 1, 1], [0, 0, 1], None, ["a", 0, 1, 1]):
            assert api.put(self.address(image), [{"label": "screw", "box": box}]).status_code == 400


@pytest.mark.any_database("files over HTTP")
class TestFiles:
    def test_the_same_bytes_come_back_with_safe_headers(self, api, dataset):
        content = jpeg(1)
        (image,) = upload(api, dataset, [('ein "Bild" ü.jpg', content)])["created"]
        answer = api.get(f"/api/v1/images/{image['id']}/file/")
        assert b"".join(answer.streaming_content) == content
        assert answer["ETag"] == f'"{image["sha256"]}"' and answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Type"] == "image/jpeg" and answer["Content-Length"] == str(len(content))
        assert answer["Content-Disposition"].startswith("inline") and "utf-8''" in answer["Content-Disposition"]

    @pytest.mark.parametrize(
        ("header", "status", "part"),
        [
            ("bytes=0-9", 206, slice(0, 10)),
            ("bytes=5-", 206, slice(5, None)),
            ("bytes=-7", 206, slice(-7, None)),
            ("bytes=0-99999999", 206, slice(0, None)),
            ("bytes=99999999-", 416, None),
            ("bytes=-0", 416, None),
            ("bytes=9-5", 200, slice(0, None)),
            ("bytes=0-1,4-5", 200, slice(0, None)),
            ("lines=1-2", 200, slice(0, None)),
        ],
    )
    def test_ranges(self, api, image, header, status, part):
        content = jpeg(1)
        answer = api.get(f"/api/v1/images/{image['id']}/file/", HTTP_RANGE=header)
        assert answer.status_code == status
        if part is None:
            assert answer["Content-Range"] == f"bytes */{len(content)}"
        else:
            assert b"".join(answer.streaming_content) == content[part]

    def test_conditional_and_head_requests(self, api, image):
        address = f"/api/v1/images/{image['id']}/file/"
        tag = f'"{image["sha256"]}"'
        assert api.get(address, HTTP_IF_NONE_MATCH=tag).status_code == 304
        assert api.get(address, HTTP_RANGE="bytes=0-1", HTTP_IF_RANGE='"other"').status_code == 200
        head = api.head(address)
        assert head.status_code == 200 and head["Content-Length"] == str(len(jpeg(1))) and not head.content

    def test_signed_addresses_work_without_credentials_until_changed(self, api, client, image):
        assert client.get(image["file_url"]).status_code == 200
        assert client.get(image["thumbnail_url"]).status_code == 200
        path, query = image["file_url"].split("?")
        assert client.get(path).status_code == 401
        assert client.get(path.replace("file", "thumbnail") + "?" + query).status_code == 401
        assert client.get(f"/api/v1/images/{uuid.uuid4()}/file/?{query}").status_code == 401
        assert client.get(image["thumbnail_url"].replace("size=128", "size=512")).status_code == 401
        assert client.delete(f"/api/v1/images/{image['id']}/?{query}").status_code == 401

    def test_signed_addresses_expire(self, client, image, settings, monkeypatch):
        import time

        later = time.time() + 3 * settings.SIGNED_URL_SECONDS
        monkeypatch.setattr("storage.signing.time.time", lambda: later)
        assert client.get(image["file_url"]).status_code == 401

    def test_thumbnails_have_two_sizes(self, api, dataset):
        (image,) = upload(api, dataset, [("a.jpg", jpeg(1, (1200, 900)))])["created"]
        for size in (128, 512):
            answer = api.get(f"/api/v1/images/{image['id']}/thumbnail/?size={size}")
            assert max(Pillow.open(io.BytesIO(b"".join(answer.streaming_content))).size) == size
        assert api.get(f"/api/v1/images/{image['id']}/thumbnail/?size=99999").status_code == 400

    def test_thumbnails_are_made_in_the_background(self, api, dataset):
        from datasets.tasks import make_missing_thumbnails
        from datasets.thumbnails import thumbnail_path

        images = upload(api, dataset, [(f"{n}.jpg", jpeg(n + 50)) for n in range(3)])["created"]
        assert make_missing_thumbnails() == 3
        assert all(thumbnail_path(one["sha256"], size).exists() for one in images for size in (128, 512))
        assert make_missing_thumbnails() == 0


def test_statistics(api, dataset, labels):
    upload(api, dataset, [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))], label="good", split="train")
    upload(api, dataset, [("c.png", encoded(3, "PNG", (20, 20)))], label="bad")
    upload(api, dataset, [("d.png", encoded(4, "PNG", (20, 20)))])
    statistics = api.get(f"/api/v1/datasets/{dataset['id']}/statistics/").json()
    assert (statistics["images"], statistics["annotated"], statistics["unannotated"]) == (4, 3, 1)
    assert statistics["splits"] == {"train": 2, "none": 2}
    assert statistics["formats"] == {"JPEG": 2, "PNG": 2}
    assert [(one["name"], one["images"], one["by_split"]) for one in statistics["labels"]] == [
        ("good", 2, {"train": 2}),
        ("bad", 1, {"none": 1}),
    ]


def test_viewers_look_and_do_not_change(viewer, dataset, image):
    client = client_of(viewer)
    assert client.get(f"/api/v1/images/{image['id']}/").status_code == 200
    assert client.patch(f"/api/v1/images/{image['id']}/", {"split": "test"}).status_code == 403
    assert client.post("/api/v1/images/bulk/", {"images": [image["id"]], "action": "delete"}).status_code == 403
    parts = {"files": [SimpleUploadedFile("a.jpg", jpeg(1))]}
    assert client.post(f"/api/v1/datasets/{dataset['id']}/images/", parts, format="multipart").status_code == 403
