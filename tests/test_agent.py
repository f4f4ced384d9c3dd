"""The agent as a device has it: installed by pip into an environment of its own, against a whole studio."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.agent import Agent, install_agent, make_keras_file, upload_model, uploaded_model
from tests.environment import THOROUGH
from tests.fastdfs_server import FakeFastDFS
from tests.pictures import jpeg
from tests.studio import ROOT, Studio, wait_for

pytestmark = pytest.mark.slow
POLL_SECONDS = 5  # the least that a group may say
KILLS = 60 if THOROUGH else 6

BREAK_SCRIPT = """
import random, tempfile
from pathlib import Path
from inference.models import Model
from inference.registry.registration import register_model
from storage import services as storage
good = Model.objects.get(pk="{model}")
content = bytearray(storage.path_of(good.files.get(kind="litert-float32").blob).read_bytes())
numbers = random.Random(3)
for place in numbers.sample(range(8, len(content)), len(content) // 50):
    content[place] ^= 255
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "model.tflite"
    path.write_bytes(content)
    made = register_model(
        project=good.project, name="broken", class_names=good.class_names, architecture=good.architecture,
        input_size=(good.input_height, good.input_width), parameters=good.parameters, user=good.created_by,
        files={{"keras": storage.path_of(good.files.get(kind="keras").blob), "litert-float32": path}},
    )
print("made", made.pk)
"""


class House:
    """A studio that keeps its files in FastDFS, with a project, three models and a group of devices."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fastdfs = FakeFastDFS(folder / "fastdfs").start()
        self.studio = Studio(
            folder / "data",
            MLSTUDIO_STORAGE="fastdfs",
            FASTDFS_TRACKERS=self.fastdfs.trackers[0],
            MLSTUDIO_ENROLMENT_RATE="1000/min",
        ).start()
        self.studio.register()
        call = self.studio.call
        self.project = call("POST", "projects/", json={"name": "Gate", "task": "classification"})["id"]
        for name in ("open", "shut"):
            call("POST", f"projects/{self.project}/labels/", json={"name": name})
        jobs = {name: self._upload(name, seed, width) for name, seed, width in (("first", 1, 16), ("second", 2, 1500))}
        self.models = {name: uploaded_model(self.studio, job) for name, job in jobs.items()}
        self.models["broken"] = self._make_broken(self.models["first"])
        group = {"project": self.project, "name": "gate", "poll_seconds": POLL_SECONDS, "uncertain_below": 1.0}
        self.group = call("POST", "device-groups/", json=group)["id"]
        wait_for(lambda: not self._waiting_files(), 90)

    def _upload(self, name: str, seed: int, width: int) -> str:
        path = self.folder / f"{name}.keras"
        make_keras_file(path, seed, width)
        return upload_model(self.studio, self.project, path, name)

    def _make_broken(self, model: str) -> str:
        """A copy with a LiteRT file that no runtime stands: the studio itself would never offer one."""
        command = [sys.executable, "manage.py", "shell", "-c", BREAK_SCRIPT.format(model=model)]
        environment = {**os.environ, "MLSTUDIO_DATA_DIR": str(self.folder / "data")}
        environment |= {"MLSTUDIO_STORAGE": "fastdfs", "FASTDFS_TRACKERS": self.fastdfs.trackers[0]}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        return done.stdout.split("made")[-1].strip()

    def _waiting_files(self) -> bool:
        files = [file for id in self.models.values() for file in self.studio.call("GET", f"models/{id}/")["files"]]
        return any(file["stored"] == "cached" for file in files)

    def enrol(self, agent: Agent, url: str = "") -> None:
        body = {"project": self.project, "group": self.group}
        code = self.studio.call("POST", "enrolment-codes/", json=body)["code"]
        agent.good("enrol", "--url", url or self.studio.url, "--code", code, "--name", agent.folder.name)

    def deploy(self, name: str) -> str:
        body = {"group": self.group, "model": self.models[name]}
        made = self.studio.call("POST", "deployments/", json=body)
        return self.studio.call("POST", f"deployments/{made['id']}/advance/", json={"force": True})["id"]

    def stop(self) -> None:
        self.studio.stop()
        self.fastdfs.stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> Path:
    return install_agent(tmp_path_factory.mktemp("agent") / "venv")


@pytest.fixture
def agent(programs, tmp_path) -> Agent:
    return Agent(programs, tmp_path / "device")


@pytest.fixture(autouse=True)
def no_faults(house):
    yield
    house.fastdfs.faults.reset()


@pytest.fixture
def picture(tmp_path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(jpeg(5, (200, 120)))
    return path


def test_it_enrols_pulls_from_fastdfs_and_predicts_like_the_studio(house, agent, picture):
    house.deploy("first")
    assert "not enrolled" in agent.call("pull").stderr
    house.enrol(agent)
    assert (agent.folder / "identity.json").stat().st_mode & 0o077 == 0
    pulled = agent.call("pull")
    assert pulled.returncode == 0 and "from fastdfs" in pulled.stderr, pulled.stderr
    assert "Now running first v1" in pulled.stdout and "Still running" in agent.good("pull")
    (found,) = agent.predict(picture)
    with open(picture, "rb") as file:
        answer = house.studio.call("POST", f"models/{house.models['first']}/predict/", files={"files": file})
    expected = answer["predictions"][0]["labels"]
    assert [one["label"] for one in found["labels"]] == [one["label"] for one in expected]
    assert [one["score"] for one in found["labels"]] == pytest.approx([one["score"] for one in expected], abs=1e-5)
    assert agent.call("enrol", "--url", house.studio.url, "--code", "x").returncode == 1


def test_it_works_without_a_network(house, agent, picture):
    house.deploy("first")
    house.enrol(agent)
    agent.good("pull")
    identity = json.loads((agent.folder / "identity.json").read_text())
    (agent.folder / "identity.json").write_text(json.dumps({**identity, "url": "http://127.0.0.1:9"}))
    assert agent.call("pull").returncode == 1
    assert agent.predict(picture)[0]["model"]["name"] == "first"
    assert json.loads(agent.good("status"))["model"]["name"] == "first"


def test_files_that_are_no_pictures_are_said_and_passed_over(house, agent, picture, tmp_path):
    house.deploy("first")
    house.enrol(agent)
    agent.good("pull")
    text = tmp_path / "notes.txt"
    text.write_text("no image")
    done = agent.call("run", str(text), str(picture), str(tmp_path / "missing.jpg"))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and [line.get("error") for line in lines] == ["not_an_image", None]


def test_it_survives_kill_9_at_any_moment_of_a_pull(house, agent, picture):
    house.deploy("first")
    house.enrol(agent)
    agent.good("pull")
    house.deploy("second")
    moments = random.Random(7)
    for _ in range(KILLS):
        process = agent.start("pull")
        time.sleep(moments.uniform(0.05, 1.6))  # it is the moment that is tried
        process.kill()
        process.wait()
        assert agent.running() in ("first", "second")
        assert agent.predict(picture)[0]["model"]["name"] == agent.running()
    agent.good("pull")
    assert agent.running() == "second"


def test_it_goes_on_after_a_cut_connection(house, agent):
    deployment = house.deploy("second")
    size = next(
        file["size"]
        for file in house.studio.call("GET", f"models/{house.models['second']}/")["files"]
        if file["kind"] == "litert-float32"
    )
    house.enrol(agent)
    # Only FastDFS is asked: the studio's own address is made useless.
    house.fastdfs.faults.drop_after, house.fastdfs.faults.times = size // 3, 1000
    with Meddler(house.studio.url) as meddler:
        meddler.refuse = "/edge/v1/files/"
        identity = json.loads((agent.folder / "identity.json").read_text())
        (agent.folder / "identity.json").write_text(json.dumps({**identity, "url": meddler.url}))
        sizes = []
        for _ in range(12):
            if agent.call("pull").returncode == 0:
                break
            partial = list((agent.folder / "models").glob("*.partial"))
            sizes.append(partial[0].stat().st_size if partial else 0)
    assert agent.running() == "second" and deployment
    assert sizes == sorted(sizes)


def test_one_wrong_bit_in_the_file_is_refused(house, agent, picture):
    house.deploy("first")
    house.enrol(agent)
    agent.good("pull")
    house.deploy("second")
    house.fastdfs.faults.corrupt = True
    with Meddler(house.studio.url) as meddler:
        meddler.flip = "/edge/v1/files/"
        identity = json.loads((agent.folder / "identity.json").read_text())
        (agent.folder / "identity.json").write_text(json.dumps({**identity, "url": meddler.url}))
        done = agent.call("pull")
        assert done.returncode == 1 and "another file" in done.stderr, done.stderr
        assert agent.running() == "first" and agent.predict(picture)[0]["model"]["name"] == "first"
        meddler.flip = ""  # the studio's copy is good, FastDFS's still is not
        assert "from studio" in agent.call("pull").stderr
    assert agent.running() == "second"


@pytest.mark.parametrize("part", ["payload", "signature"])
def test_one_wrong_bit_in_the_manifest_is_refused(house, agent, part):
    house.deploy("first")
    house.enrol(agent)
    with Meddler(house.studio.url) as meddler:
        meddler.manifest = part
        identity = json.loads((agent.folder / "identity.json").read_text())
        (agent.folder / "identity.json").write_text(json.dumps({**identity, "url": meddler.url}))
        done = agent.call("pull")
        assert done.returncode == 1 and "No key that this device trusts" in done.stderr
        assert agent.running() is None


def test_a_recorded_manifest_is_refused(house, agent):
    house.deploy("first")
    house.enrol(agent)
    with Meddler(house.studio.url) as meddler:
        meddler.record = True
        identity = json.loads((agent.folder / "identity.json").read_text())
        (agent.folder / "identity.json").write_text(json.dumps({**identity, "url": meddler.url}))
        agent.good("pull")
        meddler.record = False
        house.deploy("second")
        agent.good("pull")
        meddler.replay = True
        done = agent.call("pull")
    assert done.returncode == 1 and "older" in done.stderr and agent.running() == "second"


def test_another_studios_key_is_not_trusted(house, agent):
    house.deploy("first")
    house.enrol(agent)
    identity = json.loads((agent.folder / "identity.json").read_text())
    stranger = {"0" * 16: base64.b64encode(os.urandom(32)).decode()}
    (agent.folder / "identity.json").write_text(json.dumps({**identity, "keys": stranger}))
    assert "No key that this device trusts" in agent.call("pull").stderr


def test_it_falls_back_when_the_new_model_does_not_stand_its_test(house, agent, picture):
    house.deploy("first")
    house.enrol(agent)
    agent.good("pull")
    house.deploy("broken")
    done = agent.call("pull")
    assert done.returncode == 1 and "last good one stays" in done.stderr, done.stderr
    assert agent.running() == "first" and agent.predict(picture)[0]["model"]["name"] == "first"
    assert json.loads(agent.good("status"))["failed"]["problem"]


def test_at_work_it_watches_reports_and_sends_what_it_is_unsure_of(house, agent, tmp_path):
    deployment = house.deploy("first")
    house.enrol(agent)
    watched, output = tmp_path / "in", tmp_path / "out.jsonl"
    watched.mkdir()
    (watched / "earlier.jpg").write_bytes(jpeg(30))
    process = agent.start(
        "watch", "--input", str(watched), "--every", "0.2", "--http", "0", "--feedback", "--output", str(output)
    )
    try:
        wait_for(lambda: agent.running() == "first", 30)
        (watched / "one.jpg").write_bytes(jpeg(31))
        (watched / "notes.txt").write_text("no image")
        wait_for(lambda: output.exists() and len(output.read_text().splitlines()) == 1, 30)
        assert json.loads(output.read_text())["labels"][0]["label"] in ("open", "shut")

        def arrived() -> list:
            found = house.studio.call("GET", "images/?page_size=50")["results"]
            return [one for one in found if one["source"].startswith("device device") and one["filename"] == "one.jpg"]

        wait_for(arrived, 60)
        (annotation,) = house.studio.call("GET", f"images/{arrived()[0]['id']}/")["annotations"]
        assert annotation["confirmed"] is False and 0 < annotation["score"] <= 1
        devices = house.studio.call("GET", f"devices/?running={deployment}&page_size=50")["results"]
        seen = [one for one in devices if one["name"] == "device" and one["predictions"] >= 1]
        assert seen and seen[0]["health"] == "ok" and seen[0]["agent_version"] == "0.1.0"
    finally:
        process.terminate()
        said = process.communicate(timeout=20)[1]
    assert process.returncode == 0, said
    # A folder that is full already would else look as if nothing worked.
    assert "holds 1 image already" in said and "only those that come now" in said, said


def test_other_programs_ask_over_http(house, agent, picture):
    house.deploy("first")
    house.enrol(agent)
    agent.good("pull")
    port = free_port()
    process = agent.start("watch", "--http", str(port))
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: _get(f"{address}/status")["model"]["name"] == "first", 30)
        request = urllib.request.Request(f"{address}/predict", data=picture.read_bytes(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["labels"][0]["label"] in ("open", "shut")
        for data in (b"no image", b""):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(f"{address}/predict", data=data, method="POST"))
            assert refused.value.code == 400
    finally:
        process.terminate()
        process.wait(20)


CAMERA = """
import io
import numpy as np
from PIL import Image

class VideoCapture:
    left = 12
    def __init__(self, source):
        assert source == 0
    def isOpened(self):
        return True
    def read(self):
        VideoCapture.left -= 1
        return VideoCapture.left % 12 == 11, np.full((48, 64, 3), 90, np.uint8)
    def release(self):
        pass

def imencode(ending, frame):
    content = io.BytesIO()
    Image.fromarray(frame).save(content, "JPEG")
    return True, np.frombuffer(content.getvalue(), np.uint8)
"""


def test_a_camera_is_looked_at_and_opened_again(house, agent, tmp_path):
    """With a module in the place of OpenCV, for there is no camera here: it gives an image in twelve."""
    house.deploy("first")
    house.enrol(agent)
    agent.good("pull")
    done = agent.call("watch", "--camera", "0")
    assert done.returncode == 1 and "needs OpenCV" in done.stderr
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "cv2.py").write_text(CAMERA)
    output = tmp_path / "out.jsonl"
    process = agent.start(
        "watch", "--camera", "0", "--every", "0.05", "--output", str(output), python_path=tmp_path / "stub"
    )
    try:
        wait_for(lambda: output.exists() and len(output.read_text().splitlines()) >= 2, 30)
        assert json.loads(output.read_text().splitlines()[0])["source"].startswith("camera-")
    finally:
        process.terminate()
        assert process.wait(20) == 0
    assert "opening it again" in process.stderr.read()


def test_it_gives_up_a_model_that_takes_it_down_again_and_again(house, agent):
    house.deploy("first")
    house.enrol(agent)
    agent.good("pull")
    house.deploy("second")
    agent.good("pull")
    for number in (1, 2, 3):
        process = agent.start("watch")
        wait_for(lambda n=number: (agent.state().get("starts") or {}).get("count") == n, 60)
        process.kill()
        process.wait()
    process = agent.start("watch")
    try:
        wait_for(lambda: agent.running() == "first", 60)
        assert "crashed 3 times" in agent.state()["failed"]["problem"]
    finally:
        process.kill()
        process.wait()


def test_a_revoked_device_is_told_so_and_goes_on_with_what_it_has(house, agent, picture):
    house.deploy("first")
    house.enrol(agent)
    agent.good("pull")
    device = json.loads(agent.good("status"))["identity"]["device"]
    house.studio.call("POST", f"devices/{device}/revoke/")
    assert "revoked" in agent.call("pull").stderr
    assert agent.predict(picture)[0]["model"]["name"] == "first"


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _get(url: str) -> dict:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return {"model": {"name": None}}


class Meddler:
    """Stands between a device and the studio, and changes what comes through.

    Attributes:
        flip: one bit of answers to paths that begin so is turned.
        refuse: such paths are answered with an error.
        manifest: `payload` or `signature`: one bit of that part of manifests is turned.
        record, replay: keep the manifest that comes; answer with it.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.flip = self.refuse = self.manifest = ""
        self.record = self.replay = False
        self.recorded = b""
        meddler = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._pass_on(None)

            def do_POST(self) -> None:
                self._pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def _pass_on(self, body: bytes | None) -> None:
                headers = {key: value for key, value in self.headers.items() if key.lower() not in ("connection",)}
                request = urllib.request.Request(
                    meddler.target + self.path, data=body, headers=headers, method=self.command
                )
                try:
                    with urllib.request.urlopen(request, timeout=30) as answer:
                        code, content, found = answer.status, answer.read(), dict(answer.headers)
                except urllib.error.HTTPError as error:
                    code, content, found = error.code, error.read(), dict(error.headers)
                code, content = meddler.change(self.path, code, content)
                self.send_response(code)
                for name in ("Content-Type", "ETag", "Content-Range"):
                    if name in found:
                        self.send_header(name, found[name])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Meddler:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    def change(self, path: str, code: int, content: bytes) -> tuple[int, bytes]:
        if self.refuse and path.startswith(self.refuse):
            return 503, b"{}"
        if self.flip and path.startswith(self.flip):
            place = len(content) // 2
            return code, content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        if path != "/edge/v1/manifest/":
            return code, content
        if self.replay:
            return 200, self.recorded
        if code == 200 and self.record:
            self.recorded = content
        if code == 200 and self.manifest:
            return code, self._with_wrong_bit(json.loads(content))
        return code, content

    def _with_wrong_bit(self, envelope: dict) -> bytes:
        def turned(text: str) -> str:
            found = bytearray(base64.b64decode(text))
            found[len(found) // 2] ^= 1
            return base64.b64encode(bytes(found)).decode()

        if self.manifest == "payload":
            envelope["payload"] = turned(envelope["payload"])
        else:
            envelope["signatures"][0]["signature"] = turned(envelope["signatures"][0]["signature"])
        return json.dumps(envelope).encode()
