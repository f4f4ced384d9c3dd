"""Publishing: the chosen files of a model are put into the large-file store, and the answer says where they are."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from common.errors import Invalid
from inference.models import Model, ModelFile
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.services import enqueue_job, handles
from storage.publishing import locate, push
from storage.signing import sign_for


@dataclass(frozen=True)
class PublishParameters(JobParameters, kind=JobKind.MODEL_PUBLISH):
    model: str
    kinds: list[str]
    seconds: int
    base_url: str = ""


@dataclass(frozen=True)
class PublishResult(JobResult):
    model: str
    files: list[dict]


def start_publishing(*, model: Model, user: User, kinds: list[str], seconds: int, base_url: str) -> Job:
    """Make the job.

    Args:
        kinds: of the files; empty: all that the model has.
        seconds: how long signed addresses are valid.
        base_url: where the studio is reached, for addresses of files that the studio gives.

    Raises:
        Invalid: the model has no file of a kind.
    """
    present = sorted(file.kind for file in model.files.all())
    missing = [kind for kind in kinds if kind not in present]
    if missing:
        detail = f"This model has no file {missing[0]!r}; it has {', '.join(present)}. Export it first."
        raise Invalid(detail, attr="kinds", code="no_such_file")
    parameters = PublishParameters(str(model.pk), kinds or present, seconds, base_url)
    with transaction.atomic():
        return enqueue_job(project=model.project, user=user, parameters=parameters)


@handles(PublishParameters)
def publish(context: JobContext[PublishParameters]) -> PublishResult:
    """Put the files into the store and say where each is."""
    parameters = context.parameters
    rows = ModelFile.objects.filter(model_id=parameters.model, kind__in=parameters.kinds).select_related("blob")
    files = list(rows.order_by("kind"))
    if not files:
        raise WorkFailed("model_deleted", "The model or its files were deleted meanwhile.")
    published = []
    for number, file in enumerate(files):
        context.report(number, len(files))
        published.append(published_file(file, parameters.seconds, context.job.created_by, parameters.base_url))
    return PublishResult(parameters.model, published)


def _link(file: ModelFile, user: User | None, seconds: int, base_url: str) -> str:
    """For those who asked for it, as long as they asked for."""
    path = reverse("model-files", args=[file.model_id, file.kind])
    return "" if user is None else base_url + sign_for(user, path, seconds=seconds)


def published_file(file: ModelFile, seconds: int, user: User | None, base_url: str) -> dict:
    """One file, in the store when this returns. Raises `BlobMissing` when the store does not answer."""
    blob = push(file.blob)
    location = locate(blob, seconds)
    assert location is not None  # push has put it there
    return {
        "kind": file.kind,
        "filename": file.filename,
        "sha256": blob.sha256,
        "size": blob.size,
        "store": location.backend,
        "remote_id": location.remote_id,
        "trackers": list(location.trackers),
        # The local folder has no HTTP of its own: there the studio gives the file.
        "url": location.url or _link(file, user, seconds, base_url),
    }
