"""The cache may drop a file between the moment it is found and the moment somebody opens it, and nobody notices."""

from __future__ import annotations

import pytest

from datasets import renditions, thumbnails
from datasets.models import Image, Video
from inference.serving import prediction as inference
from storage import replication, services
from storage.services import local_cache
from tests.conftest import upload
from tests.made_videos import made_video
from tests.pictures import jpeg
from tests.test_storage import stores  # noqa: F401 - a fixture
from tests.test_videos import run_waiting, send
from vision.video import reading

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stores"), pytest.mark.any_database("files of the cache")]


@pytest.fixture(autouse=True)
def small_cache(stores, settings):  # noqa: F811 - the fixture
    settings.STORAGE_CACHE_BYTES, settings.STORAGE_CACHE_REST_SECONDS = 1, -60


def drops_before(monkeypatch, module, name: str) -> list[int]:
    """Before this function of the module opens a file, all that the store has is dropped. Counts the dropped files."""
    opens, dropped = getattr(module, name), []

    def after_the_drop(*arguments, **options):
        replication.replicate_pending(100)
        dropped.append(replication.evict())
        return opens(*arguments, **options)

    monkeypatch.setattr(module, name, after_the_drop)
    return dropped


def test_a_video_is_read_to_its_end(api, dataset, monkeypatch):
    video = send(api, dataset, made_video(12)).json()
    dropped = drops_before(monkeypatch, reading, "start_python")
    run_waiting()
    found = api.get(f"/api/v1/videos/{video['id']}/").json()
    assert (found["frame_count"], found["is_surveyed"], dropped) == (12, True, [1])
    assert api.get(f"/api/v1/videos/{video['id']}/frame/?index=11").status_code == 200
    answer = api.post(f"/api/v1/videos/{video['id']}/frames/", {"every_frames": 6})
    run_waiting()
    assert api.get(answer["Location"]).json()["result"]["created"] == 2
    assert len(dropped) == 3 and not local_cache().path(Video.objects.get().blob.sha256).exists()
    assert not list(local_cache().incoming.glob("*.pinned"))


def test_pictures_are_made(api, image, monkeypatch):
    blob = Image.objects.get().blob
    for module, make in ((thumbnails, thumbnails.make_thumbnails), (renditions, renditions.ensure_rendition)):
        dropped = drops_before(monkeypatch, module, "open_image")
        make(blob, *([1024] if module is renditions else []))
        assert dropped == [1]


def test_a_model_is_asked(api, dataset, classifier, monkeypatch):
    dropped = drops_before(monkeypatch, inference, "open_image")
    upload(api, dataset, [("new.jpg", jpeg(7))])
    new = Image.objects.get(filename="new.jpg")
    answer = api.post(f"/api/v1/models/{classifier.pk}/predict/", {"images": [str(new.pk)]})
    assert len(answer.json()["predictions"]) == 1 and dropped[0] > 0


def test_a_file_that_goes_while_it_is_looked_for_is_looked_for_again():
    missing = [FileNotFoundError(), FileNotFoundError()]

    def read():
        if missing:
            raise missing.pop()
        return "content"

    assert services.again_if_dropped(read) == "content"
    missing += [FileNotFoundError() for _ in range(services.READINGS)]
    with pytest.raises(FileNotFoundError):
        services.again_if_dropped(read)


def test_a_download_begins_with_a_file_that_is_open(api, image, monkeypatch):
    blob = Image.objects.get().blob
    answer = api.get(image["file_url"])
    replication.replicate_pending(100)
    assert replication.evict() == 1 and not local_cache().path(blob.sha256).exists()
    assert len(b"".join(answer.streaming_content)) == blob.size
