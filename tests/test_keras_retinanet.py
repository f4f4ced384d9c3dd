"""The keras-retinanet engine: trained, cut off, continued, served; models of the package brought from elsewhere."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inference.models import Model
from inference.registry.model_import_texts import UploadProblem, parse_anchor_config, parse_labels
from inference.registry.registration import register_model
from jobs import services as jobs
from jobs.engine import process as engine_process
from jobs.engine.process import EngineProcess
from projects.models import Project
from tests.conftest import client_of
from tests.environment import THOROUGH
from tests.pictures import scene, scenes_zip
from tests.test_boxes import new_dataset
from tests.test_imports import run_import
from training import services
from vision.detection.configuration import DetectionConfiguration
from vision.detection.samples import DetectionSample
from vision.engine_requests import TrainingRequest, write_request
from vision.imaging.letterbox import load_letterboxed
from vision.runtime.boxes import AnchorShapes, anchors_for, decode_offsets
from vision.runtime.interpreters import LiteRTDetector
from vision.sandbox import surroundings

ROOT = Path(__file__).resolve().parent.parent
needs_package = pytest.mark.skipif(
    importlib.util.find_spec("keras_retinanet") is None,
    reason="keras-retinanet is missing (make keras-retinanet)",
)
# The first test waits for a training that all others use.
pytestmark = pytest.mark.timeout(1500)
ARCHITECTURE = "keras_retinanet_mobilenet224_1.0"
SIZE = (64, 64)
TINY = {"architecture": ARCHITECTURE, "image_size": 64, "epochs": 2, "batch_size": 4}


PROCESS = """
import contextlib, io, json, os, sys, traceback
sys.path.insert(0, sys.argv[1])
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever libraries print
import vision.legacy_retinanet
from tests.graphs import skip_optimizing
skip_optimizing()
for line in sys.stdin:
    code, sys.argv = json.loads(line)
    printed, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(code, {"sys": sys})
    except Exception:
        error = traceback.format_exc()
    print(json.dumps([printed.getvalue(), error]), file=answers, flush=True)
"""


class PackageProcess:
    """Where code with Keras 2 runs, one piece after the other: Keras 3 cannot share it, and it starts slowly."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(ROOT)],
            stdin=pipe,
            stdout=pipe,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    def run(self, code: str, *arguments: str) -> str:
        """What the code prints, with the arguments as `sys.argv[1:]`."""
        self._process.stdin.write(json.dumps([code, ["-c", *arguments]]) + "\n")
        self._process.stdin.flush()
        printed, error = json.loads(self._process.stdout.readline())
        assert not error, error
        return printed

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait(60)


@pytest.fixture(scope="module")
def package():
    process = PackageProcess()
    yield process
    process.stop()


# Without the package


def test_labels_in_every_form_people_have_them():
    assert parse_labels("cat\ndog\n\n") == ["cat", "dog"]
    assert parse_labels('\ufeff["cat", "Hund, groß"]') == ["cat", "Hund, groß"]
    assert parse_labels('{"dog": 1, "cat": 0}') == parse_labels("dog,1\ncat,0\n") == ["cat", "dog"]
    assert parse_labels("{'dog': 1, 'cat': 0}") == ["cat", "dog"] and parse_labels("['a', 'b']") == ["a", "b"]
    wrong = [
        "{'a': __import__('os').getpid()}",
        "[" * 3000,
        "",
        "cat\ncat",
        "[1]",
        "[",
        '{"a": 1}',
        '{"a": 0, "b": 0}',
        '{"a": true}',
        "x" * 101,
        '"a"\n"a"',
        "{" * 5000,
    ]
    for text in wrong:
        with pytest.raises(UploadProblem) as problem:
            parse_labels(text)
        assert len(str(problem.value)) > 15


def test_anchors_from_the_package_s_configuration_file():
    text = "[anchor_parameters]\nsizes = 16 32\nstrides = 8 16\nratios = 0.5 1\nscales = 1 1.2\n"
    assert parse_anchor_config(text) == {"sizes": [16, 32], "strides": [8, 16], "ratios": [0.5, 1], "scales": [1, 1.2]}
    assert parse_anchor_config(" ") is None
    for wrong in ("x", "[anchor_parameters]\nsizes = 1", text.replace("16 32", "a b"), text.replace("16 32", "0 1")):
        with pytest.raises(UploadProblem):
            parse_anchor_config(wrong)


