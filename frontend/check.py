"""Check the pages: `python frontend/check.py`.

Biome, types, generated files, texts, unit tests, a build and its size, and journeys in Chromium. Journeys are left out,
with a word, where there is no Chromium.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import build

FOLDER = Path(__file__).parent.resolve()
ROOT = FOLDER.parent
# What the first page may weigh, compressed, and any other one beside it.
FIRST_PAGE_BYTES, PAGE_BYTES = 230_000, 60_000
READY_SECONDS = 240
PLAYWRIGHT, MEASURES = "node_modules/@playwright/test/cli.js", "measure/playwright.config.ts"


def main() -> int:
    node, npm = build.find_node()
    environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment["PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD"] = "1"
    _install(npm, environment)
    if sys.argv[1:2] == ["--measure"]:  # the caller has a studio
        command = [node, PLAYWRIGHT, "test", "--config", MEASURES, *sys.argv[2:]]
        return 0 if _passes("in Chromium", command, environment) else 1
    failed = _failed_without_build(node, environment)
    if build.main(["--strict"]):
        return _end([*failed, "build"])
    failed += [] if _is_light() else ["size"]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium is not installed: the journeys through the pages are left out.")
    elif not _journeys(node, {**environment, "CHROMIUM": chromium}):
        failed.append("journeys")
    return _end(failed)


def _failed_without_build(node: str, environment: dict[str, str]) -> list[str]:
    """What needs neither a build nor a browser, as many at once as there are cores: each uses one most of the time."""
    commands = {
        "unit tests": ["node_modules/vitest/vitest.mjs", "run", "--reporter=dot"],
        "types": ["node_modules/typescript/bin/tsc", "--noEmit"],
        "style": ["node_modules/@biomejs/biome/bin/biome", "check", "."],
    }
    checks: dict[str, Callable[[], bool]] = {
        name: partial(_passes_quietly, name, [node, *command], environment) for name, command in commands.items()
    }
    checks["texts"] = partial(_is_extracted, node, environment)
    checks["generated types"] = partial(_is_generated, node, environment)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = {name: pool.submit(check) for name, check in checks.items()}
    return [name for name, answer in answers.items() if not answer.result()]


def _end(failed: list[str]) -> int:
    print(f"frontend: {', '.join(failed)} failed" if failed else "frontend: all checks passed")
    return 1 if failed else 0


def _install(npm: list[str], environment: dict[str, str]) -> None:
    """With what tests need; the fingerprint tells the build that nothing is missing."""
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    mark = FOLDER / "node_modules" / ".lock-fingerprint"
    if mark.is_file() and mark.read_text() == lock and (FOLDER / "node_modules" / "vitest").is_dir():
        return
    command = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=FOLDER, env=environment, check=True)
    mark.write_text(lock)


def _passes(name: str, command: list[str], environment: dict[str, str]) -> bool:
    print(f"frontend: {name}…", flush=True)
    return subprocess.run(command, cwd=FOLDER, env=environment).returncode == 0


def _passes_quietly(name: str, command: list[str], environment: dict[str, str]) -> bool:
    """What it printed comes when it has ended."""
    done = subprocess.run(command, cwd=FOLDER, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(f"frontend: {name}…\n{done.stdout.decode(errors='replace')}", flush=True)
    return done.returncode == 0


def _is_generated(node: str, environment: dict[str, str]) -> bool:
    """The types are those of the schema in the tree, which a test compares with the server's."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "schema.d.ts"
        program = "node_modules/openapi-typescript/bin/cli.js"
        command = [node, program, "schema/openapi.yml", "-o", str(made)]
        subprocess.run(command, cwd=FOLDER, env=environment, check=True, capture_output=True)
        same = made.read_bytes() == (FOLDER / "src" / "api" / "schema.d.ts").read_bytes()
    if not same:
        print("src/api/schema.d.ts is not of schema/openapi.yml: run `make schema`.")
    return same


def _is_extracted(node: str, environment: dict[str, str]) -> bool:
    """Every text is in the catalogs. One that is not shows as a message number, in every language."""
    catalog = FOLDER / "src" / "i18n" / "locales" / "en" / "messages.po"
    before = catalog.read_bytes()
    command = [node, "node_modules/@lingui/cli/dist/lingui.js", "extract", "--clean"]
    subprocess.run(command, cwd=FOLDER, env=environment, check=True, capture_output=True)
    is_same = catalog.read_bytes() == before
    if not is_same:
        print("Texts were missing in src/i18n/locales, or left over. They are extracted now: translate what is empty.")
    return is_same


def _is_light() -> bool:
    """The first page is what index.html names; others load theirs beside it."""
    assets = FOLDER / "dist" / "assets"
    size = {
        path.name: len(gzip.compress(path.read_bytes())) for path in assets.iterdir() if path.suffix in (".js", ".css")
    }
    named = set(re.findall(r"assets/([\w.-]+\.(?:js|css))", (FOLDER / "dist" / "index.html").read_text()))
    first = sum(size[name] for name in named)
    pages = {name: count for name, count in size.items() if "Page-" in name}
    heaviest = max(pages, key=lambda name: pages[name])
    print(f"frontend: first page {first:,} bytes, heaviest other {heaviest} {pages[heaviest]:,} bytes, compressed")
    return first <= FIRST_PAGE_BYTES and pages[heaviest] <= PAGE_BYTES


def _journeys(node: str, environment: dict[str, str]) -> bool:
    with _studio() as port:
        environment = {**environment, "STUDIO_PORT": str(port)}
        return _passes("journeys", [node, PLAYWRIGHT, "test"], environment)


@contextlib.contextmanager
def _studio() -> Iterator[int]:
    """A whole studio with an empty data folder on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder, backups = tempfile.mkdtemp(prefix="mlstudio-pages-"), tempfile.mkdtemp(prefix="mlstudio-backups-")
    settings = {
        "MLSTUDIO_DATA_DIR": folder,
        "MLSTUDIO_PORT": str(port),
        "MLSTUDIO_HOST": "127.0.0.1",
        "MLSTUDIO_WEBHOOK_HOSTS": "127.0.0.1",
        "MLSTUDIO_BACKUP_DIR": backups,
        "MLSTUDIO_BACKUP_HOURS": "0",
        # Nothing answers there: weights that came would change what trainings start from.
        "MLSTUDIO_WEIGHTS_URL": "http://127.0.0.1:9",
        "MLSTUDIO_REGISTRATION_RATE": "1000/min",
    }
    command = [sys.executable, "manage.py", "studio"]
    with open(Path(folder) / "studio.log", "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/readyz/", process)
            _make_staff(folder)
            yield port
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(backups, ignore_errors=True)


def _make_staff(folder: str) -> None:
    """The account of `logInAsStaff` in e2e/studio.ts."""
    account = {"USERNAME": "operator", "PASSWORD": "a-long-pass-phrase-7", "EMAIL": "operator@example.org"}
    environment = {**os.environ, **{f"DJANGO_SUPERUSER_{name}": value for name, value in account.items()}}
    command = [sys.executable, "manage.py", "createsuperuser", "--noinput", "--data-dir", folder]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


def _wait_for(address: str, process: subprocess.Popen) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.5)
    raise SystemExit("The studio for the journeys did not start.")


if __name__ == "__main__":
    sys.exit(main())
