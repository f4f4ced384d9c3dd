"""A zip that somebody can run who has never heard of the studio: model, labels, card, a small program."""

from __future__ import annotations

import zipfile
from pathlib import Path

from accounts.names import in_one_line
from inference.models import Model, Resize
from inference.runtime import boxes
from inference.runtime.kinds import KINDS
from projects.models import Task

PACKAGES = {"litert": "ai-edge-litert", "onnxruntime": "onnxruntime", "tensorflow": "tensorflow", "keras": "tensorflow"}
LOADING = {
    "litert": """runner = Interpreter(str(HERE / "{file}"), num_threads=4).get_signature_runner()
(NAME,) = runner.get_input_details()


def run(image):
    return runner(**{{NAME: image}})
""",
    "onnxruntime": """session = onnxruntime.InferenceSession(str(HERE / "{file}"), providers=["CPUExecutionProvider"])


def run(image):
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, {{session.get_inputs()[0].name: image}})))
""",
    "tensorflow": """with zipfile.ZipFile(HERE / "{file}") as archive:
    archive.extractall(HERE)
model = tf.saved_model.load(str(HERE / "saved_model"))


def run(image):
    outputs = model.serve(tf.constant(image))
    return {{k: v.numpy() for k, v in (outputs if isinstance(outputs, dict) else {{"output": outputs}}).items()}}
""",
    "keras": """model = keras.saving.load_model(HERE / "{file}", compile=False)


def run(image):
    return {{"{keras_output}": keras.ops.convert_to_numpy(model(image, training=False))}}
""",
}
IMPORTS = {
    "litert": "from ai_edge_litert.interpreter import Interpreter",
    "onnxruntime": "import onnxruntime",
    "tensorflow": "import tensorflow as tf",
    "keras": "import keras",
}
STRETCH = """    image.draft("RGB", (HEIGHT, WIDTH) if image.getexif().get(274, 1) > 4 else (WIDTH, HEIGHT))
    image = ImageOps.exif_transpose(image).convert("RGB")
    return np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), np.float32)[None], 1.0, image.size
"""
LETTERBOX = """    turned = image.getexif().get(274, 1) > 4
    size = image.size[::-1] if turned else image.size
    scale = min(WIDTH / size[0], HEIGHT / size[1])
    width, height = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    image.draft("RGB", (height, width) if turned else (width, height))
    image = ImageOps.exif_transpose(image).convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.full((1, HEIGHT, WIDTH, 3), 114, np.float32)
    pixels[0, :height, :width] = np.asarray(image)
    return pixels, scale, size
"""
CLASSIFY = """for path in sys.argv[1:]:
    scores = list(run(pixels_of(path)[0]).values())[0][0]
    found = [{"label": LABELS[index], "score": round(float(scores[index]), 4)} for index in np.argsort(-scores)[:5]]
    print(json.dumps({"file": path, "labels": found}, ensure_ascii=False))
"""
BOXES = """for path in sys.argv[1:]:
    pixels, scale, (width, height) = pixels_of(path)
    outputs = run(pixels)
    count = int(outputs["count"])
    found = []
    for box, score, label in zip(outputs["boxes"][:count], outputs["scores"][:count], outputs["labels"][:count]):
        if score >= THRESHOLDS[label]:
            box = np.clip(box / scale, 0, [width, height, width, height])
            found.append({"label": LABELS[label], "score": float(score), "box": box.round(2).tolist()})
    print(json.dumps({"file": path, "boxes": found}, ensure_ascii=False))
"""
RAW = """for path in sys.argv[1:]:
    pixels, scale, (width, height) = pixels_of(path)
    outputs = run(pixels)
    raw = outputs["raw"][0] if "raw" in outputs else np.concatenate([outputs["offsets"], outputs["logits"]], -1)[0]
    content = max(1, round(height * scale)), max(1, round(width * scale))
    best = detections_from(ANCHORS, raw, content, score_threshold=THRESHOLDS, iou_threshold=IOU)
    found = []
    for box, score, label in zip(best.boxes, best.scores, best.labels):
        box = np.clip(box / scale, 0, [width, height, width, height])
        found.append({"label": LABELS[label], "score": float(score), "box": box.round(2).tolist()})
    print(json.dumps({"file": path, "boxes": found}, ensure_ascii=False))
"""


