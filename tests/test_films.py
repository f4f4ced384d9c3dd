"""The makers of test data: what is made from the same arguments is the same file, whenever it is made."""

from __future__ import annotations

import io

import av
import pytest

from tests.films import film, sound


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "h264"), ("matroska", "h264"), ("webm", "libvpx-vp9")])
def test_the_same_video_is_the_same_file(kind, codec):
    assert film(5, kind=kind, codec=codec, size=(64, 32)) is film(5, kind=kind, codec=codec, size=(64, 32))
    assert film(5, kind=kind, codec=codec) != film(6, kind=kind, codec=codec)


@pytest.mark.parametrize("content", [film(2), film(2, kind="mov"), sound()], ids=["mp4", "mov", "sound"])
def test_no_file_says_when_it_was_made(content):
    with av.open(io.BytesIO(content)) as container:
        assert "creation_time" not in container.metadata
