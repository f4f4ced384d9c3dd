"""Run the tests on PostgreSQL: `python -m tests.with_postgres [pytest arguments]`.

Starts a server of its own from Debian's package in a temporary folder; says so and succeeds where there is none.
"""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

NOBODY = 65534


def main(arguments: list[str]) -> int:
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not programs:
        sys.stdout.write("PostgreSQL is not installed: its tests are left out.\n")
        return 0
    programs_folder = Path(programs[-1]).parent
    folder = Path(tempfile.mkdtemp(prefix="mlstudio-postgres-"))
    # PostgreSQL refuses to run as root.
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    if as_nobody:
        os.chown(folder, NOBODY, NOBODY)
    cluster = folder / "cluster"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    make = [programs_folder / "initdb", "-D", cluster, "-U", "studio", "-A", "trust", "-E", "UTF8", "--no-sync"]
    try:
        subprocess.run([*as_nobody, *make], **run)
        careless = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {careless} -c max_connections=50"
        control = [*as_nobody, programs_folder / "pg_ctl", "-D", cluster, "-w"]
        subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], **run)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stdout.write(f"PostgreSQL cannot be started here ({error}): its tests are left out.\n")
        return 0
    try:
        environment = {**os.environ, "MLSTUDIO_TEST_DATABASE_URL": f"postgres://studio@127.0.0.1:{port}/postgres"}
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment).returncode
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **run)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
