"""Every name that is imported from our own modules is there, also in functions of benchmarks that no test runs."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.test_floors import FLOORS, ROOT

FOLDERS = (*FLOORS, "benchmarks", "examples", "tests")
OWN = {*FOLDERS}


def module_file(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


@cache
def names_in(path: Path) -> set[str]:
    """What a module defines or imports at any level outside of functions and classes."""
    names: set[str] = set()
    open_nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while open_nodes:
        for node in ast.iter_child_nodes(open_nodes.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            else:
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    names.add(node.id)
                open_nodes.append(node)
    return names


def missing_in(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or node.level or (node.module or "").split(".")[0] not in OWN:
            continue
        file = module_file(node.module or "")
        for alias in node.names:
            is_there = file is not None and (alias.name == "*" or alias.name in names_in(file))
            if not is_there and module_file(f"{node.module}.{alias.name}") is None and not is_folder(node, alias.name):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.module}.{alias.name}")
    return found


def is_folder(node: ast.ImportFrom, name: str) -> bool:
    return (ROOT / f"{node.module}.{name}".replace(".", "/")).is_dir()


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_imported_is_there(folder):
    wrong = [
        one for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts for one in missing_in(path)
    ]
    assert not wrong, "\n".join(wrong)
