"""The house stands: imports go down, engines know no Django, the web process no TensorFlow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "mlstudio": 8,
    "custom_vision": 7,
    "edge": 7,
    "training": 6,
    "inference": 5,
    "datasets": 4,
    "webhooks": 4,
    "projects": 3,
    "jobs": 2,
    "accounts": 1,
    "storage": 1,
    "common": 0,
    "fastdfs": 0,
    "vision": 0,
}
# Packages that are installed without the studio.
LIBRARIES = ("fastdfs", "vision")
DJANGO = ("django", "rest_framework", "celery", "drf_spectacular")


def imports_of(path: Path, *, also_relative: bool = False) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module
        elif isinstance(node, ast.ImportFrom) and node.module and also_relative:
            yield node.lineno, ".".join((*path.relative_to(ROOT).parts[: -node.level], node.module))


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


def test_views_import_no_views_of_other_apps():
    """What several need of views is a base in a file of its own, such as `projects/in_project.py`."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for app in FLOORS
        for path in sources(app)
        if "views" in path.relative_to(ROOT).with_suffix("").as_posix() and path.name != "urls.py"
        for line, module in imports_of(path)
        if (parts := module.split("."))[0] in set(FLOORS) - {app, "common"}
        and any(part.endswith("views") for part in parts)
    ]
    assert not wrong, "\n".join(wrong)


# Folders of `vision/`: each uses those below it.
VISION = {
    "imaging": 0,
    "formats": 0,
    "sandbox": 0,
    "video": 1,
    "runtime": 1,
    "analysis": 2,
    "training": 3,
    "detection": 4,
    "model_import": 4,
    "legacy_retinanet": 5,
    "exporting": 6,
}


# Folders of `inference/`: each uses those below it; `evaluation` and `labeling` know nothing of each other.
INFERENCE = {"registry": 0, "serving": 1, "evaluation": 2, "labeling": 2, "views": 3}


@pytest.mark.parametrize(
    ("package", "floors", "room"),
    [("vision", VISION, room) for room in VISION] + [("inference", INFERENCE, room) for room in INFERENCE],
)
def test_a_folder_imports_only_from_those_below(package, floors, room):
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in sources(f"{package}/{room}")
        for line, module in imports_of(path, also_relative=True)
        if (parts := module.split("."))[0] == package and len(parts) > 1
        if (other := parts[1]) in floors and other != room and floors[other] >= floors[room]
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("app", sorted(set(FLOORS) - set(LIBRARIES)))
def test_an_action_stands_in_the_view_that_has_it(app):
    """Not in a class that views inherit it from, where only those who know the class find it."""
    wrong = [
        f"{path.relative_to(ROOT)}:{action.lineno} {view.name}.{action.name}"
        for path in sources(app)
        for view in ast.walk(ast.parse(path.read_text()))
        if isinstance(view, ast.ClassDef) and not view.name.endswith("ViewSet")
        for action in view.body
        if isinstance(action, ast.FunctionDef)
        for decorator in action.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "action"
    ]
    assert not wrong, "\n".join(wrong)


# What reads requests or makes answers.
HTTP = re.compile(
    r"(^|/)views/|views?\.py$|serializers|/(parsers|permissions|pagination|authentication|known|throttles|pages|receiving"
    r"|handler|doors|paging)\.py$|mlstudio/errors\.py$"
)


@pytest.mark.parametrize("app", sorted(set(FLOORS) - set(LIBRARIES)))
def test_services_raise_no_errors_of_http(app):
    """They raise `common.errors.StudioError`, which jobs understand too."""
    wrong = [
        f"{name}:{line}"
        for path in sources(app)
        if not HTTP.search(name := path.relative_to(ROOT).as_posix())
        for line, module in imports_of(path)
        if module == "rest_framework.exceptions"
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


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_imports_neither_django_nor_an_app(library):
    others = {*DJANGO, *FLOORS} - {library}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in sources(library)
        for line, module in imports_of(path)
        if module.split(".")[0] in others
    ]
    assert not wrong, "\n".join(wrong)


AGENT = ROOT / "agent" / "mlstudio_agent"
# What a device has of the studio's code, and of others'.
ON_DEVICES = ("fastdfs", "vision.imaging", "vision.runtime")
AGENT_PACKAGES = {"PIL", "ai_edge_litert", "cv2", "nacl", "numpy", "onnxruntime", "pi_heif"}


def files_on_devices() -> list[Path]:
    """The agent's files, and those of `ON_DEVICES` that it imports, directly or through others."""
    found, waiting = {}, list(AGENT.glob("*.py"))
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = True
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                waiting += _files_of(path, node)
    return sorted(found)


def _files_of(path: Path, node: ast.ImportFrom) -> list[Path]:
    if node.level:
        base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
    elif (node.module or "").startswith(ON_DEVICES):
        base = ROOT.joinpath(*str(node.module).split("."))
    else:
        return []
    places = [base.with_suffix(".py"), base / "__init__.py", *(base / f"{alias.name}.py" for alias in node.names)]
    return [place for place in places if place.is_file()]


def test_a_device_needs_nothing_but_the_agent_and_what_runs_models():
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in files_on_devices()
        for line, module in imports_of(path)
        if not module.startswith(ON_DEVICES)
        and (top := module.split(".")[0]) not in AGENT_PACKAGES
        and top not in sys.stdlib_module_names
    ]
    assert not wrong, "\n".join(wrong)
    assert not [path for folder in ("agent", *LIBRARIES) for path in (ROOT / folder).rglob("*") if path.is_symlink()]


def test_the_agent_runs_on_python_3_9():
    files = [str(path) for path in files_on_devices()]
    assert len(files) > 20
    command = [str(Path(sys.executable).with_name("vermin")), "--target=3.9-", "--no-tips", "--violations", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_runs_models_loads_neither_tensorflow_nor_django():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for folder in ("imaging", "runtime")
        for path in sources(f"vision/{folder}")
        if path.stem not in ("__init__", "__main__")
    ]
    assert loaded_after(f"import {', '.join(modules)}", "tensorflow", "keras", "django") == []


def loaded_after(statement: str, *names: str) -> list[str]:
    code = f"{statement}; import sys; print([n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout.strip().splitlines()[-1])


def test_the_web_process_loads_no_tensorflow():
    statement = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'mlstudio.settings'; import mlstudio.asgi; "
        "from django.urls import get_resolver; get_resolver().url_patterns; "
        "import inference.serving.prediction, training.services, training.supervisor, edge.manifest"
    )
    assert loaded_after(statement, "tensorflow", "keras", "vision.training.networks") == []


def test_the_catalogue_of_architectures_loads_neither_keras_nor_django():
    statement = "import vision.training.architectures, vision.training.configuration, vision.training.data"
    assert loaded_after(statement, "tensorflow", "keras", "django") == []


def test_the_training_process_loads_neither_django_nor_what_keras_draws_with():
    statement = (
        "from vision.training.lean import leave_out_unused_libraries; leave_out_unused_libraries(); "
        "import vision.training.train"
    )
    names = ("django", "celery", "rest_framework", "sklearn.base", "matplotlib.pyplot")
    assert loaded_after(statement, *names) == []
