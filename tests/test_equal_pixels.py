"""Server, bundle and device see the same pixels in every image, and the bundle says what it is."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.models import Model
from inference.registry.bundles import write_bundle
from inference.registry.registration import register_model
from inference.serving.prediction import PredictionOptions, make_predictor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
NAMES = ["one\ntwo, ", ' "three" ']


def pattern(height: int = 60, width: int = 90) -> np.ndarray:
    """`(height, width, 3)` uint8 without any symmetry, so that a wrong turn or scale is seen."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x * 3 + y * 7) % 256], axis=-1).astype(np.uint8)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def with_alpha() -> Image.Image:
    alpha = np.tile(np.linspace(0, 255, 90).astype(np.uint8), (60, 1))
    return Image.fromarray(np.dstack([pattern(), alpha]))


def grey16() -> np.ndarray:
    return pattern()[..., 2].astype(np.uint16) * 257


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def twelve_bits() -> bytes:
    """An uncompressed TIFF of 12 bits a pixel, two pixels in three bytes (TIFF 6.0, section 3)."""
    values = grey16().astype(int) >> 4
    first, second = values[:, 0::2], values[:, 1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1).astype(np.uint8).tobytes()
    height, width = values.shape
    tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 12),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, len(packed)),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    offset = 8 + len(packed)
    return b"II*\0" + struct.pack("<I", offset) + packed + struct.pack("<H", len(tags)) + entries + bytes(4)


def floats(scale: float, odd: bool = False) -> bytes:
    values = pattern()[..., 2].astype(np.float32) / 255 * scale
    if odd:
        values[0, :3] = (np.nan, np.inf, -np.inf)
    return saved(Image.fromarray(values), "TIFF")


def grey16_with_transparency() -> bytes:
    """A PNG of 16 bits with one transparent grey (W3C PNG, tRNS)."""
    import zlib

    content = saved(Image.fromarray(grey16()), "PNG")
    chunk = b"tRNS" + struct.pack(">H", 257)
    whole = struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk))
    place = content.index(b"IDAT") - 4
    return content[:place] + whole + content[place:]


RGB = Image.fromarray(pattern())
KINDS = {
    "rgb.png": lambda: saved(RGB, "PNG"),
    "large.jpg": lambda: saved(RGB.resize((900, 600)), "JPEG", quality=90),
    "alpha.png": lambda: saved(with_alpha(), "PNG"),
    "alpha.webp": lambda: saved(with_alpha(), "WEBP", lossless=True),
    "alpha.tif": lambda: saved(with_alpha(), "TIFF"),
    "grey-alpha.png": lambda: saved(with_alpha().convert("LA"), "PNG"),
    "palette.png": lambda: saved(RGB.quantize(32), "PNG"),
    "palette-transparent.png": lambda: saved(RGB.quantize(32), "PNG", transparency=3),
    "palette.gif": lambda: saved(RGB.quantize(32), "GIF", transparency=3),
    "one-bit.png": lambda: saved(RGB.convert("1"), "PNG"),
    "grey16.png": lambda: saved(Image.fromarray(grey16()), "PNG"),
    "grey16-transparent.png": grey16_with_transparency,
    "grey16.tif": lambda: saved(Image.fromarray(grey16()), "TIFF"),
    "grey12.tif": twelve_bits,
    "int32.tif": lambda: saved(Image.fromarray(grey16().astype(np.int32)), "TIFF"),
    "float.tif": lambda: floats(1.0),
    "float-large.tif": lambda: floats(4000.0),
    "float-odd.tif": lambda: floats(1.0, odd=True),
    "cmyk.jpg": lambda: saved(RGB.convert("CMYK"), "JPEG", quality=95),
    "cmyk.tif": lambda: saved(RGB.convert("CMYK"), "TIFF"),
    "lab.tif": lambda: saved(RGB.convert("LAB"), "TIFF"),
    "ycbcr.tif": lambda: saved(RGB.convert("YCbCr"), "TIFF"),
    **{f"exif-{n}.jpg": (lambda n=n: saved(RGB, "JPEG", exif=exif(n), quality=95)) for n in range(2, 9)},
    **{f"tiff-{n}.tif": (lambda n=n: saved(RGB, "TIFF", tiffinfo={274: n})) for n in range(2, 9)},
    "exif-6.png": lambda: saved(RGB, "PNG", exif=exif(6)),
    "exif-8.webp": lambda: saved(RGB, "WEBP", exif=exif(8), lossless=True),
}


@pytest.fixture
def images(tmp_path) -> list[Path]:
    (tmp_path / "images").mkdir()
    paths = []
    for name, make in KINDS.items():
        paths.append(tmp_path / "images" / name)
        paths[-1].write_bytes(make())
    return paths


def register(project, files, resize: str, detector: dict | None = None, size: int = 32) -> Model:
    return register_model(
        project=project,
        name="Gate: left",
        class_names=NAMES,
        architecture="small_cnn",
        input_size=(size, size),
        parameters=1,
        files=files,
        user=None,
        resize=resize,
        detector=detector,
    )


@pytest.fixture(params=["stretch", "letterbox"])
def classifier_model(request, project, classifier_files) -> Model:
    return register(project, classifier_files, request.param)


@pytest.fixture
def detector_model(owner, detector_files) -> Model:
    from projects.services import create_project
    from vision.runtime.boxes import AnchorShapes

    project = create_project(user=owner, name="Boxes", task="detection")
    detector = {
        "anchors": AnchorShapes().to_dict(),
        "iou_threshold": 0.5,
        "score_threshold": 0.3,
        "label_thresholds": {NAMES[0]: 0.4},
    }
    return register(project, detector_files, "letterbox", detector, 96)


