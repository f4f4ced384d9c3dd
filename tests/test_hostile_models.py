"""Uploaded models that want more than to be a network: refused before anything of them runs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from projects.errors import WorkFailed
from storage.models import Blob
from training.engine.errors import EngineError
from training.engine.uploads.hdf5 import check_hdf5
from training.process import made_files
from vision.sandbox import landlock
from vision.sandbox.limits import GIB, Limits
from vision.sandbox.process import start

LIMIT = 1 << 26


def refused(format: str, path: Path, folder: Path) -> str:
    from training.engine.uploads.read import Limits, read_network

    folder.mkdir(exist_ok=True)
    with pytest.raises(EngineError) as error:
        read_network(format, path, (8, 8), folder, Limits(1_000_000))
    assert len(str(error.value)) > 20
    return error.value.code


# SavedModels


def image_spec():
    import tensorflow as tf

    return tf.TensorSpec((None, 8, 8, 3), tf.float32, name="image")


def saved(tmp_path: Path, compute, **parts) -> Path:
    """A SavedModel whose signature computes so; parts become its attributes."""
    import tensorflow as tf

    module = tf.Module()
    for name, part in parts.items():
        setattr(module, name, part)
    module.serve = tf.function(lambda image: compute(module, image), input_signature=[image_spec()])
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=module.serve.get_concrete_function())
    return zipped(tmp_path / "saved")


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return path


def changed(path: Path, change) -> Path:
    """The same archive with another saved_model.pb."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    other = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "saved_model.pb":
                model = SavedModel.FromString(content)
                change(model.meta_graphs[0])
                content = model.SerializeToString()
            target.writestr(name, content)
    return other


def mean(image):
    import tensorflow as tf

    return tf.reduce_mean(image, [1, 2])


def reading(path: Path):
    """An operation that maps a file into a tensor."""
    import tensorflow as tf

    return tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=[1], memory_region_name=str(path))


def test_a_plain_saved_model_is_read_without_loading_it(tmp_path, monkeypatch):
    import tensorflow as tf

    from training.engine.uploads.read import Limits, read_network

    def compute(module, image):
        inner = tf.function(lambda x: tf.matmul(mean(x), module.w) + module.b)
        return tf.nn.softmax(inner(image))

    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    path = saved(tmp_path, compute, w=tf.Variable(values), b=tf.Variable([0.5, -0.5]))
    monkeypatch.setattr(tf.saved_model, "load", None)
    network = read_network("saved_model", path, None, tmp_path, Limits(1_000_000))
    image = np.random.default_rng(0).uniform(0, 1, (2, 8, 8, 3)).astype(np.float32)
    logits = image.mean(axis=(1, 2)) @ values + [0.5, -0.5]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert network.model(image).numpy() == pytest.approx(expected, abs=1e-5)
    assert network.reference(image) == pytest.approx(expected, abs=1e-5)


def test_a_resource_that_reads_a_file_when_it_is_loaded(tmp_path):
    import tensorflow as tf
    from tensorflow.python.trackable.resource import TrackableResource

    secret = tmp_path / "secret"
    secret.write_text("key")
    holder = tf.Variable([0.0])

    class Evil(TrackableResource):
        def _create_resource(self):
            return tf.raw_ops.AnonymousMutableHashTable(key_dtype=tf.int64, value_dtype=tf.int64)

        def _initialize(self):
            holder.assign(tf.cast(reading(secret), tf.float32))

    path = saved(tmp_path, lambda module, image: mean(image) + module.holder, evil=Evil(), holder=holder)
    assert refused("saved_model", path, tmp_path / "work") == "unsafe_file"


