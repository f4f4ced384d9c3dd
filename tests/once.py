"""What all workers need and one of them makes."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
MIGRATE = (sys.executable, "manage.py", "migrate", "--verbosity", "0")
TEMPLATE = "migrated"


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of that name, filled by the first who asks; the others wait for it."""
    root = Path(os.environ["MLSTUDIO_TESTS_DIR"])
    folder = root / name
    with open(root / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "made").touch()
    return folder


def migrated_database() -> Path:
    """An SQLite file with all tables and no rows but those of the migrations: migrating takes seconds."""
    return made_once("migrated", _migrate) / "db.sqlite3"


def migrated_template() -> str:
    """The same on the PostgreSQL server of these tests: the name of a database to copy."""
    made_once("template", _migrate_template)
    return TEMPLATE


def openapi_schema() -> dict:
    """The schema of the API: making it takes seconds too, and several files are about it."""
    return json.loads((made_once("schema", _write_schema) / "openapi.json").read_text())


def read_yaml(content: str | bytes) -> Any:
    """By libyaml where it is there: the schema takes seconds without it."""
    return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _write_schema(folder: Path) -> None:
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiJsonRenderer

    schema = SchemaGenerator().get_schema(request=None, public=True)
    (folder / "openapi.json").write_bytes(OpenApiJsonRenderer().render(schema))


def _migrate(folder: Path) -> None:
    environment = {**os.environ, "MLSTUDIO_DATA_DIR": str(folder)}
    environment.pop("DATABASE_URL", None)
    subprocess.run(MIGRATE, cwd=ROOT, env=environment, check=True)


def _migrate_template(folder: Path) -> None:
    import psycopg

    server = os.environ["DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    environment = {**os.environ, "DATABASE_URL": f"{server.rpartition('/')[0]}/{TEMPLATE}"}
    subprocess.run(MIGRATE, cwd=ROOT, env=environment, check=True)