@pytest.mark.django_db
@pytest.mark.any_database("a package that is not installed")
def test_without_the_package_it_is_said_at_once(api, owner, monkeypatch):
    dataset = new_dataset(owner, "scenes")
    run_import(api, dataset, scenes_zip(12))
    monkeypatch.setattr("vision.training.architectures.find_spec", lambda name: None)
    rows = {row["name"]: row for row in api.get("/api/v1/architectures/?task=detection").json()}
    assert not rows[ARCHITECTURE]["is_installed"] and rows["retinanet_resnet18"]["is_installed"]
    answer = api.post("/api/v1/trainings/", {"project": dataset["project"], **TINY})
    assert answer.status_code == 400 and "make keras-retinanet" in answer.json()["errors"][0]["detail"]


@pytest.mark.django_db
@pytest.mark.any_database("what is said about an uploaded model")
def test_what_is_said_about_a_model_is_checked(api, owner, outsider, viewer, project):
    boxes = new_dataset(owner, "boxes")

    def send(client=api, **changes):
        file = SimpleUploadedFile("m.h5", b"no model")
        values = {"project": boxes["project"], "labels": "a\nb", "file": file, **changes}
        answer = client.post("/api/v1/models/", values, format="multipart")
        return answer.status_code, answer.json()["errors"][0]["attr"] if answer.status_code == 400 else None

    assert send(labels="") == (400, "labels") and send(labels="[1") == (400, "labels")
    assert send(input_width=100) == (400, "input_width") and send(anchors="[x]") == (400, "anchors")
    anchors = "[anchor_parameters]\nsizes = 1\nstrides = 1\nratios = 1\nscales = 1"
    assert send(project=str(project.pk), anchors=anchors) == (400, "anchors")  # a classification project
    assert send(client=client_of(outsider)) == (400, "project")
    # JSON names a finished upload instead of a file.
    assert api.post("/api/v1/models/", {"project": boxes["project"], "labels": "a"}).status_code == 400


# With it


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> dict:
    """A training that was killed in its second epoch and went on."""
    folder = tmp_path_factory.mktemp("training")
    splits, seed = {}, 0
    for split, count in {"train": 24, "validation": 4, "test": 4}.items():
        rows = []
        for _ in range(count):
            content, boxes, labels = scene(seed)
            path = folder / f"{seed}.png"
            path.write_bytes(content)
            rows.append(DetectionSample(str(seed), str(path), boxes, labels))
            seed += 1
        splits[split] = rows
    splits["train"].append(DetectionSample("empty", str(folder / "0.png"), [], []))
    configuration = DetectionConfiguration(**{**TINY, "epochs": 3}, frozen_epochs=1).resolved(25)
    write_request(folder, TrainingRequest("detection", configuration.to_dict(), ["square", "disc"], splits))
    with pytest.MonkeyPatch.context() as patch:
        if not THOROUGH:
            start_as(patch, "tests.plain_keras_retinanet")
        first = EngineProcess(folder)
        cut = read(first, until="checkpoint")
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        second = EngineProcess(folder)
        events = read(second)
    assert second.wait() == 0, second.stderr_tail()
    return {"images": folder, "folder": folder / "work", "cut": cut, "events": events, "result": events[-1]["result"]}


def start_as(patch: pytest.MonkeyPatch, module: str) -> None:
    """Let processes of the engine run this module of the tests in the place of `vision.training`."""
    start, code = engine_process.start_python, surroundings.CODE

    def start_module(name: str, *arguments, readable, **options):
        return start(module, *arguments, readable=[*readable, ROOT / "tests"], **options)

    patch.setattr(engine_process, "start_python", start_module)
    patch.setattr(surroundings, "CODE", (*code, "tests"))


FIRST = """
import sys
from types import ModuleType
from pathlib import Path

class Train(ModuleType):
    def __getattr__(self, name):
        print(sorted({"keras", "tensorflow"} & set(sys.modules)), file=sys.stderr, flush=True)
        raise SystemExit

sys.modules["vision.legacy_retinanet.train"] = Train("train")
from vision.engine import main
main(Path(sys.argv[1]))
"""


