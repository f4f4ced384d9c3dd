"""SavedModels that want more than to be a network: refused before anything of them runs, and stopped if not."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.test_hostile_models import refused
from vision.sandbox import landlock
from vision.sandbox.limits import GIB, Limits
from vision.sandbox.process import start


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

    from vision.model_import.read import Limits, read_network

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
