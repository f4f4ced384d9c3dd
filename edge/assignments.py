"""What each device is told to run.

Every device keeps its own `target`: what it was told last, and in `previous_target` what it was told before. A
deployment changes the targets of the devices that its step reaches and of no others, so that whatever happens to a
deployment, a group or a device, a device that had a model keeps one.
"""

from __future__ import annotations

import hashlib
import uuid

from django.db.models import F, Q, QuerySet

from edge.models import Deployment, DeploymentState, Device, DeviceGroup

SHARES = 10_000
AT_ONCE = 500
LONGEST_HISTORY = 50


def devices_in(group_id: uuid.UUID) -> QuerySet[Device]:
    """Those of a group that may come in."""
    return Device.objects.filter(group=group_id, revoked_at=None)


def assigned_to(deployment: Deployment) -> QuerySet[Device]:
    """The devices of its group that are told to run it."""
    return devices_in(deployment.group_id).filter(target=deployment)


def wanted_count(deployment: Deployment, device_count: int) -> int:
    """How many of so many devices the deployment reaches now: a step that begins reaches one at least."""
    if deployment.percent >= 100:
        return device_count
    return min(device_count, max(1, device_count * deployment.percent // 100))


def assign_step(deployment: Deployment) -> int:
    """Tell as many devices as the deployment's step reaches. Returns how many were told now.

    The caller holds the group. Those that were told before stay; which come next is fixed for a device and a
    deployment, so that other devices go first each time.
    """
    everyone = Device.objects.filter(group=deployment.group_id)
    if deployment.percent >= 100:  # those that are revoked too, for when they are welcome again
        return _tell(everyone.exclude(target=deployment), deployment)
    rows = devices_in(deployment.group_id).values_list("pk", "target_id")
    others = [pk for pk, target in rows if target != deployment.pk]
    missing = wanted_count(deployment, len(rows)) - (len(rows) - len(others))
    chosen = sorted(others, key=lambda pk: share_of(pk, deployment.pk))[: max(0, missing)]
    count = 0
    for start in range(0, len(chosen), AT_ONCE):
        count += _tell(everyone.filter(pk__in=chosen[start : start + AT_ONCE]), deployment)
    return count


def _tell(devices: QuerySet[Device], deployment: Deployment) -> int:
    return devices.update(previous_target=F("target"), target=deployment, is_stopped=False)


def join(device: Device) -> None:
    """Tell a device that came into a group what the group runs. The caller holds the group.

    With a group that runs nothing, it keeps what it was told before.
    """
    current = DeviceGroup.objects.select_related("current__previous").get(pk=device.group_id).current  # type: ignore[misc] # it came into one
    if current is None:
        return
    target: Deployment | None = current
    if not _takes_newcomers(current):
        target = _settled_before(current)
    if target is not None:
        _tell(Device.objects.filter(pk=device.pk).exclude(target=target), target)


def _takes_newcomers(deployment: Deployment) -> bool:
    if deployment.state == DeploymentState.STOPPED:
        return False
    return assigned_to(deployment).count() < wanted_count(deployment, devices_in(deployment.group_id).count())


def _settled_before(deployment: Deployment) -> Deployment | None:
    """The last deployment before this one that all devices were told; without one, the one just before."""
    before = nearest = deployment.previous
    for _ in range(LONGEST_HISTORY):
        if before is None or before.percent >= 100:
            break
        before = before.previous
    return before or nearest


def take_back(deployment: Deployment, before: Deployment | None, again: Deployment | None) -> None:
    """Let the devices that were told a deployment return to what they were told before it.

    Args:
        before: what the group ran before; again: the deployment that stands for it from now on.
    """
    devices = Device.objects.filter(group=deployment.group_id, target=deployment)
    devices.filter(previous_target=None).update(target=again, is_stopped=again is None)
    devices.update(target=F("previous_target"), previous_target=None)
    if again is not None:
        returned = Device.objects.filter(group=deployment.group_id).filter(Q(target=before) | Q(target=again))
        returned.update(target=again, previous_target=before.previous if before is not None else None)


def share_of(device_pk: uuid.UUID, deployment_pk: uuid.UUID) -> int:
    """A number from 0 to 9999 that is fixed for a device and a deployment: other devices go first each time."""
    digest = hashlib.sha256(f"{device_pk}\n{deployment_pk}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SHARES