def test_the_engine_imports_no_other_keras_before_the_package(tmp_path):
    configuration = DetectionConfiguration(**TINY).resolved(1)
    splits = {"train": [DetectionSample("0", str(tmp_path / "0.png"), [], [])], "validation": [], "test": []}
    write_request(tmp_path, TrainingRequest("detection", configuration.to_dict(), ["square", "disc"], splits))
    command = [sys.executable, "-c", FIRST, tmp_path]
    pipe = subprocess.PIPE
    # Its standard input stays open: the end of it says that nobody waits for the training.
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, text=True) as process:
        said = process.stderr.read()
    assert said.endswith("[]\n"), said[-2000:]


def read(process: EngineProcess, until: str = "") -> list[dict]:
    events = []
    while (message := process.next_message(timeout=300)) is not None:
        events.append(message)
        assert message["event"] != "error", message
        if message["event"] == until:
            break
    return events


@needs_package
@pytest.mark.slow
def test_a_killed_training_goes_on_and_its_loss_falls(trained):
    log = [event["line"] for event in trained["events"] if event["event"] == "log"]
    assert any("continued after epoch 1" in line for line in log), log
    assert [event["entry"]["epoch"] for event in trained["events"] if event["event"] == "epoch"] == [2, 3]
    history = trained["result"]["history"]
    assert [entry["phase"] for entry in history] == ["head", "fine_tuning", "fine_tuning"]
    assert history[-1]["loss"] < history[0]["loss"] and history[-1]["val_loss"] < history[0]["val_loss"]
    assert trained["result"]["litert_difference"] <= 1e-3 and 0 <= trained["result"]["metrics"]["ap50"] <= 1
    estimate = next(event["estimate"] for event in trained["cut"] if event["event"] == "estimate")
    assert estimate["memory_bytes"] > 10**8 and "from scratch" in estimate["warnings"][0]
    first_line = (trained["folder"] / "annotations-train.csv").read_text().splitlines()[0]
    assert len(first_line.split(",")) == 6


CONVERT = """
import json, numpy as np, tf_keras
from keras_retinanet import models
from vision.runtime.boxes import AnchorShapes
from vision.legacy_retinanet.networks import anchor_parameters, prediction_model
folder, name = sys.argv[1], "mobilenet224_1.0"
model = models.load_model(folder + "/model.h5", backbone_name=name)
converted = prediction_model(model, AnchorShapes.from_dict(json.loads(sys.argv[2])))
converted.save(folder + "/converted.h5")
image = models.backbone(name).preprocess_image(np.load(folder + "/pixels.npy")[..., ::-1])
outputs = [converted.get_layer(layer).output for layer in ("boxes", "classification")]
np.savez(folder + "/package.npz", *tf_keras.Model(converted.inputs, outputs).predict(image[None], verbose=0))
"""


@pytest.fixture(scope="module")
def converted(trained, package) -> Path:
    """The trained model as the package's own `convert_model` makes it, with what that says of one image."""
    folder = trained["folder"]
    np.save(folder / "pixels.npy", load_letterboxed(trained["images"] / "27.png", SIZE))
    package.run(CONVERT, str(folder), json.dumps(trained["result"]["detector"]["anchors"]))
    return folder / "converted.h5"


@needs_package
@pytest.mark.slow
def test_our_raw_output_says_what_the_package_s_own_layers_say(trained, converted):
    folder = trained["folder"]
    raw = LiteRTDetector(folder / "model.tflite", max_interpreters=1).run(np.load(folder / "pixels.npy"))
    anchors = anchors_for(SIZE, AnchorShapes.from_dict(trained["result"]["detector"]["anchors"]))
    with np.load(folder / "package.npz") as answer:
        boxes, scores = answer["arr_0"][0], answer["arr_1"][0]
    assert np.abs(decode_offsets(anchors, raw[:, :4]) - boxes).max() < 0.01
    assert np.abs(1 / (1 + np.exp(-raw[:, 4:])) - scores).max() < 1e-5


@pytest.fixture
def untimed(monkeypatch) -> None:
    """Estimates are looked at where `trained` is made."""
    if not THOROUGH:
        start_as(monkeypatch, "tests.untimed_keras_retinanet")


