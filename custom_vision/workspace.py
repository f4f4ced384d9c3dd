"""Projects and the dataset that programs work on, seen as Custom Vision has them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from custom_vision.domains import BY_ID, DETECTION, Domain, chosen_domain, default_domain
from custom_vision.errors import Refused, missing
from custom_vision.models import ClassificationType, ProjectSettings
from custom_vision.wire import id_or_none, text_of, zoned
from datasets.models import Dataset
from datasets.services import create_dataset
from projects.changes.fields import change_fields
from projects.changes.recording import recording
from projects.models import Project, Task
from projects.selectors import projects_of
from projects.services import create_project, note_new_project
from storage.database import atomic_again

DATASET = "Custom Vision"
# Classification type → what the project is for here; detection has none.
TASKS: dict[str, Task] = {
    "": Task.DETECTION,
    ClassificationType.MULTICLASS.value: Task.CLASSIFICATION,
    ClassificationType.MULTILABEL.value: Task.MULTILABEL,
}
LONGEST_NAME, LONGEST_DESCRIPTION = 100, 5000
METHODS = ("rotation", "scaling", "translation", "horizontal flip", "equalize", "solarize", "padtosquare")
# Settings that are given back as they came.
KEPT = {"exportmodelcontaineruri": "exportModelContainerUri", "notificationqueueuri": "notificationQueueUri"}


def visible_projects(user: User) -> QuerySet[Project]:
    return projects_of(user).select_related("custom_vision")


def find_project(user: User, text: str) -> Project:
    """Raises `NotFoundProject`: also of a project of others."""
    pk = id_or_none(text)
    project = None if pk is None else visible_projects(user).filter(pk=pk).first()
    if project is None:
        raise missing("Project")
    return project


def settings_of(project: Project) -> ProjectSettings:
    """Those of a project that the studio made are what its task says, without a row."""
    try:
        return project.custom_vision
    except ProjectSettings.DoesNotExist:
        domain, kind = default_domain(project).id, _type_of(project)
        return ProjectSettings(project=project, domain=domain, classification_type=kind)


def domain_of(settings: ProjectSettings) -> Domain:
    return BY_ID[settings.domain]


def chosen_type(domain: Domain, asked: str | None) -> str:
    """The classification type of a new project; "" for detection. Several tags an image where nothing is said, as the
    service has it.

    Raises:
        Refused: `BadRequestProjectUnknownClassification`.
    """
    if domain.type == DETECTION:
        return ""
    for kind in ClassificationType:
        if (asked or ClassificationType.MULTILABEL).lower() == kind.lower():
            return kind
    raise Refused("BadRequestProjectUnknownClassification", f"There is no classification type {asked}.")


def _type_of(project: Project) -> str:
    return next(kind for kind, task in TASKS.items() if task == project.task)


def is_detection(project: Project) -> bool:
    return project.task == Task.DETECTION


def checked_name(name: str | None) -> str:
    name = (name or "").strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused("BadRequestProjectName", f"A project's name has 1 to {LONGEST_NAME} characters in one line.")
    return name


def checked_description(text: str | None) -> str:
    return (text or "")[:LONGEST_DESCRIPTION]


@atomic_again
def make_project(
    *,
    user: User,
    name: str | None,
    description: str | None,
    domain_id: str | None,
    classification_type: str | None,
    platforms: list[str],
) -> Project:
    """A project with its dataset. Raises `Refused`, `LimitReached`."""
    name, domain = checked_name(name), chosen_domain(domain_id)
    kind = chosen_type(domain, classification_type)
    project = create_project(user=user, name=name, description=checked_description(description), task=TASKS[kind])
    with recording(project, user, "create_project", project=name):
        note_new_project(project)
    dataset = create_dataset(project=project, name=DATASET)
    ProjectSettings.objects.create(
        project=project, domain=domain.id, classification_type=kind, platforms=platforms, dataset=dataset
    )
    return project


@atomic_again
def change_project(*, project: Project, changes: dict[str, Any]) -> None:
    """Name, description and settings; what is not said stays.

    Raises:
        Refused: a domain of another type, or one that is unknown.
    """
    fields = {}
    if text_of(changes, "name") is not None:
        fields["name"] = checked_name(text_of(changes, "name"))
    if text_of(changes, "description") is not None:
        fields["description"] = checked_description(text_of(changes, "description"))
    change_fields("project_fields", project, fields)
    asked = changes.get("settings")
    if isinstance(asked, dict):
        _change_settings(settings_of(project), asked)


def _change_settings(settings: ProjectSettings, asked: dict[str, Any]) -> None:
    domain = domain_of(settings)
    if text_of(asked, "domainid") is not None:
        wanted = chosen_domain(text_of(asked, "domainid"))
        if wanted.type != domain.type:
            raise Refused(
                "BadRequestProjectUnsupportedDomainTypeChange",
                f"A project for {domain.type} cannot become one for {wanted.type}: make a new one.",
            )
        settings.domain = wanted.id
    if text_of(asked, "classificationtype") is not None:
        wanted_type = chosen_type(domain, text_of(asked, "classificationtype"))
        if wanted_type != settings.classification_type:
            raise Refused(
                "BadRequestNotSupported",
                f"The project stays {settings.classification_type}: make a new one for {wanted_type}.",
            )
    if isinstance(asked.get("targetexportplatforms"), list):
        settings.platforms = [str(name) for name in asked["targetexportplatforms"]][:20]
    settings.options |= {name: asked[key] for key, name in KEPT.items() if isinstance(asked.get(key), str)}
    settings.save()


def find_dataset(project: Project) -> Dataset | None:
    """Where the images of the project lie, as programs see them; None: it has no dataset yet."""
    settings = settings_of(project)
    if settings.dataset_id is not None:
        chosen = Dataset.objects.filter(pk=settings.dataset_id, project=project).first()
        if chosen is not None:
            return chosen
    return Dataset.objects.filter(project=project).order_by("id").first()


@atomic_again
def ensure_dataset(project: Project) -> Dataset:
    return find_dataset(project) or create_dataset(project=project, name=DATASET)


def project_json(project: Project) -> dict:
    settings = settings_of(project)
    return {
        "id": str(project.pk),
        "name": project.name,
        "description": project.description,
        "settings": {
            "domainId": settings.domain,
            "classificationType": settings.classification_type or None,
            "targetExportPlatforms": settings.platforms,
            "useNegativeSet": True,
            "detectionParameters": None,
            "imageProcessingSettings": {"augmentationMethods": dict.fromkeys(METHODS, True)},
            **{name: settings.options.get(name) for name in KEPT.values()},
        },
        "created": zoned(project.created_at),
        "lastModified": zoned(project.updated_at),
        "thumbnailUri": None,
        "drModeEnabled": False,
        "status": "Succeeded",
    }
