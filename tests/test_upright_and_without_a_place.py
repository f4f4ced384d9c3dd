"""Pixels are upright and a place is gone, whatever the file says and however it is built; beside Pillow and OpenCV."""

from __future__ import annotations

import base64
import io
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tests.pictures import HEIC, jpeg, pixels
from vision.imaging.hashing import perceptual_hash
from vision.imaging.letterbox import PADDING_GREY, Letterbox, load_letterboxed
from vision.imaging.location import has_location, without_location
from vision.imaging.looking import look_at
from vision.imaging.orientation import UPRIGHT, orientation_of, stored_orientation, upright_size
from vision.imaging.preprocessing import (
    MAX_ASPECT_RATIO,
    ImageError,
    decode_upright,
    load_pixels,
    open_image,
)
from vision.imaging.thumbhash import thumbhash

SIZE = (48, 32)
GPS_IFD, ORIENTATION, MAKER = 0x8825, 0x0112, 0x010F


def saved(kind: str, *, exif: Image.Exif | None = None, seed: int = 1, size=SIZE, **options) -> bytes:
    target = io.BytesIO()
    if exif is not None:
        options["exif"] = exif.tobytes()
    Image.fromarray(pixels(seed, size)).save(target, kind, **options)
    return target.getvalue()


def exif_with(**tags) -> Image.Exif:
    exif = Image.Exif()
    exif[MAKER] = "Maker"
    for name, value in tags.items():
        exif[{"orientation": ORIENTATION}[name]] = value
    return exif


def located(orientation: int = 6) -> Image.Exif:
    exif = exif_with(orientation=orientation)
    exif[GPS_IFD] = {1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)}
    return exif


# Which way up


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_upright_as_pillow_turns_it(kind, orientation):
    content = saved(kind, exif=exif_with(orientation=orientation))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    with open_image(content) as image:
        size, stored = upright_size(image), stored_orientation(image)
        upright = decode_upright(image)
    assert size == upright.size == expected.size and stored == orientation
    assert np.array_equal(np.asarray(upright), np.asarray(expected))
    facts = look_at(content)
    assert (facts.width, facts.height, facts.orientation) == (*size, orientation)


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_there_is_not_turns_nothing(orientation):
    content = saved("JPEG", exif=exif_with(orientation=orientation))
    with open_image(content) as image:
        assert orientation_of(image) not in UPRIGHT and upright_size(image) == SIZE
        assert decode_upright(image).size == SIZE


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("damage", [b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff", bytes(40), b"\xff" * 60])
def test_damaged_exif_is_no_reason_to_lose_an_image(damage):
    plain = saved("JPEG")
    segment = b"Exif\0\0" + damage
    content = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]
    with open_image(content) as image:
        assert upright_size(image) == SIZE
    assert np.array_equal(load_pixels(content, (32, 48)), load_pixels(plain, (32, 48)))


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((MAX_ASPECT_RATIO, 1), None),
        ((MAX_ASPECT_RATIO + 1, 1), "extreme_aspect_ratio"),
        ((1, MAX_ASPECT_RATIO + 1), "extreme_aspect_ratio"),
        ((1, 1), None),
    ],
)
def test_an_image_may_be_so_long_and_no_longer(size, code):
    content = saved("PNG", size=size)
    if code is None:
        assert load_pixels(content, (8, 8)).shape == (8, 8, 3)
        return
    with pytest.raises(ImageError) as error:
        open_image(content)
    assert error.value.code == code and f"{size[0]} x {size[1]}" in str(error.value)


@pytest.mark.parametrize("source", ["bytes", "path", "file"])
@pytest.mark.parametrize(("content", "code"), [(b"", "empty_file"), (b"%PDF-1.7", "not_an_image")])
def test_what_is_no_image_has_its_code_wherever_it_comes_from(tmp_path, source, content, code):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    given = {"bytes": content, "path": path, "file": io.BytesIO(content)}[source]
    with pytest.raises(ImageError) as error:
        open_image(given)
    assert error.value.code == code


# Without the place


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_file_without_a_place_stays_byte_for_byte(kind):
    for content in (saved(kind), saved(kind, exif=exif_with(orientation=6))):
        assert without_location(content) is content


