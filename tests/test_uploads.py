"""Models and networks from elsewhere: of every format, hostile ones, and what can be done with them."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inference.models import Model
from jobs import services as jobs
from tests.conftest import client_of
from tests.pictures import jpeg, shapes_zip
from tests.test_imports import run_import
from training import services as trainings
from vision.imaging.preprocessing import load_pixels
from vision.model_import.saved_model import operations
from vision.training.allowed_layers import check_network, square_input
from vision.training.errors import EngineError, UploadError
from vision.training.hooks import TrainingHooks

pytestmark = pytest.mark.slow

LABELS = ["ant", "bee", "cat"]
LIMIT = 10_000_000


@pytest.fixture(scope="session")
def network():
    """A network with all that converters stumble over, and weights that make its outputs differ."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    image = keras.Input((40, 40, 3), name="picture")
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(image)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    skip = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.Add()([x, layers.Activation("silu")(skip)])
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    x = layers.Cropping2D(((0, 1), (1, 0)))(layers.ZeroPadding2D(1)(x))
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Multiply()([x, layers.Conv2D(8, 1, activation="hard_sigmoid")(squeezed)])
    x = layers.Concatenate()([x, layers.AveragePooling2D(3, 1, padding="same")(x)])
    x = layers.Flatten()(x)
    x = layers.Dense(16, activation="relu")(x)
    model = keras.Model(image, layers.Dense(3, activation="softmax")(x), name="everything")
    normal = np.random.default_rng(1).normal
    model.set_weights(
        [np.abs(normal(0.4, 0.3, w.shape)) if "variance" in w.path else normal(0, 0.3, w.shape) for w in model.weights]
    )
    model(np.zeros((1, 40, 40, 3), np.float32))
    return model


