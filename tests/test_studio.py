"""The whole studio: real broker, worker, trainer and web; and what happens when parts of it die."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import psutil
import pytest

from tests.made_videos import made_video
from tests.once import migrated_database
from tests.pictures import jpeg, shape_jpeg, shapes_zip
from tests.studio import ROOT, Studio, wait_for

pytestmark = pytest.mark.slow
TINY = {
    "architecture": "small_cnn",
    "image_size": 32,
    "batch_size": 8,
    "epochs": 4,
    "early_stopping": 0,
    "augmentation": "none",
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    running = Studio(
        tmp_path_factory.mktemp("studio") / "data",
        web_processes=2,
        MLSTUDIO_LEASE_SECONDS="6",
        MLSTUDIO_METRICS_TOKEN="look",
    ).start()
    running.register()
    yield running
    assert running.stop() == 0, running.log()[-3000:]
    assert "stopped" in running.log()


@pytest.fixture(scope="module")
def imported(studio) -> dict:
    """A project with 80 shapes, imported through the worker."""
    project = studio.call("POST", "projects/", json={"name": "shapes", "task": "classification"})
    dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "shapes"})
    files = {"file": ("shapes.zip", shapes_zip(40), "application/zip")}
    job = studio.call("POST", f"datasets/{dataset['id']}/imports/", files=files)
    job = studio.wait_for_end(f"jobs/{job['id']}/")
    assert job["state"] == "succeeded" and job["result"]["created"] == 80, job
    return {"project": project["id"], "dataset": dataset["id"]}


def events_of(studio, path: str, last: str = "0") -> list[tuple[str, str, dict]]:
    """`(id, kind, content)` of a stream, read to its end."""
    rows, identifier, kind = [], "", ""
    with studio.client.stream("GET", path, headers={"Last-Event-ID": last}, timeout=300) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                identifier = value
            elif name == "event":
                kind = value
            elif name == "data" and kind != "end":
                rows.append((identifier, kind, json.loads(value)))
    return rows


@pytest.mark.long
def test_from_a_zip_to_a_prediction(studio, imported):
    run = studio.call("POST", "trainings/", json={"project": imported["project"], **TINY, "epochs": 10})
    rows = events_of(studio, f"trainings/{run['id']}/events/")
    kinds = [kind for _, kind, _ in rows]
    assert kinds.count("epoch") == 10 and {"log", "progress", "estimate", "model"} <= set(kinds)
    middle = rows[len(rows) // 2][0]
    assert events_of(studio, f"trainings/{run['id']}/events/", middle) == [
        row for row in rows if int(row[0]) > int(middle)
    ]
    run = studio.call("GET", f"trainings/{run['id']}/")
    assert run["state"] == "succeeded" and run["estimate"] and run["actual"]
    model = studio.call("GET", f"models/{run['model']}/")
    assert model["metrics"]["accuracy"] >= 0.9
    for kind in ("disc", "cross"):
        files = {"files": ("x.jpg", shape_jpeg(777, kind), "image/jpeg")}
        answer = studio.call("POST", f"models/{model['id']}/predict/", files=files)
        assert answer["predictions"][0]["labels"][0]["label"] == kind
    may_look = {"Authorization": "Bearer look"}
    ready = httpx.get(f"{studio.url}/readyz/", headers=may_look).json()
    assert ready["checks"] == {"database": "ok", "disk": "ok", "broker": "ok", "store": "ok"}
    assert "mlstudio_trainings" in httpx.get(f"{studio.url}/metrics", headers=may_look).text


def test_a_film_in_parts_by_the_reference_client(studio, imported, tmp_path):
    """tuspy, a broken connection after the second part, and the worker that reads the video."""
    from tusclient import client

    path = tmp_path / "video.mp4"
    path.write_bytes(made_video(60, size=(320, 192)))
    tus = client.TusClient(f"{studio.url}/api/v1/uploads/", headers=dict(studio.client.headers))
    size = path.stat().st_size // 5
    first = tus.uploader(str(path), chunk_size=size, metadata={"filename": "video.mp4"})
    first.upload_chunk()
    first.upload_chunk()
    second = tus.uploader(str(path), chunk_size=size, url=first.url)
    assert second.get_offset() == 2 * size
    second.upload()
    video = studio.call(
        "POST", f"datasets/{imported['dataset']}/videos/", json={"upload": first.url.rstrip("/").split("/")[-1]}
    )
    address = f"videos/{video['id']}/"
    wait_for(lambda: studio.call("GET", address)["is_surveyed"], 60)
    assert studio.call("GET", address)["frame_count"] == 60
    job = studio.call("POST", f"{address}frames/", json={"every_frames": 20})
    assert studio.wait_for_end(f"jobs/{job['id']}/")["result"]["created"] == 3
    studio.call("DELETE", f"{address}?frames=delete")


def test_web_processes_load_no_tensorflow_and_stay_small(studio):
    process = studio.process_of("mlstudio.web")
    maps = Path(f"/proc/{process.pid}/maps")
    if maps.exists():
        assert "tensorflow" not in maps.read_text()
    assert process.memory_info().rss < 300 << 20


@pytest.mark.long
def test_a_running_training_is_cancelled_long_before_its_end(studio, imported):
    run = studio.call("POST", "trainings/", json={"project": imported["project"], **TINY, "epochs": 500})
    path = f"trainings/{run['id']}/"
    wait_for(lambda: len(studio.call("GET", path)["history"]) >= 1, 120)
    studio.call("POST", f"{path}cancel/")
    run = studio.wait_for_end(path)
    assert run["state"] == "cancelled" and len(run["history"]) < 250


VICTIMS = [
    ("training process", ("vision.engine",)),
    ("trainer", ("trainer@",)),
    ("worker", ("worker@",)),
    ("broker", ("valkey",)),
]


@pytest.mark.long
def test_a_training_survives_the_death_of_every_part(studio, imported):
    """kill -9 of its process, the trainer, the worker and the broker in turn: one model, no epoch lost."""
    request = {"project": imported["project"], **TINY, "epochs": 60, "image_size": 64, "name": "survivor"}
    run = studio.call("POST", "trainings/", json=request)
    path = f"trainings/{run['id']}/"
    for name, words in VICTIMS:
        before = len(studio.call("GET", path)["history"])
        wait_for(lambda before=before: len(studio.call("GET", path)["history"]) > before + 1, 180)
        assert studio.call("GET", path)["state"] == "running", f"ended before {name} could die"
        victim = studio.process_of(*words)
        victim.kill()
        wait_for(lambda victim=victim: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE, 30)
    run = studio.wait_for_end(path, 300)
    assert run["state"] == "succeeded", run["error"]
    assert [entry["epoch"] for entry in run["history"]] == list(range(1, 61))
    models = studio.call("GET", f"models/?training={run['id']}")["results"]
    assert len(models) == 1
    epochs = [content["epoch"] for _, kind, content in events_of(studio, f"{path}events/") if kind == "epoch"]
    # Each death costs at most the epochs since the last checkpoint (written every second).
    repeated = len(epochs) - len(set(epochs))
    assert set(epochs) == set(range(1, 61)) and repeated <= 2 * 4, epochs
    log = studio.client.get(f"{path}log/").text
    assert "continued after epoch" in log


def test_an_upload_that_was_answered_survives_the_death_of_the_web(studio, imported):
    project = studio.call("POST", "projects/", json={"name": "uploads", "task": "classification"})
    dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "d"})
    answered: list[str] = []
    stop = threading.Event()

    def keep_uploading() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            files = {"files": (f"{number}.jpg", jpeg(number, (640, 480)), "image/jpeg")}
            try:
                answer = studio.client.post(f"datasets/{dataset['id']}/images/", files=files)
            except httpx.TransportError:
                continue
            if answer.status_code == 201:
                answered.extend(one["id"] for one in answer.json()["created"])

    thread = threading.Thread(target=keep_uploading)
    thread.start()
    try:
        for _ in range(3):
            count = len(answered)
            wait_for(lambda count=count: len(answered) > count + 3, 60)
            studio.process_of("mlstudio.web").kill()
    finally:
        stop.set()
        thread.join(60)
    wait_for(lambda: studio.client.get("projects/").status_code == 200, 60)
    for pk in answered:
        assert studio.client.get(f"images/{pk}/file/").status_code == 200
    rows = studio.call("GET", f"images/?dataset={dataset['id']}&page_size=500")["results"]
    assert studio.call("GET", f"datasets/{dataset['id']}/")["image_count"] == len(rows)
    for _ in range(2):  # restarted web processes have swept what the dead ones left
        killed = studio.process_of("mlstudio.web")
        killed.kill()
        wait_for(lambda killed=killed: killed not in studio.processes_of("mlstudio.web"), 30)
        wait_for(lambda: studio.processes_of("mlstudio.web") and httpx.get(f"{studio.url}/healthz/").is_success, 60)
    incoming = studio.folder / "blobs" / "incoming"
    wait_for(lambda: not list(incoming.iterdir()), 60)


def test_a_large_upload_takes_little_memory_and_a_larger_one_is_refused(studio):
    """A multipart body of 600 MB in chunks; then one that announces more than is accepted."""
    project = studio.call("POST", "projects/", json={"name": "large", "task": "classification"})
    dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "d"})
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    size = 600 << 20

    def body():
        yield head
        for _ in range(600):
            yield bytes(1 << 20)
        yield tail

    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(len(head) + size + len(tail))}
    answer = studio.client.post(f"datasets/{dataset['id']}/imports/", content=body(), headers=headers, timeout=300)
    assert answer.status_code == 202, answer.text
    assert studio.wait_for_end(f"jobs/{answer.json()['id']}/")["error"]["code"] == "not_a_zip"
    webs = [
        one
        for one in psutil.Process(studio.process.pid).children(recursive=True)
        if "mlstudio.web" in " ".join(one.cmdline())
    ]
    assert webs and all(one.memory_info().rss < 300 << 20 for one in webs)
    huge = {**headers, "Content-Length": str(1 << 50)}
    refused = raw_request(studio, f"/api/v1/datasets/{dataset['id']}/imports/", huge)
    assert refused.startswith("HTTP/1.1 413") and "file_too_large" in refused
    # A model is never as large as a dataset may be: eight gigabytes are not even received.
    refused = raw_request(studio, "/api/v1/models/", {**headers, "Content-Length": str(8 << 30)})
    assert refused.startswith("HTTP/1.1 413") and "2,1" in refused
    # A user is no device: who sends is asked before how much.
    refused = raw_request(studio, "/edge/v1/images/", {**headers, "Content-Length": str(1 << 30)})
    assert refused.startswith("HTTP/1.1 401")


def raw_request(studio, path: str, headers: dict[str, str]) -> str:
    host, port = studio.url.removeprefix("http://").split(":")
    lines = [f"POST {path} HTTP/1.1", f"Host: localhost:{port}", *(f"{k}: {v}" for k, v in headers.items())]
    lines.append(f"Authorization: {studio.client.headers['Authorization']}")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


class TestStarting:
    """What keeps a studio from starting is one sentence and exit code 2."""

    def start(self, *arguments: str, **environment: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "manage.py", "studio", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **environment},
        )
        return done.returncode, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""

    def test_a_second_studio_on_the_same_folder(self, studio):
        code, message = self.start("--port", "0", "--data-dir", str(studio.folder))
        assert code == 2 and "runs on" in message and str(studio.process.pid) in message

    def test_a_taken_port(self, tmp_path):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            code, message = self.start("--port", str(port), "--data-dir", str(tmp_path / "d"))
        assert code == 2 and f"Port {port}" in message and "--port" in message

    def test_a_folder_that_cannot_be_written(self, tmp_path):
        blocked = tmp_path / "file"
        blocked.write_text("")
        code, message = self.start("--port", "0", "--data-dir", str(blocked / "data"))
        assert code == 2 and "cannot be written" in message and "--data-dir" in message

    @pytest.mark.parametrize("arguments", [("--port", "99999"), ("--host", "no.such.host.invalid"), ("--workers", "0")])
    def test_wrong_options(self, tmp_path, arguments):
        code, message = self.start(*("--port", "0"), *arguments, "--data-dir", str(tmp_path / "d"))
        assert code == 2 and message.startswith("ML Studio cannot start:")

    @pytest.mark.parametrize(
        ("name", "value"), [("MLSTUDIO_PORT", "abc"), ("MLSTUDIO_LEASE_SECONDS", "soon"), ("MLSTUDIO_HTTPS", "maybe")]
    )
    def test_wrong_settings(self, tmp_path, name, value):
        code, message = self.start("--data-dir", str(tmp_path / "d"), **{name: value})
        assert code == 2 and name in message and value in message

    def test_a_too_old_sqlite(self, monkeypatch):
        from mlstudio.launcher import problems

        monkeypatch.setattr(problems.sqlite3, "sqlite_version_info", (3, 8, 0))
        with pytest.raises(problems.CannotStart, match="SQLite"):
            problems.check_versions()

    def test_a_too_old_python(self, monkeypatch):
        from mlstudio.launcher import problems

        monkeypatch.setattr(problems.sys, "version_info", (3, 9, 1))
        with pytest.raises(problems.CannotStart, match=r"Python 3\.11"):
            problems.check_versions()


@pytest.mark.long
def test_an_ended_studio_leaves_no_process_and_goes_on_at_the_next_start(tmp_path):
    """Stopped in the middle of a training, and then its launcher killed: one studio for both, as each start is dear."""
    studio = Studio(tmp_path / "data", MLSTUDIO_LEASE_SECONDS="6").start()
    try:
        studio.register()
        project = studio.call("POST", "projects/", json={"name": "shapes", "task": "classification"})
        dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "d"})
        files = {"file": ("shapes.zip", shapes_zip(20), "application/zip")}
        job = studio.call("POST", f"datasets/{dataset['id']}/imports/", files=files)
        studio.wait_for_end(f"jobs/{job['id']}/")
        run = studio.call("POST", "trainings/", json={"project": project["id"], **TINY, "epochs": 30, "image_size": 64})
        path = f"trainings/{run['id']}/"
        wait_for(lambda: len(studio.call("GET", path)["history"]) >= 3, 120)
        token = studio.client.headers["Authorization"]
        family = psutil.Process(studio.process.pid).children(recursive=True)
        assert studio.stop() == 0
        assert not running(family)
        studio.start()
        studio.client.headers["Authorization"] = token
        assert studio.wait_for_end(path)["state"] == "succeeded"
        assert "continued after epoch" in studio.client.get(f"{path}log/").text
        family = psutil.Process(studio.process.pid).children(recursive=True)
        assert running(family)
        studio.process.send_signal(signal.SIGKILL)
        studio.process.wait()
        wait_for(lambda: not running(family), 60)
    finally:
        studio.stop()


def running(family: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_doctor_finds_everything_in_order(tmp_path):
    folder = tmp_path / "data"
    environment = {**os.environ, "MLSTUDIO_DATA_DIR": str(folder)}
    environment.pop("REDIS_URL")
    folder.mkdir()
    shutil.copyfile(migrated_database(), folder / "db.sqlite3")
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "Everything needed is in order." in done.stdout and "no ImageNet weights" in done.stdout
    environment["REDIS_URL"] = "redis://127.0.0.1:1/0"
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1 and "unset REDIS_URL" in done.stdout


@pytest.mark.long
@pytest.mark.slow
def test_everything_works_on_fastdfs_with_a_cache_that_is_too_small(tmp_path):
    """Import, replication, eviction, training, prediction, download; then everything is there, with its hash."""
    folder = tmp_path / "fastdfs"
    command = [sys.executable, "-m", "tests.fastdfs_server.server", str(folder)]
    pipe = subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environment)
    tracker = server.stdout.readline().strip()
    cache = {"MLSTUDIO_CACHE_BYTES": "20000", "MLSTUDIO_CACHE_REST_SECONDS": "1"}
    cache["MLSTUDIO_METRICS_TOKEN"] = "look"
    studio = Studio(tmp_path / "data", MLSTUDIO_STORAGE="fastdfs", FASTDFS_TRACKERS=tracker, **cache).start()
    try:
        studio.register()
        project = studio.call("POST", "projects/", json={"name": "p", "task": "classification"})
        dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "d"})
        files = {"file": ("a.zip", shapes_zip(20), "application/zip")}
        job = studio.call("POST", f"datasets/{dataset['id']}/imports/", files=files)
        assert studio.wait_for_end(f"jobs/{job['id']}/")["result"]["created"] == 40
        # Asking the studio or its database is cheap; each `storage status` starts a process that imports the studio.
        wait_for(lambda: "mlstudio_blobs_to_replicate 0.0" in metrics(studio), 90)
        wait_for(lambda: blobs_by_state(studio.folder).get("remote"), 90)
        wait_for(lambda: is_evicted(storage_status(studio)), 90)
        run = studio.call("POST", "trainings/", json={"project": project["id"], **TINY, "epochs": 1})
        run = studio.wait_for_end(f"trainings/{run['id']}/")
        assert run["state"] == "succeeded", run["error"]
        images = studio.call("GET", f"images/?dataset={dataset['id']}&page_size=100")["results"]
        ids = {"images": [image["id"] for image in images[:5]]}
        assert len(studio.call("POST", f"models/{run['model']}/predict/", json=ids)["predictions"]) == 5
        for image in images:
            content = studio.client.get(f"images/{image['id']}/file/").content
            assert hashlib.sha256(content).hexdigest() == image["sha256"]
        ready = httpx.get(f"{studio.url}/readyz/", headers={"Authorization": "Bearer look"})
        assert ready.json()["checks"]["store"] == "ok"
    finally:
        studio.stop()
        server.kill()


def is_evicted(status: str) -> bool:
    """Nothing waits for the store any more, and something is only there."""
    return "waiting" not in status and "remote" in status


def blobs_by_state(folder: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(f"file:{folder / 'db.sqlite3'}?mode=ro", uri=True)) as database:
        return dict(database.execute("SELECT state, count(*) FROM storage_blob GROUP BY state"))


def metrics(studio: Studio) -> str:
    return httpx.get(f"{studio.url}/metrics", headers={"Authorization": "Bearer look"}).text


def storage_status(studio: Studio) -> str:
    environment = {**studio._environment, "MLSTUDIO_DATA_DIR": str(studio.folder)}
    done = subprocess.run(
        [sys.executable, "manage.py", "storage", "status"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    return done.stdout
