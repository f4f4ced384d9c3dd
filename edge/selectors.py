"""Reads that start from what a user may see, and the one of a device's poll."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from edge.models import Deployment, Device, DeviceGroup, EnrolmentCode, Health
from projects.selectors import is_live, project_ids_of


def groups_of(user: User) -> QuerySet[DeviceGroup]:
    return DeviceGroup.objects.filter(project__in=project_ids_of(user)).select_related("project")


def devices_of(user: User) -> QuerySet[Device]:
    return Device.objects.filter(project__in=project_ids_of(user)).select_related(
        "project", "group", "target", "running"
    )


def codes_of(user: User) -> QuerySet[EnrolmentCode]:
    return EnrolmentCode.objects.filter(project__in=project_ids_of(user)).select_related("project")


def deployments_of(user: User) -> QuerySet[Deployment]:
    deployments = Deployment.objects.filter(project__in=project_ids_of(user))
    return deployments.select_related("project", "group", "file", "model", "created_by").defer("model__metrics")


def with_reports(deployments: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """Counted with the rows: what `rollouts.reports_of` says of each."""
    there = Device.objects.filter(revoked_at=None)
    runs = there.filter(running=OuterRef("pk"))
    counts = {
        "assigned": there.filter(target=OuterRef("pk")),
        "reported": runs.exclude(health=Health.UNKNOWN),
        "failed": runs.filter(health=Health.FAILED),
    }
    return deployments.annotate(**{name: _count(devices) for name, devices in counts.items()})


def _count(devices: QuerySet[Device]) -> Coalesce:
    # Without the ordering and grouping of the model, one number for each row outside.
    total = devices.order_by().annotate(all=Value(1)).values("all").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(total), 0)


def device_with_key(key_hash: str) -> Device | None:
    """A device that may come in, with all that its manifest takes, in one query.

    One of a project that is being removed may not: its rows go piece by piece, and half of them say nothing true. Nor
    may one of a project in the trash.
    """
    return (
        Device.objects.select_related(
            "project",
            "group",
            "target__file",
            "previous_target__file",
        )
        .filter(is_live("project__"), key_hash=key_hash, revoked_at=None)
        .first()
    )
