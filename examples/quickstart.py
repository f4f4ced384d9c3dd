#!/usr/bin/env python3
"""The whole tour against a running studio: from a zip of photographs to a prediction. Standard library only.

    python examples/quickstart.py photos.zip
    python examples/quickstart.py photos.zip --architecture mobilenet_v2 --set fine_tune=false
    python examples/quickstart.py boxes.zip --task detection

The zip has a folder a label, or for detection images with boxes as COCO, Pascal VOC, YOLO or CSV. The tour registers a
user, makes a project, imports the zip, takes a snapshot, asks what the training will take, starts it, watches it live,
reads its metrics and asks the model about one photograph. With MLSTUDIO_TOKEN it takes that account.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path


class Studio:
    """The few calls this tour needs."""

    def __init__(self, url: str, token: str = "") -> None:
        self.base = url.rstrip("/") + "/api/v1/"
        self.token = token

    def call(self, method: str, path: str, body: dict | None = None):
        data = None if body is None else json.dumps(body).encode()
        return json.load(self._open(method, path, data, {"Content-Type": "application/json"}))

    def send_files(self, path: str, field: str, filename: str, content: bytes):
        boundary = secrets.token_hex(16)
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        data = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return json.load(self._open("POST", path, data, {"Content-Type": f"multipart/form-data; boundary={boundary}"}))

    def events(self, path: str) -> Iterator[tuple[str, dict]]:
        """Server-sent events; taken up again where they broke off."""
        last = "0"
        while True:
            try:
                with self._open("GET", path, None, {"Last-Event-ID": last, "Accept": "text/event-stream"}) as stream:
                    kind = ""
                    for raw in stream:
                        name, _, value = raw.decode().rstrip("\n").partition(": ")
                        if name == "id":
                            last = value
                        elif name == "event":
                            kind = value
                        elif name == "data":
                            if kind == "end":
                                return
                            yield kind, json.loads(value)
            except OSError:
                print("  (connection lost, trying again)")
            time.sleep(1)

    def wait(self, path: str, what: str):
        """Poll a job until it ends."""
        shown = None
        while True:
            job = self.call("GET", path)
            progress = job["progress"]
            waiting = (job.get("waiting") or {}).get("detail") if job["state"] == "queued" else None
            text = waiting or (f"{progress['done']} of {progress['total']}" if progress.get("total") else "")
            if text != shown and text:
                show_progress(f"  {what}: {text}")
                shown = text
            if job["state"] in ("succeeded", "failed", "cancelled"):
                end_progress()
                if job["state"] != "succeeded":
                    sys.exit(f"{what} {job['state']}: {job['error']}")
                return job["result"]
            time.sleep(0.3)

    def _open(self, method: str, path: str, data: bytes | None, headers: dict):
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        request = urllib.request.Request(self.base + path, data=data, method=method, headers=headers)
        try:
            return urllib.request.urlopen(request, timeout=600)
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path} gave {error.code}: {error.read().decode()}")
        except urllib.error.URLError as error:
            sys.exit(
                f"No studio answers at {self.base} ({error.reason}). Start it with `make run`, or name it with --url."
            )


def show_progress(text: str) -> None:
    """One line that is written again and again; a line each where nobody watches."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    else:
        print(text, flush=True)


def end_progress() -> None:
    if sys.stdout.isatty():
        print("\r\033[K", end="")


