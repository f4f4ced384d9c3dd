"""Published names: how predictions name the model of an iteration."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from custom_vision.errors import Refused
from custom_vision.iterations import detail_of, model_of
from custom_vision.models import Iteration
from inference.models import Model
from projects.models import Project
from projects.uses import Use, finds_uses_of
from storage.database import atomic_again
from training.models import TrainingRun

LONGEST_NAME = 200


@atomic_again
def publish(*, run: TrainingRun, name: str | None, resource: str | None, overwrite: bool) -> None:
    """Give an iteration its name; with `overwrite` another one loses it at the same moment.

    Raises:
        Refused: it is not trained, or published already; the name is taken, or none.
    """
    model_of(run)
    name = (name or "").strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused("BadRequestInvalidPublishName", f"publishName must have 1 to {LONGEST_NAME} characters.")
    if not resource:
        raise Refused("BadRequestInvalidPublishTarget", "predictionId is missing; any text is taken.")
    Project.objects.select_for_update().get(pk=run.project_id)
    detail = detail_of(TrainingRun.objects.select_related("custom_vision", "project").get(pk=run.pk))
    if detail.publish_name is not None:
        said = f"Iteration is already published as: {detail.publish_name}"
        raise Refused("BadRequestIterationIsPublished", said)
    holder = Iteration.objects.filter(project=run.project_id, publish_name=name).first()
    if holder is not None and not overwrite:
        raise Refused("BadRequestInvalidPublishName", f"Another iteration is published as {name}: unpublish it first.")
    if holder is not None:
        _forget(holder)
    detail.publish_name, detail.resource, detail.published_at = name, resource[:1000], timezone.now()
    detail.save()


def unpublish(*, run: TrainingRun) -> None:
    """Raises `BadRequestIterationNotPublished`."""
    detail = detail_of(run)
    if detail.publish_name is None:
        raise Refused("BadRequestIterationNotPublished", "The iteration is not published.")
    _forget(detail)


def _forget(detail: Iteration) -> None:
    detail.publish_name, detail.resource, detail.published_at = None, "", None
    detail.save(update_fields=["publish_name", "resource", "published_at"])


def find_published(project: Project, name: str) -> TrainingRun:
    """The training whose model answers under this name. Raises `NotFoundIteration`."""
    rows = Iteration.objects.filter(project=project, publish_name=name, run__model__project=project)
    detail = rows.select_related("run__model", "run__project", "run__custom_vision").first()
    if detail is None:
        raise Refused("NotFoundIteration", "Invalid iteration: nothing is published under this name.", 404)
    return detail.run


@finds_uses_of(Model)
def name_of_model(model: Model) -> Iterable[Use]:
    for detail in Iteration.objects.filter(run__model=model).exclude(publish_name=None):
        sentence = f"{model} is published as '{detail.publish_name}' for programs: unpublish it first."
        yield Use("publication", str(detail.run_id), str(detail.publish_name), sentence, is_final=True)


@finds_uses_of(TrainingRun)
def name_of_training(run: TrainingRun) -> Iterable[Use]:
    for detail in Iteration.objects.filter(run=run).exclude(publish_name=None):
        sentence = f"Its model is published as '{detail.publish_name}' for programs: unpublish it first."
        yield Use("publication", str(detail.run_id), str(detail.publish_name), sentence, is_final=True)


@finds_uses_of(Project)
def names_of_project(project: Project) -> Iterable[Use]:
    for detail in Iteration.objects.filter(project=project).exclude(publish_name=None).order_by("id"):
        sentence = (
            f"A model is published as '{detail.publish_name}' for programs: unpublish it first ({detail.run_id})."
        )
        yield Use("publication", str(detail.run_id), str(detail.publish_name), sentence)


def require_nothing_published(project: Project) -> None:
    """As the service that this stands for: its programs unpublish first. Raises `BadRequestIterationIsPublished`."""
    for use in names_of_project(project):
        raise Refused("BadRequestIterationIsPublished", use.detail)
