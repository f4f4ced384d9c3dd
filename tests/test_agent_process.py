"""The agent by itself, from this checkout: what it says, what it leaves behind, and what it notices."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import jpeg
from tests.studio import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "device"


def entry_of(content: bytes, name: str, **more) -> dict:
    """A manifest's entry of a classifier."""
    model = {
        "name": name,
        "version": 1,
        "task": "classification",
        "labels": ["cross", "disc"],
        "input_height": 32,
        "input_width": 32,
        "resize": "stretch",
        "detector": None,
        **more,
    }
    return {
        "deployment": f"of {name}",
        "model": model,
        "file": {"kind": "litert-float32", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)},
    }


def install(folder: Path, content: bytes, name: str, model: dict | None = None, **state) -> None:
    """What a pull leaves behind."""
    entry = entry_of(content, name, **(model or {}))
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models" / entry["file"]["sha256"]).write_bytes(content)
    (folder / "state.json").write_text(json.dumps({"current": entry, **state}))


PACKAGES = os.pathsep.join([str(ROOT / "agent"), str(ROOT)])


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "mlstudio_agent", "--folder", str(folder), *arguments]


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "PYTHONPATH": PACKAGES}


def agent(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(folder, *arguments), env=environment(folder), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def model(classifier_files) -> bytes:
    return classifier_files["litert-float32"].read_bytes()


@pytest.fixture
def service(folder, model, monkeypatch):
    """A service in this process, and what it writes."""
    monkeypatch.syspath_prepend(str(ROOT / "agent"))
    from mlstudio_agent.service import Service
    from mlstudio_agent.store import Store

    install(folder, model, "first")
    return Service(Store(folder), open(os.devnull, "w"), for_long=True)


def test_a_service_takes_what_another_process_pulled(service, folder, model):
    assert service.predict(jpeg(1), "one.jpg")["model"]["name"] == "first"
    install(folder, model + bytes(16), "second")
    assert service.predict(jpeg(1), "two.jpg")["model"]["name"] == "second"
    assert service.loaded["deployment"] == "of second"


def test_it_reports_what_is_loaded(service, folder, model):
    class Studio:
        said: dict = {}

        def heartbeat(self, report):
            self.said = report
            return {"poll_seconds": 7}

    class Puller:
        studio = Studio()

        def pull(self):
            return False

    service._puller = Puller()
    service.contact_once()
    assert (Puller.studio.said["deployment"], Puller.studio.said["health"]) == ("of first", "ok")
    assert service.store.state()["settings"]["poll_seconds"] == 7
    # Now the disk names a model that cannot be loaded: the good one goes on, and that the new one fails is said.
    install(folder, b"no model at all", "broken", last_good=entry_of(model, "first"))
    service.contact_once()
    said = Puller.studio.said
    assert (said["deployment"], said["health"]) == ("of broken", "failed") and said["problem"]
    assert service.predict(jpeg(1), "one.jpg")["model"]["name"] == "first"


@pytest.mark.parametrize("feedback", [False, True])
def test_images_are_kept_for_the_studio_only_when_asked_to(folder, model, tmp_path, feedback):
    install(folder, model, "first", settings={"uncertain_below": 1.0, "uncertain_per_day": 10})
    (tmp_path / "one.jpg").write_bytes(jpeg(1))
    done = agent(folder, "run", *(["--feedback"] if feedback else []), str(tmp_path / "one.jpg"))
    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("queue/*.image"))) == feedback


def test_answers_below_the_model_s_lowest_score_are_left_out_and_count_as_unsure(folder, model, tmp_path):
    (tmp_path / "one.jpg").write_bytes(jpeg(1))
    install(folder, model, "first")
    said = json.loads(agent(folder, "run", str(tmp_path / "one.jpg")).stdout)
    best, other = said["labels"]
    between = (best["score"] + other["score"]) / 2
    asked = {"uncertain_below": 1.0, "uncertain_per_day": 10}
    for lowest, left in ((between, [best]), (1.0, []), (None, [best, other])):
        install(folder, model, "first", {"score_threshold": lowest}, settings=asked)
        done = agent(folder, "run", "--feedback", str(tmp_path / "one.jpg"))
        assert done.returncode == 0 and json.loads(done.stdout)["labels"] == left, done.stderr
    kept = [path.with_suffix(".json") for path in folder.glob("queue/*.image")]
    notes = [json.loads(path.read_text())["labels"] for path in kept]
    assert notes == [[best, other]] * 3


def test_a_closed_pipe_ends_it_quietly(folder, model, tmp_path):
    install(folder, model, "first")
    (tmp_path / "one.jpg").write_bytes(jpeg(1))
    reader, writer = os.pipe()
    os.close(reader)
    arguments = command(folder, "run", *[str(tmp_path / "one.jpg")] * 3)
    done = subprocess.run(arguments, env=environment(folder), stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert done.returncode == 0 and "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr, done.stderr


def test_no_model_and_no_image_are_two_errors(service, folder):
    assert service.predict(b"no image", "x")["error"] == "not_an_image"
    (folder / "state.json").write_text("{}")
    assert service.predict(jpeg(1), "x")["error"] == "no_model"
    refused = agent(folder, "run", "x.jpg")
    assert refused.returncode == 1 and "has no model yet" in refused.stderr


def test_looking_leaves_no_traces(folder):
    found = json.loads(agent(folder, "status").stdout)
    assert found["model"] is None and found["folder"] == str(folder) and not folder.exists()


def test_a_studio_that_is_away_is_said_in_one_line(folder, model):
    install(folder, model, "first")
    identity = {"url": "http://127.0.0.1:9", "device": "d", "key": "msd_x", "keys": {}}
    (folder / "identity.json").write_text(json.dumps(identity))
    done = agent(folder, "pull")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "does not answer" in done.stderr
    status = json.loads(agent(folder, "status").stdout)
    assert status["studio"]["reachable"] is False and status["studio"]["last_contact"] is None
    assert status["model"]["name"] == "first"


def test_what_nobody_deploys_any_more_goes_on(folder, model, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "agent"))
    from mlstudio_agent.puller import Puller
    from mlstudio_agent.store import Store

    install(folder, model, "first")
    identity = {"url": "http://127.0.0.1:9", "device": "d", "key": "msd_x", "keys": {}}
    (folder / "identity.json").write_text(json.dumps(identity))
    store = Store(folder)
    puller = Puller(store)
    for manifest in ({"deployment": None}, {"deployment": None, "stop": False}):
        assert puller._take(manifest, store.state()) is False and store.state()["current"]
    assert puller._take({"deployment": None, "stop": True}, store.state()) and not store.state()["current"]
