"""Images of a large import are looked at by processes in the sandbox, with the same outcome as here."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import signal
from collections.abc import Iterator

import pytest
from PIL import Image as Picture

from datasets import image_readers
from datasets.examining import look_at
from datasets.image_readers import ImageReader, ImageReaders, ReaderDied, looking_at
from datasets.models import Image
from jobs import services as jobs
from storage import services as storage
from tests.pictures import jpeg, make_zip
from tests.test_images import located
from tests.test_imports import start
from vision.imaging import looking
from vision.imaging.budget import SMALL_BYTES, DecodeBudget
from vision.imaging.preprocessing import ImageError

pytestmark = pytest.mark.any_database("decoding images")
ODD = {
    "upright.jpg": jpeg(1, (64, 48)),
    "text.jpg": b"no image",
    "empty.jpg": b"",
    "cut.jpg": jpeg(2, (640, 480))[:4000],
    "no-end.jpg": jpeg(3)[:-2],
}


@pytest.fixture(scope="module")
def reader() -> Iterator[ImageReader]:
    one = ImageReader()
    yield one
    one.close()


def said(seen: list) -> list:
    return [(one.code, str(one)) if isinstance(one, ImageError) else one for one in seen]


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_it_says_what_looking_here_says(reader, content):
    assert said(reader.look_at([content])) == said(look_at([content]))
    assert reader.is_alive


def test_it_says_it_of_many_at_once(reader):
    """In their order, and of more bytes than a pipe takes."""
    contents = [*ODD.values(), *(jpeg(n, (1280, 960)) for n in range(12))]
    assert sum(map(len, contents)) > 1 << 20
    assert said(reader.look_at(contents)) == said(look_at(contents))


def test_memory_for_a_large_image_is_asked_for(reader, monkeypatch):
    held = []

    class Seen(DecodeBudget):
        def hold(self, size_bytes):
            held.append(size_bytes)
            return super().hold(size_bytes)

    monkeypatch.setattr(image_readers, "DECODING", Seen(1 << 30))
    reader.look_at([jpeg(1)])
    assert held == []
    large = io.BytesIO()
    Picture.new("RGB", (2000, 1500)).save(large, "PNG", compress_level=1)
    seen = reader.look_at([jpeg(1), large.getvalue(), jpeg(2)])
    assert [facts.width for facts in seen] == [48, 2000, 48]
    assert len(held) == 1 and held[0] > SMALL_BYTES


def test_a_decoder_that_was_killed_costs_no_image():
    readers = ImageReaders(1)
    try:
        readers.look_at([jpeg(1)])
        os.kill(readers._idle[0]._process.pid, signal.SIGKILL)
        contents = [jpeg(2), b"no image", jpeg(3)]
        assert said(readers.look_at(contents)) == said(look_at(contents))
    finally:
        readers.close()


def test_an_image_over_which_every_decoder_dies_costs_no_other(monkeypatch):
    class Dies(ImageReader):
        def look_at(self, contents):
            if b"deadly" in contents:
                os.kill(self._process.pid, signal.SIGKILL)
            return super().look_at(contents)

    monkeypatch.setattr(image_readers, "ImageReader", Dies)
    readers = ImageReaders(1)
    try:
        first, deadly, last = readers.look_at([jpeg(1), b"deadly", jpeg(2)])
        assert [first, last] == look_at([jpeg(1), jpeg(2)])
        assert isinstance(deadly, ImageError) and deadly.code == "corrupted_image"
        assert "ended without an answer" in str(deadly)
    finally:
        readers.close()


def test_a_decoder_that_is_stuck_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(image_readers, "SILENCE_SECONDS", 0.2)
    one = ImageReader()
    os.kill(one._process.pid, signal.SIGSTOP)
    with pytest.raises(ReaderDied, match="ended without an answer"):
        one.look_at([os.urandom(3 << 20)])  # more than a pipe takes
    assert not one.is_alive
    one.close()


@pytest.mark.parametrize(
    "answer", [b"[]\n", b"{}\n", b"[{}]\n", b'[{"facts": {"width": "x"}}]\n', b"\xff\n", b"1" * (2 << 20)]
)
def test_one_that_was_taken_over_says_nothing_that_is_believed(monkeypatch, answer):
    one = ImageReader()
    reading, writing = os.pipe()
    try:
        with open(reading, "rb") as told, open(writing, "wb") as tells:
            one._process.stdout.close()
            one._process.stdout = told
            monkeypatch.setattr(image_readers.os, "read", lambda fd, size, left=[answer]: left.pop() if left else b"")
            tells.write(b"x")
            tells.flush()
            with pytest.raises(ReaderDied):
                one.look_at([jpeg(1)])
    finally:
        one.close()


def test_a_full_disk_is_no_fault_of_the_image(monkeypatch):
    one = ImageReader()
    one._process.kill()
    one._process.wait()
    one._process.exceeded = "disk"
    with pytest.raises(OSError) as caught:
        one.look_at([jpeg(1)])
    assert caught.value.errno == errno.ENOSPC
    one.close()


def test_few_images_are_worth_no_process(monkeypatch):
    monkeypatch.setattr(image_readers, "ImageReader", None)
    with looking_at(image_readers.MANY - 1) as (look, threads):
        assert look([jpeg(1)]) == [looking.look_at(jpeg(1))] and threads >= 1


@pytest.mark.django_db
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_large_import_uses_them(api, dataset, monkeypatch, dry_run):
    """Here for few images, to be quick; none is looked at by a thread of the worker, and all processes have ended."""
    monkeypatch.setattr(image_readers, "MANY", 4)
    monkeypatch.setattr("datasets.examining.looking.look_at", None)
    seen = []

    class Seen(ImageReader):
        def __init__(self, folder):
            super().__init__(folder)
            seen.append(self._process)

    monkeypatch.setattr(image_readers, "ImageReader", Seen)
    files = {f"crack/{n}.jpg": jpeg(n) for n in range(6)} | {"crack/broken.jpg": b"\xff\xd8\xff\xe0 broken"}
    job = start(api, dataset, make_zip(files), dry_run=dry_run).json()["id"]
    jobs.run_job(job)
    done = api.get(f"/api/v1/jobs/{job}/").json()
    assert done["state"] == "succeeded", done
    assert Image.objects.count() == (0 if dry_run else 6)
    assert 1 <= len(seen) <= image_readers.settings.PREDICTION_THREADS
    assert all(process.poll() is not None for process in seen)


@pytest.mark.django_db
def test_of_images_looked_at_together_those_with_a_place_lose_it(api, dataset, monkeypatch):
    """What they show, how it is stored and what is odd about it stay with each of them."""
    monkeypatch.setattr(image_readers, "MANY", 4)
    files = {"a/1.jpg": jpeg(1, (64, 48)), "a/2.jpg": located("JPEG"), "a/3.jpg": b"none", "a/4.png": located("PNG")}
    job = start(api, dataset, make_zip(files | {"a/5.jpg": jpeg(5)[:-2]}), strip_location="true").json()["id"]
    jobs.run_job(job)
    rows = {image.filename.rpartition("/")[2]: image for image in Image.objects.select_related("blob")}
    assert {name: (row.width, row.height) for name, row in rows.items()} == {
        "1.jpg": (64, 48),
        "2.jpg": (32, 48),
        "4.png": (32, 48),
        "5.jpg": (48, 32),
    }
    for name, row in rows.items():
        with Picture.open(storage.path_of(row.blob)) as picture:
            assert not picture.getexif().get_ifd(0x8825), name
    assert rows["1.jpg"].blob.sha256 == hashlib.sha256(files["a/1.jpg"]).hexdigest()
    report = api.get(f"/api/v1/jobs/{job}/").json()["result"]
    assert (report["created"], report["rejected"]) == (4, 1), report