def write_bundle(target: Path, *, model: Model, kind: str, file: Path, documents: dict[str, Path]) -> None:
    """Write the zip.

    Args:
        kind: of the model's file, a name of `KINDS`.
        file: where that file is.
        documents: other files by the names that they get (model card).
    """
    folder = f"{_slug(model.name)}-v{model.version}"
    runtime = KINDS[kind].runtime
    packages = [PACKAGES[runtime], "numpy", "Pillow", *(["keras-hub"] if _needs_hub(model, runtime) else [])]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, f"{folder}/{KINDS[kind].filename}")
        archive.writestr(f"{folder}/labels.txt", "".join(f"{in_one_line(name)}\n" for name in model.class_names))
        archive.writestr(f"{folder}/requirements.txt", "".join(f"{name}\n" for name in packages))
        archive.writestr(f"{folder}/predict.py", program(model, kind))
        if _has_raw_output(model, kind):
            archive.write(boxes.__file__, f"{folder}/boxes.py")
        for name, path in documents.items():
            archive.write(path, f"{folder}/{name}")


def program(model: Model, kind: str) -> str:
    """The text of `predict.py` for this very model and kind of file."""
    runtime, raw = KINDS[kind].runtime, _has_raw_output(model, kind)
    is_detector = model.task == Task.DETECTION
    settings = [f"HEIGHT, WIDTH = {model.input_height}, {model.input_width}"]
    if is_detector:
        settings.append(f"THRESHOLDS = {boxes.thresholds_of(model.detector, model.class_names)}")
    if raw:
        shapes = boxes.AnchorShapes.from_dict(model.detector["anchors"])
        settings += [f"IOU = {model.detector['iou_threshold']}", f"ANCHORS = anchors_for((HEIGHT, WIDTH), {shapes!r})"]
    imports = [IMPORTS[runtime], "import numpy as np", "from PIL import Image, ImageOps"]
    if _needs_hub(model, runtime):
        imports.insert(1, "import keras_hub  # noqa: F401 - its layers")
    if raw:
        imports.append("\nfrom boxes import AnchorShapes, anchors_for, detections_from")
    standard = ["import json", "import sys", *(["import zipfile"] if runtime == "tensorflow" else [])]
    loading = LOADING[runtime].format(file=KINDS[kind].filename, keras_output="raw" if is_detector else "output")
    resize = LETTERBOX if model.resize == Resize.LETTERBOX else STRETCH
    return "\n".join(
        [
            f'"""{_one_line(model)}: pip install -r requirements.txt && python predict.py photo.jpg"""',
            "",
            *standard,
            "from pathlib import Path",
            "",
            *imports,
            "",
            "HERE = Path(__file__).parent",
            'LABELS = (HERE / "labels.txt").read_text(encoding="utf-8").splitlines()',
            *settings,
            loading,
            "",
            "def pixels_of(path):",
            "    image = Image.open(path)",
            f"{resize}",
            "",
            RAW if raw else BOXES if is_detector else CLASSIFY,
        ]
    )


def _has_raw_output(model: Model, kind: str) -> bool:
    """Files without the arithmetic that makes boxes of what a detector's network says."""
    return model.task == Task.DETECTION and kind in ("litert-int8", "keras")


def _needs_hub(model: Model, runtime: str) -> bool:
    return model.task == Task.DETECTION and runtime == "keras"


def _one_line(model: Model) -> str:
    return f"{model.name} v{model.version}".replace("\\", "").replace('"', "'").replace("\n", " ")


def _slug(name: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in name)
    return "-".join(part for part in kept.split("-") if part)[:60] or "model"
