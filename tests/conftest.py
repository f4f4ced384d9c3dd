from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from rest_framework.test import APIClient

from mlstudio.garbage import leave_out_what_stays
from projects.models import Membership, Role
from projects.services import create_project
from tests import operation_codes
from tests.engines import SMALL_RESNET, shallow_efficientnet, skip_timing, step_by_step, use_engine_in_process
from tests.environment import THOROUGH
from tests.once import made_once, migrated_database, migrated_template
from tests.order import long_files_first
from tests.pictures import jpeg, scenes_zip, shape_jpeg, shapes_zip
from tests.readers import read_annotations_in_process
from tests.real_data import FOLDER
from tests.weights_source import weights_folder, weights_source  # noqa: F401 - fixtures

LONG_SECONDS = 20
if operation_codes.FOLDER:
    operation_codes.record()
hypothesis.settings.register_profile("ci", max_examples=25, deadline=None, print_blob=True)
hypothesis.settings.register_profile("thorough", max_examples=300, deadline=None, print_blob=True)
hypothesis.settings.load_profile("thorough" if THOROUGH else "ci")


def pytest_collection_modifyitems(config, items) -> None:
    long_files_first(items)
    for item in items:
        if {"db", "transactional_db"} & set(item.fixturenames) or item.get_closest_marker("django_db"):
            item.add_marker("database")
        if "thorough" in item.keywords and not THOROUGH:
            item.add_marker(pytest.mark.skip(reason="long on purpose (make test-thorough)"))
        if "real_data" in item.keywords and not FOLDER.is_dir():
            item.add_marker(pytest.mark.skip(reason=f"no real data at {FOLDER} (set MLSTUDIO_REAL_DATA)"))


def pytest_collection_finish(session) -> None:
    leave_out_what_stays()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter) -> None:
    """Name the tests that are longer than their markers say: a hint and no failure, for a busy machine is slow."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    calls = [one for one in reports if one.when == "call" and one.duration > LONG_SECONDS]
    unmarked = sorted((one for one in calls if "long" not in one.keywords), key=lambda one: -one.duration)
    if unmarked:
        terminalreporter.section(f"over {LONG_SECONDS} s without the marker `long`")
        for one in unmarked:
            terminalreporter.write_line(f"{one.duration:.0f} s {one.nodeid}")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix) -> None:
    """A copy of a database that was migrated once for all workers.

    SQLite's is a file, because event streams and threads read through connections of their own.
    """
    from django.conf import settings

    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["TEMPLATE"] = migrated_template()
        return
    database["TEST"]["NAME"] = settings.DATA_DIR / "test.sqlite3"
    shutil.copyfile(migrated_database(), database["TEST"]["NAME"])
    # Nobody needs the rows after a power cut.
    command = database["OPTIONS"]["init_command"]
    database["OPTIONS"]["init_command"] = command.replace("synchronous=FULL", "synchronous=OFF")


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings) -> bool:
    from django.conf import settings

    return settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> None:
    """Empty the tables after a test with transactions of its own by DELETE: on PostgreSQL a TRUNCATE makes the files of
    each table and of its indexes again, which takes four times as long for the few rows of a test."""
    from django.db import connection

    def delete(operations, style, tables, **_) -> list[str]:
        deletes = [f"DELETE FROM {operations.quote_name(table)}" for table in tables]
        return ["; ".join(["SET LOCAL session_replication_role = replica", *deletes])] if deletes else []

    if connection.vendor == "postgresql":
        type(connection.ops).sql_flush = delete


@pytest.fixture(scope="session")
def real_data() -> Path:
    return FOLDER


@pytest.fixture(scope="session", autouse=True)
def quick_settings() -> None:
    """Throttles count in memory, and passwords are hashed without effort."""
    from django.conf import settings

    settings.CACHES = {**settings.CACHES, "throttle": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def static_files_listed_once() -> None:
    """Every client of a test makes the middleware again, which would list all static files for it: 12 to 40 ms."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    list_files, listed = WhiteNoiseMiddleware.add_files_from_finders, {}

    def list_once(middleware) -> None:
        key = (middleware.static_prefix, middleware.max_age)
        if key not in listed:
            list_files(middleware)
            listed[key] = middleware.files
        middleware.files = dict(listed[key])

    WhiteNoiseMiddleware.add_files_from_finders = list_once


