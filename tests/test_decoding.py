"""Decoding within a memory that all threads of a process share, with the very pixels of a plain decoder."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageOps

from tests.studio import ROOT, wait_for
from vision.imaging import preprocessing
from vision.imaging.budget import DECODING, DecodeBudget, DecodingBusy
from vision.imaging.letterbox import load_letterboxed
from vision.imaging.orientation import upright_size
from vision.imaging.preprocessing import ImageError, decode_upright, decoded, decoding_bytes, draft, open_image

pytestmark = pytest.mark.any_database("decoding images")
MODES = ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "F")
KINDS = {"RGBA": "PNG", "LA": "PNG", "P": "PNG", "1": "PNG", "I;16": "PNG", "CMYK": "TIFF", "F": "TIFF"}


def image_of(mode: str, size: tuple[int, int] = (23, 41)) -> Image.Image:
    generator = np.random.default_rng(3)
    width, height = size
    if mode == "F":
        return Image.fromarray(generator.random((height, width), np.float32) * 7)
    if mode == "I;16":
        return Image.fromarray(generator.integers(0, 65536, (height, width), np.uint16))
    if mode == "P":
        return image_of("RGB", size).quantize(16)
    if mode in ("CMYK", "1"):
        return image_of("RGB", size).convert(mode)
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.fromarray(generator.integers(0, 256, (height, width, bands), np.uint8).squeeze(), mode)


def file_of(mode: str, orientation: int = 1, **options) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    target = io.BytesIO()
    image_of(mode).save(target, KINDS.get(mode, "PNG"), exif=exif.tobytes(), **options)
    return target.getvalue()


def plainly(content: bytes) -> np.ndarray:
    """The pixels by whole-image steps, as Pillow's own functions do them."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", rgba.size, (255, 255, 255))
        white.paste(rgba, mask=rgba.getchannel("A"))
        return np.asarray(white)
    if image.mode in ("I;16", "I;16B", "I", "F"):
        values = np.asarray(image, np.float32)
        low, high = np.percentile(values, (0.1, 99.9)) if image.mode == "F" else (0.0, 65535.0)
        return np.repeat(
            np.clip((values - np.float32(low)) * (255.0 / (high - low)), 0, 255).astype(np.uint8)[..., None], 3, axis=2
        )
    return np.asarray(image.convert("RGB"))


class TestPixels:
    @pytest.mark.parametrize("strip", [1 << 20, 50])
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("mode", MODES)
    def test_strips_change_no_pixel(self, mode, orientation, strip, monkeypatch):
        monkeypatch.setattr(preprocessing, "STRIP_PIXELS", strip)
        content = file_of(mode, orientation)
        np.testing.assert_array_equal(np.asarray(decode_upright(open_image(content))), plainly(content))

    @pytest.mark.parametrize("mode", ["RGB", "CMYK"])
    def test_the_size_is_the_same_before_and_after_decoding(self, mode):
        image = open_image(file_of(mode, 6))
        before = upright_size(image)
        assert before == decode_upright(image).size == upright_size(image) == (41, 23)

    def test_a_colour_named_transparent_is_white(self, monkeypatch):
        monkeypatch.setattr(preprocessing, "STRIP_PIXELS", 50)
        target = io.BytesIO()
        image_of("P").save(target, "PNG", transparency=3)
        content = target.getvalue()
        np.testing.assert_array_equal(np.asarray(decode_upright(open_image(content))), plainly(content))


class TestHeaders:
    """What is asked of a header decodes nothing: that would be outside of the budget."""

    @pytest.fixture
    def png(self) -> bytes:
        exif = Image.Exif()
        exif[0x0112] = 6
        target = io.BytesIO()
        image_of("RGB").save(target, "PNG", exif=exif.tobytes())
        return target.getvalue()

    def late(self, png: bytes) -> bytes:
        """The same with its eXIf chunk behind the pixels, where the standard allows it."""
        start = png.index(b"eXIf") - 4
        end = start + 12 + int.from_bytes(png[start : start + 4], "big")
        return png[:start] + png[end:-12] + png[start:end] + png[-12:]

    def test_an_orientation_behind_the_pixels_counts(self, png):
        for content in (png, self.late(png)):
            image = open_image(content)
            assert upright_size(image) == (41, 23)
            np.testing.assert_array_equal(np.asarray(decode_upright(image)), plainly(png))

    @pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "GIF", "BMP", "JPEG"])
    def test_opening_and_measuring_decode_nothing(self, kind, monkeypatch):
        target = io.BytesIO()
        image_of("RGB").save(target, kind)
        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("decoded"))
        image = open_image(target.getvalue())
        upright_size(image)
        draft(image, (10, 10))
        assert decoding_bytes(image) > 0

    def test_a_place_is_looked_for_without_decoding(self, png, monkeypatch):
        from vision.imaging.location import has_location

        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("decoded"))
        assert not has_location(png) and not has_location(self.late(png))

    def test_a_place_behind_the_pixels_is_found(self):
        exif = Image.Exif()
        exif.get_ifd(0x8825)[1] = "N"
        exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
        target = io.BytesIO()
        image_of("RGB").save(target, "PNG", exif=exif.tobytes())
        from vision.imaging.location import has_location, without_location

        content = self.late(target.getvalue())
        assert has_location(content) and not has_location(without_location(content))


