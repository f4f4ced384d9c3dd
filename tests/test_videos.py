"""Videos: taken in, read through, cut into images, played, deleted. Good ones, strange ones, hostile ones."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow

from datasets.models import Image, Snapshot, Video
from datasets.snapshots import take_snapshot
from inference.models import Model
from jobs import services as jobs
from jobs.models import Job
from storage.services import local_cache
from tests.conftest import client_of
from tests.made_videos import bars, decoded, made_video, number_on, rotated, sound
from tests.pictures import jpeg, pixels
from vision.video.facts import Selection, VideoProblem
from vision.video.reading import frames, probe

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("reading and writing videos")]


def send(api, dataset: dict, content: bytes, name: str = "video.mp4"):
    file = SimpleUploadedFile(name, content, "video/mp4")
    return api.post(f"/api/v1/datasets/{dataset['id']}/videos/", {"file": file}, format="multipart")


def add(api, dataset: dict, content: bytes, name: str = "video.mp4") -> dict:
    """A video that was read through, as its user sees it."""
    answer = send(api, dataset, content, name)
    assert answer.status_code == 201, answer.content
    run_waiting()
    return api.get(f"/api/v1/videos/{answer.json()['id']}/").json()


def run_waiting() -> None:
    for job in Job.objects.filter(state="queued").order_by("id"):
        jobs.run_job(str(job.pk))


def cut(api, video: dict, **request_data) -> dict:
    answer = api.post(f"/api/v1/videos/{video['id']}/frames/", request_data)
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    job = api.get(answer["Location"]).json()
    assert job["state"] == "succeeded", job
    return job["result"]


def images_of(video: dict) -> list[Image]:
    return list(Image.objects.filter(video=video["id"]).select_related("blob").order_by("frame_index"))


def pixels_of(image: Image) -> np.ndarray:
    return np.asarray(Pillow.open(local_cache().path(image.blob.sha256)))


CONTAINERS = [
    ("mp4", "h264", "mp4", "H.264"),
    ("mov", "h264", "mov", "H.264"),
    ("matroska", "h264", "mkv", "H.264"),
    ("webm", "libvpx-vp9", "webm", "VP9"),
    ("avi", "mpeg4", "avi", "MPEG-4"),
    ("avi", "mjpeg", "avi", "Motion JPEG"),
]


@pytest.mark.parametrize(("kind", "codec", "container", "name"), CONTAINERS, ids=[f"{c[2]}-{c[3]}" for c in CONTAINERS])
def test_every_container_is_read_frame_by_frame(tmp_path, kind, codec, container, name):
    path = tmp_path / "video"
    path.write_bytes(made_video(23, kind=kind, codec=codec))
    facts = probe(path)
    assert (facts.container, facts.codec, facts.width, facts.height) == (container, name, 160, 96)
    assert facts.fps == pytest.approx(25)
    with frames(path, Selection()) as found:
        rows = [(frame.index, round(frame.time, 3), number_on(frame.pixels)) for frame in found]
    assert rows == [(n, round(n / 25, 3), n) for n in range(23)]


def test_a_video_is_probed_and_then_read_through(api, dataset):
    answer = send(api, dataset, made_video(50), "Line 3.MP4")
    video = answer.json()
    assert answer.status_code == 201 and not video["is_surveyed"] and video["strip_url"] is None
    assert (video["filename"], video["container"], video["codec"]) == ("Line 3.MP4", "mp4", "H.264")
    run_waiting()
    video = api.get(f"/api/v1/videos/{video['id']}/").json()
    assert video["is_surveyed"] and (video["frame_count"], video["duration"], video["fps"]) == (50, 2.0, 25.0)
    assert video["is_variable_rate"] is False and video["note"] == ""
    strip = Pillow.open(io.BytesIO(b"".join(api.get(video["strip_url"]).streaming_content)))
    assert strip.size[0] == 160 * len(video["strip_times"]) and 12 <= len(video["strip_times"]) <= 24
    listed = api.get(f"/api/v1/videos/?dataset={dataset['id']}").json()["results"]
    assert [one["id"] for one in listed] == [video["id"]]


def test_a_player_may_jump_within_the_file(api, dataset):
    content = made_video(30)
    video = add(api, dataset, content)
    part = api.get(f"/api/v1/videos/{video['id']}/file/", HTTP_RANGE="bytes=100-299")
    assert part.status_code == 206 and b"".join(part.streaming_content) == content[100:300]
    assert part["Content-Type"] == "video/mp4" and part["Content-Disposition"].startswith("inline")
    signed = client_of(None).get(video["file_url"], HTTP_RANGE="bytes=-10")
    assert signed.status_code == 206 and b"".join(signed.streaming_content) == content[-10:]


def test_frames_are_the_exact_ones(api, dataset):
    content = made_video(60)
    video = add(api, dataset, content)
    result = cut(api, video, every_seconds=0.5, format="png")
    assert result["created"] == 5 and result["suggestions"] == 0
    images = images_of(video)
    assert [image.frame_index for image in images] == [0, 13, 25, 38, 50]
    assert [image.filename for image in images][:2] == ["video-000000.png", "video-000013.png"]
    reference = decoded(content)
    for image in images:
        time, pixels = reference[image.frame_index]
        assert image.frame_time == pytest.approx(time) and number_on(pixels_of(image)) == image.frame_index
        assert abs(pixels_of(image).astype(int) - pixels.astype(int)).mean() < 3


RULES = [
    ({"every_frames": 20}, [0, 20, 40]),
    ({"every_frames": 10, "start_seconds": 1.0, "end_seconds": 2.0}, [25, 35, 45]),
    ({"every_seconds": 0.4, "start_seconds": 0.5, "end_seconds": 1.5}, [13, 23, 33]),
    ({"every_seconds": 10}, [0]),
]


@pytest.mark.parametrize(("request_data", "indices"), RULES, ids=[str(rule[0]) for rule in RULES])
def test_frames_are_chosen_by_number_by_time_and_in_a_range(api, dataset, request_data, indices):
    video = add(api, dataset, made_video(60))
    cut(api, video, **request_data)
    assert [image.frame_index for image in images_of(video)] == indices


def test_cutting_again_adds_nothing_and_frames_stay_on_one_side_of_a_split(api, dataset, labels, owner):
    video = add(api, dataset, made_video(60))
    assert cut(api, video, every_frames=6)["created"] == 10
    assert cut(api, video, every_frames=6) == {
        "kind": "video_frames",
        "video": video["id"],
        "created": 0,
        "duplicates": 10,
        "similar": 0,
        "suggestions": 0,
    }
    ids = [str(image.pk) for image in images_of(video)]
    api.post("/api/v1/images/bulk/", {"action": "label", "images": ids, "label": "good"})
    snapshot = take_snapshot(dataset=Image.objects.get(pk=ids[0]).dataset, user=owner)
    assert len({row.split for row in Snapshot.objects.get(pk=snapshot.pk).images.all()}) == 1


def test_scenes_give_one_frame_each(api, dataset):
    scenes = [bars(0b1111100000), bars(0b0000011111)[:, :, ::-1] // 2, bars(0b1010101010)]
    video = add(api, dataset, made_video(90, pictures=lambda n: scenes[n // 30]))
    cut(api, video, scenes=True)
    assert [image.frame_index for image in images_of(video)] == [0, 30, 60]


def test_look_alikes_are_left_out_when_asked(api, dataset):
    scenes = [pixels(seed, (160, 96)) // 2 for seed in (1, 2)]
    video = add(api, dataset, made_video(40, pictures=lambda n: scenes[n // 20] + n))
    result = cut(api, video, every_frames=5, skip_similar=True)
    assert (result["created"], result["similar"]) == (2, 6)
    assert cut(api, video, every_frames=10, skip_similar=True)["created"] == 0


def test_a_job_that_is_taken_up_again_goes_on_where_it_was(api, dataset, monkeypatch):
    video = add(api, dataset, made_video(100))
    job = Job.objects.get(pk=api.post(f"/api/v1/videos/{video['id']}/frames/", {"every_frames": 2}).json()["id"])
    Job.objects.filter(pk=job.pk).update(position={"after": 59, "counts": {"created": 30}})
    jobs.run_job(str(job.pk))
    job.refresh_from_db()
    assert job.result["created"] == 50 and [i.frame_index for i in images_of(video)] == list(range(60, 100, 2))


def test_a_video_that_is_deleted_meanwhile_ends_the_job(api, dataset, monkeypatch):
    video = add(api, dataset, made_video(60))
    job = api.post(f"/api/v1/videos/{video['id']}/frames/", {"every_frames": 1}).json()["id"]
    from datasets import videos

    whole = videos.add_images

    def then_deleted(**options):
        outcomes = whole(**options)
        Video.objects.all().delete()
        return outcomes

    monkeypatch.setattr(videos, "add_images", then_deleted)
    jobs.run_job(job)
    assert api.get(f"/api/v1/jobs/{job}/").json()["error"]["code"] == "video_deleted"
    assert Image.objects.count() == 20


def test_deleting_a_video_asks_what_happens_to_its_frames(api, dataset, no_trash):
    video = add(api, dataset, made_video(30))
    cut(api, video, every_frames=10)
    url = f"/api/v1/videos/{video['id']}/"
    refused = api.delete(url)
    assert refused.status_code == 409 and refused.json()["errors"][0]["code"] == "frames_exist"
    assert api.delete(f"{url}?frames=keep").status_code == 204
    kept = Image.objects.all()
    assert {(image.video_id, image.frame_index) for image in kept} == {(None, 0), (None, 10), (None, 20)}
    other = add(api, dataset, made_video(20, fps=10))
    cut(api, other, every_frames=3)
    assert api.delete(f"/api/v1/videos/{other['id']}/?frames=delete").status_code == 204
    assert Image.objects.count() == 3 and not Video.objects.exists()
    assert api.get(f"/api/v1/datasets/{dataset['id']}/").json()["image_count"] == 3


def test_a_phone_held_upright_gives_upright_frames(api, dataset):
    content = rotated(made_video(10))
    video = add(api, dataset, content)
    assert (video["width"], video["height"], video["rotation"]) == (96, 160, 90)
    cut(api, video, every_frames=4, format="png")
    for image in images_of(video):
        assert (image.width, image.height) == (96, 160)
        # Turned clockwise: the left side of the stored image is above.
        assert number_on(np.rot90(pixels_of(image))) == image.frame_index


def test_a_variable_rate_keeps_its_times(api, dataset):
    times = [0, 40, 80, 500, 520, 900, 1000, 1700, 1740, 2000]
    video = add(api, dataset, made_video(10, kind="matroska", times=times), "phone.mkv")
    assert video["is_variable_rate"] and video["frame_count"] == 10
    assert cut(api, video, every_seconds=0.5)["created"] == 5
    assert [(i.frame_index, i.frame_time) for i in images_of(video)] == [
        (0, 0.0),
        (3, 0.5),
        (6, 1.0),
        (7, 1.7),
        (9, 2.0),
    ]


def test_what_a_file_claims_and_does_not_have_is_told(api, dataset):
    # An index at the beginning, and the end of the video missing.
    whole = made_video(200, kind="matroska", size=(320, 192), pictures=lambda n: noise(n, (320, 192)))
    video = add(api, dataset, whole[: len(whole) // 2], "cut.mkv")
    assert 20 < video["frame_count"] < 180 and cut(api, video, every_frames=10)["created"] > 1


def noise(seed: int, size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)


HOSTILE = [
    ("nothing", b"", "empty_file"),
    ("text", b"hello " * 100, "not_a_video"),
    ("an image", jpeg(1), "not_a_video"),
    ("a playlist", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "not_a_video"),
    ("a list of files", b"ffconcat version 1.0\nfile /etc/passwd\n", "not_a_video"),
    ("a HEIC image", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100, "not_a_video"),
    ("sound only", None, "no_video_track"),
    ("truncated MP4", None, "no_video_track"),
    ("zero frames", None, "video_empty"),
    ("an MP4 of noise", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(range(256)) * 40, "no_video_track"),
    ("an MKV of noise", b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 40, "no_video_track"),
]


@pytest.mark.parametrize(("name", "content", "code"), HOSTILE, ids=[one[0] for one in HOSTILE])
def test_what_is_no_video_is_refused_with_its_code_and_leaves_nothing(api, dataset, name, content, code):
    if content is None:
        content = {
            "sound only": sound,
            "truncated MP4": lambda: made_video(30)[:-600],
            "zero frames": lambda: made_video(0, kind="avi", codec="mjpeg"),
        }[name]()
    answer = send(api, dataset, content, "video.mp4")
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["code"] == code and answer.json()["errors"][0]["detail"]
    assert not Video.objects.exists() and not list(local_cache().incoming.iterdir())


def test_the_name_does_not_matter(api, dataset):
    assert send(api, dataset, made_video(5, kind="matroska"), "report.pdf").json()["container"] == "mkv"


@pytest.mark.slow
def test_pictures_larger_than_8k_are_refused_and_8k_is_read(tmp_path):
    path = tmp_path / "video"
    path.write_bytes(made_video(1, codec="mjpeg", kind="avi", size=(7680, 4320)))
    with frames(path, Selection(max_side=256)) as found:
        assert [frame.pixels.shape for frame in found] == [(144, 256, 3)]
    path.write_bytes(made_video(1, codec="mjpeg", kind="avi", size=(9_600, 7_200)))
    with pytest.raises(VideoProblem) as refused:
        probe(path)
    assert refused.value.code == "too_many_pixels"


@pytest.mark.slow
def test_a_film_of_an_hour_takes_no_more_memory(tmp_path):
    """The reading process may have what it likes of the file, the studio holds one frame."""
    import tracemalloc

    path = tmp_path / "video"
    path.write_bytes(
        made_video(18_000, fps=5, size=(32, 32), kind="avi", codec="mjpeg", pictures=lambda n: PLAIN[n % 2])
    )
    tracemalloc.start()
    count = 0
    with frames(path, Selection()) as found:
        for frame in found:
            count += 1
            last = frame.time
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 18_000 and last == pytest.approx(3599.8) and peak < 8 << 20


PLAIN = [np.full((32, 32, 3), shade, np.uint8) for shade in (40, 200)]


def test_the_same_video_twice_is_a_conflict(api, dataset):
    add(api, dataset, made_video(10))
    again = send(api, dataset, made_video(10))
    assert again.status_code == 409 and again.json()["errors"][0]["code"] == "video_exists"


BAD_REQUESTS = [
    ({}, "required"),
    ({"every_frames": 0}, "min_value"),
    ({"every_frames": 2, "every_seconds": 1}, "required"),
    ({"scenes": True, "every_seconds": 1}, "required"),
    ({"every_seconds": "often"}, "invalid"),
    ({"every_frames": 1, "start_seconds": 5, "end_seconds": 5}, "invalid"),
    ({"every_frames": 1, "model": "6a1f2f3e-0000-4000-8000-000000000000"}, "does_not_exist"),
]


@pytest.mark.parametrize(("request_data", "code"), BAD_REQUESTS, ids=[str(one[0]) for one in BAD_REQUESTS])
def test_impossible_requests_are_refused(api, dataset, request_data, code):
    video = send(api, dataset, made_video(5)).json()
    answer = api.post(f"/api/v1/videos/{video['id']}/frames/", request_data)
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == code


def test_who_may_see_and_change_a_video(api, dataset, viewer, outsider):
    video = add(api, dataset, made_video(10))
    url = f"/api/v1/videos/{video['id']}/"
    assert client_of(viewer).get(url).status_code == 200
    assert client_of(viewer).delete(url).status_code == 403
    assert client_of(viewer).post(f"{url}frames/", {"every_frames": 1}).status_code == 403
    assert send(client_of(viewer), dataset, made_video(5)).status_code == 403
    for method, path in (("get", ""), ("delete", ""), ("get", "file/"), ("get", "strip/"), ("post", "frames/")):
        assert getattr(client_of(outsider), method)(f"{url}{path}").status_code == 404
        assert getattr(client_of(None), method)(f"{url}{path}").status_code == 401
    assert send(client_of(outsider), dataset, made_video(5)).status_code == 404


def test_the_list_of_videos_takes_few_queries(api, dataset, django_assert_max_num_queries):
    for count in (5, 6, 7):
        add(api, dataset, made_video(count))
    with django_assert_max_num_queries(6):
        assert len(api.get("/api/v1/videos/").json()["results"]) == 3


def test_a_model_of_another_task_cannot_suggest(api, dataset, project):
    video = send(api, dataset, made_video(5)).json()
    model = Model.objects.create(
        project=project,
        name="boxes",
        version=1,
        task="detection",
        class_names=["a"],
        architecture="x",
        input_height=32,
        input_width=32,
        parameters=1,
    )
    answer = api.post(f"/api/v1/videos/{video['id']}/frames/", {"every_frames": 1, "model": str(model.pk)})
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == "model_does_not_fit"


CLIPS = {"bottle-detection.mp4": 1189, "asl-again.mkv": 77, "dice_rolling_with_sound.mp4": 158}


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_frames_of_real_clips_are_those_of_another_decoder(api, dataset, real_data, name):
    content = (real_data / "clips" / name).read_bytes()
    video = add(api, dataset, content, name)
    assert video["is_surveyed"] and video["frame_count"] == CLIPS[name]
    cut(api, video, every_seconds=0.7, end_seconds=8, format="png")
    reference = decoded(content)
    images = images_of(video)
    wanted = [
        next(index for index, (time, _) in enumerate(reference) if time >= 0.7 * step - 1e-6)
        for step in range(len(images))
    ]
    assert [image.frame_index for image in images] == wanted and len(images) >= 4
    for image in images:
        time, pixels = reference[image.frame_index]
        assert image.frame_time == pytest.approx(time, abs=1e-3)
        assert np.abs(pixels_of(image).astype(int) - pixels.astype(int)).mean() < 2
