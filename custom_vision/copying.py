"""Copying a project of Custom Vision into this studio: its tags, images as they are, regions and metadata.

A job does it. What it has copied is kept by the ids of the service, so that every attempt, and every later copy of the
same project, goes on where the one before stopped.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from custom_vision.domains import BY_ID, DEFAULTS, DETECTION
from custom_vision.errors import Refused
from custom_vision.fetching import fetched
from custom_vision.images import UNNAMED, NewImage, create_images, regions_of
from custom_vision.metadata import checked_metadata, note_metadata
from custom_vision.models import CopiedImage, ProjectCopy, TagDetail, TagType
from custom_vision.sealing import seal, unseal
from custom_vision.source import Source, SourceFailed
from custom_vision.tags import types_of
from custom_vision.wire import folded, id_or_none
from custom_vision.workspace import LONGEST_NAME, make_project, visible_projects
from datasets.labels import ensure_labels, update_label
from datasets.models import Label
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import ENDED, Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.changes.recording import recording_job
from projects.models import Project, Role
from projects.permissions import RANK, require_still_editor
from projects.selectors import role_in
from storage.database import atomic_again

wait = time.sleep
KINDS = ("tagged", "untagged")
TRIES = 12
# So long the key of a copy that came to no end is kept, for another attempt.
KEY_DAYS = 7
MOST_LOGGED = 20
GONE = "The key of this copy is not here any more: start it again with the key."


@dataclass(frozen=True)
class CopyParameters(JobParameters, kind=JobKind.CUSTOM_VISION_IMPORT):
    name: str


@dataclass(frozen=True)
class CopyResult(JobResult):
    tags: int
    images: int
    duplicates: int
    failed: int
    change: str | None = None


def source_projects(endpoint: str, key: str) -> list[dict[str, Any]]:
    """The projects that a key may read. Raises `SourceFailed`."""
    rows = Source(endpoint, key).projects()
    return [{"id": row.get("id"), "name": row.get("name"), "created": row.get("created")} for row in rows]


def start_copy(*, user: User, endpoint: str, key: str, source: str, name: str = "") -> Job:
    """The job that copies a project of the service. A copy of it that the user has is gone on with, unless it is to
    have another name.

    Raises:
        SourceFailed: the service does not answer, or refuses.
        LimitReached
    """
    service = Source(endpoint, key)
    remote = service.project(source)
    pk = id_or_none(str(remote.get("id")))
    if pk is None:
        raise SourceFailed(f"{service.endpoint} does not answer as Custom Vision does: check the endpoint.")
    images = sum(service.count(str(pk), kind) for kind in KINDS)
    fields = _fields_of(service, remote)
    return _started(user, service.endpoint, key, pk, name, fields, images)


def _fields_of(service: Source, remote: dict[str, Any]) -> dict[str, Any]:
    settings = folded(remote.get("settings") or {})
    domain = str(settings.get("domainid") or "").lower()
    if domain not in BY_ID:  # one that came later, or is retired
        kind = service.domain(domain).get("type")
        domain = DEFAULTS[DETECTION if kind == DETECTION else "Classification"].id
    return {
        "name": " ".join(str(remote.get("name") or "").split())[:LONGEST_NAME] or "Custom Vision",
        "description": str(remote.get("description") or ""),
        "domain_id": domain,
        "classification_type": settings.get("classificationtype"),
        "platforms": [str(name) for name in settings.get("targetexportplatforms") or []],
    }


@atomic_again
def _started(user: User, endpoint: str, key: str, source: UUID, name: str, fields: dict[str, Any], images: int) -> Job:
    copy = _present(user, endpoint, source, name)
    if copy is None:
        project = make_project(user=user, **{**fields, "name": name or fields["name"]})
        copy = ProjectCopy(project=project, endpoint=endpoint, source=source)
    copy.sealed_key, copy.keyed_at = seal(key), timezone.now()
    copy.save()
    running = Job.objects.filter(project=copy.project, kind=JobKind.CUSTOM_VISION_IMPORT).exclude(state__in=ENDED)
    if (job := running.first()) is not None:
        return job
    parameters = CopyParameters(fields["name"])
    return enqueue_job(project=copy.project, user=user, parameters=parameters, queue=queue_for(images=images))


def _present(user: User, endpoint: str, source: UUID, name: str) -> ProjectCopy | None:
    copies = ProjectCopy.objects.filter(endpoint=endpoint, source=source, project__in=visible_projects(user))
    copies = copies.filter(project__name=name) if name else copies
    for copy in copies.select_related("project").order_by("-id"):
        role = role_in(copy.project, user)
        if role is not None and RANK[role] >= RANK[Role.EDITOR]:
            return copy
    return None


@handles(CopyParameters)
def copy_project(context: JobContext[CopyParameters]) -> CopyResult:
    require_still_editor(context.job)
    copy = ProjectCopy.objects.filter(project=context.job.project).select_related("project").first()
    key = None if copy is None else unseal(copy.sealed_key)
    if copy is None or key is None:
        raise WorkFailed("source_key_wrong", GONE)
    with recording_job(context.job, "import", filename=f"Custom Vision: {context.parameters.name}") as change:
        counts, labels = _Copying(context, copy, key).run()
    ProjectCopy.objects.filter(pk=copy.pk).update(sealed_key="", keyed_at=None)
    return CopyResult(
        tags=len(labels),
        images=counts["OK"],
        duplicates=counts["OKDuplicate"],
        failed=sum(counts.values()) - counts["OK"] - counts["OKDuplicate"],
        change=str(change.pk) if change.rows else None,
    )


def forget_old_keys(before: datetime) -> int:
    """Of copies that came to no end. Returns how many."""
    rows = ProjectCopy.objects.exclude(sealed_key="").filter(keyed_at__lt=before)
    return rows.update(sealed_key="", keyed_at=None)


class _Copying:
    """One attempt. Its position is in the job: what became of the images so far."""

    def __init__(self, context: JobContext[CopyParameters], copy: ProjectCopy, key: str) -> None:
        self._context, self._copy = context, copy
        self._source = Source(copy.endpoint, key, tries=TRIES, pause=self._pause)
        self._counts = Counter(context.job.position.get("counts", {}))
        self._logged = 0
        self._labels: dict[str, Label] = {}

    def run(self) -> tuple[Counter[str], dict[str, Label]]:
        """What became of the images, and the labels by the id of their tag. Raises `SourceFailed`, `LimitReached`."""
        source = str(self._copy.source)
        total = sum(self._source.count(source, kind) for kind in KINDS)
        self._labels = copy_tags(self._copy.project, self._source.tags(source))
        done = 0
        self._context.report(done, total)
        for kind in KINDS:
            for rows in self._source.pages(source, kind):
                self._copy_page(rows)
                done += len(rows)
                require_still_editor(self._context.job)
                self._context.report(min(done, total), total, position={"counts": dict(self._counts)})
        return self._counts, self._labels

    def _pause(self, seconds: float) -> None:
        self._context.log(f"The service asks to wait for {seconds:g} s.")
        for _ in range(max(1, round(seconds))):
            self._context.keep()
            if seconds:
                wait(min(seconds, 1.0))

    def _copy_page(self, rows: Sequence[dict[str, Any]]) -> None:
        rows = self._left_of([folded(row) for row in rows])
        images = [self._image(row) for row in rows]
        if not images:
            return
        user = self._context.job.created_by
        assert user is not None  # else nobody is an editor
        with fetched(images, tries=TRIES, keep=self._context.keep):
            statuses = create_images(project=self._copy.project, user=user, images=images)
        copied = []
        for row, image, status in zip(rows, images, statuses, strict=True):
            if image.image_id is not None:
                self._note_metadata(row, UUID(image.image_id))
                copied.append(CopiedImage(copy=self._copy, source=UUID(row["id"])))
            else:
                self._log(f"Image {row['id']} could not be copied: {status}.")
        CopiedImage.objects.bulk_create(copied, ignore_conflicts=True)
        self._counts.update(statuses)

    def _left_of(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those that are not here yet."""
        by_id = {pk: row for row in rows if (pk := id_or_none(str(row.get("id")))) is not None}
        there = set(CopiedImage.objects.filter(copy=self._copy, source__in=by_id).values_list("source", flat=True))
        return [row for pk, row in by_id.items() if pk not in there]

    def _image(self, row: dict[str, Any]) -> NewImage:
        tags = [self._labels[tag["tagid"]].pk for tag in row.get("tags") or [] if tag.get("tagid") in self._labels]
        known = [region for region in row.get("regions") or [] if region.get("tagid") in self._labels]
        boxes = [{**region, "tagid": str(self._labels[region["tagid"]].pk)} for region in known]
        image = NewImage(str(row.get("originalimageuri") or ""), filename=UNNAMED, tags=tags)
        try:
            image.regions = regions_of(boxes)
        except Refused as error:
            self._log(f"The regions of image {row['id']} are left out: {error.detail}")
        return image

    def _note_metadata(self, row: dict[str, Any], image: UUID) -> None:
        try:
            metadata = checked_metadata(row.get("metadata"))
        except Refused as error:
            self._log(f"The metadata of image {row['id']} is left out: {error.detail}")
            return
        if metadata:
            note_metadata([image], metadata)

    def _log(self, line: str) -> None:
        self._logged += 1
        if self._logged <= MOST_LOGGED:
            self._context.log(line)


@atomic_again
def copy_tags(project: Project, rows: Sequence[dict[str, Any]]) -> dict[str, Label]:
    """The labels of the project by the ids that the service has for them. Those that are there by name are taken."""
    rows = [folded(row) for row in rows if row.get("name")]
    names = {row["id"]: " ".join(str(row["name"]).split())[:100] for row in rows}
    labels = ensure_labels(project=project, names=list(dict.fromkeys(names.values())))
    by_id = {pk: labels[name] for pk, name in names.items()}
    types = types_of(project)
    for row in rows:
        label = by_id[row["id"]]
        if row.get("description") and not label.description:
            update_label(label=label, description=str(row["description"])[:1000])
        if row.get("type") == TagType.NEGATIVE and TagType.NEGATIVE not in types.values():
            TagDetail.objects.create(label=label, type=TagType.NEGATIVE)
            types[label.pk] = TagType.NEGATIVE
    return by_id