OPERATIONS = {
    "read": lambda tf, path: tf.strings.length(tf.io.read_file(str(path))),
    "map": lambda tf, path: reading(path),
    "print": lambda tf, path: tf.print("import os", output_stream=f"file://{path}"),
    "write": lambda tf, path: tf.io.write_file(str(path), "x"),
    "python": lambda tf, path: tf.numpy_function(lambda: np.float32(1), [], tf.float32),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("place", ["signature", "nested", "beside"])
def test_operations_that_touch_files_wherever_they_are(tmp_path, name, place):
    import tensorflow as tf

    target = tmp_path / "victim"
    target.write_text("before")

    def touch():
        result = OPERATIONS[name](tf, target)
        return tf.constant(0.0) if result is None or isinstance(result, tf.Operation) else tf.cast(result, tf.float32)

    def compute(module, image):
        if place == "beside":
            return mean(image)
        return mean(image) + tf.reduce_sum(tf.function(touch)() if place == "nested" else touch())

    beside = {}
    if place == "beside":
        beside["other"] = tf.function(touch, input_signature=[])
        beside["other"].get_concrete_function()
    path = saved(tmp_path, compute, **beside)
    target.write_text("before")
    assert refused("saved_model", path, tmp_path / "work") == "unsafe_file"
    assert target.read_text() == "before"


def test_assets_and_tables(tmp_path):
    import tensorflow as tf

    (tmp_path / "words").write_text("a\nb\n")
    asset = tf.saved_model.Asset(str(tmp_path / "words"))
    first = saved(tmp_path, lambda module, image: mean(image), asset=asset)
    assert refused("saved_model", first, tmp_path / "work") == "unsafe_file"
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1], [2.0]), 0.0)
    (tmp_path / "second").mkdir()
    second = saved(tmp_path / "second", lambda module, image: mean(image), table=table)
    assert refused("saved_model", second, tmp_path / "second" / "work") == "unsafe_file"


@pytest.fixture
def plain(tmp_path) -> Path:
    import tensorflow as tf

    return saved(tmp_path, lambda module, image: mean(image) * module.w, w=tf.Variable([1.0, 2.0, 3.0]))


def test_loops_and_chance_in_the_signature_are_no_network(tmp_path):
    import tensorflow as tf

    path = saved(tmp_path, lambda module, image: mean(image) + tf.random.uniform([3]))
    assert refused("saved_model", path, tmp_path / "work") == "unsupported_operation"


def signature_function(meta):
    (wrapper,) = (one for one in meta.graph_def.library.function if "signature_wrapper" in one.signature.name)
    return wrapper


def test_functions_that_call_each_other_without_end(plain, tmp_path):
    def loop(meta):
        wrapper = signature_function(meta)
        for node in wrapper.node_def:
            if node.op in ("StatefulPartitionedCall", "PartitionedCall"):
                node.attr["f"].func.name = wrapper.signature.name

    assert refused("saved_model", changed(plain, loop), tmp_path / "work") == "too_large"


def test_functions_that_double_at_each_level(plain, tmp_path):
    def laugh(meta):
        from tensorflow.core.framework.function_pb2 import FunctionDef
        from tensorflow.core.framework.types_pb2 import DT_FLOAT

        library = meta.graph_def.library
        for level in range(30):
            function = FunctionDef()
            function.signature.name = f"laugh{level}"
            function.signature.input_arg.add(name="x", type=DT_FLOAT)
            function.signature.output_arg.add(name="y", type=DT_FLOAT)
            inputs = []
            for number in range(2):
                node = function.node_def.add(name=f"c{number}", op="PartitionedCall", input=["x"])
                if level == 0:
                    node.op = "Neg"
                    node.attr["T"].type = DT_FLOAT
                else:
                    node.attr["f"].func.name = f"laugh{level - 1}"
                    node.attr["Tin"].list.type.append(DT_FLOAT)
                    node.attr["Tout"].list.type.append(DT_FLOAT)
                inputs.append(f"c{number}:{'y' if level == 0 else 'output'}:0")
            add = function.node_def.add(name="sum", op="AddV2", input=inputs)
            add.attr["T"].type = DT_FLOAT
            function.ret["y"] = "sum:z:0"
            library.function.add().CopyFrom(function)
        wrapper = signature_function(meta)
        call = wrapper.node_def.add(name="laugh", op="PartitionedCall", input=[wrapper.signature.input_arg[0].name])
        call.attr["f"].func.name = "laugh29"
        call.attr["Tout"].list.type.append(DT_FLOAT)
        wrapper.ret[wrapper.signature.output_arg[0].name] = "laugh:output:0"

    assert refused("saved_model", changed(plain, laugh), tmp_path / "work") == "too_large"