@pytest.fixture(scope="session", autouse=True)
def no_broker() -> None:
    """Nobody hears messages here: a test that needs a worker starts the whole studio."""
    from jobs import messages

    messages.send = lambda task, queue: None


@pytest.fixture
def no_trash(settings) -> None:
    """What is deleted is gone at once."""
    settings.TRASH_DAYS = 0


def forget_stores() -> None:
    from storage.backends import backend_named
    from storage.services import local_cache

    local_cache.cache_clear()
    backend_named.cache_clear()


@pytest.fixture
def own_store(tmp_path, settings) -> Iterator[None]:
    """For tests that go through all files: the store that others use is full of what these left."""
    settings.STORAGE_CACHE_DIR = settings.STORAGE_LOCAL_DIR = tmp_path / "blobs"
    forget_stores()
    yield
    forget_stores()


@pytest.fixture(autouse=True)
def no_throttling() -> None:
    from django.core.cache import caches

    caches["throttle"].clear()


@pytest.fixture(autouse=True)
def no_speeds() -> None:
    """What one test has measured decides nothing in another one."""
    from django.conf import settings

    settings.SPEEDS_FILE.unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def annotations_in_process(request, monkeypatch) -> None:
    """Archives are read without a process in the sandbox for each, but where a test is marked `sandbox`."""
    if not (THOROUGH or request.node.get_closest_marker("sandbox")):
        read_annotations_in_process(monkeypatch)


@pytest.fixture(scope="module")
def shared_rows(django_db_setup, django_db_blocker) -> Iterator[None]:
    """For what a module's tests look at together: rows made after this stay until its end, and a test's changes do not.

    A test's own transaction becomes a savepoint inside the one of its module.
    """
    with django_db_blocker.unblock():
        rows = transaction.atomic()
        rows._from_testcase = True  # as TestCase does, so that durable blocks are allowed inside
        rows.__enter__()
        yield
        transaction.set_rollback(True)
        rows.__exit__(None, None, None)


def make_user(name: str):
    return get_user_model().objects.create_user(name, f"{name}@example.com", "a long pass phrase")


def client_of(user) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


@pytest.fixture
def owner(db):
    return make_user("owner")


@pytest.fixture
def outsider(db):
    return make_user("outsider")


@pytest.fixture
def project(owner):
    return create_project(user=owner, name="Screws", task="classification")


@pytest.fixture
def editor(project):
    user = make_user("editor")
    Membership.objects.create(project=project, user=user, role=Role.EDITOR)
    return user


@pytest.fixture
def viewer(project):
    user = make_user("viewer")
    Membership.objects.create(project=project, user=user, role=Role.VIEWER)
    return user


@pytest.fixture
def api(owner) -> APIClient:
    """A client of the project's owner."""
    return client_of(owner)


@pytest.fixture
def dataset(api, project) -> dict:
    answer = api.post("/api/v1/datasets/", {"project": str(project.pk), "name": "photos"})
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def labels(api, project) -> dict[str, dict]:
    made = {}
    for name in ("good", "bad"):
        made[name] = api.post(f"/api/v1/projects/{project.pk}/labels/", {"name": name}).json()
    return made


@pytest.fixture
def image(api, dataset) -> dict:
    return upload(api, dataset, [("one.jpg", jpeg(1))])["created"][0]


@pytest.fixture
def engine_in_process(monkeypatch) -> None:
    """For tests of what the engine answers: without a process that imports TensorFlow each time."""
    if not THOROUGH:
        use_engine_in_process(monkeypatch)


@pytest.fixture
def no_timing(monkeypatch) -> None:
    """For tests of trainings that are not about their estimate."""
    if not THOROUGH:
        skip_timing(monkeypatch)


@pytest.fixture
def without_graphs() -> Iterator[None]:
    """For tests of what happens around the steps of a training: TensorFlow makes no graph of them."""
    if THOROUGH:
        yield
        return
    with step_by_step():
        yield


@pytest.fixture
def shallow_backbones(monkeypatch) -> None:
    """For tests of what is done with a backbone, rather than of all its layers."""
    if not THOROUGH:
        shallow_efficientnet(monkeypatch)