def main() -> None:
    options = _options()
    started = time.time()
    studio = Studio(options.url, os.environ.get("MLSTUDIO_TOKEN", ""))
    print(f"Studio at {options.url} (another one: --url or MLSTUDIO_URL)")
    if not studio.token:
        name = f"tour-{secrets.token_hex(4)}"
        account = {"username": name, "email": f"{name}@example.com", "password": secrets.token_urlsafe(16)}
        studio.token = studio.call("POST", "auth/register/", account)["token"]
        print(f"Registered {name}; for later commands, and for another tour with this account:")
        print(f"  export MLSTUDIO_URL={options.url} MLSTUDIO_TOKEN={studio.token}")

    project = studio.call("POST", "projects/", {"name": options.zip.stem, "task": options.task})
    dataset = studio.call("POST", "datasets/", {"project": project["id"], "name": options.zip.stem})

    job = studio.send_files(f"datasets/{dataset['id']}/imports/", "file", options.zip.name, options.zip.read_bytes())
    result = studio.wait(f"jobs/{job['id']}/", "import")
    print(f"Imported {result['created']} images, {result['duplicates']} duplicates, {result['rejected']} rejected")

    snapshot = studio.call("POST", f"datasets/{dataset['id']}/snapshots/", {})
    print(f"Snapshot {snapshot['number']}: {snapshot['counts']['splits']}, {len(snapshot['class_names'])} labels")

    run = _train(studio, options, project, snapshot)
    model = studio.call("GET", f"models/{run['model']}/")
    metrics, name = model["metrics"], "accuracy" if options.task == "classification" else "ap50"
    low, high = metrics[f"{name}_interval"]
    print(f"Trained in {run['actual']['seconds']:.0f} s (estimated: {run['estimate']['seconds']:.0f} s)")
    print(
        f"Test {name} {metrics[name]:.4f} (95 % interval {low:.3f} to {high:.3f}) on "
        f"{metrics['count']} images the training never saw"
    )

    milliseconds = _predict(studio, model, options.zip)
    print(f"in {milliseconds} ms; the whole tour took {time.time() - started:.0f} s")
    print("For the commands of the README:")
    ids = {"PROJECT": project, "DATASET": dataset, "SNAPSHOT": snapshot, "TRAINING": run, "MODEL": model}
    print("  " + " ".join(f"{name}={row['id']}" for name, row in ids.items()))


def _train(studio: Studio, options: argparse.Namespace, project: dict, snapshot: dict) -> dict:
    request = {"project": project["id"], "snapshot": snapshot["id"], **options.settings}
    if options.architecture:
        request["architecture"] = options.architecture
    job = studio.call("POST", "trainings/preflight/", request)
    estimate = studio.wait(f"jobs/{job['id']}/", "preflight")
    print(
        f"A training will take about {estimate['seconds'] / 60:.1f} minutes, "
        f"{estimate['memory_bytes'] / 1e6:.0f} MB of memory, {estimate['disk_bytes'] / 1e6:.0f} MB of disk"
    )
    for warning in estimate["warnings"]:
        print(f"  note: {warning}")

    run = studio.call("POST", "trainings/", request)
    print(f"Training {run['configuration']['architecture']}…")
    for kind, event in studio.events(f"trainings/{run['id']}/events/"):
        if kind == "epoch":
            figures = {"val_accuracy": "validation accuracy", "val_ap50": "validation AP50"}
            quality = "".join(f"{words} {event[key]:.3f}, " for key, words in figures.items() if key in event)
            show_progress(f"  {event['phase'].replace('_', '-')}, epoch {event['epoch']}: {quality.rstrip(', ')}")
        elif kind == "log" and options.verbose:
            end_progress()
            print(f"  {event['line']}")
    end_progress()
    run = studio.call("GET", f"trainings/{run['id']}/")
    if run["state"] != "succeeded":
        sys.exit(f"The training {run['state']}: {run['error']}")
    return run


def _predict(studio: Studio, model: dict, archive: Path) -> float:
    name, content = _one_photograph(archive)
    answer = studio.send_files(f"models/{model['id']}/predict/?max=3", "files", "photograph", content)
    best = answer["predictions"][0]["labels"] or answer["predictions"][0]["boxes"]
    print(f"{name}: " + (", ".join(f"{one['label']} {one['score']:.3f}" for one in best) or "nothing found"))
    return answer["timing_ms"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zip", type=Path, help="a zip with a folder a label, or with boxes")
    parser.add_argument("--task", choices=["classification", "detection"], default="classification")
    parser.add_argument(
        "--url",
        default=os.environ.get("MLSTUDIO_URL", "http://localhost:8000"),
        help="of the studio (also MLSTUDIO_URL; default: %(default)s)",
    )
    parser.add_argument("--architecture", default="", help="small_cnn, mobilenet_v2, … (default: the studio chooses)")
    parser.add_argument("--verbose", action="store_true", help="show the log of the training")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a training setting")
    options = parser.parse_args()
    options.settings = {}
    for pair in options.set:
        name, _, value = pair.partition("=")
        try:
            options.settings[name] = json.loads(value)
        except ValueError:
            options.settings[name] = value
    return options


def _one_photograph(path: Path) -> tuple[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        names = [
            name
            for name in archive.namelist()
            if "/" in name and name.lower().endswith((".jpg", ".jpeg", ".png")) and "__MACOSX" not in name
        ]
        name = names[len(names) // 2]
        return name, archive.read(name)


if __name__ == "__main__":
    main()
