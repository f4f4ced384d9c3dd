"""Whoever translates errors finds all codes in the schema."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from projects.error_codes import ANSWERS, WORK
from tests.test_floors import FLOORS, sources
from tests.test_routes import SCHEMA

FAILURES = ("WorkFailed", "WorkMustWait")


def nodes() -> Iterator[ast.AST]:
    for app in FLOORS:
        for path in sources(app):
            if "engine" not in path.parts:
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
            found |= {text_of(one.value) for one in names if getattr(one.targets[0], "id", "") == "default_code"}
    assert found - {""} - set(ANSWERS) - set(WORK) == set()


def test_every_code_of_failed_work_is_listed():
    found = set()
    for node in nodes():
        if isinstance(node, ast.Call):
            found |= {text_of(keyword.value) for keyword in node.keywords if keyword.arg == "error_code"}
            if getattr(node.func, "id", "") in FAILURES and node.args:
                found.add(text_of(node.args[0]))
    assert found - {""} - set(WORK) == set()


@pytest.mark.parametrize(("component", "codes"), [("ErrorItem", ANSWERS), ("ErrorDetail", WORK)])
def test_the_schema_has_them(component, codes):
    known, other = SCHEMA["components"]["schemas"][component]["properties"]["code"]["anyOf"]
    assert tuple(known["enum"]) == codes and other == {"type": "string"}