def test_a_constant_that_claims_to_be_huge(plain, tmp_path):
    def huge(meta):
        from tensorflow.core.framework.types_pb2 import DT_FLOAT

        wrapper = signature_function(meta)
        node = wrapper.node_def.add(name="huge", op="Const")
        node.attr["dtype"].type = DT_FLOAT
        node.attr["value"].tensor.dtype = DT_FLOAT
        node.attr["value"].tensor.float_val.append(1.0)
        for _ in range(3):
            node.attr["value"].tensor.tensor_shape.dim.add(size=1 << 20)
        wrapper.ret[wrapper.signature.output_arg[0].name] = "huge:output:0"

    assert refused("saved_model", changed(plain, huge), tmp_path / "work") == "too_large"


@pytest.mark.parametrize("bound", [-1, 0, 10**6])
def test_objects_that_are_not_there(plain, tmp_path, bound):
    def rebind(meta):
        for one in meta.object_graph_def.concrete_functions.values():
            one.bound_inputs[:] = [bound] * len(one.bound_inputs)

    assert refused("saved_model", changed(plain, rebind), tmp_path / "work") in ("unsupported_operation", "not_a_model")


def test_variables_that_are_cut_off(plain, tmp_path):
    other = tmp_path / "cut.zip"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[:10] if ".data-" in name else content)
    assert refused("saved_model", other, tmp_path / "work") in ("not_a_model", "too_large")


# ONNX


def onnx_file(tmp_path: Path, change=None, nodes=None, initializers=()) -> Path:
    import onnx
    from onnx import helper

    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes or [helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
                  helper.make_node("Flatten", ["pooled"], ["y"])],
        "g", [value("image", onnx.TensorProto.FLOAT, [1, 3, 8, 8])], [value("y", onnx.TensorProto.FLOAT, None)],
        initializer=list(initializers),
    )  # fmt: skip
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
    from training.engine.uploads.onnx_graph.files import load_onnx

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


@pytest.mark.parametrize(
    "change", [custom, state, call_once, behind_the_end, in_another_file, variable, two_graphs]
)  # fmt: skip
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
    [(cycle, "unsafe_file"), (diamond, "unsafe_file"), (named_type, "unsafe_file"), (other_filter, "unsafe_file"),
     (bomb, "too_large"), (never_written, "too_large"), (pieces, "too_large"), (attributes, "too_large")],
)  # fmt: skip
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


# If a list had missed it


@pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
def test_the_sandbox_alone_stops_what_tensorflow_can_read_and_write(tmp_path):
    secret, victim, folder = tmp_path / "secret_key", tmp_path / "__init__.py", tmp_path / "job"
    secret.write_text("the key")
    victim.write_text("")
    folder.mkdir()
    code = """
import sys, tensorflow as tf
secret, victim = sys.argv[1:]
def attempt(name, do):
    try:
        do()
        print(name, "done")
    except Exception as error:
        print(name, "refused")
attempt("read", lambda: tf.io.read_file(secret))
attempt("map", lambda: tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=[7], memory_region_name=secret))
attempt("write", lambda: tf.io.write_file(victim, "import os"))
attempt("print", lambda: tf.print("import os", output_stream="file://" + victim))
attempt("own", lambda: tf.io.write_file("own", "x"))
"""
    limits = Limits(memory_bytes=4 * GIB, reserved_bytes=32 * GIB)
    process = start(
        [sys.executable, "-c", code, secret, victim], folder=folder, limits=limits, stdout=subprocess.PIPE, text=True
    )
    answer = process.communicate()[0].splitlines()
    assert answer == ["read refused", "map refused", "write refused", "print refused", "own done"]
    assert victim.read_text() == ""


# The door itself


def test_uploads_can_be_switched_off(api, project, settings):
    settings.MODEL_UPLOADS = False
    file = SimpleUploadedFile("model.keras", b"x")
    answer = api.post(
        "/api/v1/models/", {"project": str(project.pk), "file": file, "labels": "a\nb"}, format="multipart"
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "model_uploads_off")
    assert not Blob.objects.exists()


PACKAGE_FILES = """
import json, sys
from pathlib import Path
import h5py
import training.engine.legacy_keras
from training.engine.errors import EngineError
from training.engine.legacy_keras.imports import check_configuration

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
        cwd=Path(__file__).resolve().parent.parent, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == [
        "plain", "taken", "nameless", "unknown_layers", "function", "unknown_layers", "module", "unknown_layers",
        "deep", "not_a_model",
    ], done.stderr[-2000:]  # fmt: skip
