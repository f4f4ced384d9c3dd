"""What must hold whenever the studio is left alone for a while, whatever happened to it before."""

from __future__ import annotations

import hashlib
import io
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, Model

from datasets.models import Annotation, Dataset, Image, Label, Snapshot, SnapshotImage, Video
from inference.models import Model as TrainedModel
from projects.models import ENDED, Job, Project, WorkEvent, WorkState
from tests.campaign.operations import Client, NotAcknowledged
from training.models import TrainingRun

SAMPLE = 5
LATEST = 30
# A job that met a full disk, or a store that is away, says so and can be started again: that is what it promises.
HONEST_FAILURES = {"disk_full", "store_unavailable"}
YOUNG_SECONDS = 120


def unended() -> list[str]:
    """Work that still waits or runs, in words."""
    rows = []
    for kind in (Job, TrainingRun):
        for work in kind._default_manager.exclude(state__in=ENDED):
            waits = f", waits: {work.error_code}" if work.error_code else ""
            rows.append(f"{getattr(work, 'kind', 'training')} {work.pk} {work.state}, attempt {work.attempts}{waits}")
    return rows


def progress(unended: list[str]) -> str:
    """Something that changes whenever work gets on; a lease that is renewed is no progress."""
    latest = WorkEvent.objects.order_by("-id").values_list("id", flat=True).first()
    kinds = (Job, TrainingRun)
    running = [list(kind._default_manager.exclude(state__in=ENDED).values_list("progress")) for kind in kinds]
    return f"{latest} {unended} {running}"


def images_are_there(client: Client) -> Iterator[str]:
    ledger = client.ledger
    kept = {str(pk): sha for pk, sha in Image.objects.values_list("id", "blob__sha256")}
    for pk, sha256 in ledger.images.items():
        ledger.checks["acknowledged image in the database"] += 1
        if pk in ledger.deleted:
            if pk in kept:
                yield f"image {pk} is there though its delete was acknowledged"
        elif pk not in ledger.perhaps_deleted and kept.get(pk) != sha256:
            yield f"acknowledged image {pk} is {'gone' if pk not in kept else 'another file'}"
    # From now on it is known what became of deletes without an answer.
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


def counts_are_right(client: Client) -> Iterator[str]:
    for owner, field, rows, path in (
        (Dataset, "image_count", Image, "dataset"),
        (Project, "image_count", Image, "dataset__project"),
        (Project, "dataset_count", Dataset, "project"),
        (Project, "label_count", Label, "project"),
        (Project, "model_count", TrainedModel, "project"),
    ):
        client.ledger.checks["counts"] += 1
        yield from _wrong_counts(owner, field, rows, path)


def _wrong_counts(owner: type[Model], field: str, rows: type[Model], path: str) -> Iterator[str]:
    counted = rows._default_manager.order_by().values_list(path).annotate(count=Count("pk"))
    actual = dict(counted)
    for pk, kept in owner._default_manager.values_list("pk", field):
        if kept != actual.get(pk, 0):
            yield f"{owner.__name__}.{field} says {kept}, there are {actual.get(pk, 0)}"


def work_ended_well(client: Client) -> Iterator[str]:
    ledger = client.ledger
    jobs = {str(job.pk): job for job in Job.objects.filter(pk__in=ledger.jobs)}
    for pk, kind in list(ledger.jobs.items()):
        ledger.checks["acknowledged job"] += 1
        job = jobs.get(pk)
        if job is None:
            yield f"acknowledged {kind} {pk} is gone"
        elif job.state != WorkState.SUCCEEDED and job.error_code not in HONEST_FAILURES:
            yield f"{kind} {pk} is {job.state}: {job.error_code} {job.error_detail} (attempt {job.attempts})"
        if job is None or job.state != WorkState.SUCCEEDED:
            ledger.imports.pop(pk, None)
        del ledger.jobs[pk]  # what has ended stays as it is
    for job in Job.objects.filter(state=WorkState.FAILED).exclude(pk__in=jobs):
        if job.error_code not in HONEST_FAILURES and str(job.pk) not in client.known_failures:
            client.known_failures.add(str(job.pk))
            yield f"{job.kind} {job.pk}, not acknowledged, failed: {job.error_code} {job.error_detail}"
    client.known_failures.update(jobs)


def imports_are_exactly_once(client: Client) -> Iterator[str]:
    ledger = client.ledger
    for pk, (prefix, count) in list(ledger.imports.items()):
        ledger.checks["import exactly once"] += 1
        found = Image.objects.filter(filename__contains=prefix)
        if len(found) != count:
            yield f"import {pk} brought {len(found)} of {count} images"
        created = (Job.objects.get(pk=pk).result or {}).get("created")
        if created != count:
            yield f"import {pk} says that it created {created} of {count} images"
        remember(client, found)
        del ledger.imports[pk]
    for prefix, count in list(ledger.unanswered_imports.items()):
        found = Image.objects.filter(filename__contains=prefix)
        ended = Job.objects.exclude(error_code__in=HONEST_FAILURES)
        if len(found) not in (0, count) and ended.exists():
            yield f"an import without an answer brought {len(found)} of {count} images"
        remember(client, found)
        del ledger.unanswered_imports[prefix]


def remember(client: Client, images) -> None:
    """From now on these are there for certain."""
    for image in images.select_related("blob").prefetch_related("annotations__label"):
        client.ledger.images[str(image.pk)] = image.blob.sha256
        client.ledger.labels[str(image.pk)] = {one.label.name for one in image.annotations.all()}


def trainings_have_one_model(client: Client) -> Iterator[str]:
    runs = {str(run.pk): run for run in TrainingRun.objects.all()}
    made: dict[str, list[str]] = {}
    for pk, training in TrainedModel.objects.exclude(training=None).order_by("version").values_list("id", "training"):
        made.setdefault(str(training), []).append(str(pk))
    client.models = [pk for models in made.values() for pk in models]
    for pk in client.ledger.trainings - set(runs):
        yield f"acknowledged training {pk} is gone"
    for pk, run in runs.items():
        client.ledger.checks["training with one model"] += 1
        models = made.get(pk, [])
        epochs = [entry["epoch"] for entry in run.history]
        if run.state != WorkState.SUCCEEDED:
            if pk not in client.known_failures:
                client.known_failures.add(pk)
                yield f"training {pk} is {run.state}: {run.error_code} {run.error_detail}"
        elif len(models) != 1 or str(run.model_id) != models[0]:
            yield f"training {pk} has {len(models)} models"
        elif epochs != sorted(set(epochs)):
            yield f"training {pk} has the epochs {epochs}"


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
    annotations_are_old_or_new,
    counts_are_right,
    work_ended_well,
    imports_are_exactly_once,
    trainings_have_one_model,
    snapshots_are_unchanged,
    database_is_whole,
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
    from mlstudio import temporary
    from mlstudio.tasks import housekeeping
    from projects import jobs
    from storage.services import local_cache, sweep_orphans

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
