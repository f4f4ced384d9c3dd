"""What the pages of videos need: single frames, counts before frames are made, a version that browsers play."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from datasets import playing
from datasets.models import Image
from inference.labeling.uncertainty import uncertainty_of, uncertainty_options
from jobs import services as jobs
from jobs.models import Job
from tests.conftest import client_of
from tests.made_videos import decoded, made_video, number_on
from tests.test_videos import add, cut, images_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("reading and writing videos")]
slow = pytest.mark.slow


def frame(api, video: dict, **asked):
    return api.get(f"/api/v1/videos/{video['id']}/frame/", asked)


def number_of(answer) -> int:
    assert answer.status_code == 200, answer.content
    return number_on(np.asarray(Pillow.open(io.BytesIO(answer.content))))


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "h264"), ("webm", "libvpx-vp9"), ("avi", "mpeg4")])
def test_a_frame_is_the_exact_one_by_its_index_and_by_its_time(api, dataset, kind, codec):
    video = add(api, dataset, made_video(100, kind=kind, codec=codec))
    for index in (0, 1, 26, 99):
        answer = frame(api, video, index=index)
        assert (number_of(answer), float(answer["X-Frame-Time"])) == (index, pytest.approx(index / 25, abs=0.001))
    for time, index in ((0, 0), (0.035, 0), (0.04, 1), (2.0, 50), (3.01, 75), (9, 99)):
        assert number_of(frame(api, video, time=time)) == index, time
    assert answer["Content-Type"] == "image/jpeg" and "max-age" in answer["Cache-Control"]


def test_a_frame_of_a_variable_rate_is_the_one_that_is_shown_then(api, dataset):
    times = [0, 40, 80, 1000, 1040, 5000, 5040, 5080]
    video = add(api, dataset, made_video(8, times=times))
    assert [number_of(frame(api, video, time=one)) for one in (0.9, 1.0, 4.9, 5.05)] == [2, 3, 4, 6]
    assert [number_of(frame(api, video, index=index)) for index in (3, 7)] == [3, 7]


def test_what_is_no_frame_is_told(api, dataset, outsider):
    video = add(api, dataset, made_video(10))
    assert frame(api, video, index=10).status_code == 404
    for asked in ({}, {"index": 1, "time": 1}, {"index": -1}, {"time": "x"}, {"index": 1, "max": 5}):
        assert frame(api, video, **asked).status_code == 400, asked
    assert frame(client_of(None), video, index=1).status_code == 401
    assert frame(client_of(outsider), video, index=1).status_code == 404


def test_who_waits_too_long_for_a_frame_is_told_to_come_again(api, dataset, monkeypatch):
    video = add(api, dataset, made_video(5))
    monkeypatch.setattr(playing, "FRAME_WAIT_SECONDS", 0.01)
    for _ in range(playing.FRAMES_AT_ONCE):
        playing._turns.acquire()
    try:
        answer = frame(api, video, index=1)
    finally:
        playing._turns.release(playing.FRAMES_AT_ONCE)
    assert answer.status_code == 503 and answer.json()["errors"][0]["code"] == "server_busy"
    assert number_of(frame(api, video, index=1)) == 1


def test_a_dry_run_counts_the_frames_and_makes_no_image(api, dataset):
    video = add(api, dataset, made_video(60))
    result = cut(api, video, every_seconds=0.5, start_seconds=0.5, dry_run=True)
    assert (result["frames"], result["times"]) == (4, [0.52, 1.0, 1.52, 2.0]) and "created" not in result
    assert not Image.objects.exists()
    assert cut(api, video, every_seconds=0.5, start_seconds=0.5)["created"] == 4


def test_doubt_needs_a_model(api, dataset):
    video = add(api, dataset, made_video(5))
    answer = api.post(f"/api/v1/videos/{video['id']}/frames/", {"every_frames": 1, "min_uncertainty": 0.5})
    assert answer.status_code == 400 and answer.json()["errors"][0]["attr"] == "model"


@slow
def test_only_frames_of_which_the_model_is_unsure_become_images(api, dataset, classifier):
    from inference.serving.prediction import predict_pixels
    from tests.test_batches import shape_frame

    content = made_video(40, size=(96, 96), pictures=shape_frame)
    video = add(api, dataset, content)
    before = Image.objects.count()
    options = uncertainty_options(classifier)
    doubts = [uncertainty_of(classifier, predict_pixels(classifier, options, pixels)) for _, pixels in decoded(content)]
    assert all(0 <= doubt <= 1 for doubt in doubts)
    middle = float(np.median(doubts))
    asked = {"every_frames": 1, "model": str(classifier.pk), "min_uncertainty": middle}
    counted = cut(api, video, **asked, dry_run=True)
    assert 0 < counted["frames"] < 40 and Image.objects.count() == before
    made = cut(api, video, **asked)
    assert made["created"] + made["duplicates"] == counted["frames"] and made["left"] == 40 - counted["frames"]
    near = [doubts[image.frame_index] for image in images_of(video)]
    assert min(near) > middle - 0.1


def test_work_on_a_video_is_listed_by_it(api, dataset):
    one, other = add(api, dataset, made_video(10)), add(api, dataset, made_video(12), "other.mp4")
    listed = api.get(f"/api/v1/jobs/?video={one['id']}").json()["results"]
    assert [job["video"] for job in listed] == [{"id": one["id"], "name": "video.mp4"}]
    assert api.get(f"/api/v1/jobs/?video={other['id']}&kind=prediction").json()["results"] == []
    assert api.get("/api/v1/jobs/?video=x").status_code == 400


def test_a_version_for_browsers_has_the_same_frames(api, dataset):
    video = add(api, dataset, made_video(30, kind="avi", codec="mpeg4"))
    answer = api.post(f"/api/v1/videos/{video['id']}/proxy/")
    assert answer.status_code == 202 and answer.json()["kind"] == "video_proxy"
    jobs.run_job(answer.json()["id"])
    job = api.get(answer["Location"]).json()
    assert (job["state"], job["result"]["frames"], job["result"]["fps"]) == ("succeeded", 30, 25.0)
    (file,) = job["result"]["files"]
    assert (file["name"], file["content_type"]) == ("proxy.mp4", "video/mp4")
    played = api.get(file["url"], HTTP_RANGE="bytes=0-")
    assert played.status_code == 206 and played["Content-Disposition"].startswith("inline")
    rows = decoded(b"".join(played.streaming_content))
    assert [number_on(pixels) for _, pixels in rows] == list(range(30))
    assert rows[10][0] == pytest.approx(0.4, abs=0.002)
    again = api.post(f"/api/v1/videos/{video['id']}/proxy/")
    assert again.json()["id"] == job["id"] and Job.objects.filter(kind="video_proxy").count() == 1


def test_who_may_ask_for_a_version_for_browsers(api, dataset, viewer, outsider):
    video = add(api, dataset, made_video(5))
    address = f"/api/v1/videos/{video['id']}/proxy/"
    assert client_of(viewer).post(address).status_code == 403
    assert client_of(outsider).post(address).status_code == 404
    assert client_of(None).post(address).status_code == 401
