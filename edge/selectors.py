"""Reads that start from what a user may see, and the one of a device's poll."""

from __future__ import annotations

from django.db.models import QuerySet

from edge.models import Deployment, Device, DeviceGroup, EnrolmentCode
from projects.selectors import project_ids_of


def groups_of(user) -> QuerySet[DeviceGroup]:
    return DeviceGroup.objects.filter(project__in=project_ids_of(user)).select_related("project")


def devices_of(user) -> QuerySet[Device]:
    return Device.objects.filter(project__in=project_ids_of(user)).select_related(
        "project", "group", "target", "running"
    )


def codes_of(user) -> QuerySet[EnrolmentCode]:
    return EnrolmentCode.objects.filter(project__in=project_ids_of(user)).select_related("project")


def deployments_of(user) -> QuerySet[Deployment]:
    found = Deployment.objects.filter(project__in=project_ids_of(user))
    return found.select_related("project", "group", "file", "model")


def device_with_key(key_hash: str) -> Device | None:
    """A device that may come in, with all that its manifest takes, in one query.

    One of a project that is being removed may not: its rows go piece by piece, and half of them say nothing true.
    """
    return (
        Device.objects.select_related(
            "project",
            "group",
            "target__file",
            "previous_target__file",
        )
        .filter(key_hash=key_hash, revoked_at=None, project__deleting_since=None)
        .first()
    )
