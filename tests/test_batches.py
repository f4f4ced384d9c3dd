"""Predictions over datasets and videos: results as files, videos to look at, things followed through them."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from datasets.models import Annotation, Image, Video
from jobs import services as jobs
from jobs.models import Job
from tests.conftest import client_of, upload
from tests.made_videos import decoded, made_video
from tests.pictures import shape_jpeg
from tests.test_videos import add
from vision.analysis.timeline import GAP_SECONDS, LabelTimeline, Timeline
from vision.analysis.tracking import track
from vision.video.writing import AnnotatedVideoWriter, h264_encoder

pytestmark = pytest.mark.django_db
slow = pytest.mark.slow


def predict(api, **options) -> dict:
    answer = api.post("/api/v1/predictions/", options, format="json")
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    return api.get(answer["Location"]).json()


def file_of(api, job: dict, name: str) -> bytes:
    url = next(one["url"] for one in job["result"]["files"] if one["name"] == name)
    return b"".join(client_of(None).get(url).streaming_content)


@slow
def test_a_dataset_is_predicted_as_json_and_csv(api, dataset, classifier):
    job = predict(api, model=str(classifier.pk), dataset=dataset["id"], max=1)
    assert job["state"] == "succeeded" and job["result"]["images"] == 120
    found = json.loads(file_of(api, job, "predictions.json"))
    assert found["model"]["id"] == str(classifier.pk) and len(found["predictions"]) == 120
    rows = list(csv.DictReader(io.StringIO(file_of(api, job, "predictions.csv").decode())))
    by_id = {one["image"]: one["labels"][0] for one in found["predictions"]}
    assert {row["image"]: row["label"] for row in rows} == {pk: one["label"] for pk, one in by_id.items()}
    truth = {str(one.image_id): one.label.name for one in Annotation.objects.select_related("label")}
    right = sum(by_id[pk]["label"] == name for pk, name in truth.items())
    assert right > 100 and sum(job["result"]["labels"].values()) == 120


@slow
def test_a_filter_narrows_it_and_suggestions_wait_for_a_look(api, dataset, classifier):
    upload(api, dataset, [(f"new-{n}.jpg", shape_jpeg(90_000 + n, "disc")) for n in range(5)])
    job = predict(api, model=str(classifier.pk), dataset=dataset["id"], filter={"annotated": False}, suggest=True)
    assert (job["result"]["images"], job["result"]["suggestions"]) == (5, 5)
    waiting = api.get(f"/api/v1/images/?dataset={dataset['id']}&unconfirmed=true").json()["results"]
    assert len(waiting) == 5
    for one in waiting:
        (mark,) = one["annotations"]
        assert mark["origin"] == "model" and not mark["confirmed"] and 0 < mark["score"] <= 1 and not one["reviewed"]
    # A snapshot takes only what somebody confirmed.
    made = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
    assert made["counts"]["images"] == 120
    again = predict(api, model=str(classifier.pk), dataset=dataset["id"], filter={"unconfirmed": True}, suggest=True)
    assert again["result"]["suggestions"] == 5 and Annotation.objects.filter(confirmed=False).count() == 5


BAD = [
    ({}, "required"),
    ({"filter": {"split": "holdout"}}, "invalid_choice"),
    ({"filter": {"label": "nobody has this"}}, "nothing_to_predict"),
    ({"tracking": True}, "invalid"),
    ({"threshold": 2}, "max_value"),
]


@slow
@pytest.mark.parametrize(("options", "code"), BAD, ids=[str(one[0]) for one in BAD])
def test_impossible_batches_are_refused(api, dataset, classifier, options, code):
    body = {"model": str(classifier.pk), **({"dataset": dataset["id"]} if options else {}), **options}
    answer = api.post("/api/v1/predictions/", body, format="json")
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == code, answer.content


@slow
def test_who_may_predict(api, dataset, classifier, viewer, outsider):
    body = {"model": str(classifier.pk), "dataset": dataset["id"]}
    assert client_of(viewer).post("/api/v1/predictions/", body).status_code == 202
    assert client_of(viewer).post("/api/v1/predictions/", {**body, "suggest": True}).status_code == 403
    foreign = client_of(outsider).post("/api/v1/predictions/", body)
    assert foreign.status_code == 400 and foreign.json()["errors"][0]["code"] == "does_not_exist"
    job = predict(api, **body)
    url = f"/api/v1/jobs/{job['id']}/files/predictions.csv/"
    assert client_of(outsider).get(url).status_code == 404 and client_of(None).get(url).status_code == 401


@slow
def test_frames_of_a_film_come_with_suggestions(api, dataset, classifier):
    video = add(api, dataset, made_video(30, size=(64, 64), pictures=shape_frame))
    answer = api.post(f"/api/v1/videos/{video['id']}/frames/", {"every_frames": 5, "model": str(classifier.pk)})
    jobs.run_job(answer.json()["id"])
    assert api.get(answer["Location"]).json()["result"]["suggestions"] == 6
    cut = api.get(f"/api/v1/images/?video={video['id']}&page_size=10").json()["results"]
    said = {one["frame_index"]: one["annotations"][0]["label"] for one in cut}
    assert {index: said[index] for index in (0, 5, 20, 25)} == {0: "cross", 5: "cross", 20: "disc", 25: "disc"}


def shape_frame(number: int) -> np.ndarray:
    """A cross, later a disc, in the colours that the network knows."""
    from PIL import Image as Pillow

    content = shape_jpeg(7, "cross" if number < 15 else "disc", 64)
    return np.asarray(Pillow.open(io.BytesIO(content))) // 2 + number


@slow
def test_a_film_with_labels_has_every_frame_and_a_timeline(api, dataset, classifier):
    content = made_video(45, size=(64, 64), pictures=shape_frame)
    video = add(api, dataset, content)
    job = predict(api, model=str(classifier.pk), video=video["id"])
    assert job["state"] == "succeeded", job
    annotated = file_of(api, job, "annotated.mp4")
    frames = decoded(annotated)
    assert len(frames) == 45 and frames[-1][0] == pytest.approx(44 / 25, abs=0.01)
    assert job["result"]["codec"] == ("VP9" if h264_encoder() is None else "H.264")
    # Its label is drawn in the upper left corner.
    plain = decoded(content)
    difference = np.abs(frames[3][1].astype(int) - plain[3][1].astype(int)).mean(axis=2)
    assert difference[:12, :40].mean() > 4 * difference[40:, 40:].mean()
    timeline = json.loads(file_of(api, job, "timeline.json"))
    assert [one["label"] for one in timeline] == ["cross", "disc"]
    assert timeline[0]["start"] == 0 and timeline[0]["end"] == pytest.approx(0.6, abs=0.05)
    assert sum(one["frames"] for one in timeline) == 45
    assert len(json.loads(file_of(api, job, "predictions.json"))["predictions"]) == 45


@slow
def test_without_the_film_and_with_fewer_frames(api, dataset, classifier):
    video = add(api, dataset, made_video(40, size=(64, 64), pictures=shape_frame))
    job = predict(api, model=str(classifier.pk), video=video["id"], every_frames=10, annotate=False)
    assert {one["name"] for one in job["result"]["files"]} == {
        "predictions.csv",
        "predictions.json",
        "timeline.json",
    }
    rows = list(csv.DictReader(io.StringIO(file_of(api, job, "predictions.csv").decode())))
    assert sorted({int(row["frame"]) for row in rows}) == [0, 10, 20, 30] and job["result"]["frames"] == 40


@slow
def test_boxes_are_followed_through_a_film(api, detector):
    from tests.pictures import scene

    dataset = {"id": str(detector.snapshot.dataset_id)}

    def frame(number: int) -> np.ndarray:
        from PIL import Image as Pillow

        return np.asarray(Pillow.open(io.BytesIO(scene(3)[0])))

    video = add(api, dataset, made_video(20, size=(96, 96), pictures=frame))
    job = predict(api, model=str(detector.pk), video=video["id"], tracking=True)
    assert job["state"] == "succeeded", job
    tracks = json.loads(file_of(api, job, "tracks.json"))
    assert job["result"]["tracks"] == len(tracks) and sum(job["result"]["counts"].values()) == len(tracks)
    rows = list(csv.DictReader(io.StringIO(file_of(api, job, "predictions.csv").decode())))
    assert {row["track"] for row in rows if row["track"]} == {str(one["track"]) for one in tracks}
    # What only held a track together is not shown: the model itself would not say it.
    thresholds = job["result"]["thresholds"]
    assert all(
        float(row["score"]) >= float(row["threshold"]) == thresholds[row["label"]] for row in rows if row["label"]
    )
    assert len(decoded(file_of(api, job, "annotated.mp4"))) == 20


@slow
def test_cancelling_leaves_nothing_behind(api, dataset, classifier, settings):
    answer = api.post("/api/v1/predictions/", {"model": str(classifier.pk), "dataset": dataset["id"]})
    Job.objects.filter(pk=answer.json()["id"]).update(cancel_requested=True)
    jobs.run_job(answer.json()["id"])
    job = api.get(answer["Location"]).json()
    assert job["state"] == "cancelled" and job["result"] is None
    assert not list((settings.WORK_DIR / "jobs").glob(f"{job['id']}*"))


@slow
def test_a_label_is_no_formula_in_a_spreadsheet(api, dataset, classifier):
    classifier.class_names = ["=HYPERLINK(1)", "@disc"]
    classifier.save()
    job = predict(api, model=str(classifier.pk), dataset=dataset["id"], max=1)
    rows = csv.DictReader(io.StringIO(file_of(api, job, "predictions.csv").decode()))
    assert {row["label"] for row in rows} <= {"'=HYPERLINK(1)", "'@disc"}


# The parts


def test_a_label_that_blinks_is_one_stretch():
    timeline = Timeline(0.1)
    for number in range(30):
        here = number not in (10, 11) and not 18 <= number < 26
        timeline.add(number / 10, [("bottle", 0.9), ("bottle", 0.5)] if here else [])
    first, second = timeline.stretches()
    assert (first["start"], first["end"], first["frames"], first["most"]) == (0.0, 1.8, 16, 2)
    assert second["start"] == 2.6 and second["start"] - first["end"] > GAP_SECONDS
    assert first["mean_score"] == first["best_score"] == 0.9


def test_a_classifier_has_one_label_at_a_time():
    timeline = LabelTimeline(0.5)
    for number, label in enumerate("aabba"):
        timeline.add(number / 2, [(label, 0.8), ("c", 0.1)])
    assert [(one["label"], one["start"], one["end"]) for one in timeline.stretches()] == [
        ("a", 0.0, 1.0),
        ("b", 1.0, 2.0),
        ("a", 2.0, 2.5),
    ]


def test_two_things_that_pass_each_other_keep_their_numbers():
    def boxes(number: int) -> list[dict]:
        right, left = 10 + 5 * number, 200 - 5 * number
        return [
            {"label": "ball", "score": 0.9, "box": [right, 10, right + 30, 40]},
            {"label": "ball", "score": 0.9 if number != 6 else 0.3, "box": [left, 60, left + 30, 90]},
            {"label": "cup", "score": 0.8, "box": [right, 12, right + 30, 42]},
        ]

    numbers = list(track([boxes(n) for n in range(20)], {"ball": 0.5, "cup": 0.5}, fps=10))
    later = numbers[3:]
    assert all(one == later[0] for one in later) and len(set(later[0])) == 3 and 0 not in later[0]


def test_a_thing_that_is_gone_for_long_gets_a_new_number():
    def boxes(number: int) -> list[dict]:
        return [] if 10 <= number < 60 else [{"label": "a", "score": 0.9, "box": [10, 10, 40, 40]}]

    numbers = list(track([boxes(n) for n in range(70)], {"a": 0.5}, fps=10))
    assert numbers[5] != [0] and numbers[-1] != [0] and numbers[5] != numbers[-1]


def test_films_are_written_with_their_frames_and_their_rate(tmp_path):
    with AnnotatedVideoWriter(tmp_path / "video.mp4", 12.5, (65, 49)) as writer:
        for number in range(25):
            writer.write(np.full((49, 65, 3), 10 * number, np.uint8))
    frames = decoded((tmp_path / "video.mp4").read_bytes())
    assert len(frames) == 25 and frames[-1][0] == pytest.approx(24 / 12.5, abs=0.01)
    assert frames[0][1].shape == (48, 64, 3) and abs(int(frames[20][1].mean()) - 200) < 6


def test_without_an_encoder_for_h264_it_is_vp9(tmp_path, monkeypatch):
    monkeypatch.setattr("vision.video.writing.h264_encoder", lambda: None)
    with AnnotatedVideoWriter(tmp_path / "video.mp4", 25, (64, 48)) as writer:
        for number in range(10):
            writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    assert writer.codec == "VP9" and len(decoded((tmp_path / "video.mp4").read_bytes())) == 10


def test_a_video_of_someone_else_is_not_predicted(api, dataset, outsider):
    add(api, dataset, made_video(5))
    video = Video.objects.get()
    body = {"model": str(video.pk), "video": str(video.pk)}
    assert client_of(outsider).post("/api/v1/predictions/", body).status_code == 400
    assert not Image.objects.exists()
