"""Devices that somebody should look at: silent ones, and those that have failed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from edge.models import Alarm, Device, Health
from projects.live import announce as announce_live
from projects.selectors import is_live
from webhooks.models import WebhookEvent
from webhooks.services import announce

# A device that misses three polls, and some minutes more, is silent.
POLLS, MINUTES_MORE = 3, 4
POLL_SECONDS = 60  # of a device without a group
CHUNK = 500
NAMED = 100  # of the devices of one message
# While the studio itself was off nobody could be heard.
_started = time.monotonic()


def look_after_alarms() -> int:
    """Begin and end alarms, and tell webhooks of them. Returns how many devices changed."""
    now = timezone.now()
    changed = 0
    for alarm, devices in _changes(now):
        while rows := list(devices.order_by("project_id", "id")[:CHUNK]):
            _set(rows, alarm, now)
            changed += len(rows)
    return changed


def silent_after(poll_seconds: int) -> timedelta:
    return timedelta(seconds=POLLS * poll_seconds, minutes=MINUTES_MORE)


def _changes(now: datetime) -> Iterator[tuple[str, QuerySet[Device]]]:
    """Which alarm which devices get now, `""` for the end of one."""
    devices = Device.objects.filter(is_live("project__"))
    watched = devices.filter(revoked_at=None, last_seen__isnull=False)
    silent, heard = _silent(now), ~_silent(now)
    failed = Q(health=Health.FAILED)
    if _could_hear(now):
        yield Alarm.SILENT, watched.filter(silent).exclude(alarm=Alarm.SILENT)
    yield Alarm.FAILED, watched.filter(heard, failed).exclude(alarm=Alarm.FAILED)
    over = Q(revoked_at__isnull=False) | Q(last_seen=None) | heard & ~failed
    yield "", devices.filter(over).exclude(alarm="")


def _silent(now: datetime) -> Q:
    silent = Q(group=None, last_seen__lt=now - silent_after(POLL_SECONDS))
    polls = Device.objects.exclude(group=None).order_by().values_list("group__poll_seconds", flat=True).distinct()
    for seconds in polls:
        silent |= Q(group__poll_seconds=seconds, last_seen__lt=now - silent_after(seconds))
    return silent


def _could_hear(now: datetime) -> bool:
    """Whether this studio has run long enough that every device had the time to be heard."""
    slowest = Device.objects.exclude(group=None).order_by("-group__poll_seconds").values_list("group__poll_seconds")
    seconds = max([POLL_SECONDS, *(row[0] for row in slowest[:1])])
    return time.monotonic() - _started > silent_after(seconds).total_seconds()


@transaction.atomic
def _set(devices: list[Device], alarm: str, now: datetime) -> None:
    ids = [device.pk for device in devices]
    Device.objects.filter(pk__in=ids).update(alarm=alarm, alarm_since=now if alarm else None)
    for project in dict.fromkeys(device.project_id for device in devices):
        rows = [device for device in devices if device.project_id == project]
        announce_live(project=project, kind="device", id=rows[0].pk, action="changed", name=rows[0].name)
        data = {
            "alarm": alarm or None,
            "count": len(rows),
            "devices": [_described(row) for row in rows[:NAMED]],
        }
        announce(project_id=project, event=WebhookEvent.ALARM, data=data)


def _described(device: Device) -> dict:
    """As it was before: an alarm that has ended says which it was."""
    return {
        "id": str(device.pk),
        "name": device.name,
        "group": str(device.group_id) if device.group_id else None,
        "last_seen": device.last_seen.isoformat() if device.last_seen else None,
        "problem": device.problem,
        "was": device.alarm or None,
    }