def unpacked(model: Model, files: dict, folder: Path, report: dict | None = None) -> Path:
    target = folder / "bundle.zip"
    # Boxes that the file itself chooses stand in another order where scores are nearly the same: here the program
    # chooses them, as for int8.
    kind = "litert-int8" if model.task == "detection" else "litert-float32"
    write_bundle(target, model=model, kind=kind, file=files["litert-float32"], documents={}, report=report)
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(target), str(folder / "bundle")], check=True)
    (inside,) = (folder / "bundle").iterdir()
    return inside


def said_by_bundle(folder: Path, paths: list[Path]) -> list[dict]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = [sys.executable, "predict.py", *map(str, paths)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def said_by_agent(model: Model, files: dict, folder: Path, paths: list[Path]) -> list[dict]:
    from edge.rollouts import _info
    from tests.test_agent_process import command, environment

    content = files["litert-float32"].read_bytes()
    file = model.files.get(kind="litert-float32")
    (folder / "models").mkdir(parents=True)
    (folder / "models" / file.blob.sha256).write_bytes(content)
    entry = {
        "deployment": "d",
        "model": _info(model, file),
        "file": {"kind": "litert-float32", "sha256": file.blob.sha256, "size": len(content)},
    }
    (folder / "state.json").write_text(json.dumps({"current": entry}))
    arguments = command(folder, "run", *map(str, paths))
    done = subprocess.run(arguments, env=environment(folder), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(model: Model, files: dict, images: list[Path], folder: Path, part: str) -> None:
    predict = make_predictor(model, PredictionOptions(limit=100 if part == "boxes" else None))
    bundle = said_by_bundle(unpacked(model, files, folder), images)
    device = said_by_agent(model, files, folder / "device", images)
    assert len(bundle) == len(device) == len(images)
    for path, by_bundle, by_device in zip(images, bundle, device, strict=True):
        expected = getattr(predict(path, path.name), part)
        for found in (by_bundle[part], by_device[part]):
            assert [one["label"] for one in found] == [one["label"] for one in expected], path.name
            for one, other in zip(found, expected, strict=True):
                assert one["score"] == pytest.approx(other["score"], abs=1e-4), path.name
                assert one.get("box") == pytest.approx(other.get("box"), abs=0.02), path.name


def test_a_classifier_says_the_same_everywhere(classifier_model, classifier_files, images, tmp_path):
    compare(classifier_model, classifier_files, images, tmp_path, "labels")


def test_a_detector_says_the_same_everywhere(detector_model, detector_files, images, tmp_path):
    compare(detector_model, detector_files, images, tmp_path, "boxes")


def test_deep_images_have_the_brightness_of_their_eight_bits(images):
    from vision.imaging.preprocessing import load_pixels

    expected = pattern()[..., 2].astype(int)
    for path in images:
        if path.name.startswith(("grey1", "int32", "float.")):
            found = load_pixels(path, (60, 90))[..., 0].astype(int)
            assert np.abs(found - expected).max() <= 1, path.name


def test_turned_images_are_upright(images):
    from vision.imaging.orientation import UPRIGHT
    from vision.imaging.preprocessing import load_pixels

    for path in images:
        if path.name.startswith("tiff-"):
            upright = np.asarray(RGB.transpose(UPRIGHT[int(path.stem[-1])]))
            assert np.array_equal(load_pixels(path, upright.shape[:2]), upright), path.name


class TestBundle:
    def test_it_says_how_to_run_it_and_what_comes_out(self, project, classifier_files, tmp_path):
        report = {"accuracy": 0.925, "keras_accuracy": 0.95, "drop": 0.025, "size": 12345, "latency_ms": 1.5}
        model = register(project, classifier_files, "stretch")
        folder = unpacked(model, classifier_files, tmp_path, report)
        assert folder.name == "Gate-left-v1-bundle"
        text = (folder / "README.md").read_text()
        assert "predict.py sample.png" in text and "| accuracy | 0.925 |" in text and "12,345" in text
        (found,) = said_by_bundle(folder, [Path("sample.png")])
        assert found == json.loads((folder / "expected.json").read_text())
        assert json.dumps(found, ensure_ascii=False) in text
        assert json.loads((folder / "figures.json").read_text()) == {"kind": "litert-float32", **report}

    def test_label_lists_survive_every_name(self, project, classifier_files, tmp_path):
        folder = unpacked(register(project, classifier_files, "stretch"), classifier_files, tmp_path)
        assert json.loads((folder / "labels.json").read_text()) == NAMES
        assert len((folder / "labels.txt").read_text().splitlines()) == 2
        (found,) = said_by_bundle(folder, [Path("sample.png")])
        assert {one["label"] for one in found["labels"]} == set(NAMES)

    def test_everybody_may_read_it(self, project, classifier_files, tmp_path):
        unpacked(register(project, classifier_files, "stretch"), classifier_files, tmp_path)
        with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
            modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        for name, mode in modes.items():
            is_run = name.endswith(("/", "predict.py"))
            assert stat.S_IMODE(mode) == (0o755 if is_run else 0o644), name

    def test_what_cannot_be_read_is_said_in_its_line(self, project, classifier_files, tmp_path):
        folder = unpacked(register(project, classifier_files, "stretch"), classifier_files, tmp_path)
        (tmp_path / "x.jpg").write_bytes(b"no image")
        found = said_by_bundle(folder, [tmp_path / "x.jpg", tmp_path / "missing.jpg", Path("sample.png")])
        assert [one.get("error") for one in found] == ["not_an_image", "not_read", None]
        done = subprocess.run([sys.executable, "predict.py"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 1 and "Name one or more images" in done.stderr
