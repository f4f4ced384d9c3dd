"""Exports: every kind, run by the runtime that will run it; and the zip that runs without the studio."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from datasets.models import Image as StoredImage
from datasets.models import Snapshot
from inference.evaluation.evaluations import outcomes_of
from inference.models import Evaluation, Model
from inference.registry.bundles import program, write_bundle
from inference.registry.registration import register_model
from inference.serving.prediction import PredictionOptions, make_predictor
from jobs import services as jobs
from tests.conftest import client_of
from tests.pictures import make_zip, scene, shape_jpeg
from tests.test_boxes import voc
from tests.test_imports import run_import
from vision.runtime.interpreters import LiteRTDetector
from vision.runtime.kinds import KINDS, ONNX_OPSET

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine_in_process")]

EXACT = [name for name, kind in KINDS.items() if not kind.is_lossy]


def export(api, model: Model, *kinds: str, **body) -> dict:
    answer = api.post(f"/api/v1/models/{model.pk}/exports/", {"kinds": list(kinds), **body}, format="json")
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    return api.get(answer["Location"]).json()


def content_of(api, model: Model, kind: str) -> bytes:
    return b"".join(api.get(f"/api/v1/models/{model.pk}/files/{kind}/").streaming_content)


def bundle_of(api, model: Model, kind: str, folder: Path) -> Path:
    """The zip that an export makes of this kind, unpacked."""
    file, target = folder / f"{kind}.file", folder / f"{kind}.zip"
    file.write_bytes(content_of(api, model, kind))
    write_bundle(target, model=model, kind=kind, file=file, documents={})
    with zipfile.ZipFile(target) as archive:
        archive.extractall(folder / kind)
    (inside,) = (folder / kind).iterdir()
    return inside


def predicted(folder: Path, *files: Path) -> list[dict]:
    """What the bundle's own program says, run outside of the studio."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "predict.py", *map(str, files)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.django_db
