"""The same images and boxes into Label Studio and into the studio, one after the other, on one machine.

    label-studio start --internal-host 127.0.0.1 --port 8080 --username a@example.com --password … --user-token TOKEN
    python -m benchmarks.beside_label_studio http://127.0.0.1:8080 TOKEN

Label Studio runs in an environment of its own, on SQLite, as the studio does here.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
import time
import zipfile
from datetime import datetime
from itertools import islice
from pathlib import Path

import httpx

from benchmarks.rows import Row, table
from tests.pictures import jpeg
from tests.studio import Studio

BOXES = 10
SIZE = (640, 480)
FILES_A_REQUEST = 50
CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image"><Label value="bolt"/>'
    '<Label value="nut"/></RectangleLabels></View>'
)


def boxes(number: int) -> list[tuple[str, int, int, int, int]]:
    """`(label, x, y, width, height)` in pixels."""
    return [
        (("bolt", "nut")[place % 2], 10 + 50 * place, 20 + (number + place) % 300, 40, 30 + number % 50)
        for place in range(BOXES)
    ]


def archive(contents: list[bytes]) -> bytes:
    images = [{"id": n, "file_name": f"{n}.jpg", "width": SIZE[0], "height": SIZE[1]} for n in range(len(contents))]
    annotations = [
        {"id": n * BOXES + place, "image_id": n, "category_id": ("bolt", "nut").index(label), "bbox": box, "iscrowd": 0}
        for n in range(len(contents))
        for place, (label, *box) in enumerate(boxes(n))
    ]
    categories = [{"id": 0, "name": "bolt"}, {"id": 1, "name": "nut"}]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for number, content in enumerate(contents):
            file.writestr(f"{number}.jpg", content)
        document = {"images": images, "annotations": annotations, "categories": categories}
        file.writestr("_annotations.coco.json", json.dumps(document))
    return target.getvalue()


def through_label_studio(address: str, token: str, contents: list[bytes]) -> float:
    """Seconds for uploading the images and importing tasks with finished annotations about them."""
    client = httpx.Client(base_url=f"{address}/api/", headers={"Authorization": f"Token {token}"}, timeout=600)
    project = (
        client.post("projects/", json={"title": "photographs", "label_config": CONFIG}).raise_for_status().json()["id"]
    )
    started = time.perf_counter()
    uploads: list[int] = []
    numbered = iter(enumerate(contents))
    while batch := list(islice(numbered, FILES_A_REQUEST)):
        files = [(f"file-{number}", (f"{number}.jpg", content, "image/jpeg")) for number, content in batch]
        answer = client.post(f"projects/{project}/import?commit_to_project=false", files=files).raise_for_status()
        uploads += answer.json()["file_upload_ids"]
    assert len(uploads) == len(contents)
    listed = client.get(f"projects/{project}/file-uploads", params={"all": True}).raise_for_status().json()
    places = {row["id"]: f"/data/{row['file']}" for row in listed if row["id"] in uploads}
    tasks = [task(number, places[upload]) for number, upload in enumerate(uploads)]
    client.post(f"projects/{project}/import", json=tasks).raise_for_status()
    while (found := client.get(f"projects/{project}/").raise_for_status().json())["task_number"] < len(contents):
        time.sleep(0.1)
    seconds = time.perf_counter() - started
    assert found["total_annotations_number"] == len(contents), found
    return seconds


def task(number: int, image: str) -> dict:
    width, height = SIZE
    results = [
        {
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {
                "x": x / width * 100,
                "y": y / height * 100,
                "width": across / width * 100,
                "height": down / height * 100,
                "rotation": 0,
                "rectanglelabels": [label],
            },
        }
        for label, x, y, across, down in boxes(number)
    ]
    return {"data": {"image": image}, "annotations": [{"result": results}]}


def through_the_studio(contents: list[bytes], folder: Path) -> tuple[float, float]:
    """`(seconds from the first byte sent to the end of the job, seconds of the job)`."""
    packed = archive(contents)
    studio = Studio(folder).start()
    try:
        studio.register()
        project = studio.call("POST", "projects/", json={"name": "p", "task": "detection"})["id"]
        dataset = studio.call("POST", "datasets/", json={"project": project, "name": "d"})["id"]
        started = time.perf_counter()
        job = studio.call("POST", f"datasets/{dataset}/imports/", files={"file": ("p.zip", packed)})
        while job["state"] in ("queued", "running"):
            time.sleep(0.1)
            job = studio.call("GET", f"jobs/{job['id']}/")
        seconds = time.perf_counter() - started
        assert job["state"] == "succeeded" and job["result"]["boxes"] == len(contents) * BOXES, job
    finally:
        studio.stop()
    first, last = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return seconds, (last - first).total_seconds()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("token")
    parser.add_argument("--images", type=int, default=1_000)
    options = parser.parse_args()
    contents = [jpeg(number, SIZE) for number in range(options.images)]
    theirs = [through_label_studio(options.address, options.token, contents)]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MLSTUDIO_TESTS_DIR"] = folder
        ours = [through_the_studio(contents, Path(folder) / str(turn))[0] for turn in range(2)]
    theirs.append(through_label_studio(options.address, options.token, contents))
    print(f"seconds: ours {ours}, theirs {theirs}")
    mine, its = sum(ours) / 2, sum(theirs) / 2
    what = f"import of {options.images:,} images with {options.images * BOXES:,} boxes, sent to usable"
    print(table([Row(what, f"{mine:.1f} s", f"Label Studio {its:.1f} s", its / mine)]))


if __name__ == "__main__":
    main()
