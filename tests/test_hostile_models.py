"""Uploaded models that want more than to be a network: refused before anything of them runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from jobs.engine.files import made_files
from jobs.errors import WorkFailed
from storage.models import Blob
from vision.model_import.hdf5 import check_hdf5
from vision.training.errors import EngineError

pytestmark = pytest.mark.any_database("files of models")
LIMIT = 1 << 26


def refused(format: str, path: Path, folder: Path) -> str:
    from vision.model_import.read import Limits, read_network

    folder.mkdir(exist_ok=True)
    with pytest.raises(EngineError) as error:
        read_network(format, path, (8, 8), folder, Limits(1_000_000))
    assert len(str(error.value)) > 20
    return error.value.code


# ONNX


def onnx_file(tmp_path: Path, change=None, nodes=None, initializers=()) -> Path:
    import onnx
    from onnx import helper

    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes
        or [
            helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["y"]),
        ],
        "g",
        [value("image", onnx.TensorProto.FLOAT, [1, 3, 8, 8])],
        [value("y", onnx.TensorProto.FLOAT, None)],
        initializer=list(initializers),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if change is not None:
        change(model, helper)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def outside(name: str = "t"):
    """A tensor whose bytes are in another file."""
    import onnx

    tensor = onnx.TensorProto(name=name, data_type=onnx.TensorProto.FLOAT, dims=[3])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "README.md"), ("length", "12")):
        tensor.external_data.add(key=key, value=value)
    return tensor


def in_function(model, helper):
    body = [helper.make_node("Constant", [], ["o"], value=outside())]
    model.functions.append(helper.make_function("my", "F", [], ["o"], body, [helper.make_opsetid("", 17)]))


def in_training(model, helper):
    model.training_info.add().algorithm.initializer.append(outside())


def in_sparse(model, helper):
    model.graph.sparse_initializer.add().values.CopyFrom(outside())


def in_attribute(model, helper):
    model.graph.node[0].attribute.add(name="x", type=9).tensors.append(outside())


def in_branch(model, helper):
    branch = helper.make_graph([helper.make_node("Constant", [], ["o"], value=outside())], "b", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("then_branch", branch))


@pytest.mark.parametrize("place", [in_function, in_training, in_sparse, in_attribute, in_branch])
def test_onnx_weights_in_another_file_wherever_they_are_named(tmp_path, place):
    assert refused("onnx", onnx_file(tmp_path, place), tmp_path / "work") == "unsafe_file"


def own_function(model, helper):
    body = [helper.make_node("Neg", ["x"], ["o"])]
    model.functions.append(helper.make_function("my", "F", ["x"], ["o"], body, [helper.make_opsetid("", 17)]))


def sparse(model, helper):
    model.graph.sparse_initializer.add().values.name = "s"


def other_domain(model, helper):
    model.graph.node[0].domain = "com.microsoft"


def unknown(model, helper):
    model.graph.node[0].op_type = "Loop"


@pytest.mark.parametrize("change", [own_function, sparse, other_domain, unknown])
def test_onnx_files_that_are_more_than_a_network(tmp_path, change):
    assert refused("onnx", onnx_file(tmp_path, change), tmp_path / "work") == "unsupported_operation"


def test_what_an_onnx_file_says_of_the_runtime_is_forgotten(tmp_path):
    from vision.model_import.onnx_graph.files import load_onnx

    def said(model, helper):
        model.metadata_props.add(key="ort_config", value="{}")
        model.opset_import.add(domain="com.example", version=1)

    model = load_onnx(onnx_file(tmp_path, said))
    assert not model.metadata_props
    assert [one.domain for one in model.opset_import] == [""]


# LiteRT


def litert_file(path: Path, source: Path, change) -> Path:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(source.read_bytes(), 0))
    change(model, schema)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def custom(model, schema):
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0].customCode = b"FlexReadFile"


def state(model, schema):
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.VAR_HANDLE


def call_once(model, schema):
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CALL_ONCE


def behind_the_end(model, schema):
    model.buffers[1].offset, model.buffers[1].size = 1 << 30, 1 << 20


def in_another_file(model, schema):
    group = schema.ExternalBufferGroupT()
    group.name = "/etc/passwd"
    model.externalBufferGroups = [group]


def variable(model, schema):
    model.subgraphs[0].tensors[0].isVariable = True


def two_graphs(model, schema):
    model.subgraphs.append(model.subgraphs[0])


@pytest.mark.parametrize("change", [custom, state, call_once, behind_the_end, in_another_file, variable, two_graphs])
def test_litert_files_that_are_more_than_a_network(tmp_path, classifier_files, change):
    path = litert_file(tmp_path / "m.tflite", classifier_files["litert-float32"], change)
    assert refused("litert", path, tmp_path / "work") == "unsafe_file"


def test_a_litert_file_that_is_damaged_is_no_model(tmp_path, classifier_files):
    content = bytearray(classifier_files["litert-float32"].read_bytes())
    content[0:4] = (1 << 30).to_bytes(4, "little")
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    assert refused("litert", path, tmp_path / "work") == "not_a_model"


def test_an_onnx_file_that_names_another_file_is_not_kept_whoever_wrote_it(tmp_path):
    good = onnx_file(tmp_path)
    assert made_files(tmp_path, {"onnx": str(good)}) == {"onnx": good}
    with pytest.raises(WorkFailed) as caught:
        made_files(tmp_path, {"onnx": str(onnx_file(tmp_path, in_function))})
    assert caught.value.code == "model_file_unsafe"
    good.write_bytes(b"x")
    with pytest.raises(WorkFailed):
        made_files(tmp_path, {"onnx": str(good)})


def test_what_the_web_process_serves_is_looked_into_whoever_wrote_it(tmp_path, classifier_files):
    good = tmp_path / "good.tflite"
    good.write_bytes(classifier_files["litert-float32"].read_bytes())
    assert made_files(tmp_path, {"litert-float32": str(good)}) == {"litert-float32": good}
    bad = litert_file(tmp_path / "bad.tflite", good, custom)
    with pytest.raises(WorkFailed) as caught:
        made_files(tmp_path, {"litert-float32": str(bad)})
    assert caught.value.code == "model_file_unsafe"


# HDF5


def hdf5(path: Path, make) -> Path:
    with h5py.File(path, "w") as file:
        make(file)
    return path


def cycle(file):
    file.create_group("a")["again"] = file["/"]


def diamond(file):
    group = file.create_group("a")
    file["b"] = group


def named_type(file):
    file["type"] = np.dtype("f4")


def other_filter(file):
    file.create_dataset("x", data=np.zeros(100_000, np.float32), compression="lzf")


def bomb(file):
    file.create_dataset("x", shape=(LIMIT // 8,), dtype="f4", compression="gzip", data=np.zeros(LIMIT // 8, "f4"))


def never_written(file):
    file.create_dataset("x", shape=(LIMIT // 8,), dtype="f4")


def pieces(file):
    file.create_dataset("x", shape=(1 << 20,), chunks=(1,), dtype="u1")


def attributes(file):
    for number in range(1001):
        file.attrs[f"a{number}"] = 1


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (cycle, "unsafe_file"),
        (diamond, "unsafe_file"),
        (named_type, "unsafe_file"),
        (other_filter, "unsafe_file"),
        (bomb, "too_large"),
        (never_written, "too_large"),
        (pieces, "too_large"),
        (attributes, "too_large"),
    ],
)
def test_crafted_hdf5_files(tmp_path, make, code):
    with pytest.raises(EngineError) as error:
        check_hdf5(hdf5(tmp_path / "x.h5", make), LIMIT)
    assert error.value.code == code


def test_an_hdf5_file_may_be_deep(tmp_path):
    def deep(file):
        group = file
        for _ in range(3000):
            group = group.create_group("g")

    check_hdf5(hdf5(tmp_path / "x.h5", deep), LIMIT)


# The door itself


def test_uploads_can_be_switched_off(api, project, settings):
    settings.MODEL_UPLOADS = False
    file = SimpleUploadedFile("model.keras", b"x")
    answer = api.post(
        "/api/v1/models/", {"project": str(project.pk), "file": file, "labels": "a\nb"}, format="multipart"
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "model_uploads_off")
    assert not Blob.objects.exists()


# keras-retinanet


PACKAGE_FILES = """
import json, sys
from pathlib import Path
import h5py
import vision.legacy_retinanet
from vision.training.errors import EngineError
from vision.legacy_retinanet.imports import check_configuration

