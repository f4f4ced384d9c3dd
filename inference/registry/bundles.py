"""A zip that somebody can run who has never heard of the studio: model, labels, card, a small program."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

from accounts.names import in_one_line
from common.words import counted
from inference.models import Model, Resize
from inference.registry import bundle_sample as sample
from projects.models import Task
from vision.imaging import preprocessing
from vision.runtime import boxes
from vision.runtime.kinds import KINDS, RAW_KINDS

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

CLASSIFY = """def predict(path):
    with open_image(path) as image:
        scores = list(run(PREPARE(image, (HEIGHT, WIDTH))[None].astype(np.float32)).values())[0][0]
    best = [index for index in np.argsort(-scores)[:5] if scores[index] >= THRESHOLD]
    return {"labels": [{"label": LABELS[index], "score": round(float(scores[index]), 4)} for index in best]}
"""

TAG = """def predict(path):
    with open_image(path) as image:
        scores = list(run(PREPARE(image, (HEIGHT, WIDTH))[None].astype(np.float32)).values())[0][0]
    present = [index for index in np.argsort(-scores) if scores[index] >= THRESHOLDS[index]]
    return {"labels": [{"label": LABELS[index], "score": round(float(scores[index]), 4)} for index in present]}
"""

BOXES = """def predict(path):
    with open_image(path) as image:
        width, height = upright_size(image)
        outputs = run(PREPARE(image, (HEIGHT, WIDTH))[None].astype(np.float32))
    letterbox, count = Letterbox.fit(width, height, (HEIGHT, WIDTH)), int(outputs["count"])
    found = []
    for box, score, label in zip(outputs["boxes"][:count], outputs["scores"][:count], outputs["labels"][:count]):
        if score >= THRESHOLDS[label]:
            box = [round(float(edge), 2) for edge in letterbox.to_image(box, width, height)]
            found.append({"label": LABELS[label], "score": round(float(score), 4), "box": box})
    return {"boxes": found}
"""

RAW = """def predict(path):
    with open_image(path) as image:
        width, height = upright_size(image)
        outputs = run(PREPARE(image, (HEIGHT, WIDTH))[None].astype(np.float32))
    raw = outputs["raw"][0] if "raw" in outputs else np.concatenate([outputs["offsets"], outputs["logits"]], -1)[0]
    letterbox = Letterbox.fit(width, height, (HEIGHT, WIDTH))
    best = detections_from(
        ANCHORS, raw, letterbox.content_size, score_threshold=THRESHOLDS, iou_threshold=IOU, limit=100
    )
    found = []
    for box, score, label in zip(letterbox.to_image(best.boxes, width, height), best.scores, best.labels):
        box = [round(float(edge), 2) for edge in box]
        found.append({"label": LABELS[label], "score": round(float(score), 4), "box": box})
    return {"boxes": found}
"""

# Without files that have a detector's raw output.
PREDICT = {Task.CLASSIFICATION: CLASSIFY, Task.MULTILABEL: TAG, Task.DETECTION: BOXES}

MAIN = """
if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Name one or more images: python predict.py photo.jpg")
    for path in sys.argv[1:]:
        try:
            print(json.dumps({"file": path, **predict(path)}, ensure_ascii=False))
        except (ImageError, OSError) as error:
            print(json.dumps({"file": path, "error": getattr(error, "code", "not_read"), "detail": str(error)}))
