"""Devices: how they come, what they report, how they go."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from common.errors import Invalid
from edge.assignments import join
from edge.errors import CodeNotValid, GroupInUse
from edge.keys import CODE_PREFIX, DEVICE_PREFIX, hash_of, new_secret
from edge.models import Deployment, DeploymentState, Device, DeviceGroup, EnrolmentCode, Health
from edge.rollouts import is_failing, look_after
from projects.errors import ChangedMeanwhile
from projects.models import Project
from projects.selectors import is_live
from storage.database import atomic_again

SEEN_FLUSH_SECONDS = 10.0
SEEN_AT_ONCE = 500
NAMED = 5


@atomic_again
def create_device(*, project: Project, name: str, group: DeviceGroup | None = None) -> tuple[Device, str]:
    """A device and its key, which is shown this once."""
    _hold(group)
    key = new_secret(DEVICE_PREFIX)
    device = Device.objects.create(project=project, name=name, group=group, key_hash=hash_of(key))
    _join(device)
    return device, key


def _hold(group: DeviceGroup | None) -> None:
    """Nobody deploys to the group, and no other device comes in, until the transaction ends."""
    if group is not None and not DeviceGroup.objects.select_for_update().filter(pk=group.pk):
        raise ChangedMeanwhile()


def _join(device: Device) -> None:
    if device.group_id is not None:
        join(device)
        device.refresh_from_db(fields=["target", "previous_target", "is_stopped"])


@atomic_again
def rotate_key(*, device: Device) -> str:
    """A new key; the old one is worth nothing from now on. A revoked device is welcome again."""
    _hold(device.group)
    device.refresh_from_db(fields=["revoked_at"])
    key, was_revoked = new_secret(DEVICE_PREFIX), device.revoked_at is not None
    device.key_hash, device.revoked_at = hash_of(key), None
    device.save(update_fields=["key_hash", "revoked_at"])
    if was_revoked:
        _join(device)
    return key


def revoke(*, device: Device) -> Device:
    """Its key is worth nothing from now on; what it reported stays."""
    device.revoked_at = timezone.now()
    device.save(update_fields=["revoked_at"])
    return device


def create_code(
    *, project: Project, user: User, group: DeviceGroup | None = None, uses: int = 1, hours: float = 24
) -> tuple[EnrolmentCode, str]:
    """A code that lets devices enrol, shown this once."""
    code = new_secret(CODE_PREFIX)
    row = EnrolmentCode.objects.create(
        project=project,
        group=group,
        code_hash=hash_of(code),
        uses_left=uses,
        created_by=user,
        expires_at=timezone.now() + timedelta(hours=hours),
    )
    return row, code


@atomic_again
def enrol(*, code: str, name: str, platform: dict, agent_version: str) -> tuple[Device, str]:
    """A device of the code's project and group.

    Raises:
        CodeNotValid: it is unknown, used up or expired.
    """
    now = timezone.now()
    # Without a join: conditions on the code's own row are looked at again when another update had to be waited for.
    live = Project.objects.filter(is_live())
    usable = EnrolmentCode.objects.filter(
        code_hash=hash_of(code), uses_left__gt=0, expires_at__gt=now, project__in=live.values("pk")
    )
    # The conditional update lets two devices that come together have one use each.
    if not usable.update(uses_left=F("uses_left") - 1):
        raise CodeNotValid()
    row = EnrolmentCode.objects.select_related("project", "group").get(code_hash=hash_of(code))
    device, key = create_device(project=row.project, name=name, group=row.group)
    device.platform, device.agent_version, device.last_seen = platform, agent_version, timezone.now()
    device.save(update_fields=["platform", "agent_version", "last_seen"])
    return device, key


@atomic_again
def move(*, device: Device, group: DeviceGroup | None) -> None:
    """Into another group, whose model it gets. Without one, or where that runs nothing, it keeps its own."""
    if group is not None and group.project_id != device.project_id:
        raise Invalid("Must be a group of the device's project.", attr="group")
    _hold(group)
    device.refresh_from_db()
    if (group.pk if group is not None else None) == device.group_id:
        return
    # Devices refuse a manifest with a smaller sequence than they took.
    device.sequence_floor, device.group = device.sequence + 1, group
    device.save(update_fields=["group", "sequence_floor"])
    _join(device)


@atomic_again
def delete_group(*, group: DeviceGroup) -> None:
    """Delete a group with its deployments; its devices stay.

    Raises:
        GroupInUse: devices, of whichever group, run a model that was deployed to it.
    """
    _hold(group)
    users = Device.objects.filter(Q(target__group=group) | Q(running__group=group), revoked_at=None)
    names = [device.name for device in users.order_by("name", "pk")[:NAMED]]
    if names:
        named = ", ".join(names) + (" and others" if len(names) == NAMED else "")
        raise GroupInUse(
            f"{named} {'runs' if len(names) == 1 else 'run'} a model that was deployed to this group. "
            "Deploy a model to their new group first, or revoke them."
        )
    group.refresh_from_db()
    group.devices.update(sequence_floor=F("sequence_floor") + group.sequence + 1)
    DeviceGroup.objects.filter(pk=group.pk).delete()


def create_group(*, project: Project, **settings: Any) -> DeviceGroup:
    try:
        with transaction.atomic():
            return DeviceGroup.objects.create(project=project, **settings)
    except IntegrityError as error:
        raise Invalid("The project has a group of this name.", attr="name", code="unique") from error


def update_group(*, group: DeviceGroup, **settings: Any) -> DeviceGroup:
    for name, value in settings.items():
        setattr(group, name, value)
    try:
        with transaction.atomic():
            group.save(update_fields=list(settings))
    except IntegrityError as error:
        raise Invalid("The project has a group of this name.", attr="name", code="unique") from error
    return group


def record_heartbeat(
    *,
    device: Device,
    agent_version: str,
    platform: dict | None,
    deployment: uuid.UUID | None,
    health: str,
    problem: str,
    latency_ms: float | None,
    predictions: int,
    errors: int,
) -> None:
    """Keep what a device says of itself; a roll-out that begins to fail is stopped at once.

    Args:
        deployment: id of what it runs; one that its project never had is taken for nothing.
        predictions, errors: since its last report.
    """
    known = Deployment.objects.filter(pk=deployment, project=device.project_id) if deployment else None
    running = None if known is None else known.first()
    failing = is_failing(health, predictions, errors)
    changes: dict[str, Any] = {
        "agent_version": agent_version,
        "running": running,
        "health": Health.FAILED if failing else Health(health),
        "problem": problem,
        "last_seen": timezone.now(),
        "latency_ms": latency_ms,
    }
    if platform is not None:
        changes["platform"] = platform
    Device.objects.filter(pk=device.pk).update(
        **changes, predictions=F("predictions") + predictions, errors=F("errors") + errors
    )
    if failing and running is not None and running.state == DeploymentState.ROLLING:
        look_after(deployment=running)


class Presence:
    """Who was seen, written for many at once: a poll itself writes nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[object, datetime] = {}
        self._written_at = time.monotonic()

    def note(self, device: Device) -> None:
        """Remember it; now and then the one who comes writes for all. What a crash loses is some seconds of it."""
        with self._lock:
            self._seen[device.pk] = timezone.now()
            due = time.monotonic() - self._written_at > SEEN_FLUSH_SECONDS
            seen, self._seen = (self._seen, {}) if due else ({}, self._seen)
            if due:
                self._written_at = time.monotonic()
        self._write(list(seen))

    def flush(self) -> None:
        with self._lock:
            seen, self._seen = self._seen, {}
        self._write(list(seen))

    @staticmethod
    def _write(pks: list) -> None:
        now = timezone.now()
        for start in range(0, len(pks), SEEN_AT_ONCE):
            Device.objects.filter(pk__in=pks[start : start + SEEN_AT_ONCE]).update(last_seen=now)


presence = Presence()
