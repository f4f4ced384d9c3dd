"""What must hold whenever the studio is left alone for a while, whatever happened to it before."""

from __future__ import annotations

import hashlib
import io
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, Model, QuerySet

from datasets.models import Annotation, AnnotationChange, Dataset, Image, Label, Snapshot, SnapshotImage, Video
from inference.models import Model as TrainedModel
from jobs import services as jobs
from mlstudio import temporary
from mlstudio.tasks import housekeeping
from projects.consistent_reads import consistent_read
from projects.models import Project
from projects.selectors import is_live
from storage.services import local_cache
from storage.sweeping import sweep_orphans
from tests.campaign import work
from tests.campaign.client import Client, NotAcknowledged
from tests.campaign.ledger import Ledger

SAMPLE = 5
LATEST = 30
YOUNG_SECONDS = 120


def images_are_there(client: Client) -> Iterator[str]:
    """Those that were deleted lie in the trash."""
    ledger = client.ledger
    with consistent_read():
        live, trashed = ({str(pk): sha for pk, sha in rows.values_list("id", "blob__sha256")} for rows in _images())
    for pk, sha256 in ledger.images.items():
        ledger.checks["acknowledged image in the database"] += 1
        if pk in ledger.deleted:
            if pk in live:
                yield f"image {pk} is there though its delete was acknowledged"
            elif trashed.get(pk) != sha256:
                yield f"image {pk} is not in the trash though its delete was acknowledged"
        elif pk not in ledger.perhaps_deleted and live.get(pk) != sha256:
            yield f"acknowledged image {pk} is {'gone' if pk not in live else 'another file'}"


def _images() -> tuple[QuerySet, QuerySet]:
    """Those that people see, and those in the trash."""
    is_seen = is_live("dataset__project__")
    return Image.objects.filter(is_seen), Image.objects.exclude(is_seen)


def learn_deletes(ledger: Ledger) -> None:
    """Note what became of deletes without an answer, once they cannot be under way any more."""
    kept = set(map(str, _images()[0].values_list("id", flat=True)))
    for pk in ledger.perhaps_deleted - ledger.deleted:
        (ledger.perhaps_deleted.discard if pk in kept else ledger.deleted.add)(pk)


def bytes_are_right(client: Client, generator: random.Random) -> Iterator[str]:
    addresses = {f"images/{pk}/file/": client.ledger.images[pk] for pk in client.pick(generator, SAMPLE)}
    videos = sorted(client.ledger.videos)
    addresses |= {f"videos/{pk}/file/": client.ledger.videos[pk] for pk in videos[-1:]}
    for path, sha256 in addresses.items():
        client.ledger.checks["bytes over HTTP"] += 1
        try:
            content = client.persist("GET", path).content
        except NotAcknowledged as error:
            yield f"{path} cannot be read: {error}"
            continue
        if hashlib.sha256(content).hexdigest() != sha256:
            yield f"{path} has other bytes"
    kept = {str(pk): sha for pk, sha in Video.objects.values_list("id", "blob__sha256")}
    wrong = [pk for pk, sha256 in client.ledger.videos.items() if kept.get(pk) != sha256]
    yield from (f"acknowledged video {pk} is gone or another file" for pk in wrong)


def annotations_are_old_or_new(client: Client) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for pk, name in Annotation.objects.values_list("image_id", "label__name"):
        found.setdefault(str(pk), []).append(name)
    for pk in client.ledger.certain_images():
        allowed = client.ledger.labels.get(pk)
        if allowed is None:
            continue
        client.ledger.checks["annotations"] += 1
        names = found.get(pk, [])
        if len(names) != 1 or names[0] not in allowed:
            yield f"image {pk} has the annotations {names}; allowed: one of {sorted(allowed)}"
        else:
            client.ledger.labels[pk] = {names[0]}


def changes_are_in_the_history(client: Client) -> Iterator[str]:
    """Every acknowledged change of an annotation has a row, and the last row says what is there now."""
    changes: Counter = Counter()
    last: dict[str, list] = {}
    rows = AnnotationChange.objects.order_by("id").values_list("image", "before", "after")
    for image, before, after in rows:
        changes[str(image)] += bool(before)
        last[str(image)] = after
    for pk in client.ledger.certain_images():
        client.ledger.checks["history"] += 1
        if changes[pk] < client.ledger.relabelled[pk]:
            yield f"image {pk} was relabelled {client.ledger.relabelled[pk]} times; its history has {changes[pk]}"
        names = {mark["label"] for mark in last.get(pk, [])}
        if pk in last and names != client.ledger.labels.get(pk, names):
            yield f"the history of image {pk} ends with {names}, it has {client.ledger.labels[pk]}"