class TestWaiting:
    """Threads that wait for room keep a web process from answering others: only a few may."""

    def test_a_small_image_does_not_wait_behind_large_ones(self):
        budget = DecodeBudget(100 << 20)
        with budget.hold(90 << 20):
            waiting = threading.Thread(target=lambda: budget.hold(90 << 20).__enter__(), daemon=True)
            waiting.start()
            wait_for(lambda: budget._line, 10)
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(self.takes, budget, 1 << 20).result(10)

    def takes(self, budget: DecodeBudget, size: int) -> bool:
        with budget.hold(size):
            return True

    def test_who_comes_when_enough_wait_is_told_to_come_again(self):
        budget = DecodeBudget(100 << 20, most_waiting=1)
        with ThreadPoolExecutor(2) as pool, budget.hold(90 << 20):
            first = pool.submit(self.takes, budget, 90 << 20)
            wait_for(lambda: budget._line, 10)
            with pytest.raises(DecodingBusy):
                pool.submit(self.takes, budget, 90 << 20).result(10)
            assert not first.done()
        assert first.result(0) and budget.used_bytes == 0

    @pytest.mark.django_db
    def test_the_answer_says_when(self, api, dataset, monkeypatch):
        def busy(size):
            raise DecodingBusy

        monkeypatch.setattr(DECODING, "hold", busy)
        files = {"files": [SimpleUploadedFile("a.png", file_of("RGB"), "image/png")]}
        answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", files, format="multipart")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "images_busy")
        assert int(answer["Retry-After"]) > 0

    def test_a_web_process_keeps_half_of_its_threads_for_others(self):
        code = "import mlstudio.asgi; from vision.imaging.budget import DECODING; print(DECODING.most_waiting)"
        answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert int(answer.stdout) == settings.WEB_THREADS // 2 - 1


class TestBudget:
    def test_threads_wait_for_room(self):
        budget, most = DecodeBudget(100 << 20), []

        def decode(_) -> None:
            with budget.hold(40 << 20):
                most.append(budget.used_bytes)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(decode, range(200)))
        assert max(most) <= 80 << 20 and budget.used_bytes == 0

    def test_what_is_larger_than_the_budget_is_alone(self):
        budget, seen = DecodeBudget(100 << 20), []

        def decode(_) -> None:
            with budget.hold(1000 << 20):
                seen.append(budget.used_bytes)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(decode, range(20)))
        assert set(seen) == {1000 << 20}

    def test_a_thread_does_not_wait_for_itself(self):
        budget = DecodeBudget(100 << 20)
        with budget.hold(80 << 20), budget.hold(80 << 20):
            assert budget.used_bytes == 160 << 20
        assert budget.used_bytes == 0

    def test_small_ones_do_not_overtake_a_large_one_for_ever(self):
        budget, order = DecodeBudget(100 << 20), []
        first, waiting = threading.Event(), threading.Event()

        def hold(size: int, name: str, told: threading.Event | None = None) -> None:
            if told is not None:
                told.set()
            with budget.hold(size):
                order.append(name)

        with budget.hold(60 << 20):
            large = threading.Thread(target=hold, args=(90 << 20, "large", first))
            large.start()
            first.wait(10)
            while not budget._line:
                pass
            small = threading.Thread(target=hold, args=(30 << 20, "small", waiting))
            small.start()
            waiting.wait(10)
            while len(budget._line) < 2:
                pass
        large.join(10)
        small.join(10)
        assert order == ["large", "small"]

    def test_an_error_gives_the_bytes_back(self):
        before = DECODING.used_bytes
        content = file_of("RGB")
        with pytest.raises(ImageError):
            with decoded(open_image(content[: len(content) // 2])):
                pass
        assert DECODING.used_bytes == before

    @pytest.mark.parametrize("load", [preprocessing.load_pixels, load_letterboxed])
    def test_every_way_to_a_model_holds_its_bytes(self, load, monkeypatch):
        held = []
        original = DECODING.hold
        monkeypatch.setattr(DECODING, "hold", lambda size: held.append(size) or original(size))
        load(file_of("RGBA"), (8, 8))
        assert held == [23 * 41 * 8]


class TestCost:
    def jpeg(self, **options) -> bytes:
        target = io.BytesIO()
        image_of("RGB", (1600, 1200)).save(target, "JPEG", **options)
        return target.getvalue()

    def test_a_jpeg_costs_what_it_is_decoded_to(self):
        image = open_image(self.jpeg())
        whole = decoding_bytes(image)
        draft(image, (100, 100))
        assert image.size == (200, 150) and decoding_bytes(image) * 64 == whole

    def test_a_progressive_jpeg_holds_all_its_coefficients(self):
        image = open_image(self.jpeg(progressive=True))
        draft(image, (100, 100))
        assert decoding_bytes(image) == 200 * 150 * 8 + 1600 * 1200 * 6

    def test_a_hundred_megapixels_are_refused_before_anything_is_decoded(self):
        from tests.test_images import png_header

        with pytest.raises(ImageError) as refused:
            open_image(png_header(10_000, 10_000))
        assert refused.value.code == "too_many_pixels" and "MLSTUDIO_MAX_IMAGE_PIXELS" in str(refused.value)
