"""Videos without the studio: which container a file is, frames at its ends, what is on them when, and writing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_videos import bars, decoded, made_video, number_on, sound
from vision.analysis.timeline import GAP_SECONDS, LabelTimeline, Timeline
from vision.analysis.tracking import track
from vision.video.facts import IMAGE_BRANDS, Selection, VideoProblem, container_of
from vision.video.reading import frame_at, frames, probe, survey
from vision.video.writing import AnnotatedVideoWriter

# Which container


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "named.mp4"  # its name says nothing
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\0\0\0\x18ftypisom", "mp4"),
        (b"\0\0\0\x14ftypqt  ", "mov"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov"),
        (b"\x1a\x45\xdf\xa3" + bytes(20) + b"webm", "webm"),
        (b"\x1a\x45\xdf\xa3" + bytes(20) + b"matroska", "mkv"),
        (b"\x1a\x45\xdf\xa3" + bytes(80) + b"webm", "mkv"),
        (b"RIFF\0\0\0\0AVI LIST", "avi"),
    ],
)
def test_a_container_is_known_by_its_first_bytes(tmp_path, head, container):
    assert container_of(written(tmp_path, head)) == container


@pytest.mark.parametrize(
    "head",
    [
        b"#EXTM3U\nhttp://example/1.ts",
        b"ffconcat version 1.0\nfile /etc/passwd",
        b"<?xml version='1.0'?><MPD>",
        b"RIFF\0\0\0\0WAVE",
        b"GIF89a",
        b"ftyp",
        b"\0",
        *(b"\0\0\0\x18ftyp" + brand for brand in IMAGE_BRANDS),
    ],
)
def test_playlists_images_and_sound_are_no_videos(tmp_path, head):
    with pytest.raises(VideoProblem) as problem:
        container_of(written(tmp_path, head))
    assert problem.value.code == "not_a_video"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (b"text", "not_a_video"), (b"\0\0\0\x18ftypisom" + bytes(99), "no_video_track")],
)
def test_what_cannot_be_read_has_its_code(tmp_path, content, code):
    with pytest.raises(VideoProblem) as problem:
        probe(written(tmp_path, content))
    assert problem.value.code == code


@pytest.mark.slow
def test_sound_alone_is_no_video(tmp_path):
    with pytest.raises(VideoProblem) as problem:
        survey(written(tmp_path, sound()), lambda *_: None)
    assert problem.value.code == "no_video_track"


# Single frames


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    """30 frames at 10 a second."""
    path = tmp_path_factory.mktemp("video") / "bars.mp4"
    path.write_bytes(made_video(30, fps=10))
    return path


def frame(path: Path, **which) -> tuple[float, np.ndarray]:
    return frame_at(path, fps=10, is_constant=True, **{"max_side": 0, **which})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "number"),
    [({"index": 0}, 0), ({"index": 29}, 29), ({"time": 0.0}, 0), ({"time": 1.0999}, 11), ({"time": 99.0}, 29)],
)
def test_the_frame_that_is_shown_is_found_also_at_the_ends(video, which, number):
    time, pixels = frame(video, **which)
    assert number_on(pixels) == number and time == pytest.approx(number / 10, abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("which", [{"index": 30}, {"time": -1.0}])
def test_a_frame_that_there_is_not_is_said(video, which):
    with pytest.raises(VideoProblem) as problem:
        frame(video, **which)
    assert problem.value.code == "no_such_frame"


@pytest.mark.slow
def test_frames_go_on_behind_a_break_are_as_small_as_asked_for_and_may_be_left(video):
    seen = []
    with frames(video, Selection(every_frames=7, after_index=7, max_side=80), lambda *step: seen.append(step)) as rows:
        first, second = next(rows), next(rows)
    assert (first.index, second.index) == (14, 21) and first.pixels.shape == (48, 80, 3)
    assert number_on(np.repeat(np.repeat(first.pixels, 2, 0), 2, 1)) == 14 and seen[0] == (0, 30)


# What is on them when


@pytest.mark.parametrize(("gap", "count"), [(GAP_SECONDS - 0.25, 1), (GAP_SECONDS, 1), (GAP_SECONDS + 0.25, 2)])
def test_a_label_may_be_away_for_so_long(gap, count):
    timeline = Timeline(0.25)
    timeline.add(0.0, [("a", 0.9)])
    timeline.add(0.25 + gap, [("a", 0.7)])
    rows = timeline.stretches()
    assert len(rows) == count and rows[0]["start"] == 0 and rows[-1]["end"] == 0.5 + gap


sightings = st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=4), max_size=30)


@given(sightings, st.sampled_from([0.1, 0.25, 1.0]))
def test_stretches_hold_each_frame_of_a_label_once_in_order_and_do_not_overlap(seen, interval):
    timeline = Timeline(interval)
    for number, found in enumerate(seen):
        timeline.add(number * interval, found)
    rows = timeline.stretches()
    assert rows == sorted(rows, key=lambda row: (row["start"], row["label"]))
    for label in "abc":
        own = [row for row in rows if row["label"] == label]
        with_it = [found for found in seen if label in dict(found)]
        assert sum(row["frames"] for row in own) == len(with_it)
        assert all(one["end"] < other["start"] for one, other in pairwise(own))
        best = max((score for found in with_it for name, score in found if name == label), default=0)
        assert max((row["best_score"] for row in own), default=0) == pytest.approx(best, abs=1e-4)
        most = max((sum(name == label for name, _ in found) for found in with_it), default=0)
        assert max((row["most"] for row in own), default=0) == most


@given(sightings)
def test_a_classifier_s_stretches_follow_each_other(seen):
    timeline = LabelTimeline(0.5)
    for number, found in enumerate(seen):
        timeline.add(number / 2, found)
    rows = timeline.stretches()
    assert all(one["end"] <= other["start"] for one, other in pairwise(rows))
    assert sum(row["frames"] for row in rows) == sum(bool(found) for found in seen)


def box(label: str, x: float, score: float = 0.9) -> dict:
    return {"label": label, "score": score, "box": [x, 10, x + 30, 40]}


def test_numbers_of_tracks_begin_with_one_in_every_video_and_no_box_has_the_number_of_another():
    rows = [[box("a", 10 + n), box("a", 200 - n), box("b", 100)] for n in range(6)]
    for _ in range(2):
        numbers = list(track(rows, {"a": 0.5, "b": 0.5}, fps=10))
        assert set(numbers[-1]) == {1, 2, 3} and [len(one) for one in numbers] == [3] * 6


def test_boxes_that_never_reach_the_threshold_and_labels_without_one_are_not_followed():
    rows = [[box("a", 10, 0.3), box("c", 100)] for _ in range(5)]
    assert list(track(rows, {"a": 0.5}, fps=10)) == [[0, 0]] * 5
    assert list(track([[], []], {"a": 0.5}, fps=10)) == [[], []] and list(track([], {"a": 0.5}, fps=10)) == []


# Writing


def test_a_video_into_a_folder_that_is_gone_is_an_error_and_not_a_success(tmp_path):
    with pytest.raises(OSError):
        with AnnotatedVideoWriter(tmp_path / "gone" / "a.mp4", 10, (64, 48)) as writer:
            for number in range(40):
                writer.write(bars(number, (64, 48)))


def test_an_error_while_frames_are_made_comes_through_as_it_is(tmp_path):
    with pytest.raises(ZeroDivisionError):
        with AnnotatedVideoWriter(tmp_path / "a.mp4", 10, (64, 48)) as writer:
            writer.write(bars(1, (64, 48)))
            raise ZeroDivisionError


def test_frames_come_back_in_their_order(tmp_path):
    with AnnotatedVideoWriter(tmp_path / "a.mp4", 10, (160, 96)) as writer:
        for number in range(12):
            writer.write(bars(number * 37))
    rows = decoded((tmp_path / "a.mp4").read_bytes())
    assert [number_on(pixels) for _, pixels in rows] == [number * 37 for number in range(12)]
