"""A whole studio that keeps an engine process ready: trainings in it resume, and it is gone with its worker."""

from __future__ import annotations

import signal

import psutil
import pytest

from tests.pictures import shapes_zip
from tests.studio import Studio, wait_for
from tests.test_studio import TINY, running

pytestmark = [pytest.mark.slow, pytest.mark.long]
WAITS = "vision.sandbox.waiting"


def of_the_trainer(studio: Studio) -> list[psutil.Process]:
    trainer = studio.process_of("celery", "trainer@")
    return [one for one in studio.processes_of(WAITS) if one.ppid() == trainer.pid]


def is_idle(process: psutil.Process) -> bool:
    """Whether it has imported everything: the thread that does has ended."""
    return process.memory_info().rss > 400 << 20 and process.num_threads() == 1


def test_a_training_in_the_process_that_waited_survives_its_death(tmp_path):
    studio = Studio(tmp_path / "data", MLSTUDIO_LEASE_SECONDS="6", MLSTUDIO_WARM_ENGINE_MINUTES="10").start()
    try:
        studio.register()
        project = studio.call("POST", "projects/", json={"name": "shapes", "task": "classification"})
        dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "shapes"})
        files = {"file": ("shapes.zip", shapes_zip(40), "application/zip")}
        job = studio.call("POST", f"datasets/{dataset['id']}/imports/", files=files)
        studio.wait_for_end(f"jobs/{job['id']}/")
        assert studio.processes_of(WAITS) == []  # nothing here has needed one

        run = studio.call("POST", "trainings/", json={"project": project["id"], **TINY})
        assert studio.wait_for_end(f"trainings/{run['id']}/")["state"] == "succeeded"
        wait_for(lambda: of_the_trainer(studio), 60)
        (waits,) = of_the_trainer(studio)
        wait_for(lambda: is_idle(waits), 120)

        run = studio.call("POST", "trainings/", json={"project": project["id"], **TINY, "epochs": 500})
        path = f"trainings/{run['id']}/"
        wait_for(lambda: len(studio.call("GET", path)["history"]) >= 1, 120)
        assert of_the_trainer(studio) == [waits] and waits.num_threads() > 1  # it is at its work
        epochs = len(studio.call("GET", path)["history"])
        waits.kill()
        wait_for(lambda: len(studio.call("GET", path)["history"]) > epochs, 120)
        studio.call("POST", f"{path}cancel/")
        assert studio.wait_for_end(path)["state"] == "cancelled"

        wait_for(lambda: of_the_trainer(studio), 60)
        left = of_the_trainer(studio)
        studio.process_of("celery", "trainer@").send_signal(signal.SIGKILL)
        wait_for(lambda: not running(left), 60)
        family = psutil.Process(studio.process.pid).children(recursive=True)
    finally:
        studio.stop()
    assert running(family) == []
