"""Models: files, predictions, what is broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inference.models import Model, ModelFile
from inference.registry.registration import register_model
from inference.serving.prediction import model_pool
from projects.models import Project
from tests.conftest import client_of
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(scope="session")
def exported(tmp_path_factory) -> dict[str, Path]:
    """The files of an untrained network: serving does not care how good it is."""
    import keras

    from vision.training import export
    from vision.training.configuration import Configuration
    from vision.training.networks import build_network

    keras.utils.set_random_seed(1)
    folder = tmp_path_factory.mktemp("model")
    network = build_network(Configuration(architecture="small_cnn", image_size=32).resolved(), 3)
    files = {"keras": folder / "model.keras", "litert-float32": folder / "model-float32.tflite"}
    export.export_keras(network.model, files["keras"])
    export.export_litert(network.model, files["litert-float32"])
    files["labels"] = folder / "labels.txt"
    files["labels"].write_text("a\nb\nc\n")
    return files


def make_model(project: Project, files: dict[str, Path], user=None, name: str = "net") -> Model:
    return register_model(
        project=project,
        name=name,
        class_names=["a", "b", "c"],
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        metrics={"accuracy": 0.5},
        mistakes=[],
        files=files,
        training=None,
        snapshot=None,
        user=user,
    )


@pytest.fixture
def model(project, exported, owner) -> Model:
    model_pool.cache_clear()
    return make_model(project, exported, owner)


def predict(api, model, *contents: bytes, query: str = ""):
    files = [SimpleUploadedFile(f"{n}.jpg", content) for n, content in enumerate(contents)]
    return api.post(f"/api/v1/models/{model.pk}/predict/{query}", {"files": files}, format="multipart")


def test_a_prediction_is_that_of_keras(api, model, exported):
    import keras

    from vision.imaging.preprocessing import load_pixels

    network = keras.saving.load_model(exported["keras"], compile=False)
    answer = predict(api, model, jpeg(1, (300, 200)), jpeg(2)).json()
    assert [(one["filename"], one["width"], one["height"]) for one in answer["predictions"]] == [
        ("0.jpg", 300, 200),
        ("1.jpg", 48, 32),
    ]
    assert answer["model"] == {"id": str(model.pk), "name": "net", "version": 1} and answer["timing_ms"] > 0
    for prediction, content in zip(answer["predictions"], (jpeg(1, (300, 200)), jpeg(2)), strict=True):
        expected = network(load_pixels(content, (32, 32))[None].astype(np.float32), training=False).numpy()[0]
        scores = {one["label"]: one["score"] for one in prediction["labels"]}
        assert [scores["abc"[n]] for n in range(3)] == pytest.approx(expected.tolist(), abs=1e-4)
        assert [one["score"] for one in prediction["labels"]] == sorted(scores.values(), reverse=True)


def test_top_k_and_threshold(api, model):
    assert len(predict(api, model, jpeg(1), query="?max=1").json()["predictions"][0]["labels"]) == 1
    assert predict(api, model, jpeg(1), query="?threshold=1").json()["predictions"][0]["labels"] == []
    for query in ("?max=0", "?threshold=2", "?threshold=x", "?max=x"):
        assert predict(api, model, jpeg(1), query=query).status_code == 400


def test_images_by_id_and_bad_files_beside_good_ones(api, model, image):
    answer = api.post(f"/api/v1/models/{model.pk}/predict/", {"images": [image["id"]]})
    assert answer.json()["predictions"][0]["filename"] == "one.jpg"
    answer = predict(api, model, jpeg(1), b"no image", jpeg(3)[:-50]).json()
    assert len(answer["predictions"]) == 1
    assert [one["code"] for one in answer["rejected"]] == ["not_an_image", "corrupted_image"]


def test_nothing_to_predict(api, model):
    assert api.post(f"/api/v1/models/{model.pk}/predict/", {}).status_code == 400
    assert api.post(f"/api/v1/models/{model.pk}/predict/", [1]).status_code == 400
    assert api.post(f"/api/v1/models/{model.pk}/predict/", {"images": ["x"]}).status_code == 400
    unknown = {"images": ["00000000-0000-7000-8000-000000000000"]}
    assert api.post(f"/api/v1/models/{model.pk}/predict/", unknown).status_code == 404


def test_orientation_counts(api, model):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    turned = predict(api, model, jpeg(1, (64, 40), exif=exif.tobytes())).json()["predictions"][0]
    assert (turned["width"], turned["height"]) == (40, 64)


def test_viewers_predict_and_outsiders_see_nothing(model, viewer, outsider, api):
    assert predict(client_of(viewer), model, jpeg(1)).status_code == 200
    assert client_of(viewer).patch(f"/api/v1/models/{model.pk}/", {"name": "x"}).status_code == 403
    assert predict(client_of(outsider), model, jpeg(1)).status_code == 404


def test_files_come_whole_and_in_parts(api, model, exported):
    content = exported["litert-float32"].read_bytes()
    address = f"/api/v1/models/{model.pk}/files/litert-float32/"
    answer = api.get(address)
    assert b"".join(answer.streaming_content) == content and answer["Content-Disposition"].startswith("attachment")
    part = api.get(address, HTTP_RANGE="bytes=100-199")
    assert part.status_code == 206 and b"".join(part.streaming_content) == content[100:200]
    assert api.get(address, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304
    assert api.get(f"/api/v1/models/{model.pk}/files/onnx/").status_code == 404


def test_a_broken_model_file_is_a_clear_error(api, model):
    from storage.services import local_cache

    blob = ModelFile.objects.get(kind="litert-float32").blob
    path = local_cache().path(blob.sha256)
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: len(whole) // 2])
        answer = predict(api, model, jpeg(1))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "model_file_broken")
    finally:
        path.write_bytes(whole)
    assert predict(api, model, jpeg(1)).status_code == 200


def test_a_model_that_is_no_litert_file(api, project, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(b"not a model at all")
    answer = predict(api, make_model(project, {"litert-float32": path}), jpeg(1))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "model_file_broken")


def test_a_model_without_litert_cannot_predict(api, project, exported):
    answer = predict(api, make_model(project, {"labels": exported["labels"]}), jpeg(1))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "model_not_servable")


def test_versions_count_up_and_are_never_given_twice(api, project, exported):
    first, second = (make_model(project, {"labels": exported["labels"]}) for _ in range(2))
    assert (first.version, second.version) == (1, 2)
    assert api.delete(f"/api/v1/models/{second.pk}/").status_code == 204
    assert make_model(project, {"labels": exported["labels"]}).version == 3
    project.refresh_from_db()
    assert project.model_count == 2


class TestPool:
    def test_the_least_used_model_is_dropped(self, exported):
        from vision.runtime.interpreters import ModelPool

        pool = ModelPool(max_models=2)
        loads = []

        def load(name):
            return lambda: loads.append(name) or exported["litert-float32"]

        for name in ("a", "b", "a", "c", "a", "b"):
            pool.get(name, load(name))
        assert loads == ["a", "b", "c", "b"] and len(pool) == 2

    def test_a_loaded_model_goes_on_when_the_cache_gives_its_file_up(self, exported, tmp_path):
        """The second interpreter is made when two predictions come together, long after the first."""
        import shutil

        from vision.runtime.interpreters import LiteRTClassifier

        copy = Path(shutil.copy(exported["litert-float32"], tmp_path / "model.tflite"))
        runtime = LiteRTClassifier(copy)
        image = np.random.default_rng(1).integers(0, 255, (32, 32, 3), dtype=np.uint8)
        expected = runtime.predict(image)
        copy.unlink()
        with runtime._interpreter(), runtime._interpreter() as second:
            second.set_tensor(runtime._input["index"], image[np.newaxis].astype(runtime._input["dtype"]))
            second.invoke()
            np.testing.assert_allclose(second.get_tensor(runtime._output["index"])[0], expected, atol=1e-6)

    def test_many_threads_get_right_answers_and_load_once(self, exported):
        from concurrent.futures import ThreadPoolExecutor

        from vision.runtime.interpreters import ModelPool

        pool, loads = ModelPool(max_interpreters=2, num_threads=2), []
        images = [np.random.default_rng(n).integers(0, 255, (32, 32, 3), dtype=np.uint8) for n in range(8)]
        alone = ModelPool().get("x", lambda: exported["litert-float32"])
        expected = [alone.predict(image) for image in images]

        def work(n: int) -> bool:
            runtime = pool.get("x", lambda: loads.append(1) or exported["litert-float32"])
            return np.allclose(runtime.predict(images[n % 8]), expected[n % 8], atol=1e-6)

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(work, range(200)))
        assert len(loads) == 1