# Trained networks, for tests of what is done with them


@pytest.fixture(scope="session")
def classifier_files() -> dict[str, Path]:
    """A small network that was trained a little, so that its answers are no accident."""
    return _files_in(made_once("classifier", _train_classifier))


@pytest.fixture(scope="session")
def detector_files() -> dict[str, Path]:
    return _files_in(made_once("detector", _make_detector))


def _files_in(folder: Path) -> dict[str, Path]:
    return {"keras": folder / "model.keras", "litert-float32": folder / "model-float32.tflite"}


def _train_classifier(folder: Path) -> None:
    import keras

    from vision.imaging.preprocessing import load_pixels
    from vision.training import export
    from vision.training.configuration import Configuration
    from vision.training.networks import build_network

    keras.utils.set_random_seed(1)
    network = build_network(Configuration(architecture="small_cnn", image_size=32).resolved(), 2).model
    kinds = ["cross", "disc"]
    pixels = np.stack([load_pixels(shape_jpeg(n, kinds[n % 2]), (32, 32)) for n in range(120)]).astype(np.float32)
    network.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    network.optimizer.build(network.trainable_variables)
    network.fit(pixels, np.arange(120) % 2, epochs=15, verbose=0)
    files = _files_in(folder)
    export.export_keras(network, files["keras"])
    export.export_litert(network, files["litert-float32"])


def _make_detector(folder: Path) -> None:
    import keras

    from vision.detection import export, networks
    from vision.runtime.boxes import AnchorShapes

    keras.utils.set_random_seed(2)
    with pytest.MonkeyPatch.context() as patch:
        if not THOROUGH:
            patch.setitem(networks.RESNETS, "resnet18", SMALL_RESNET)
        model = networks.build_retinanet("resnet18", (96, 96), 2, AnchorShapes(), filters=32, head_convolutions=1)
    # Sure of something here and there, so that there are boxes to compare.
    output = model.get_layer("label_head").get_layer("output")
    kernel, bias = output.get_weights()
    output.set_weights([kernel * 30, bias + 4])
    files = _files_in(folder)
    export.export_keras(model, files["keras"])
    export.export_litert(model, files["litert-float32"], AnchorShapes(), 0.5)


@pytest.fixture
def classifier(api, project, dataset, owner, classifier_files):
    from datasets.models import Snapshot
    from inference.registry.registration import register_model
    from tests.test_imports import run_import

    run_import(api, dataset, shapes_zip(60))
    made = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
    return register_model(
        project=project,
        name="Shapes",
        class_names=["cross", "disc"],
        architecture="small_cnn",
        input_size=(32, 32),
        parameters=1,
        files=classifier_files,
        user=owner,
        snapshot=Snapshot.objects.get(pk=made["id"]),
    )


@pytest.fixture
def detector(api, owner, detector_files):
    from datasets.models import Snapshot
    from inference.registry.registration import register_model
    from tests.test_boxes import new_dataset
    from tests.test_imports import run_import
    from vision.runtime.boxes import AnchorShapes

    dataset = new_dataset(owner, "scenes")
    run_import(api, dataset, scenes_zip(20))
    made = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
    snapshot = Snapshot.objects.get(pk=made["id"])
    settings = {
        "anchors": AnchorShapes().to_dict(),
        "score_threshold": 0.3,
        "label_thresholds": {},
        "iou_threshold": 0.5,
        "letterbox": "top left, grey 114",
    }
    return register_model(
        project=snapshot.project,
        name="Scenes",
        class_names=snapshot.class_names,
        architecture="retinanet_resnet18",
        input_size=(96, 96),
        parameters=1,
        files=detector_files,
        user=owner,
        snapshot=snapshot,
        detector=settings,
    )


def upload(api, dataset: dict, files: list[tuple[str, bytes]], **fields) -> dict:
    from django.core.files.uploadedfile import SimpleUploadedFile

    parts = [SimpleUploadedFile(name, content, "application/octet-stream") for name, content in files]
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", {"files": parts, **fields}, format="multipart")
    assert answer.status_code == 201, answer.content
    return answer.json()
