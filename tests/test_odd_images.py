"""Images that cameras, scanners and microscopes write: seen as they are, or a word about what was done to them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, features

from tests.pictures import jpeg
from vision.imaging.preprocessing import ImageError, decode_upright, oddities, open_image

pytestmark = pytest.mark.any_database("decoding images")
GRADIENT = np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(48, 64)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def seen(content: bytes) -> tuple[np.ndarray, set[str]]:
    image = open_image(content)
    return np.asarray(decode_upright(image)).astype(int), {code for code, _ in oddities(image)}


class TestDepth:
    @pytest.mark.parametrize("top", [1023, 4095, 9000])
    def test_few_bits_of_sixteen(self, top):
        pixels, codes = seen(saved(Image.fromarray((GRADIENT * top).astype(np.uint16)), "PNG"))
        assert pixels.min() <= 2 and pixels.max() >= 253 and codes == {"range_scaled"}

    def test_all_bits_are_left_as_they_are(self):
        pixels, codes = seen(saved(Image.fromarray((GRADIENT * 65535).astype(np.uint16)), "PNG"))
        assert (pixels.min(), pixels.max(), codes) == (0, 255, set())

    def test_one_hot_pixel_does_not_darken_the_others(self):
        values = (GRADIENT * 900).astype(np.uint16)
        values[0, 0] = 16000
        pixels, _ = seen(saved(Image.fromarray(values), "PNG"))
        assert np.median(pixels) > 100

    @pytest.mark.parametrize(("low", "high"), [(0, 4_000_000), (-5000, 5000)])
    def test_32_bits(self, low, high):
        values = (GRADIENT * (high - low) + low).astype(np.int32)
        pixels, codes = seen(saved(Image.fromarray(values), "TIFF"))
        assert pixels.min() <= 2 and pixels.max() >= 253 and codes == {"range_scaled"}

    @pytest.mark.parametrize(("scale", "codes"), [(1.0, set()), (255.0, set()), (3000.0, {"range_scaled"})])
    def test_floats(self, scale, codes):
        pixels, said = seen(saved(Image.fromarray(GRADIENT * np.float32(scale)), "TIFF"))
        assert pixels.min() <= 2 and pixels.max() >= 253 and said == codes

    def test_values_that_mean_no_data_are_no_part_of_the_range(self):
        values = (GRADIENT * 900 + 100).astype(np.uint16)
        values[:10] = 65535
        pixels, _ = seen(saved(Image.fromarray(values), "PNG", transparency=65535))
        assert pixels[10:].max() - pixels[10:].min() > 150

    def test_a_flat_image_is_no_error(self):
        for value in (0, 7, 65535):
            seen(saved(Image.fromarray(np.full((48, 64), value, np.uint16)), "PNG"))


class TestJpegs:
    def test_one_without_its_end_is_whole(self):
        content = jpeg(3, (64, 48))
        assert content.endswith(b"\xff\xd9")
        pixels, codes = seen(content[:-2])
        assert np.abs(pixels - seen(content)[0]).max() == 0 and codes == {"end_missing"}

    @pytest.mark.parametrize("left_out", [0.7, 0.4, 0.1, 200, 50, 12, 6])
    def test_one_that_was_cut_is_refused(self, left_out):
        content = jpeg(3, (640, 480))
        count = left_out if isinstance(left_out, int) else int(len(content) * left_out)
        with pytest.raises(ImageError) as refused:
            seen(content[:-count])
        assert refused.value.code == "corrupted_image"


def test_large_texts_in_a_png_are_skipped():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("workflow", "x" * (3 << 20), zip=True)
    texts.add_itxt("history", "y" * (3 << 20), zip=True)
    image = Image.fromarray((GRADIENT * 255).astype(np.uint8))
    pixels, codes = seen(saved(image, "PNG", pnginfo=texts))
    assert pixels.max() == 255 and codes == set()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif(api, dataset):
    from django.core.files.uploadedfile import SimpleUploadedFile

    content = saved(Image.fromarray((GRADIENT * 255).astype(np.uint8)).convert("RGB"), "AVIF")
    files = {"files": SimpleUploadedFile("a.avif", content, "image/avif")}
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", files, format="multipart").json()
    assert len(answer["created"]) == 1 and answer["remarks"] == []


@pytest.mark.django_db
def test_an_upload_says_what_was_done(api, dataset):
    from django.core.files.uploadedfile import SimpleUploadedFile

    content = saved(Image.fromarray((GRADIENT * 4095).astype(np.uint16)), "PNG")
    files = {"files": SimpleUploadedFile("deep.png", content, "image/png")}
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", files, format="multipart").json()
    assert [(row["filename"], row["code"]) for row in answer["remarks"]] == [("deep.png", "range_scaled")]
