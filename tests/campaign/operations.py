"""What a client does in a round. Whatever is answered goes into the ledger; without an answer nothing is known."""

from __future__ import annotations

import base64
import hashlib
import random
import time
import uuid
from collections.abc import Callable, Iterator

from django.db import Error, connection

from datasets.models import Image, TrashedImages
from tests.campaign.client import Client, NotAcknowledged
from tests.made_videos import made_video
from tests.pictures import make_zip

KINDS = ("disc", "cross")
TRAINING = {
    "architecture": "small_cnn",
    "image_size": 32,
    "batch_size": 8,
    "epochs": 3,
    "early_stopping": 0,
    "augmentation": "none",
}
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {"Content-Type": "application/offset+octet-stream"}
FEW_IMAGES, MANY_IMAGES = 40, 120
# A body that is sent in pieces, as over a slow line, so that faults find it half sent.
PIECES, PIECE_SECONDS = 4, 0.05


def upload(client: Client, generator: random.Random) -> None:
    for _ in range(2):
        kind = generator.choice(KINDS)
        contents = [client.picture(kind) for _ in range(3)]
        files = [("files", (f"{uuid.uuid4().hex}.jpg", content, "image/jpeg")) for content in contents]
        try:
            answer = client.call("POST", f"datasets/{client.busy}/images/", files=files, data={"label": kind})
        except NotAcknowledged:
            continue
        made = answer.json()["created"]
        expected = sorted(hashlib.sha256(content).hexdigest() for content in contents)
        if sorted(one["sha256"] for one in made) != expected:
            client.complaints.append(f"an upload of three images answered {answer.text[:300]}")
        for one in made:
            client.ledger.images[one["id"]] = one["sha256"]
            client.ledger.labels[one["id"]] = {kind}


def import_zip(client: Client, generator: random.Random) -> None:
    prefix = uuid.uuid4().hex[:12]
    names = {f"a/{generator.choice(KINDS)}/{prefix}-{number}.jpg": number for number in range(12)}
    content = make_zip({name: client.picture(name.split("/")[1]) for name in names})
    files = {"file": ("a.zip", content, "application/zip")}
    path = f"datasets/{client.busy}/imports/"
    try:
        if generator.random() < 0.5:  # with a key it is sent until it is answered, and done once
            answer = client.persist("POST", path, files=files, headers={"Idempotency-Key": prefix})
        else:
            answer = client.call("POST", path, files=files)
    except NotAcknowledged:
        client.ledger.unanswered_imports[prefix] = len(names)
        return
    job = answer.json()
    client.ledger.jobs[job["id"]] = job["kind"]
    client.ledger.imports[job["id"]] = (prefix, len(names))


def snapshot(client: Client, generator: random.Random) -> None:
    made = client.call("POST", f"datasets/{client.busy}/snapshots/", json={}).json()
    client.ledger.snapshots[made["id"]] = ()


def train(client: Client, generator: random.Random) -> None:
    body = {"project": client.project, "dataset": client.ground, **TRAINING, "seed": generator.randrange(1000)}
    client.ledger.trainings.add(client.call("POST", "trainings/", json=body).json()["id"])


def export(client: Client, generator: random.Random) -> None:
    client.start_job(f"datasets/{client.busy}/exports/", json={"format": "folder"})


def annotate(client: Client, generator: random.Random) -> None:
    for image in client.pick(generator, 6):
        label = generator.choice(KINDS)
        before = client.ledger.labels.get(image, set())
        client.ledger.labels[image] = before | {label}
        try:
            client.call("PUT", f"images/{image}/annotations/", json=[{"label": label}])
        except NotAcknowledged:
            continue
        client.ledger.labels[image] = {label}
        client.ledger.relabelled[image] += len(before) == 1 and label not in before


