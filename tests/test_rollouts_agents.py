"""A staged roll-out on five agents in processes of their own: none that had a model is ever without one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from edge import keys
from edge.models import Device, DeviceGroup
from inference.registry.registration import register_model
from tests.conftest import client_of, make_user
from tests.pictures import jpeg
from tests.studio import ROOT, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)]
LONGEST_WAIT = 60


class DeviceProcess:
    """`mlstudio-agent watch` from this checkout; `models` are all that it said it runs, in order."""

    def __init__(self, folder: Path, url: str, code: str) -> None:
        self.folder, self.models, self._log = folder, [], folder.parent / f"{folder.name}.log"
        self.run("enrol", "--url", url, "--code", code, "--name", folder.name)
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [*self.command, "watch", "--http", "0"], env=self.environment, stdout=subprocess.DEVNULL, stderr=log
            )
        wait_for(lambda: "answering at" in self.log(), LONGEST_WAIT)
        self._url = re.search(r"answering at (http://[\d.:]+)/predict", self.log())[1]
        self._ended = threading.Event()
        self._observer = threading.Thread(target=self._observe, daemon=True)
        self._observer.start()

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "mlstudio_agent", "--folder", str(self.folder)]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder.parent),
            "PYTHONPATH": f"{ROOT / 'agent'}{os.pathsep}{ROOT}",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [*self.command, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done

    def log(self) -> str:
        return self._log.read_text()

    def _observe(self) -> None:
        while not self._ended.wait(0.02):
            model = self.get("status")["model"]
            name = model["name"] if model else None
            if not self.models or self.models[-1] != name:
                self.models.append(name)

    def get(self, path: str, data: bytes | None = None) -> dict:
        with urllib.request.urlopen(urllib.request.Request(f"{self._url}/{path}", data=data), timeout=30) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self._ended.set()
        self._observer.join(10)
        self.process.terminate()
        assert self.process.wait(20) == 0, self.log()


@pytest.fixture
def api(live_server):
    keys.forget_keys()
    yield client_of(make_user("owner"))
    keys.forget_keys()


@pytest.fixture
def project(api):
    made = api.post("/api/v1/projects/", {"name": "Gate", "task": "classification"})
    from projects.models import Project

    return Project.objects.get(pk=made.json()["id"])


@pytest.fixture
def models(api, project, classifier_files, tmp_path) -> dict:
    """Three models whose files differ; what stands behind the end of a LiteRT file is not looked at."""
    content = classifier_files["litert-float32"].read_bytes()
    made = {}
    for number, name in enumerate(("first", "second", "third")):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content + bytes(16 * number))
        made[name] = register_model(
            project=project,
            name=name,
            class_names=["cross", "disc"],
            architecture="small_cnn",
            input_size=(32, 32),
            parameters=1,
            files={"litert-float32": path},
            user=None,
        )
    return made


@pytest.fixture
def fleet(api, project, live_server, tmp_path) -> Iterator[list[DeviceProcess]]:
    group = api.post("/api/v1/device-groups/", {"project": str(project.pk), "name": "gate"}).json()["id"]
    DeviceGroup.objects.update(poll_seconds=1)  # less than an API's user may say
    body = {"project": str(project.pk), "group": group, "uses": 5}
    code = api.post("/api/v1/enrolment-codes/", body).json()["code"]
    devices: list[DeviceProcess] = []
    try:
        devices += [DeviceProcess(tmp_path / f"device-{number}", live_server.url, code) for number in range(5)]
        yield devices
    finally:
        for device in devices:
            device.stop()


def test_no_device_is_ever_without_a_model(api, fleet, models):
    group = str(DeviceGroup.objects.get().pk)

    def deploy(name: str, **options) -> str:
        body = {"group": group, "model": str(models[name].pk), **options}
        answer = api.post("/api/v1/deployments/", body, format="json")
        assert answer.status_code == 201, answer.content
        return answer.json()["id"]

    def act(deployment: str, step: str, **body) -> None:
        answer = api.post(f"/api/v1/deployments/{deployment}/{step}/", body, format="json")
        assert answer.status_code == 200, answer.content

    def run_now(**counts: int) -> None:
        """Wait until so many devices run each, and have said so."""
        names = sorted(name for name, count in counts.items() for _ in range(count))
        wait_for(
            lambda: sorted(str(device.models[-1:] and device.models[-1]) for device in fleet) == names, LONGEST_WAIT
        )
        wait_for(lambda: sorted(_reported()) == names, LONGEST_WAIT)

    deploy("first")
    run_now(first=5)
    second = deploy("second", steps=[20, 100])  # the first one still rolls
    run_now(first=4, second=1)
    act(second, "advance")
    run_now(second=5)
    third = deploy("third", steps=[40, 100])
    run_now(second=3, third=2)
    act(third, "rollback")
    run_now(second=5)
    for device in Device.objects.all()[:2]:
        assert api.patch(f"/api/v1/devices/{device.pk}/", {"group": None}, format="json").status_code == 200
    # A process beside the service takes the next model; the service takes notice before its next poll.
    deploy("third")
    fleet[0].run("pull")
    run_now(second=2, third=3)
    assert all(device.get("predict", jpeg(1))["labels"] for device in fleet)
    for device in fleet:
        seen = device.models[device.models.index("first") :]
        assert None not in seen, (device.folder.name, device.models, device.log())


def _reported() -> list[str]:
    rows = Device.objects.select_related("running").filter(health="ok")
    return [row.running.info["name"] if row.running else "None" for row in rows]
