"""The makers of test data: what is made from the same arguments is the same file, whenever it is made."""

from __future__ import annotations

import io

import av
import pytest

from tests.made_videos import made_video, sound


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "h264"), ("matroska", "h264"), ("webm", "libvpx-vp9")])
def test_the_same_video_is_the_same_file(kind, codec):
    assert made_video(5, kind=kind, codec=codec, size=(64, 32)) is made_video(5, kind=kind, codec=codec, size=(64, 32))
    assert made_video(5, kind=kind, codec=codec) != made_video(6, kind=kind, codec=codec)


@pytest.mark.parametrize("content", [made_video(2), made_video(2, kind="mov"), sound()], ids=["mp4", "mov", "sound"])
def test_no_file_says_when_it_was_made(content):
    with av.open(io.BytesIO(content)) as container:
        assert "creation_time" not in container.metadata
