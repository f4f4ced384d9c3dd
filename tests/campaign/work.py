"""What must hold for jobs and trainings: all of them end, well and once, whatever happened to them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from django.db.models import Q
from django.utils import timezone

from datasets.models import Image
from inference.models import Model as TrainedModel
from jobs.models import ENDED, Job, WorkEvent, WorkState
from projects.consistent_reads import consistent_read
from tests.campaign.client import Client, NotAcknowledged
from training.models import TrainingRun

KINDS = (Job, TrainingRun)


def unended(*, also_waiting: bool = True) -> list[str]:
    """Work that has not ended, in words.

    Args:
        also_waiting: what waits until a moment that it named, because the disk was full or the store was away.
    """
    looked_at = Q() if also_waiting else ~Q(state=WorkState.QUEUED, retry_at__gt=timezone.now(), retry_at__isnull=False)
    rows = []
    for kind in KINDS:
        for work in kind._default_manager.exclude(state__in=ENDED).filter(looked_at):
            reason = f", waits: {work.error_code}" if work.error_code else ""
            rows.append(f"{getattr(work, 'kind', 'training')} {work.pk} {work.state}, attempt {work.attempts}{reason}")
    return rows


def progress(unended: list[str]) -> str:
    """Something that changes whenever work gets on; a lease that is renewed is no progress."""
    latest = WorkEvent.objects.order_by("-id").values_list("id", flat=True).first()
    running = [list(kind._default_manager.exclude(state__in=ENDED).values_list("progress")) for kind in KINDS]
    return f"{latest} {unended} {running}"


def ended_well(client: Client) -> Iterator[str]:
    """No job fails, for every fault passes: what meets one waits, and goes on."""
    ledger = client.ledger
    jobs = {str(job.pk): job for job in Job.objects.filter(pk__in=ledger.jobs)}
    for pk, kind in list(ledger.jobs.items()):
        job = jobs.get(pk)
        if job is not None and job.state not in ENDED:
            continue
        ledger.checks["acknowledged job"] += 1
        if job is None:
            yield f"acknowledged {kind} {pk} is gone"
        elif job.state != WorkState.SUCCEEDED:
            yield f"{kind} {pk} is {job.state}: {job.error_code} {job.error_detail} (attempt {job.attempts})"
        elif kind == "export":
            ledger.exports.append(pk)
        if job is None or job.state != WorkState.SUCCEEDED:
            ledger.imports.pop(pk, None)
        del ledger.jobs[pk]  # what has ended stays as it is
    client.known_failures.update(jobs)
    for job in Job.objects.filter(state=WorkState.FAILED).exclude(pk__in=client.known_failures):
        client.known_failures.add(str(job.pk))
        yield f"{job.kind} {job.pk}, not acknowledged, failed: {job.error_code} {job.error_detail}"


def imports_are_exactly_once(client: Client) -> Iterator[str]:
    ledger = client.ledger
    for pk, (prefix, count) in list(ledger.imports.items()):
        if pk in ledger.jobs:  # it goes on
            continue
        ledger.checks["import exactly once"] += 1
        found = Image.objects.filter(filename__contains=prefix)
        if len(found) != count:
            yield f"import {pk} brought {len(found)} of {count} images"
        created = (Job.objects.get(pk=pk).result or {}).get("created")
        if created != count:
            yield f"import {pk} says that it created {created} of {count} images"
        remember(client, found)
        del ledger.imports[pk]
    if Job.objects.filter(kind="import").exclude(state__in=ENDED).exists():
        return  # it may be one that nobody knows of
    for prefix, count in list(ledger.unanswered_imports.items()):
        found = Image.objects.filter(filename__contains=prefix)
        if len(found) not in (0, count):
            yield f"an import without an answer brought {len(found)} of {count} images"
        remember(client, found)
        del ledger.unanswered_imports[prefix]


def remember(client: Client, images) -> None:
    """From now on these are there for certain."""
    for image in images.select_related("blob").prefetch_related("annotations__label"):
        client.ledger.images[str(image.pk)] = image.blob.sha256
        client.ledger.labels[str(image.pk)] = {one.label.name for one in image.annotations.all()}


def trainings_have_one_model(client: Client) -> Iterator[str]:
    made: dict[str, list[str]] = {}
    with consistent_read():  # a training may end meanwhile
        runs = {str(run.pk): run for run in TrainingRun.objects.all()}
        rows = TrainedModel.objects.exclude(training=None).order_by("version")
        for pk, training in rows.values_list("id", "training"):
            made.setdefault(str(training), []).append(str(pk))
    client.models[:] = [pk for models in made.values() for pk in models]
    for pk in client.ledger.trainings - set(runs):
        yield f"acknowledged training {pk} is gone"
    for pk, run in runs.items():
        client.ledger.checks["training with one model"] += 1
        models = made.get(pk, [])
        epochs = [entry["epoch"] for entry in run.history]
        if run.state not in ENDED:
            if models:
                yield f"training {pk} is {run.state} and has a model"
        elif run.state != WorkState.SUCCEEDED:
            if pk not in client.known_failures:
                client.known_failures.add(pk)
                yield f"training {pk} is {run.state}: {run.error_code} {run.error_detail}"
        elif len(models) != 1 or str(run.model_id) != models[0]:
            yield f"training {pk} has {len(models)} models"
        elif epochs != sorted(set(epochs)):
            yield f"training {pk} has the epochs {epochs}"


def exports_are_whole(client: Client) -> Iterator[str]:
    """The archive of a finished export opens, and has nothing twice."""
    while client.ledger.exports:
        pk = client.ledger.exports.pop()
        client.ledger.checks["export opened"] += 1
        try:
            address = client.persist("GET", f"jobs/{pk}/").json()["result"]["download_url"].removeprefix("/api/v1/")
            archive = zipfile.ZipFile(io.BytesIO(client.persist("GET", address).content))
        except (NotAcknowledged, KeyError, zipfile.BadZipFile) as error:
            yield f"export {pk} cannot be read: {error!r}"
            continue
        names = archive.namelist()
        if archive.testzip() is not None or len(names) != len(set(names)):
            yield f"export {pk} has a broken file, or one twice"