class TestClassifier:
    @pytest.mark.long
    def test_every_kind_is_proved_on_the_test_split_and_runs_alone(self, api, classifier, tmp_path):
        listed = {row["kind"]: row for row in api.get(f"/api/v1/models/{classifier.pk}/exports/").json()}
        assert set(listed) == set(KINDS) and listed["onnx"]["file"] is None and listed["keras"]["file"] is not None
        job = export(api, classifier, *KINDS)
        assert job["state"] == "succeeded", job["error"]
        count = classifier.snapshot.counts["splits"]["test"]
        for report in job["result"]["exports"]:
            assert report["offered"] and report["images"] == count, report
            assert report["measured_on"] == "test split of snapshot 1"
            assert 0.8 <= report["accuracy"] <= 1 and report["latency_ms"] > 0 and report["size"] > 1000
            assert report["drop"] == pytest.approx(report["keras_accuracy"] - report["accuracy"], abs=1e-6)
            if report["kind"] in EXACT:
                assert report["agreement"] == 1.0 and report["largest_difference"] < 1e-4
        sizes = {one["kind"]: one["size"] for one in job["result"]["exports"]}
        assert sizes["litert-int8"] < sizes["litert-float16"] < sizes["litert-float32"]
        listed = {row["kind"]: row for row in api.get(f"/api/v1/models/{classifier.pk}/exports/").json()}
        assert all(row["file"]["report"]["images"] == count for row in listed.values())
        assert listed["onnx"]["file"]["report"]["opset"] == ONNX_OPSET
        # The server's own serving goes on with the same file.
        assert content_of(api, classifier, "litert-float32")[4:8] == b"TFL3"
        # And each runs without the studio.
        pictures = []
        for number, name in enumerate(("cross", "disc", "disc")):
            pictures.append(tmp_path / f"{number}.jpg")
            pictures[-1].write_bytes(shape_jpeg(100 + number, name, 90))
        predict = make_predictor(classifier, PredictionOptions())
        for kind in KINDS:
            program = bundle_of(api, classifier, kind, tmp_path)
            assert json.loads((program / "labels.json").read_text()) == ["cross", "disc"]
            assert len((program / "predict.py").read_text().splitlines()) <= 50
            for found, path in zip(predicted(program, *pictures), pictures, strict=True):
                expected = predict(path, path.name).labels
                assert [one["label"] for one in found["labels"]] == [one["label"] for one in expected], kind
                assert [one["score"] for one in found["labels"]] == pytest.approx(
                    [one["score"] for one in expected], abs=2e-4 if kind in EXACT else 0.1
                )

    def test_a_second_export_replaces_the_first_and_a_bundle_is_a_file(self, api, classifier):
        assert export(api, classifier, "litert-float16")["state"] == "succeeded"
        assert export(api, classifier, bundle_of="litert-float16")["result"]["bundle"] == "litert-float16"
        assert classifier.files.filter(kind="litert-float16").count() == 1
        with zipfile.ZipFile(io.BytesIO(content_of(api, classifier, "bundle"))) as archive:
            names = {name.removeprefix("Shapes-v1-bundle/") for name in archive.namelist()}
        assert {"model-float16.tflite", "labels.json", "requirements.txt", "predict.py", "README.md"} <= names

    def test_what_is_refused(self, api, classifier, viewer, outsider, project, owner, tmp_path):
        path = f"/api/v1/models/{classifier.pk}/exports/"
        for body in (
            {},
            {"kinds": []},
            {"kinds": ["x"]},
            {"kinds": ["onnx"], "largest_drop": 2},
            {"kinds": ["onnx"], "snapshot": "x"},
        ):
            assert api.post(path, body, format="json").status_code == 400, body
        assert client_of(viewer).post(path, {"kinds": ["onnx"]}).status_code == 403
        assert client_of(outsider).post(path, {"kinds": ["onnx"]}).status_code == 404
        bare = register_model(
            project=project,
            name="bare",
            class_names=["a"],
            architecture="x",
            input_size=(8, 8),
            parameters=1,
            files={},
            user=owner,
        )
        answer = api.post(f"/api/v1/models/{bare.pk}/exports/", {"kinds": ["onnx"]}, format="json")
        assert answer.json()["errors"][0]["code"] == "export_not_possible"

    def test_a_damaged_model_ends_its_export_with_a_sentence(self, api, classifier):
        from storage.services import local_cache

        blob = classifier.files.get(kind="keras").blob
        path = local_cache().path(blob.sha256)
        whole = path.read_bytes()
        try:
            path.write_bytes(whole[: len(whole) // 2])
            job = export(api, classifier, "onnx")
        finally:
            path.write_bytes(whole)
        assert job["state"] == "failed" and "cannot be read" in job["error"]["detail"], job["error"]


@pytest.mark.django_db
class TestDetector:
    @pytest.mark.long
    def test_every_kind_is_proved_by_its_boxes(self, api, detector, tmp_path):
        job = export(api, detector, *KINDS, largest_drop=1)
        assert job["state"] == "succeeded", job["error"]
        for report in job["result"]["exports"]:
            assert report["offered"], report
            assert {"ap50", "keras_ap50", "drop", "agreement", "latency_ms"} <= set(report)
            if report["kind"] in EXACT:
                assert report["agreement"] == 1.0 and report["largest_difference"] < 1e-3
        path = tmp_path / "int8.tflite"
        path.write_bytes(content_of(api, detector, "litert-int8"))
        raw = LiteRTDetector(path).run(np.zeros((96, 96, 3), np.uint8))
        assert raw.shape[1] == 4 + len(detector.class_names)
        picture = tmp_path / "scene.png"
        picture.write_bytes(scene(5, 128)[0])
        expected = make_predictor(detector, PredictionOptions(limit=100))(picture, "scene.png").boxes
        assert expected
        for kind in ("litert-float32", "litert-int8", "onnx"):
            (found,) = predicted(bundle_of(api, detector, kind, tmp_path), picture)
            assert found["boxes"]
            if kind == "litert-int8":
                continue  # rounded: how far apart they are is what its report says
            assert [one["label"] for one in found["boxes"][:5]] == [one["label"] for one in expected[:5]]
            for one, other in zip(found["boxes"][:5], expected[:5], strict=True):
                assert one["box"] == pytest.approx(other["box"], abs=0.5)
                assert one["score"] == pytest.approx(other["score"], abs=1e-3)


def report(**changes) -> dict:
    return {"images": 100, "largest_difference": 1e-6, "agreement": 1.0, **changes}


@pytest.mark.parametrize(
    ("kind", "figures", "words"),
    [
        ("onnx", report(), ""),
        ("onnx", report(largest_difference=0.01), "differs from the trained model by 1.00e-02"),
        ("onnx", report(largest_difference=float("nan")), "no number"),
        ("litert-int8", report(largest_difference=0.5), ""),
        ("litert-int8", report(agreement=0.9), "agrees with the trained model on 90.0% of 100"),
        ("litert-int8", report(agreement=0.9, accuracy=0.89, keras_accuracy=0.9, drop=0.01), ""),
        ("litert-int8", report(accuracy=0.8, keras_accuracy=0.9, drop=0.1), "accuracy on 100 images is 0.8000"),
        ("litert-int8", report(ap50=0.5, keras_ap50=0.6, drop=0.1), "AP50 on 100 images is 0.5000"),
    ],
)
def test_a_file_that_is_worse_than_allowed_is_not_offered(kind, figures, words):
    from vision.exporting.measure import parity_problem

    found = parity_problem(kind, figures, largest_drop=0.02)
    assert words in found and bool(found) == bool(words)


@pytest.mark.django_db
def test_all_refused_is_a_failure_with_the_numbers(api, classifier, monkeypatch):
    from inference.registry import exports as model_exports
    from vision.exporting.measure import parity_problem

    def refuse(process, context, died, *limits):
        figures = report(accuracy=0.5, keras_accuracy=0.9, drop=0.4, size=1, latency_ms=1.0)
        return {
            "exports": [
                {
                    "kind": "litert-int8",
                    "path": "",
                    "report": figures,
                    "problem": parity_problem("litert-int8", figures, 0.02),
                }
            ]
        }

    monkeypatch.setattr(model_exports, "result_of", refuse)
    job = export(api, classifier, "litert-int8")
    assert (job["state"], job["error"]["code"]) == ("failed", "export_refused")
    assert "0.5000" in job["error"]["detail"] and not classifier.files.filter(kind="litert-int8").exists()


def test_a_bundle_answers_from_the_model_s_lowest_score_on(classifier_files, tmp_path):
    path = tmp_path / "one.jpg"
    path.write_bytes(shape_jpeg(100, "disc", 90))
    model = Model(
        name="m", version=1, task="classification", class_names=["cross", "disc"], input_height=32, input_width=32
    )
    scores = {}
    for lowest in (None, 0.999999):
        model.score_threshold = lowest
        folder = tmp_path / str(lowest)
        folder.mkdir()
        write_bundle(
            folder / "b.zip", model=model, kind="litert-float32", file=classifier_files["litert-float32"], documents={}
        )
        with zipfile.ZipFile(folder / "b.zip") as archive:
            archive.extractall(folder)
        program_folder = next(one for one in folder.iterdir() if one.is_dir())
        (found,) = predicted(program_folder, program_folder / "sample.png")
        assert found["labels"] == json.loads((program_folder / "expected.json").read_text())["labels"]
        scores[lowest] = [one["score"] for one in found["labels"]]
    assert len(scores[None]) == 2 and scores[0.999999] == [one for one in scores[None] if one >= 0.999999]
    assert "thresholds are in `predict.py`" in (program_folder / "README.md").read_text()


def test_a_program_is_python_whatever_a_model_is_called():
    model = Model(
        name='x""" + __import__("os").system("true") + """\n',
        version=1,
        task="classification",
        class_names=["a"],
        input_height=8,
        input_width=8,
        resize="letterbox",
    )
    for kind in KINDS:
        text = program(model, kind)
        compile(text, "predict.py", "exec")
        lines = text.splitlines()
        assert "__import__" in lines[1] and "__import__" not in "\n".join(lines[2:])


class TestEvaluation:
    """On any snapshot, by the file that serves; here because the models are."""

    def measure(self, api, model: Model, snapshot: Snapshot, **body) -> dict:
        answer = api.post(f"/api/v1/models/{model.pk}/evaluations/", {"snapshot": str(snapshot.pk), **body})
        assert answer.status_code == 202, answer.content
        jobs.run_job(answer.json()["id"])
        job = api.get(answer["Location"]).json()
        assert job["state"] == "succeeded", job["error"]
        found = api.get(f"/api/v1/models/{model.pk}/evaluations/").json()["results"]
        return next(one for one in found if one["id"] == job["result"]["evaluation"])

    @pytest.mark.django_db
    def test_a_detector_on_photographs_several_times_as_large_as_its_input(self, api, detector):
        """Decoded at a part of their size, as JPEG allows, their boxes are in pixels of the whole photograph."""
        body = {"project": str(detector.project_id), "name": "photographs"}
        dataset = api.post("/api/v1/datasets/", body).json()
        files = {}
        for seed in range(3, 6):
            content, marks, labels = scene(seed, side=480)
            photograph = io.BytesIO()
            Image.open(io.BytesIO(content)).save(photograph, "JPEG", quality=95)
            boxes = [(("square", "disc")[label], *mark) for label, mark in zip(labels, marks, strict=True)]
            files |= {
                f"{seed}.jpg": photograph.getvalue(),
                f"{seed}.xml": voc(*boxes, name=f"{seed}.jpg", width=480, height=480),
            }
        run_import(api, dataset, make_zip(files))
        for seed, split in enumerate(("test", "train", "validation"), start=3):
            StoredImage.objects.filter(dataset=dataset["id"], filename=f"{seed}.jpg").update(split=split)
        made = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
        found = self.measure(api, detector, Snapshot.objects.get(pk=made["id"]))
        (seen,) = outcomes_of(Evaluation.objects.get(pk=found["id"])).found
        file = SimpleUploadedFile("one.jpg", files["3.jpg"], "image/jpeg")
        url = f"/api/v1/models/{detector.pk}/predict/?threshold=0.01&max=100"
        answer = api.post(url, {"files": file}, format="multipart")
        assert answer.status_code == 200, answer.content
        said = answer.json()["predictions"][0]["boxes"]
        assert len(said) == len(seen.boxes) > 0
        assert np.allclose(seen.boxes, [one["box"] for one in said], atol=0.01)

    @pytest.mark.django_db
    def test_a_classifier_on_each_split(self, api, classifier):
        from sklearn.metrics import accuracy_score

        snapshot = classifier.snapshot
        for split in ("train", "test"):
            found = self.measure(api, classifier, snapshot, split=split)
            rows = list(snapshot.images.filter(split=split).select_related("blob"))
            assert (found["split"], found["metrics"]["count"]) == (split, len(rows))
            predict = make_predictor(classifier, PredictionOptions(limit=1))
            from storage.services import path_of

            said = [predict(path_of(row.blob), "x").labels[0]["label"] for row in rows]
            truth = [row.annotations[0]["label"] for row in rows]
            assert found["metrics"]["accuracy"] == pytest.approx(accuracy_score(truth, said))
            wrong = sum(one != other for one, other in zip(said, truth, strict=True))
            assert len(found["mistakes"]) == wrong and found["metrics"]["unknown_label"] == 0

    @pytest.mark.django_db
    def test_images_with_other_labels_are_counted(self, api, classifier):
        Model.objects.filter(pk=classifier.pk).update(class_names=["cross", "ring"])
        classifier.refresh_from_db()
        found = self.measure(api, classifier, classifier.snapshot)
        metrics = found["metrics"]
        assert metrics["unknown_label"] > 0
        assert metrics["count"] + metrics["unknown_label"] == classifier.snapshot.counts["splits"]["test"]

    @pytest.mark.django_db
    def test_a_detector(self, api, detector):
        found = self.measure(api, detector, detector.snapshot)
        assert found["metrics"]["count"] == detector.snapshot.counts["splits"]["test"] and "ap50" in found["metrics"]

    @pytest.mark.django_db
    def test_what_is_refused(self, api, classifier, detector, outsider):
        path = f"/api/v1/models/{classifier.pk}/evaluations/"
        for body, code in (
            ({}, "required"),
            ({"snapshot": str(detector.snapshot.pk)}, "snapshot_does_not_fit"),
            ({"snapshot": str(classifier.snapshot.pk), "split": "x"}, "invalid_choice"),
        ):
            assert api.post(path, body).json()["errors"][0]["code"] == code
        assert client_of(outsider).post(path, {}).status_code == 404


@pytest.mark.long
@pytest.mark.usefixtures("shallow_backbones")
@pytest.mark.parametrize(
    "architecture", ["efficientnet_v2_b0", "mobilenet_v3_small", pytest.param("resnet50", marks=pytest.mark.thorough)]
)
def test_backbones_become_onnx_with_one_input(architecture, tmp_path):
    """Some have constants of their own, which the converter must not take for inputs."""
    import keras

    from vision.exporting.runners import runner_of
    from vision.exporting.servable import keras_classifier
    from vision.exporting.write import write_export
    from vision.training import export as files
    from vision.training.configuration import Configuration
    from vision.training.networks import build_network

    keras.utils.set_random_seed(1)
    configuration = Configuration(architecture=architecture, weights="none", image_size=64).resolved()
    files.export_keras(build_network(configuration, 3).model, tmp_path / "model.keras")
    servable = keras_classifier(tmp_path / "model.keras")
    write_export("onnx", servable, tmp_path / "model.onnx", [])
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    found = runner_of("onnx", tmp_path / "model.onnx", servable)(pixels)
    assert found == pytest.approx(servable.forward(pixels), abs=1e-5)
