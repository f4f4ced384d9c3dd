"""The house stands: imports go down, engines know no Django, the web process no TensorFlow."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "mlstudio": 7,
    "edge": 6,
    "training": 5,
    "inference": 4,
    "datasets": 3,
    "projects": 2,
    "accounts": 1,
    "storage": 1,
    "vision": 0,
}
ENGINES = (
    "vision/sandbox",
    "training/engine",
    "inference/runtime",
    "datasets/imaging",
    "datasets/formats",
    "datasets/video",
    "inference/analysis",
    "storage/fastdfs",
)
ENGINE_PACKAGES = tuple(engine.replace("/", ".") for engine in ENGINES)
DJANGO = ("django", "rest_framework", "celery", "drf_spectacular")


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module


def sources(folder: str) -> list[Path]:
    return [path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]


@pytest.mark.parametrize("app", FLOORS)
def test_an_app_imports_only_from_floors_below(app):
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in sources(app)
        for line, module in imports_of(path)
        if (other := module.split(".")[0]) in FLOORS and other != app and FLOORS[other] >= FLOORS[app]
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_storage_takes_paths_that_the_cache_may_drop():
    """Others take `storage.pinned`, `pin` or `opened`."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for app in set(FLOORS) - {"storage"}
        for path in sources(app)
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr == "path_of" and getattr(node.value, "id", "") == "storage")
        or (isinstance(node, ast.ImportFrom) and node.module == "storage.services" and "path_of" in _names_in(node))
    ]
    assert not wrong, "\n".join(wrong)


def _names_in(node: ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_imports_no_django_and_only_other_engines(engine):
    wrong = []
    for path in sources(engine):
        for line, module in imports_of(path):
            top = module.split(".")[0]
            if top in DJANGO or (top in FLOORS and not module.startswith(ENGINE_PACKAGES)):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


AGENT = ROOT / "agent" / "mlstudio_agent"
AGENT_PACKAGES = {"PIL", "ai_edge_litert", "cv2", "nacl", "numpy", "onnxruntime", "pi_heif"}


def test_the_agent_has_nothing_of_the_studio_but_what_it_links_to():
    for path in AGENT.rglob("*"):
        if path.is_symlink():
            target = path.resolve().relative_to(ROOT).as_posix()
            assert target.startswith(("storage/fastdfs", "inference/runtime/", "datasets/imaging/")), target
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for folder in ("", "fastdfs", "runtime", "imaging")
        for path in (AGENT / folder).glob("*.py")
        for line, module in imports_of(path)
        if (top := module.split(".")[0]) not in AGENT_PACKAGES and top not in sys.stdlib_module_names
    ]
    assert not wrong, "\n".join(wrong)


def test_the_agent_runs_on_python_3_9():
    files = [str(path) for folder in ("", "fastdfs", "runtime", "imaging") for path in (AGENT / folder).glob("*.py")]
    command = [str(Path(sys.executable).with_name("vermin")), "--target=3.9-", "--no-tips", "--violations", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def loaded_after(statement: str, *names: str) -> list[str]:
    code = f"{statement}; import sys; print([n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout.strip().splitlines()[-1])


def test_the_web_process_loads_no_tensorflow():
    statement = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'mlstudio.settings'; import mlstudio.asgi; "
        "from django.urls import get_resolver; get_resolver().url_patterns; "
        "import inference.services, training.services, training.supervisor, edge.manifest"
    )
    assert loaded_after(statement, "tensorflow", "keras", "training.engine.networks") == []


def test_the_catalogue_of_architectures_loads_neither_keras_nor_django():
    statement = "import training.engine.architectures, training.engine.configuration, training.engine.data"
    assert loaded_after(statement, "tensorflow", "keras", "django") == []


def test_the_training_process_loads_neither_django_nor_what_keras_draws_with():
    statement = (
        "from training.engine.lean import leave_out_unused_libraries; leave_out_unused_libraries(); "
        "import training.engine.train"
    )
    names = ("django", "celery", "rest_framework", "sklearn.base", "matplotlib.pyplot")
    assert loaded_after(statement, *names) == []
