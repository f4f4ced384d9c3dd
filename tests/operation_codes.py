"""Which error codes each operation answers, as the tests see them.

`python -m tests.operation_codes [pytest arguments]` writes `mlstudio/operation_codes.json`, from which the schema's
`x-error-codes` come. What tests have not seen stays in the file as long as the code and the operation exist.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "mlstudio" / "operation_codes.json"
FOLDER = os.environ.get("STUDIO_RECORD_CODES", "")


def record() -> None:
    """Note each error that Django's test clients of this process are answered."""
    from django.test import Client
    from django.urls import Resolver404, resolve

    real, seen = Client.request, set()

    def request(self, **options):
        answer = real(self, **options)
        if answer.status_code >= 400 and "json" in answer.headers.get("Content-Type", ""):
            try:
                route = resolve(options["PATH_INFO"]).route
                codes = {one["code"] for one in json.loads(answer.content)["errors"]}
            except (Resolver404, KeyError, TypeError, ValueError):
                return answer
            for code in codes:
                line = f"{options['REQUEST_METHOD']} /{route} {code}\n"
                if line not in seen:
                    seen.add(line)
                    with open(Path(FOLDER) / str(os.getpid()), "a") as file:
                        file.write(line)
        return answer

    Client.request = request  # type: ignore[method-assign]


def shape_of(path: str) -> str:
    """A path of the schema, or a route of Django, without the names of its parameters."""
    return re.sub(r"\{[^}]*\}|\(\?P<[^)]*\)|<[^>]*>", "*", re.sub(r"[\^$\\]", "", path)).rstrip("/")


def merged(lines: list[str], before: dict[str, list[str]], schema: dict) -> dict[str, list[str]]:
    from projects.error_codes import ANYWHERE, OURS

    own = set(OURS) - set(ANYWHERE)
    operations = {
        (method.upper(), shape_of(path)): f"{method.upper()} {path}"
        for path, methods in schema["paths"].items()
        for method in methods
    }
    found: dict[str, set[str]] = defaultdict(set)
    for name, codes in before.items():
        if name in operations.values():
            found[name] |= set(codes) & own
    for line in lines:
        method, path, code = line.split()
        name = operations.get((method, shape_of(path)))
        if name and code in own:
            found[name].add(code)
    return {name: sorted(found[name]) for name in sorted(found) if found[name]}


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "STUDIO_RECORD_CODES": folder}
        code = subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment).returncode
        lines = sorted({line for path in Path(folder).iterdir() for line in path.read_text().splitlines()})
    import tests.environment  # noqa: F401 - settles the environment before Django reads it
    from tests.once import openapi_schema

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
    import django

    django.setup()
    before = json.loads(FILE.read_text()) if FILE.exists() else {}
    FILE.write_text(json.dumps(merged(lines, before, openapi_schema()), indent=1) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
