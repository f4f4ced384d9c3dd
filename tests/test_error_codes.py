"""Whoever translates errors finds all codes in the schema."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from jobs.error_codes import WORK
from mlstudio.schema import OPERATION_CODES
from projects.error_codes import ANSWERS, ANYWHERE, OURS
from tests.operation_codes import merged, shape_of
from tests.test_floors import FLOORS, LIBRARIES, ROOT, sources
from tests.test_routes import SCHEMA

FAILURES = ("WorkFailed", "WorkMustWait")
# How work ends that was asked to stop: nothing failed.
STOPPED = {"cancelled", "interrupted"}


def nodes() -> Iterator[ast.AST]:
    for app in set(FLOORS) - set(LIBRARIES):
        for path in sources(app):
            yield from ast.walk(ast.parse(path.read_text()))


def text_of(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_code_of_an_answer_is_listed():
    found = set()
    for node in nodes():
        if isinstance(node, ast.Call):
            found |= {text_of(keyword.value) for keyword in node.keywords if keyword.arg == "code"}
            if getattr(node.func, "id", "") == "error_response" and len(node.args) > 1:
                found.add(text_of(node.args[1]))
        elif isinstance(node, ast.ClassDef):
            names = [one for one in node.body if isinstance(one, ast.Assign)]
            codes = ("code", "default_code")
            found |= {text_of(one.value) for one in names if getattr(one.targets[0], "id", "") in codes}
    assert found - {""} - set(ANSWERS) - set(WORK) == set()


def test_every_code_of_failed_work_is_listed():
    found = set()
    for node in nodes():
        if isinstance(node, ast.Call):
            found |= {text_of(keyword.value) for keyword in node.keywords if keyword.arg == "error_code"}
            if getattr(node.func, "id", "") in FAILURES and node.args:
                found.add(text_of(node.args[0]))
    assert found - {""} - set(WORK) == set()


def test_every_code_of_the_library_is_listed():
    """Jobs fail with the codes that `vision` gives its errors: in the class, or as the first argument."""
    trees = [ast.walk(ast.parse(path.read_text())) for path in sources("vision")]
    all_nodes = [node for tree in trees for node in tree]
    classes = [node for node in all_nodes if isinstance(node, ast.ClassDef)]
    take_codes = {node.name for node in classes if "self.code = code" in ast.unparse(node)}
    found = {
        text_of(line.value)
        for node in classes
        for line in node.body
        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "code"
    }
    for node in all_nodes:
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in take_codes and node.args:
            found.add(text_of(node.args[0]))
    assert len(take_codes) >= 5 and found - {""} - STOPPED - set(WORK) == set()


@pytest.mark.parametrize(("component", "codes"), [("ErrorItem", ANSWERS), ("ErrorDetail", WORK)])
def test_the_schema_has_them(component, codes):
    known, other = SCHEMA["components"]["schemas"][component]["properties"]["code"]["anyOf"]
    assert tuple(known["enum"]) == codes and other == {"type": "string"}


def test_the_codes_of_operations_are_known_and_beside_those_of_all():
    operations = {f"{method.upper()} {path}" for path, methods in SCHEMA["paths"].items() for method in methods}
    assert set(OPERATION_CODES) <= operations, "python -m tests.operation_codes"
    assert {code for codes in OPERATION_CODES.values() for code in codes} <= set(OURS) - set(ANYWHERE)
    assert set(ANYWHERE) <= set(OURS)


def test_an_operation_says_what_it_alone_answers():
    operation = SCHEMA["paths"]["/api/v1/images/{id}/annotations/"]["put"]
    assert "revision_conflict" in operation["x-error-codes"]


def test_a_route_of_django_is_found_in_the_schema():
    assert shape_of("/api/v1/images/{id}/file/") == shape_of("/^api/v1/images/(?P<pk>[0-9a-f-]+)/file/$")
    lines = ["PUT /api/v1/images/<uuid:pk>/annotations/ revision_conflict", "GET /api/v1/nowhere/ limit_reached"]
    name = "PUT /api/v1/images/{id}/annotations/"
    assert merged(lines, {name: ["forgotten"]}, SCHEMA) == {name: ["revision_conflict"]}


def test_errors_of_apps_have_one_base():
    """`common.errors.StudioError` keeps the code: no class of an app keeps one by itself."""
    own = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for app in set(FLOORS) - set(LIBRARIES) - {"common"}
        for path in sources(app)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and "self.code = " in ast.unparse(node)
    ]
    assert not own, "\n".join(own)