@pytest.fixture(scope="session")
def files(network, tmp_path_factory) -> dict[str, Path]:
    """The network in every format that is taken, trained on pixels from -1 to 1."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("formats")
    endings = {"keras": ".keras", "h5": ".h5", "onnx": ".onnx", "litert": ".tflite", "saved_model": ".zip"}
    found = {name: folder / f"model{ending}" for name, ending in endings.items()}
    network.save(found["keras"])
    network.save(found["h5"])
    network.export(str(found["onnx"]), format="onnx", verbose=False)
    found["litert"].write_bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())
    network.export(str(folder / "saved"), verbose=False)
    with zipfile.ZipFile(found["saved_model"], "w") as archive:
        for path in (folder / "saved").rglob("*"):
            if path.is_file():
                archive.write(path, Path("my model") / path.relative_to(folder / "saved"))
    return found


def read(format: str, path: Path, folder: Path, labels=None, **changes):
    from vision.model_import.request import UploadRequest
    from vision.model_import.work import import_upload

    values = {
        "path": str(path),
        "format": format,
        "class_names": labels or LABELS,
        "image_size": None,
        "channels": "rgb",
        "scaling": "-1_1",
        "resize": "stretch",
        "images": [],
        "max_parameters": LIMIT,
        **changes,
    }
    folder.mkdir(exist_ok=True)
    return import_upload(UploadRequest(**values), folder, TrainingHooks())


def refusal(format: str, path: Path, folder: Path, **changes) -> str:
    with pytest.raises(EngineError) as error:
        read(format, path, folder, **changes)
    assert len(str(error.value)) > 20
    return error.value.code


# Formats


@pytest.mark.parametrize("format", ["keras", "h5", "onnx", "litert", "saved_model"])
def test_every_format_says_what_the_network_says(format, network, files, tmp_path):
    from vision.runtime.interpreters import LiteRTClassifier

    result = read(format, files[format], tmp_path / "work", image_size=(40, 40) if format == "onnx" else None)
    assert result.input_size == (40, 40) and result.origin["largest_difference"] < 1e-4
    pixels = [load_pixels(jpeg(seed, (90, 60)), (40, 40)) for seed in range(4)]
    runtime = LiteRTClassifier(result.files["litert-float32"])
    expected = network(np.stack(pixels).astype(np.float32) / 127.5 - 1, training=False).numpy()
    assert np.ptp(expected, axis=0).max() > 0.05  # the answers differ, so that agreement means something
    assert np.stack([runtime.predict(one) for one in pixels]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["float16", "dynamic", "int8"])
def test_rounded_litert_files_are_read(kind, network, tmp_path):
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        pictures = np.random.default_rng(0).uniform(-1, 1, (20, 1, 40, 40, 3)).astype(np.float32)
        converter.representative_dataset = lambda: ([one] for one in pictures)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    path = tmp_path / "m.tflite"
    path.write_bytes(converter.convert())
    # One that takes bytes is given pixels as they are.
    result = read("litert", path, tmp_path / "work", scaling="0_255" if kind == "int8" else "-1_1")
    assert result.origin["largest_difference"] < (0.25 if kind != "float16" else 1e-2)


def test_preprocessing_is_put_in_front(network, files, tmp_path):
    from vision.runtime.interpreters import LiteRTClassifier

    pixels = load_pixels(jpeg(3, (60, 60)), (40, 40))
    values = pixels.astype(np.float32)
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = {
        ("0_255", "rgb"): values,
        ("0_1", "bgr"): values[..., ::-1] / 255,
        ("imagenet", "rgb"): (values / 255 - mean) / deviation,
        ("caffe", "rgb"): values[..., ::-1] - np.array([103.939, 116.779, 123.68]),
    }
    for number, ((scaling, channels), given) in enumerate(expected.items()):
        result = read("keras", files["keras"], tmp_path / f"{number}", scaling=scaling, channels=channels)
        found = LiteRTClassifier(result.files["litert-float32"]).predict(pixels)
        assert found == pytest.approx(network(given[None].astype(np.float32)).numpy()[0], abs=1e-3), scaling


def test_outputs_become_probabilities(tmp_path):
    import keras
    from keras import layers

    def saved(name: str, *last) -> Path:
        keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), *last]).save(tmp_path / f"{name}.keras")
        return tmp_path / f"{name}.keras"

    logits = read("keras", saved("logits", layers.Dense(3)), tmp_path / "1", scaling="0_1")
    assert "softmax was added" in logits.origin["output"]
    one = read("keras", saved("one", layers.Dense(1, activation="sigmoid")), tmp_path / "2", ["no", "yes"])
    assert "second label" in one.origin["output"]
    assert refusal("keras", saved("four", layers.Dense(4)), tmp_path / "3") == "labels_do_not_fit"


@pytest.mark.real_data
def test_a_file_of_keras_2_from_the_wild(real_data, tmp_path):
    path = real_data / "weights" / "mobilenet_025_96_vww.h5"
    result = read("h5", path, tmp_path / "work", ["no person", "person"], scaling="0_1")
    assert result.parameters == 221_794 and result.origin["read"] == "by Keras, from settings of Keras 2"
    assert result.origin["largest_difference"] < 1e-5


def test_a_network_of_keras_2_whose_settings_keras_3_does_not_read(tmp_path, monkeypatch):
    """Then what Keras 2 computes is read, by way of ONNX."""
    tf_keras = pytest.importorskip("tf_keras")
    from vision.model_import import read as reading

    model = tf_keras.Sequential(
        [
            tf_keras.layers.InputLayer((32, 32, 3)),
            tf_keras.layers.Conv2D(4, 3, activation="relu"),
            tf_keras.layers.GlobalAveragePooling2D(),
            tf_keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.save(tmp_path / "old.h5")
    monkeypatch.setattr(reading.keras.saving, "load_model", lambda *a, **k: (_ for _ in ()).throw(TypeError("no")))
    found = reading.read_network("h5", tmp_path / "old.h5", None, tmp_path, reading.Limits(LIMIT))
    batch = np.random.default_rng(0).uniform(0, 1, (2, 32, 32, 3)).astype(np.float32)
    assert found.way == "by Keras 2 and ONNX"
    assert found.model(batch).numpy() == pytest.approx(model(batch).numpy(), abs=1e-5)


# What is refused


def archive_with(tmp_path: Path, files: dict[str, Path], change) -> Path:
    """The `.keras` file with its network changed."""
    path = tmp_path / "changed.keras"
    with zipfile.ZipFile(files["keras"]) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                document = json.loads(content)
                change(document)
                content = json.dumps(document).encode()
            target.writestr(name, content)
    return path


def as_lambda(document: dict) -> None:
    layer = document["config"]["layers"][1]
    layer.update(module="keras.layers", class_name="Lambda", registered_name=None)
    layer["config"] = {"name": "evil", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}}


def as_custom(document: dict) -> None:
    document["config"]["layers"][1].update(module="os", registered_name="evil>System")


def as_file_layer(document: dict) -> None:
    document["config"]["layers"][1].update(class_name="TFSMLayer", config={"filepath": "/etc"})


@pytest.mark.parametrize("change", [as_lambda, as_custom, as_file_layer])
def test_layers_that_are_programs_are_refused(change, files, tmp_path):
    assert refusal("keras", archive_with(tmp_path, files, change), tmp_path / "work") == "forbidden_layer"


def test_archives_that_are_more_than_they_seem(files, tmp_path):
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(files["keras"]) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("config.json", source.read("config.json"))
        with target.open("model.weights.h5", "w") as member:
            for _ in range(LIMIT * 8 // (1 << 20) + 2):
                member.write(b"\0" * (1 << 20))
    assert bomb.stat().st_size < 1_000_000
    assert refusal("keras", bomb, tmp_path / "1") == "too_large"
    lying = tmp_path / "lying.keras"
    content = bytearray(bomb.read_bytes())
    size = LIMIT * 8 // (1 << 20) * (1 << 20) + 2 * (1 << 20)
    for place in [n for n in range(len(content) - 4) if content[n : n + 4] == size.to_bytes(4, "little")]:
        content[place : place + 4] = (1000).to_bytes(4, "little")
    lying.write_bytes(content)
    assert refusal("keras", lying, tmp_path / "2") in ("not_a_model", "too_large")
    broken = tmp_path / "broken.keras"
    with zipfile.ZipFile(files["keras"]) as source, zipfile.ZipFile(broken, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    content = bytearray(broken.read_bytes())
    content[200:260] = b"\xff" * 60
    broken.write_bytes(content)
    assert refusal("keras", broken, tmp_path / "4") == "not_a_model"
    with zipfile.ZipFile(tmp_path / "deep.keras", "w") as archive:
        archive.writestr("config.json", "[" * 200_000)
        archive.writestr("model.weights.h5", b"")
    assert refusal("keras", tmp_path / "deep.keras", tmp_path / "3") == "not_a_model"


def test_hdf5_files_that_are_more_than_numbers(files, tmp_path):
    def changed(name: str, change) -> Path:
        path = tmp_path / f"{name}.h5"
        path.write_bytes(files["h5"].read_bytes())
        with h5py.File(path, "r+") as file:
            change(file)
        return path

    def pickled(file) -> None:
        file.create_dataset("x", data=np.void(pickle.dumps(Path("/"))))

    def pickled_attribute(file) -> None:
        file.attrs["x"] = np.void(pickle.dumps(Path("/")))

    def objects(file) -> None:
        file.create_dataset("x", data=["text"], dtype=h5py.string_dtype())

    def external(file) -> None:
        file["x"] = h5py.ExternalLink("/etc/passwd", "/")

    def outside(file) -> None:
        file.create_dataset("x", (10,), "u1", external=[("/etc/passwd", 0, 10)])

    def virtual(file) -> None:
        layout = h5py.VirtualLayout((10,), "f4")
        layout[:] = h5py.VirtualSource("/tmp/other.h5", "y", (10,))
        file.create_virtual_dataset("x", layout)

    def inflated(file) -> None:
        file.create_dataset("x", (LIMIT * 10,), "f8", chunks=(1 << 16,), compression="gzip")

    for change in (pickled, pickled_attribute, objects, external, outside, virtual):
        assert refusal("h5", changed(change.__name__, change), tmp_path / change.__name__) == "unsafe_file", change
    assert refusal("h5", changed("inflated", inflated), tmp_path / "inflated") == "too_large"

    def huge(file) -> None:
        network = json.loads(file.attrs["model_config"])
        network["config"]["layers"][-1]["config"]["units"] = 10**9
        file.attrs["model_config"] = json.dumps(network)

    assert refusal("h5", changed("huge", huge), tmp_path / "huge") == "too_large"
    without = changed("weights", lambda file: file.attrs.pop("model_config"))
    assert refusal("h5", without, tmp_path / "w") == "weights_only"


def test_saved_models_that_touch_files_are_refused(tmp_path):
    import tensorflow as tf

    class Evil(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 3), tf.float32)])
        def serve(self, image):
            secret = tf.io.read_file("/etc/passwd")
            return tf.reduce_mean(image, [1, 2]) + tf.cast(tf.strings.length(secret), tf.float32)

    evil = Evil()
    tf.saved_model.save(evil, str(tmp_path / "evil"), signatures=evil.serve)
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for one in (tmp_path / "evil").rglob("*"):
            if one.is_file():
                archive.write(one, one.relative_to(tmp_path / "evil"))
        archive.writestr("../../outside.txt", "x")
    assert refusal("saved_model", path, tmp_path / "work") == "unsafe_file"
    assert not (tmp_path.parent / "outside.txt").exists()


def test_weights_in_another_file_are_refused(files, tmp_path):
    import onnx

    model = onnx.load(str(files["onnx"]))
    onnx.save(model, str(tmp_path / "m.onnx"), save_as_external_data=True, location="w.bin", size_threshold=0)
    assert refusal("onnx", tmp_path / "m.onnx", tmp_path / "work", image_size=(40, 40)) == "unsafe_file"


def test_wrong_inputs_and_damaged_files(network, files, tmp_path):
    import keras
    from keras import layers

    grey = keras.Sequential([keras.Input((32, 32, 1)), layers.Flatten(), layers.Dense(3)])
    grey.save(tmp_path / "grey.keras")
    assert refusal("keras", tmp_path / "grey.keras", tmp_path / "1") == "wrong_input"
    vector = keras.Sequential([keras.Input((10,)), layers.Dense(3)])
    vector.save(tmp_path / "vector.keras")
    assert refusal("keras", tmp_path / "vector.keras", tmp_path / "2") == "wrong_input"
    first, second = keras.Input((32, 32, 3)), keras.Input((32, 32, 3))
    two = keras.Model([first, second], layers.Flatten()(layers.Add()([first, second])))
    two.save(tmp_path / "two.keras")
    assert refusal("keras", tmp_path / "two.keras", tmp_path / "3") == "wrong_input"
    open_size = keras.Sequential([keras.Input((None, None, 3)), layers.GlobalAveragePooling2D(), layers.Dense(3)])
    open_size.save(tmp_path / "open.keras")
    assert refusal("keras", tmp_path / "open.keras", tmp_path / "4") == "size_needed"
    assert read("keras", tmp_path / "open.keras", tmp_path / "5", image_size=(48, 64)).input_size == (48, 64)
    assert refusal("keras", files["keras"], tmp_path / "6", image_size=(48, 64)) == "wrong_input"
    for number, (format, path) in enumerate(files.items()):
        half = tmp_path / f"half{path.suffix}"
        half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert refusal(format, half, tmp_path / f"h{number}", image_size=(40, 40)), format
        empty = tmp_path / f"empty{path.suffix}"
        empty.write_bytes(b"")
        assert refusal(format, empty, tmp_path / f"e{number}", image_size=(40, 40)) == "not_a_model", format


# Networks of one's own


def own_network(side: int = 32, labels: int = 2) -> dict:
    import keras
    from keras import layers

    return json.loads(
        keras.Sequential(
            [
                keras.Input((side, side, 3)),
                layers.Rescaling(1 / 255),
                layers.Conv2D(8, 3, strides=2, activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(labels, activation="softmax"),
            ]
        ).to_json()
    )


def test_a_network_too_large_is_refused_without_the_memory_for_it():
    import keras
    import psutil

    from vision.training.checked_networks import build_checked

    network = own_network()
    network["config"]["layers"][-1]["config"]["units"] = 10**9
    before = psutil.Process().memory_info().rss
    with pytest.raises(UploadError) as error:
        build_checked(network, 100_000_000)
    assert error.value.code == "too_large" and "parameters" in str(error.value)
    wide = json.loads(
        keras.Sequential(
            [
                keras.Input((32, 32, 3)),
                keras.layers.UpSampling2D(1000),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(2, activation="softmax"),
            ]
        ).to_json()
    )
    with pytest.raises(UploadError) as error:
        build_checked(wide, 10**12)
    assert "numbers" in str(error.value)
    with keras.StatelessScope():
        pass  # nothing of them is waiting to be made when Keras makes variables the next time
    assert psutil.Process().memory_info().rss - before < 300 << 20


@pytest.mark.parametrize(
    "network", [None, [], {}, {"class_name": "Dense"}, {"class_name": "Sequential", "config": {"class_name": 3}}, "x"]
)
def test_what_is_no_network(network):
    with pytest.raises(UploadError):
        check_network(network)
        square_input(network)


@pytest.mark.django_db
class TestThroughTheAPI:
    @pytest.fixture(autouse=True)
    def pictures(self, api, dataset):
        run_import(api, dataset, shapes_zip(24))

    def send(self, api, project, path: Path, **fields):
        body = {
            "project": str(project.pk),
            "labels": "ant\nbee\ncat",
            "file": SimpleUploadedFile(path.name, path.read_bytes()),
            **fields,
        }
        return api.post("/api/v1/models/", body, format="multipart")

    def finished(self, api, answer) -> dict:
        assert answer.status_code == 202, answer.content
        jobs.run_job(answer.json()["id"])
        return api.get(answer["Location"]).json()

    @pytest.mark.usefixtures("engine_in_process", "no_timing")
    def test_an_uploaded_model_is_one_like_all_others(self, api, project, files, network):
        job = self.finished(api, self.send(api, project, files["h5"], scaling="-1_1", name="Insects"))
        assert job["state"] == "succeeded", job
        model = api.get(f"/api/v1/models/{job['result']['model']}/").json()
        assert (model["name"], model["architecture"], model["class_names"]) == ("Insects", "uploaded", LABELS)
        kinds = {file["kind"] for file in model["files"]}
        assert kinds == {"keras", "litert-float32", "labels", "labels_json", "original"}
        assert model["origin"]["filename"] == "model.h5" and model["origin"]["scaling"] == "-1_1"
        original = api.get(f"/api/v1/models/{model['id']}/files/original/")
        assert b"".join(original.streaming_content) == files["h5"].read_bytes()
        content = jpeg(8, (100, 70))
        body = {"files": SimpleUploadedFile("a.jpg", content)}
        found = api.post(f"/api/v1/models/{model['id']}/predict/", body, format="multipart").json()
        values = load_pixels(content, (40, 40))[None].astype(np.float32) / 127.5 - 1
        best = max(found["predictions"][0]["labels"], key=lambda one: one["score"])
        assert best["score"] == pytest.approx(float(network(values).numpy().max()), abs=1e-4)
        # Exported with what images the project has, for nothing is known of its own data.
        answer = api.post(f"/api/v1/models/{model['id']}/exports/", {"kinds": ["litert-int8", "onnx"]})
        job = self.finished(api, answer)
        reports = {one["kind"]: one for one in job["result"]["exports"]}
        assert reports["onnx"]["offered"] and reports["onnx"]["agreement"] == 1.0, reports
        assert "without regard" in reports["litert-int8"]["measured_on"]

    @pytest.mark.usefixtures("engine_in_process", "no_timing")
    def test_it_is_a_start_for_other_labels(self, api, project, files):
        job = self.finished(api, self.send(api, project, files["keras"], scaling="-1_1"))
        base = job["result"]["model"]
        answer = api.post(
            "/api/v1/trainings/", {"project": str(project.pk), "base_model": base, "epochs": 2, "fine_tune_epochs": 1}
        )
        assert answer.status_code == 201, answer.content
        configuration = answer.json()["configuration"]
        assert (configuration["weights"], configuration["image_size"]) == ("base", 40)
        trainings.run_training(answer.json()["id"])
        run = api.get(answer["Location"]).json()
        assert run["state"] == "succeeded", run["error"]
        model = api.get(f"/api/v1/models/{run['model']}/").json()
        assert model["base_model"] == base and len(model["class_names"]) == 2
        lineage = api.get(f"/api/v1/models/{model['id']}/lineage/").json()
        assert [one["id"] for one in lineage["ancestors"]] == [base]

    @pytest.mark.usefixtures("engine_in_process")
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"labels": "a\nb"}, "labels_do_not_fit"),
            ({"input_width": 48, "input_height": 48}, "wrong_input"),
        ],
    )
    def test_what_does_not_fit_is_said(self, api, project, files, fields, code):
        job = self.finished(api, self.send(api, project, files["keras"], **fields))
        assert (job["state"], job["error"]["code"]) == ("failed", code) and not Model.objects.exists()

    def test_a_hostile_file_ends_its_job_only(self, api, project, files, tmp_path):
        path = archive_with(tmp_path, files, as_lambda)
        job = self.finished(api, self.send(api, project, path))
        assert (job["state"], job["error"]["code"]) == ("failed", "forbidden_layer")
        assert "piece of program" in job["error"]["detail"]

    def test_a_process_that_takes_too_much_memory_is_ended(self, api, project, files, settings):
        settings.MODEL_IMPORT_MEMORY_BYTES = 100 << 20
        job = self.finished(api, self.send(api, project, files["keras"]))
        assert (job["state"], job["error"]["code"]) == ("failed", "model_import_died_of_memory")

    @pytest.mark.usefixtures("engine_in_process", "no_timing")
    def test_what_is_refused_before_anything_is_read(self, api, project, files, settings, viewer):
        assert self.send(api, project, files["keras"], labels="").status_code == 400
        text = SimpleUploadedFile("labels.txt", b"ant\nbee\ncat\n")
        assert self.send(api, project, files["keras"], labels=text).status_code == 202
        for content in (b"ant\nant\ncat", b"\xff\xfe\x00", b""):
            text = SimpleUploadedFile("labels.txt", content)
            assert self.send(api, project, files["keras"], labels=text).status_code == 400, content
        assert self.send(api, project, files["keras"], scaling="x").status_code == 400
        assert self.send(api, project, files["keras"], input_width=64).status_code == 400
        assert self.send(client_of(viewer), project, files["keras"]).status_code == 403
        named = SimpleUploadedFile("model.pkl", b"x")
        assert "must end in" in self.send(api, project, files["keras"], file=named).json()["errors"][0]["detail"]
        settings.MAX_MODEL_BYTES = 1000
        assert self.send(api, project, files["keras"]).status_code == 413

    @pytest.mark.usefixtures("engine_in_process", "no_timing")
    def test_a_network_of_ones_own_is_trained(self, api, project):
        wanted = {"project": str(project.pk), "architecture": "custom", "network": own_network(), "epochs": 2}
        answer = api.post("/api/v1/trainings/", wanted)
        assert answer.status_code == 201, answer.content
        trainings.run_training(answer.json()["id"])
        run = api.get(answer["Location"]).json()
        assert run["state"] == "succeeded", run["error"]
        model = api.get(f"/api/v1/models/{run['model']}/").json()
        assert (model["architecture"], model["input_width"], model["parameters"]) == ("custom", 32, 242)

    @pytest.mark.usefixtures("engine_in_process", "no_timing")
    def test_a_network_that_cannot_be_is_refused(self, api, project):
        def refused(network, **more) -> str:
            wanted = {"project": str(project.pk), "architecture": "custom", "network": network, **more}
            return api.post("/api/v1/trainings/", wanted).json()["errors"][0]["code"]

        evil = own_network()
        evil["config"]["layers"][1]["class_name"] = "Lambda"
        assert refused(evil) == "forbidden_layer"
        assert refused({"class_name": "Sequential", "config": {"layers": []}}) == "wrong_input"
        assert refused(own_network(16)) == "wrong_input"
        assert refused(own_network(), image_size=64) == "invalid_configuration"
        assert refused(own_network(), architecture="small_cnn") == "invalid_configuration"
        wanted = {"project": str(project.pk), "architecture": "custom"}
        assert api.post("/api/v1/trainings/", wanted).json()["errors"][0]["code"] == "invalid_configuration"
        answer = api.post("/api/v1/trainings/", {**wanted, "network": own_network(labels=5), "epochs": 1})
        trainings.run_training(answer.json()["id"])
        assert api.get(answer["Location"]).json()["error"]["code"] == "labels_do_not_fit"

    @pytest.mark.usefixtures("engine_in_process", "no_timing")
    def test_a_huge_network_ends_its_training_only(self, api, project):
        huge = own_network()
        huge["config"]["layers"][-1]["config"]["units"] = 10**9
        wanted = {"project": str(project.pk), "architecture": "custom", "network": huge}
        answer = api.post("/api/v1/trainings/", wanted)
        trainings.run_training(answer.json()["id"])
        error = api.get(answer["Location"]).json()["error"]
        assert error["code"] == "too_large" and "parameters" in error["detail"]


def test_a_letterboxed_model_sees_whole_pictures(files, tmp_path):
    """What its owner says of the resizing is what happens to every image."""
    result = read("keras", files["keras"], tmp_path / "work", resize="letterbox")
    assert result.input_size == (40, 40)


def test_operations_by_name():
    for name in (
        "ReadFile",
        "WriteFile",
        "PyFunc",
        "EagerPyFunc",
        "TensorSliceDataset",
        "LookupTableFindV2",
        "PrintV2",
        "ImmutableConst",
        "NotYetInvented",
    ):
        with pytest.raises(UploadError):
            operations.check_operation(name)
    for name in ("Conv2D", "MatMul", "StatefulPartitionedCall", "ReadVariableOp", "FusedBatchNormV3", "SaveV2"):
        operations.check_operation(name)
    for name in ("SaveV2", "ReadVariableOp", "RandomUniform", "While"):
        with pytest.raises(UploadError):
            operations.check_computing(name)


@pytest.mark.parametrize(
    ("operation", "inputs"), [("Gemm", ["x"]), ("Gemm", ["x", ""]), ("PRelu", ["x", ""]), ("Reshape", ["x", ""])]
)
def test_an_onnx_file_without_a_parameter_is_refused_in_words(operation, inputs):
    import onnx

    from vision.model_import.onnx_graph.network import keras_network
    from vision.training.errors import UploadError

    number = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(operation, inputs, ["y"])],
        "g",
        [onnx.helper.make_tensor_value_info("x", number, [1, 3, 32, 32])],
        [onnx.helper.make_tensor_value_info("y", number, None)],
    )
    with pytest.raises(UploadError) as refused:
        keras_network(onnx.helper.make_model(graph), (32, 32))
    assert operation in str(refused.value)
