"""What needs models, and which models need a project or a dataset."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from datasets.models import Dataset
from inference.models import Model, Stage
from projects.models import Project
from projects.uses import Use, finds_uses_of, ids_in, unfinished_jobs, work_in_use


@finds_uses_of(Model)
def stage_of_model(model: Model) -> Iterable[Use]:
    if model.stage == Stage.PRODUCTION:
        detail = f"{model} is in production. Move it to another stage first."
        yield Use("model", str(model.pk), str(model), detail, is_final=True)


@finds_uses_of(Model)
def jobs_of_model(model: Model) -> Iterable[Use]:
    """Jobs of its own project: what others do with a public model does not keep it here."""
    jobs = (job for job in unfinished_jobs(model.project) if str(model.pk) in ids_in(job))
    return work_in_use(jobs, "job", lambda job: job.kind)


@finds_uses_of(Project)
def models_in_production(project: Project) -> Iterable[Use]:
    return _in_production(Model.objects.filter(project=project))


@finds_uses_of(Dataset)
def models_trained_from(dataset: Dataset) -> Iterable[Use]:
    return _in_production(Model.objects.filter(snapshot__dataset=dataset))


def _in_production(models: QuerySet[Model]) -> Iterable[Use]:
    for model in models.filter(stage=Stage.PRODUCTION).order_by("id"):
        detail = f"The model {model} is in production: move it to another stage first ({model.pk})."
        yield Use("model", str(model.pk), str(model), detail)