def test_heic_without_a_place_stays_heic():
    assert not has_location(HEIC) and without_location(HEIC) is HEIC


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_place_is_gone_and_nothing_is_gone_twice(kind):
    content = saved(kind, exif=located())
    assert has_location(content)
    clean = without_location(content)
    assert not has_location(clean) and without_location(clean) is clean
    before, after = (np.asarray(Image.open(io.BytesIO(one))) for one in (content, clean))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_taking_the_place_away_turns_nothing(kind, orientation):
    content = saved(kind, exif=located(orientation))
    with open_image(without_location(content)) as image:
        assert orientation_of(image) == orientation and image.getexif()[MAKER] == "Maker"


@pytest.mark.parametrize("filling", [1, 2, 7])
def test_bytes_that_fill_the_way_to_a_marker_hide_no_place(filling):
    """ITU T.81, B.1.1.2: any number of bytes 0xFF may stand before a marker."""
    plain = saved("JPEG", exif=located())
    at = plain.index(b"\xff\xe1")
    content = plain[:at] + b"\xff" * filling + plain[at:]
    assert has_location(content)
    clean = without_location(content)
    assert not has_location(clean)
    assert np.array_equal(load_pixels(clean, SIZE), load_pixels(plain, SIZE))


@pytest.mark.parametrize("marker", [0xE1, 0xED])
def test_a_place_in_xmp_or_iptc_is_gone_too(marker):
    plain = saved("JPEG")
    said = b"http://ns.adobe.com/xap/1.0/\0<exif:GPSLatitude>52,30N</exif:GPSLatitude>"
    if marker == 0xED:
        said = b"Photoshop 3.0\0photoshop:City Berlin"
    content = plain[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(said) + 2) + said + plain[2:]
    assert has_location(content)
    clean = without_location(content)
    assert not has_location(clean) and b"52,30N" not in clean and b"Berlin" not in clean
    assert clean[clean.index(b"\xff\xda") :] == plain[plain.index(b"\xff\xda") :]


def test_the_place_of_every_image_in_a_file_is_gone_and_all_of_them_stay():
    """Phones write a second image behind the first, for depth or for brighter screens, with EXIF of its own."""
    target = io.BytesIO()
    first, second = (Image.fromarray(pixels(seed, SIZE)) for seed in (1, 2))
    first.save(target, "MPO", save_all=True, append_images=[second], exif=located().tobytes())
    before = Image.open(io.BytesIO(target.getvalue()))
    before.seek(1)
    assert before.getexif().get_ifd(GPS_IFD)
    before.load()
    after = Image.open(io.BytesIO(without_location(target.getvalue())))
    assert not after.getexif().get_ifd(GPS_IFD) and after.n_frames == 2
    after.seek(1)
    assert not after.getexif().get_ifd(GPS_IFD)
    assert np.array_equal(np.asarray(after), np.asarray(before))


def test_a_place_that_only_a_further_image_names_is_found_and_gone():
    target = io.BytesIO()
    first, second = (Image.fromarray(pixels(seed, SIZE)) for seed in (1, 2))
    first.save(target, "MPO", save_all=True, append_images=[second], exif=located().tobytes())
    content = target.getvalue()
    start = content.index(b"\xff\xe1")
    alone = content[:start] + content[start + 2 + int.from_bytes(content[start + 2 : start + 4], "big") :]
    assert not Image.open(io.BytesIO(alone)).getexif().get_ifd(GPS_IFD) and has_location(alone)
    assert not has_location(without_location(alone))


@pytest.mark.parametrize(("dataset", "is_place"), [(90, True), (92, True), (95, True), (101, True), (80, False)])
def test_a_city_in_iptc_is_a_place_and_its_author_is_none(dataset, is_place):
    plain = saved("JPEG")
    record = bytes([0x1C, 2, dataset]) + b"\0\6Berlin"
    said = b"Photoshop 3.0\0008BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + b"\0"
    content = plain[:2] + b"\xff\xed" + struct.pack(">H", len(said) + 2) + said + plain[2:]
    assert has_location(content) is is_place
    assert (b"Berlin" in without_location(content)) is not is_place


@pytest.mark.parametrize("length", [0, 2, 7, 65535])
def test_a_segment_behind_the_scan_that_lies_about_its_length_is_no_error(length):
    content = saved("JPEG", exif=located())
    clean = without_location(content + b"\xff\xe1" + struct.pack(">H", length) + b"Exif\0\0place")
    assert not has_location(clean) and np.array_equal(load_pixels(clean, SIZE), load_pixels(content, SIZE))