@pytest.fixture
def registered(api, owner, trained) -> Model:
    """What `trained` made, as a model of a project with a dataset."""
    dataset = new_dataset(owner, "scenes")
    run_import(api, dataset, scenes_zip(12))
    result = trained["result"]
    return register_model(
        project=Project.objects.get(),
        name="Scenes",
        class_names=["square", "disc"],
        architecture=ARCHITECTURE,
        input_size=SIZE,
        parameters=1,
        files=result["files"],
        user=owner,
        detector=result["detector"],
    )


@pytest.mark.long
@needs_package
@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.thorough
def test_a_training_over_http_begins_with_an_earlier_model(api, registered, untimed):
    project = str(registered.project_id)
    # At such a rate it stays what it began with.
    wanted = {
        "project": project,
        "base_model": str(registered.pk),
        "epochs": 1,
        "image_size": 64,
        "batch_size": 4,
        "learning_rate": 1e-7,
    }
    run = api.post("/api/v1/trainings/", wanted).json()
    services.run_training(run["id"])
    run = api.get(f"/api/v1/trainings/{run['id']}/").json()
    assert run["state"] == "succeeded", (run["error"], api.get(f"/api/v1/trainings/{run['id']}/log/").content)
    model = api.get(f"/api/v1/models/{run['model']}/").json()
    assert {"keras-h5", "litert-float32", "model_card"} <= {file["kind"] for file in model["files"]}
    assert model["architecture"] == ARCHITECTURE
    before, after = (best_scores(api, pk) for pk in (str(registered.pk), run["model"]))
    assert after == pytest.approx(before, abs=1e-3)


@pytest.mark.long
@needs_package
@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.thorough
def test_a_training_s_file_is_uploaded_as_a_model(api, registered):
    model = api.get(f"/api/v1/models/{registered.pk}/").json()
    content = b"".join(api.get(f"/api/v1/models/{model['id']}/files/keras-h5/").streaming_content)
    words = anchors_of(model["detector"])
    config = "[anchor_parameters]\n" + "".join(f"{key} = {' '.join(map(str, value))}\n" for key, value in words.items())
    job = bring(api, model["project"], content, labels='{"disc": 1, "square": 0}', anchors=config)
    assert job["state"] == "succeeded", job["error"]
    brought = api.get(f"/api/v1/models/{job['result']['model']}/").json()
    assert brought["architecture"] == ARCHITECTURE and brought["class_names"] == ["square", "disc"]
    assert brought["training"] is None and brought["metrics"] == {"task": "detection"}
    image = api.get("/api/v1/images/").json()["results"][0]["id"]
    ours, theirs = (
        api.post(f"/api/v1/models/{one['id']}/predict/?threshold=0.01", {"images": [image]}).json()["predictions"]
        for one in (model, brought)
    )
    assert ours == theirs and ours[0]["boxes"]

    settings = {"detector": {"label_thresholds": {"disc": 1.0, "square": 0.0}, "iou_threshold": 0.3}}
    changed = api.patch(f"/api/v1/models/{brought['id']}/", settings).json()["detector"]
    assert changed["iou_threshold"] == 0.3 and changed["anchors"] == brought["detector"]["anchors"]
    found = api.post(f"/api/v1/models/{brought['id']}/predict/", {"images": [image]}).json()["predictions"][0]["boxes"]
    assert {box["label"] for box in found} == {"square"}
    for wrong in ({"label_thresholds": {"cat": 0.5}}, {"score_threshold": 2}, {"iou_threshold": "x"}):
        assert api.patch(f"/api/v1/models/{brought['id']}/", {"detector": wrong}).status_code == 400


@pytest.mark.long
@needs_package
@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.thorough
def test_a_converted_file_knows_its_anchors_and_text_is_refused(api, registered, converted):
    project = str(registered.project_id)
    job = bring(api, project, converted.read_bytes(), labels="square\ndisc")
    assert job["state"] == "succeeded", job["error"]
    refused = bring(api, project, b"text")
    assert (refused["state"], refused["error"]["code"]) == ("failed", "not_a_model")
    assert len(api.get("/api/v1/models/").json()["results"]) == 2