"""

# The studio's own way from a file to pixels goes along: every image is the same to the program and to the server.
IMAGING = Path(preprocessing.__file__).parent

IMAGING_FILES = ("budget.py", "depth.py", "letterbox.py", "orientation.py", "preprocessing.py")


def write_bundle(
    target: Path,
    *,
    model: Model,
    kind: str,
    file: Path,
    documents: dict[str, Path],
    report: dict | None = None,
    sample_from: tuple[str, Path] | None = None,
) -> None:
    """Write the zip.

    Args:
        kind: of the model's file, a name of `KINDS`.
        file: where that file is.
        documents: other files by the names that they get (the card of the training).
        report: what was measured of this very file.
        sample_from: kind and path of the file whose output for the sample image is expected; default: this one.
    """
    folder = folder_name(model)
    runtime = KINDS[kind].runtime
    packages = [PACKAGES[runtime], "numpy", "Pillow", *(["keras-hub"] if _needs_hub(model, runtime) else [])]
    expected = sample.output_of(model, *(sample_from or (kind, file)))
    texts = {
        "README.md": readme(model, kind, report or {}, expected, sorted(documents)),
        "labels.txt": "".join(f"{in_one_line(name)}\n" for name in model.class_names),
        "labels.json": json.dumps(model.class_names, ensure_ascii=False, indent=1),
        "requirements.txt": "".join(f"{name}\n" for name in packages),
        "predict.py": program(model, kind),
        "imaging/__init__.py": "",
        **{f"imaging/{name}": (IMAGING / name).read_text(encoding="utf-8") for name in IMAGING_FILES},
    }
    if _has_raw_output(model, kind):
        texts["boxes.py"] = Path(boxes.__file__).read_text(encoding="utf-8")
    if report:
        texts["figures.json"] = json.dumps({"kind": kind, **report}, ensure_ascii=False, indent=1)
    contents: dict[str, bytes] = {name: text.encode() for name, text in texts.items()}
    if expected is not None:
        contents |= {sample.NAME: sample.image(), "expected.json": json.dumps(expected, ensure_ascii=False).encode()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (f"{folder}/", f"{folder}/imaging/"):
            archive.writestr(_entry(name, 0o040755), b"")
        for name, content in sorted(contents.items()):
            archive.writestr(_entry(f"{folder}/{name}", 0o100755 if name == "predict.py" else 0o100644), content)
        for name, path in sorted({KINDS[kind].filename: file, **documents}.items()):
            with archive.open(_entry(f"{folder}/{name}", 0o100644), "w", force_zip64=True) as entry:
                with open(path, "rb") as source:
                    shutil.copyfileobj(source, entry)


def folder_name(model: Model) -> str:
    """What the zip unpacks to, and is called."""
    return f"{_slug(model.name)}-v{model.version}-bundle"


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    """Readable by everybody: a service often runs it as another user than the one who installed it."""
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.external_attr, entry.compress_type = mode << 16, zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, where modes are kept
    if name.endswith("/"):
        entry.external_attr |= 0x10
    return entry


def program(model: Model, kind: str) -> str:
    """The text of `predict.py` for this very model and kind of file."""
    runtime, raw = KINDS[kind].runtime, _has_raw_output(model, kind)
    task = Task(model.task)
    is_detector = task.has_boxes
    settings = [f"HEIGHT, WIDTH = {model.input_height}, {model.input_width}"]
    if is_detector:
        settings.append(f"THRESHOLDS = {boxes.thresholds_of(model.detector, model.class_names)}")
    elif task is Task.MULTILABEL:
        settings.append(f"THRESHOLDS = {model.ordered_thresholds}")
    else:
        settings.append(f"THRESHOLD = {model.score_threshold or 0.0}")
    if raw:
        shapes = boxes.AnchorShapes.from_dict(model.detector["anchors"])
        settings += [f"IOU = {model.detector['iou_threshold']}", f"ANCHORS = anchors_for((HEIGHT, WIDTH), {shapes!r})"]
    imports = [IMPORTS[runtime], "import numpy as np"]
    if _needs_hub(model, runtime):
        imports.insert(1, "import keras_hub  # noqa: F401 - its layers")
    if raw:
        imports.append("\nfrom boxes import AnchorShapes, anchors_for, detections_from")
    prepare = "to_letterboxed" if model.resize == Resize.LETTERBOX else "to_pixels"
    source = "letterbox" if model.resize == Resize.LETTERBOX else "preprocessing"
    if is_detector:
        imports.append("from imaging.letterbox import Letterbox")
    imports.append(f"from imaging.{source} import {prepare} as PREPARE")
    imports += [
        "from imaging.orientation import upright_size",
        "from imaging.preprocessing import ImageError, open_image",
    ]
    standard = ["import json", "import sys", *(["import zipfile"] if runtime == "tensorflow" else [])]
    loading = LOADING[runtime].format(file=KINDS[kind].filename, keras_output="raw" if is_detector else "output")
    return "\n".join(
        [
            "#!/usr/bin/env python3",
            f'"""{_one_line(model)}: pip install -r requirements.txt && python predict.py photo.jpg"""',
            "",
            *standard,
            "from pathlib import Path",
            "",
            *imports,
            "",
            "HERE = Path(__file__).parent",
            'LABELS = json.loads((HERE / "labels.json").read_text(encoding="utf-8"))',
            *settings,
            loading,
            "",
            RAW if raw else PREDICT[task],
            MAIN,
        ]
    )


def readme(model: Model, kind: str, report: dict, expected: dict | None, documents: list[str]) -> str:
    """How to run it, what comes out for the sample, and how good this very file is."""
    parts = [
        f"# {_one_line(model)}\n\n{KINDS[kind].title}, {counted(len(model.class_names), 'label')}, made with ML "
        "Studio. Python 3.9 or newer:\n\n"
        "```\npython3 -m venv venv\nvenv/bin/pip install -r requirements.txt\n"
        f"venv/bin/python predict.py {sample.NAME if expected is not None else 'photo.jpg'}\n```"
    ]
    if expected is not None:
        parts.append(
            f"`{sample.NAME}` is a made pattern to try the installation with; what is said of it means nothing. This "
            "comes out (`expected.json`; the last digits may differ from machine to machine):\n\n"
            f"```\n{json.dumps(expected, ensure_ascii=False)}\n```"
        )
    if report:
        parts.append(f"## How good this file is\n\n{_figures(report)}")
    if not Task(model.task).has_single_labels or model.score_threshold:
        parts.append(
            "The thresholds are in `predict.py`, as the model had them when this was made. When they are changed in "
            "the studio, it calls this bundle `stale`: make it again there."
        )
    parts.append(
        "## What is in it\n\n"
        f"- `{KINDS[kind].filename}`: the model\n"
        "- `predict.py`: predicts the images that it is given, one JSON line each\n"
        "- `imaging/`: how an image becomes pixels, the same code as the studio's\n"
        "- `labels.json`: the labels in the order of the outputs; `labels.txt`: the same, one per line"
        + ("\n- `figures.json`: the figures above" if report else "")
        + "".join(
            f"\n- `{name}`: about the training; its figures are of the model before it was exported"
            for name in documents
        )
    )
    return "\n\n".join(parts) + "\n"


FIGURES = (
    ("accuracy", "accuracy"),
    ("keras_accuracy", "accuracy before the export"),
    ("micro_f1", "F1 of all labels"),
    ("keras_micro_f1", "F1 of all labels before the export"),
    ("ap50", "AP50"),
    ("keras_ap50", "AP50 before the export"),
    ("drop", "lost by the export"),
    ("agreement", "answers that agree with the model before the export"),
    ("largest_difference", "largest difference of an output"),
    ("images", "images it was measured on"),
    ("measured_on", "which are"),
    ("latency_ms", "time of an image on the machine that exported it, ms"),
    ("size", "bytes"),
)


def _figures(report: dict) -> str:
    rows = [f"| {title} | {_figure(report[name])} |" for name, title in FIGURES if report.get(name) is not None]
    return "\n".join(["| | |", "|---|---|", *rows])


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _has_raw_output(model: Model, kind: str) -> bool:
    """Files without the arithmetic that makes boxes of what a detector's network says."""
    return model.task == Task.DETECTION and kind in RAW_KINDS


def _needs_hub(model: Model, runtime: str) -> bool:
    return model.task == Task.DETECTION and runtime == "keras"


def _one_line(model: Model) -> str:
    return f"{model.name} v{model.version}".replace("\\", "").replace('"', "'").replace("\n", " ")


def _slug(name: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in name)
    return "-".join(part for part in kept.split("-") if part)[:60] or "model"