COUNTS: tuple[tuple[type[Model], str, type[Model], str], ...] = (
    (Dataset, "image_count", Image, "dataset"),
    (Project, "image_count", Image, "dataset__project"),
    (Project, "dataset_count", Dataset, "project"),
    (Project, "label_count", Label, "project"),
    (Project, "model_count", TrainedModel, "project"),
)


def counts_are_right(client: Client) -> Iterator[str]:
    for owner, field, rows, path in COUNTS:
        client.ledger.checks["counts"] += 1
        with consistent_read():  # work that waited may go on meanwhile
            wrong = list(_wrong_counts(owner, field, rows, path))
        yield from wrong


def _wrong_counts(owner: type[Model], field: str, rows: type[Model], path: str) -> Iterator[str]:
    counted = rows._default_manager.order_by().values_list(path).annotate(count=Count("pk"))
    actual = dict(counted)
    for pk, kept in owner._default_manager.values_list("pk", field):
        if kept != actual.get(pk, 0):
            yield f"{owner.__name__}.{field} says {kept}, there are {actual.get(pk, 0)}"


def snapshots_are_unchanged(client: Client) -> Iterator[str]:
    for pk, seen in list(client.ledger.snapshots.items())[-LATEST:]:
        client.ledger.checks["snapshot unchanged"] += 1
        snapshot = Snapshot.objects.filter(pk=pk).first()
        if snapshot is None:
            yield f"acknowledged snapshot {pk} is gone"
            continue
        rows = SnapshotImage.objects.filter(snapshot=pk).order_by("id")
        content = str(sorted(map(str, rows.values_list("image_key", "blob__sha256", "split", "annotations"))))
        now = (snapshot.digest, hashlib.sha256(content.encode()).hexdigest())
        if seen and now != seen:
            yield f"snapshot {pk} has changed"
        client.ledger.snapshots[pk] = now
    numbers = list(Snapshot.objects.order_by().values_list("dataset", "number"))
    if len(numbers) != len(set(numbers)):
        yield "two snapshots of a dataset have one number"


def database_is_whole(client: Client) -> Iterator[str]:
    if connection.vendor != "sqlite":
        return
    client.ledger.checks["integrity of the database"] += 1
    with connection.cursor() as cursor:
        answer = cursor.execute("PRAGMA integrity_check").fetchall()
        if answer != [("ok",)]:
            yield f"integrity_check: {answer[:3]}"
        broken = cursor.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            yield f"foreign_key_check: {broken[:3]}"


AFTER_EACH_ROUND: tuple[Callable[[Client], Iterator[str]], ...] = (
    images_are_there,
    counts_are_right,
    work.ended_well,
    work.imports_are_exactly_once,
    work.trainings_have_one_model,
    work.exports_are_whole,
    snapshots_are_unchanged,
    database_is_whole,
)
# What a request without an answer may change for a while yet.
ONCE_SETTLED: tuple[Callable[[Client], Iterator[str]], ...] = (
    annotations_are_old_or_new,
    changes_are_in_the_history,
)


def files_are_whole(client: Client) -> Iterator[str]:
    """As `manage.py storage verify`, after the sweeps of an hour or of two days."""
    client.ledger.checks["storage verify"] += 1
    output = io.StringIO()
    try:
        call_command("storage", "verify", stdout=output, stderr=io.StringIO())
    except CommandError:
        yield f"storage verify: {output.getvalue()[:600]}"


def nothing_is_left_over(client: Client) -> Iterator[str]:
    """The sweeps remove all that killed processes left, once it is old; here minutes are old."""
    client.ledger.checks["nothing left over"] += 1
    jobs.LEFTOVER_SECONDS = temporary.LEFTOVER_SECONDS = YOUNG_SECONDS
    housekeeping()
    sweep_orphans()
    local_cache().sweep_incoming()
    before = time.time() - YOUNG_SECONDS - 5
    folders = [*settings.WORK_DIR.glob("*"), settings.TEMPORARY_DIR, local_cache().incoming]
    for folder in folders:
        left = [path for path in folder.glob("*") if _modified(path) < before]
        if left:
            yield f"{len(left)} left over in {folder.name}: {[path.name for path in left[:3]]}"


def _modified(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return time.time()


NOW_AND_THEN: tuple[Callable[[Client], Iterator[str]], ...] = (files_are_whole, nothing_is_left_over)
