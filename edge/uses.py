"""What devices need: models that they run or would return to, and the dataset that they send images to."""

from __future__ import annotations

from collections.abc import Iterable

from datasets.models import Dataset
from edge.models import Device, DeviceGroup
from edge.rollouts import needed_model
from inference.models import Model
from projects.models import Project
from projects.uses import Use, finds_uses_of


@finds_uses_of(Model)
def deployments_of_model(model: Model) -> Iterable[Use]:
    sentence = needed_model(model)
    if sentence is not None:
        yield Use("deployment", str(model.pk), str(model), sentence, is_final=True)


@finds_uses_of(Project)
def devices_of_project(project: Project) -> Iterable[Use]:
    for device in Device.objects.filter(project=project, revoked_at=None).order_by("id"):
        detail = f"The device '{device.name}' belongs to the project: revoke or delete it first ({device.pk})."
        yield Use("device", str(device.pk), device.name, detail)


@finds_uses_of(Dataset)
def groups_of_dataset(dataset: Dataset) -> Iterable[Use]:
    for group in DeviceGroup.objects.filter(feedback_dataset=dataset).order_by("id"):
        detail = f"Devices of the group '{group.name}' send images to it: name another dataset first ({group.pk})."
        yield Use("device_group", str(group.pk), group.name, detail)