def test_xmp_of_webp_is_gone_and_its_flag_too():
    content = saved("WEBP", exif=located(), xmp=b"<x><exif:GPSLatitude>52,30N</exif:GPSLatitude></x>", lossless=True)
    clean = without_location(content)
    assert b"52,30N" not in clean and not has_location(clean)
    assert not clean[20] & 0x04 and clean[20] & 0x08  # no XMP, but EXIF (WebP container, VP8X)
    assert int.from_bytes(clean[4:8], "little") == len(clean) - 8
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(clean))), np.asarray(Image.open(io.BytesIO(content))))


# As models and pages see them


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 200), st.integers(1, 200))
def test_a_letterboxed_image_fills_one_side_and_keeps_its_shape(width, height, high, wide):
    box = Letterbox.fit(width, height, (high, wide))
    rows, columns = box.content_size
    assert 1 <= rows <= high and 1 <= columns <= wide and (rows == high or columns == wide)
    whole = np.array([[0, 0, width, height]], np.float32)
    inside = box.to_input(whole)
    assert inside[0, 2] == pytest.approx(columns, abs=0.51 + 1 / 2) and inside[0, 3] == pytest.approx(rows, abs=1.01)
    assert box.to_image(inside, width, height) == pytest.approx(whole, rel=1e-4)
    assert (box.to_image(inside + 1000, width, height) == [[width, height, width, height]]).all()


@pytest.mark.parametrize("size", [(96, 32), (32, 96), (64, 64), (200, 7)])
def test_a_letterboxed_image_is_scaled_as_opencv_scales_it_and_grey_beside(size):
    content = saved("PNG", size=size)
    found = load_letterboxed(content, (48, 48))
    rows, columns = Letterbox.fit(*size, (48, 48)).content_size
    assert (found[rows:] == PADDING_GREY).all() and (found[:, columns:] == PADDING_GREY).all()
    expected = cv2.resize(pixels(1, size), (columns, rows), interpolation=cv2.INTER_AREA)
    assert np.abs(found[:rows, :columns].astype(int) - expected).mean() < 6


@pytest.mark.parametrize("seed", range(3))
def test_a_hash_survives_other_sizes_and_qualities_and_tells_images_apart(seed):
    def bits(content: bytes) -> int:
        return int(look_at(content).phash, 16)

    original = bits(jpeg(seed, (320, 240)))
    for again in (jpeg(seed, (320, 240), quality=40), saved("PNG", seed=seed, size=(320, 240))):
        assert (original ^ bits(again)).bit_count() <= 20
    assert (original ^ bits(jpeg(seed + 100, (320, 240)))).bit_count() > 60


def test_half_of_the_bits_of_a_hash_are_set_and_a_flat_image_has_one_too():
    upright = Image.fromarray(pixels(3, (64, 64)))
    assert len(perceptual_hash(upright)) == 64 and int(perceptual_hash(upright), 16).bit_count() == 128
    assert len(perceptual_hash(Image.new("RGB", (1, 1), "red"))) == 64


def blurred_average(text: str) -> tuple[list[float], tuple[int, int]]:
    """Average colour, and sides in sevenths of the longer one, as the author of ThumbHash reads them."""
    content = base64.b64decode(text)
    head, more = int.from_bytes(content[:3], "little"), int.from_bytes(content[3:5], "little")
    lightness, p, q = (head & 63) / 63, (head >> 6 & 63) / 31.5 - 1, (head >> 12 & 63) / 31.5 - 1
    blue = lightness - 2 / 3 * p
    red = (3 * lightness - blue + q) / 2
    sides = (7, more & 7) if more >> 15 else (more & 7, 7)
    return [min(max(value, 0.0), 1.0) * 255 for value in (red, red - q, blue)], sides


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(1, 300), st.integers(1, 300))
def test_a_blurred_image_has_the_colour_and_the_shape_of_the_image(color, width, height):
    text = thumbhash(Image.new("RGB", (width, height), color))
    average, (columns, rows) = blurred_average(text)
    assert average == pytest.approx(color, abs=9) and len(base64.b64decode(text)) <= 25
    longer = max(width, height)
    assert columns == pytest.approx(max(1, 7 * width / longer), abs=0.6)
    assert rows == pytest.approx(max(1, 7 * height / longer), abs=0.6)