REFUSED = """
import json
from pathlib import Path
from vision.training.errors import EngineError
from vision.legacy_retinanet.imports import import_model
from vision.model_import.request import PackageAnchors
from vision.training.hooks import TrainingHooks
folder, codes = Path(sys.argv[1]), {}
for name, (file, labels, anchors) in json.loads(sys.argv[2]).items():
    try:
        anchors = None if anchors is None else PackageAnchors(**anchors)
        import_model(folder / file, labels, (64, 64), folder, anchors=anchors, images=[], hooks=TrainingHooks())
    except EngineError as error:
        codes[name] = error.code
print(json.dumps(codes))
"""


@needs_package
@pytest.mark.slow
def test_what_is_no_model_of_the_package_is_refused(trained, package, tmp_path):
    whole = Path(trained["result"]["files"]["keras-h5"]).read_bytes()
    contents = {
        "whole": whole,
        "half": whole[: len(whole) // 2],
        "text": b"text",
        "weights": hdf5(None),
        "lambda": hdf5({"class_name": "Lambda", "config": {"name": "x"}}),
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.h5").write_bytes(content)
    anchors, both = anchors_of(trained["result"]["detector"]), ["disc", "square"]
    cases = {
        "anchors_do_not_fit": ("whole.h5", both, None),
        "labels_do_not_fit": ("whole.h5", ["a"], anchors),
        "not_a_model": ("half.h5", both, None),
        "not_a_model, text": ("text.h5", both, None),
        "unknown_layers": ("lambda.h5", both, None),
        "weights_only": ("weights.h5", both, None),
    }
    codes = json.loads(package.run(REFUSED, str(tmp_path), json.dumps(cases)).splitlines()[-1])
    assert codes == {name: name.partition(",")[0] for name in cases}


def best_scores(api, model: str) -> list[float]:
    """Of the boxes with the highest scores in an image, the highest first."""
    image = api.get("/api/v1/images/").json()["results"][0]["id"]
    url = f"/api/v1/models/{model}/predict/?threshold=0.001&max=5"
    return [box["score"] for box in api.post(url, {"images": [image]}).json()["predictions"][0]["boxes"]]


def anchors_of(detector: dict) -> dict[str, list[float]]:
    """A detector's anchors in the package's words."""
    strides = [2**level for level in range(3, 8)]
    anchors = detector["anchors"]
    return {"sizes": strides, "strides": strides, "ratios": anchors["ratios"], "scales": anchors["sizes"]}


def bring(api, project: str, content: bytes, **values) -> dict:
    wanted = {"project": project, "labels": "disc\nsquare", "input_width": 64, "input_height": 64, **values}
    file = SimpleUploadedFile("model.h5", content)
    answer = api.post("/api/v1/models/", {**wanted, "file": file}, format="multipart")
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    return api.get(answer["Location"]).json()


def hdf5(layer: dict | None) -> bytes:
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        if layer is not None:
            file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": {"name": "m", "layers": [layer]}})
    return buffer.getvalue()


EXPORT = """
import json
from pathlib import Path
from vision.runtime.kinds import KERAS_RETINANET_KINDS
from vision.exporting.request import ExportRequest
from vision.exporting.work import export_model
from vision.training.hooks import TrainingHooks
folder, made = Path(sys.argv[1]), json.loads(sys.argv[2])
request = ExportRequest(
    path=made["path"], engine="keras_retinanet", architecture=made["architecture"], class_names=["square", "disc"],
    input_size=(64, 64), resize="letterbox", detector=made["detector"], kinds=list(KERAS_RETINANET_KINDS), samples=[],
    source="", is_labelled=False, calibration=made["images"], largest_drop=1.0, files={},
)
print(json.dumps({one.kind: one.problem for one in export_model(request, folder, TrainingHooks())}))
"""


@pytest.mark.long
@needs_package
@pytest.mark.slow
def test_a_detector_of_the_package_is_exported_in_every_format(trained, package, tmp_path):
    result = trained["result"]
    images = [str(trained["images"] / f"{n}.png") for n in range(4)]
    made = {
        "path": result["files"]["keras-h5"],
        "architecture": ARCHITECTURE,
        "detector": result["detector"],
        "images": images,
    }
    problems = json.loads(package.run(EXPORT, str(tmp_path), json.dumps(made)).splitlines()[-1])
    assert len(problems) == 6 and not any(problems.values()), problems