def delete(client: Client, generator: random.Random) -> None:
    spare = max(0, len(client.ledger.certain_images()) - FEW_IMAGES)
    for image in client.pick(generator, min(3, spare)):
        client.ledger.perhaps_deleted.add(image)
        try:
            client.call("DELETE", f"images/{image}/")
        except NotAcknowledged:
            continue
        client.ledger.deleted.add(image)
    mine = client.pick(generator, MANY_IMAGES)
    if chosen := mine[MANY_IMAGES // client.share[0] :]:
        client.ledger.perhaps_deleted.update(chosen)
        client.call("POST", "images/bulk/", json={"action": "delete", "images": chosen})
        client.ledger.deleted.update(chosen)


def restore(client: Client, generator: random.Random) -> None:
    """Take what one delete put into the trash out of it."""
    entries = client.call("GET", f"trash/?project={client.project}").json()["results"]
    entries = [one for one in entries if one["kind"] == "images"]
    if not entries:
        return
    entry = generator.choice(entries)["id"]
    mine = _images_in(entry) & client.ledger.deleted
    client.ledger.perhaps_deleted |= mine
    client.ledger.deleted -= mine
    client.call("POST", f"trash/{entry}/restore/", json={}, may_be_gone=True)
    client.ledger.perhaps_deleted -= mine


def _images_in(entry: str) -> set[str]:
    rows = Image.objects.filter(dataset__in=TrashedImages.objects.filter(entry=entry).values("dataset"))
    try:
        return {str(pk) for pk in rows.values_list("pk", flat=True)}
    except Error as error:  # the fault has met this process too
        raise NotAcknowledged(str(error)) from error
    finally:
        connection.close()  # each thread has its own


def upload_in_parts(client: Client, generator: random.Random) -> None:
    content = made_video(generator.randrange(8, 120), size=(96, 64), fps=generator.randrange(10, 60))
    name = base64.b64encode(f"{uuid.uuid4().hex}.mp4".encode()).decode()
    headers = {**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": f"filename {name}"}
    upload_id = client.persist("POST", "uploads/", headers=headers).json()["id"]
    part = len(content) // 4 + 1
    while True:
        offset = int(client.persist("HEAD", f"uploads/{upload_id}/", headers=TUS).headers["Upload-Offset"])
        if offset == len(content):
            break
        body = content[offset : offset + part]
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Length": str(len(body)), **OCTETS}
        try:
            client.call("PATCH", f"uploads/{upload_id}/", headers=headers, content=_slowly(body))
        except NotAcknowledged:
            time.sleep(0.3)
    video = client.call("POST", f"datasets/{client.busy}/videos/", json={"upload": upload_id}).json()
    client.ledger.videos[video["id"]] = hashlib.sha256(content).hexdigest()


def _slowly(body: bytes) -> Iterator[bytes]:
    size = len(body) // PIECES + 1
    for start in range(0, len(body), size):
        time.sleep(PIECE_SECONDS)
        yield body[start : start + size]


def predict(client: Client, generator: random.Random) -> None:
    body = {"model": generator.choice(client.models[-3:]), "dataset": client.busy}
    client.start_job("predictions/", json=body)


def publish(client: Client, generator: random.Random) -> None:
    client.start_job(f"models/{generator.choice(client.models[-3:])}/publish/", json={})


def roll_out(client: Client, generator: random.Random) -> None:
    body = {"group": client.group, "model": generator.choice(client.models[-3:])}
    if generator.random() < 0.5:
        body["steps"] = [50, 100]
    made = client.call("POST", "deployments/", json=body).json()
    if generator.random() < 0.3:
        client.call("POST", f"deployments/{made['id']}/rollback/", json={})


OPERATIONS: dict[str, Callable[[Client, random.Random], None]] = {
    "upload": upload,
    "import": import_zip,
    "snapshot": snapshot,
    "training": train,
    "export": export,
    "annotations": annotate,
    "delete": delete,
    "restore": restore,
    "upload in parts": upload_in_parts,
    "batch prediction": predict,
    "publish": publish,
    "roll-out": roll_out,
}
# A training costs as much as all others together.
WEIGHTS = {"training": 0.6}
# Of what is asked for once something may still be going on so many seconds later. All other operations are short and
# go on until a fault is over.
SPANS = {
    "training": 12.0,
    "export": 1.0,
    "batch prediction": 1.5,
    "import": 1.5,
    "publish": 1.0,
    "upload in parts": 2.0,
}
SHORT_SPAN = 1.0
# What others do meanwhile, each with images of its own.
COMPANIONS = ("upload", "annotations", "annotations", "delete", "restore", "snapshot")
