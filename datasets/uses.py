"""What needs datasets and videos: unfinished jobs."""

from __future__ import annotations

from collections.abc import Iterable

from datasets.models import Dataset, Snapshot, Video
from jobs.models import Job, JobKind
from projects.models import Project
from projects.uses import Use, finds_uses_of, ids_in, is_uuid, unfinished_jobs, work_in_use


@finds_uses_of(Dataset)
def jobs_of_dataset(dataset: Dataset) -> Iterable[Use]:
    """Jobs that read or fill the dataset, one of its videos, or one of its snapshots."""
    ids = {job.pk: {text for text in ids_in(job) if is_uuid(text)} for job in _jobs(dataset.project)}
    named = set().union(*ids.values())
    own = {str(dataset.pk)}
    for model in (Video, Snapshot):
        own |= {str(pk) for pk in model.objects.filter(dataset=dataset, pk__in=named).values_list("pk", flat=True)}
    return _uses(job for job in _jobs(dataset.project) if ids[job.pk] & own)


@finds_uses_of(Video)
def jobs_of_video(video: Video) -> Iterable[Use]:
    return _uses(job for job in _jobs(video.project) if str(video.pk) in ids_in(job))


def _jobs(project: Project) -> list[Job]:
    # What reads a new video through ends with it.
    return list(unfinished_jobs(project).exclude(kind=JobKind.VIDEO_SURVEY))


def _uses(jobs: Iterable[Job]) -> Iterable[Use]:
    return work_in_use(jobs, "job", lambda job: job.kind)
