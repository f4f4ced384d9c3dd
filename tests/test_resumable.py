"""Uploads in parts: by the rules of tus, by its reference client, by people who send parts twice."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from storage.models import Upload
from storage.resumable import delete_expired_uploads, path_of
from tests.conftest import client_of
from tests.made_videos import made_video

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("parts of files")]

TUS = {"HTTP_TUS_RESUMABLE": "1.0.0"}
PART = "application/offset+octet-stream"


def begin(api, length: int, filename: str = "video.mp4", **headers):
    metadata = f"filename {base64.b64encode(filename.encode()).decode()}"
    headers = {**TUS, "HTTP_UPLOAD_LENGTH": str(length), "HTTP_UPLOAD_METADATA": metadata, **headers}
    return api.post("/api/v1/uploads/", **headers)


def send(api, location: str, offset: int, part: bytes, **headers):
    headers = {**TUS, "HTTP_UPLOAD_OFFSET": str(offset), **headers}
    return api.generic("PATCH", location, part, content_type=PART, **headers)


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def test_a_file_comes_in_parts_and_becomes_a_video(api, dataset, django_capture_on_commit_callbacks):
    content = made_video(40)
    begun = begin(api, len(content), "Zähler.mp4")
    assert begun.status_code == 201 and begun["Upload-Offset"] == "0" and begun["Tus-Resumable"] == "1.0.0"
    location = begun["Location"]
    for start in range(0, len(content), 3000):
        part = content[start : start + 3000]
        answer = send(api, location, start, part)
        assert answer.status_code == 204 and answer["Upload-Offset"] == str(start + len(part))
    head = api.head(location, **TUS)
    assert head.status_code == 200 and head["Upload-Offset"] == head["Upload-Length"] == str(len(content))
    with django_capture_on_commit_callbacks(execute=True):
        video = api.post(f"/api/v1/datasets/{dataset['id']}/videos/", {"upload": begun.json()["id"]})
    assert video.status_code == 201, video.content
    assert video.json()["filename"] == "Zähler.mp4"
    assert video.json()["sha256"] == hashlib.sha256(content).hexdigest()
    assert not Upload.objects.exists() and not (settings.UPLOADS_DIR / begun.json()["id"]).exists()


def test_a_part_twice_or_out_of_order_is_a_conflict_and_changes_nothing(api):
    location = begin(api, 30)["Location"]
    assert send(api, location, 0, b"a" * 10).status_code == 204
    for offset in (0, 20, 5):
        answer = send(api, location, offset, b"b" * 10)
        assert answer.status_code == 409 and code_of(answer) == "offset_conflict"
    assert send(api, location, 10, b"c" * 20).status_code == 204
    assert path_of(Upload.objects.get()).read_bytes() == b"a" * 10 + b"c" * 20


def test_a_part_that_ended_halfway_is_sent_again_from_where_the_server_is(api):
    upload = Upload.objects.get(pk=begin(api, 20).json()["id"])
    # Written, and then the power went before the row said so.
    path_of(upload).write_bytes(b"x" * 7)
    assert api.head(f"/api/v1/uploads/{upload.pk}/", **TUS)["Upload-Offset"] == "0"
    assert send(api, f"/api/v1/uploads/{upload.pk}/", 0, b"y" * 20).status_code == 204
    assert path_of(upload).read_bytes() == b"y" * 20


def test_a_damaged_part_is_not_kept(api):
    location = begin(api, 10)["Location"]
    good = base64.b64encode(hashlib.sha256(b"0123456789").digest()).decode()
    damaged = send(api, location, 0, b"0123456780", HTTP_UPLOAD_CHECKSUM=f"sha256 {good}")
    assert damaged.status_code == 460 and code_of(damaged) == "checksum_mismatch"
    assert send(api, location, 0, b"0123456789", HTTP_UPLOAD_CHECKSUM=f"sha256 {good}").status_code == 204


BAD = [
    ("no version", {"HTTP_TUS_RESUMABLE": ""}, 412, "tus_version"),
    ("another version", {"HTTP_TUS_RESUMABLE": "0.2"}, 412, "tus_version"),
    ("no length", {"HTTP_UPLOAD_LENGTH": ""}, 400, "invalid"),
    ("a negative length", {"HTTP_UPLOAD_LENGTH": "-5"}, 400, "invalid"),
    ("too large", {"HTTP_UPLOAD_LENGTH": str(1 << 45)}, 413, "file_too_large"),
    ("metadata that is no base64", {"HTTP_UPLOAD_METADATA": "filename ???"}, 400, "invalid_metadata"),
]


@pytest.mark.parametrize(("name", "headers", "status", "code"), BAD, ids=[one[0] for one in BAD])
def test_bad_beginnings(api, name, headers, status, code):
    answer = begin(api, 10, **headers)
    assert answer.status_code == status and code_of(answer) == code


def test_bad_parts(api):
    location = begin(api, 10)["Location"]
    assert code_of(send(api, location, 0, b"x" * 11)) == "file_too_large"
    assert api.head(location, **TUS)["Upload-Offset"] == "0"
    wrong_type = api.generic("PATCH", location, b"x", content_type="text/plain", **TUS, HTTP_UPLOAD_OFFSET="0")
    assert wrong_type.status_code == 415
    assert code_of(send(api, location, 0, b"x", HTTP_UPLOAD_OFFSET="first")) == "invalid"
    assert code_of(send(api, location, 0, b"x", HTTP_UPLOAD_CHECKSUM="crc32 AAAA")) == "invalid"


def test_an_unfinished_upload_is_no_video(api, dataset):
    begun = begin(api, 10).json()
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/videos/", {"upload": begun["id"]})
    assert answer.status_code == 409 and code_of(answer) == "upload_incomplete"


def test_what_is_refused_as_a_video_can_still_be_deleted_or_kept(api, dataset):
    location = begin(api, 10)["Location"]
    send(api, location, 0, b"not video!")
    pk = Upload.objects.get().pk
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/videos/", {"upload": str(pk)})
    assert answer.status_code == 400 and code_of(answer) == "not_a_video"
    assert api.delete(location, **TUS).status_code == 204
    assert api.head(location, **TUS).status_code == 404


def test_uploads_are_their_owners_alone(api, dataset, editor):
    location = begin(api, 10)["Location"]
    other = client_of(editor)
    assert other.get(location).status_code == 404 and other.delete(location).status_code == 404
    assert send(other, location, 0, b"x").status_code == 404
    assert (
        other.post(f"/api/v1/datasets/{dataset['id']}/videos/", {"upload": location.split("/")[-2]}).status_code == 404
    )
    assert client_of(None).get(location).status_code == 401


def test_what_nobody_goes_on_with_is_forgotten(api, django_capture_on_commit_callbacks):
    left = begin(api, 10).json()["id"]
    kept = begin(api, 10).json()["id"]
    Upload.objects.exclude(pk=kept).update(expires_at=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_expired_uploads() == 1
    assert (settings.UPLOADS_DIR / kept).exists() and not (settings.UPLOADS_DIR / left).exists()


def test_a_user_cannot_begin_without_end(api, settings):
    settings.MAX_OPEN_UPLOADS = 2
    begin(api, 10)
    begin(api, 10)
    assert code_of(begin(api, 10)) == "too_many_uploads"


def test_the_server_says_what_it_can(api):
    answer = api.options("/api/v1/uploads/")
    assert answer.status_code == 204 and answer["Tus-Version"] == "1.0.0"
    assert answer["Tus-Extension"] == "creation,expiration,checksum,termination"
    assert int(answer["Tus-Max-Size"]) == settings.MAX_UPLOAD_BYTES