def layer(kind, **settings):
    return {"class_name": kind, "config": settings}

FILES = {
    "plain": layer("Conv2D", name="c", kernel_initializer=layer("PriorProbability", probability=0.01)),
    "nameless": layer("Lambda", function=["4wE=", None, None]),
    "function": layer("Activation", name="a", activation={
        "class_name": "function", "config": "system", "module": "os", "registered_name": "function"}),
    "module": {**layer("Activation", name="a"), "module": "os"},
    "deep": json.loads('{"class_name": "Model", "config": ' * 200 + "{}" + "}" * 200),
}
for name, network in FILES.items():
    path = Path(sys.argv[1]) / f"{name}.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": {"layers": [network]}})
    try:
        check_configuration(path)
        print(name, "taken")
    except EngineError as error:
        print(name, error.code)
"""


def test_files_of_keras_retinanet_have_known_layers_whatever_they_leave_out(tmp_path):
    pytest.importorskip("keras_retinanet")
    done = subprocess.run(
        [sys.executable, "-c", PACKAGE_FILES, str(tmp_path)],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [
        "plain",
        "taken",
        "nameless",
        "unknown_layers",
        "function",
        "unknown_layers",
        "module",
        "unknown_layers",
        "deep",
        "not_a_model",
    ], done.stderr[-2000:]
