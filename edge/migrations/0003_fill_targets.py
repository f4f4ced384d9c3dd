"""Devices that are there already keep what they were told at their last poll."""

import hashlib

from django.db import migrations


def fill_targets(apps, schema_editor) -> None:
    """What each device was told at its last poll; where that was nothing, what it said it runs."""
    Device = apps.get_model("edge", "Device")
    devices = Device.objects.exclude(group__current=None).select_related("group__current__previous")
    for device in devices.iterator(chunk_size=500):
        current = device.group.current
        percent = 100 if current.state == "completed" else current.steps[current.step]
        digest = hashlib.sha256(f"{device.pk}\n{current.pk}".encode()).digest()
        reached = int.from_bytes(digest[:8], "big") % 10_000 < percent * 100
        before = current.previous_id or (None if device.running_id == current.pk else device.running_id)
        target = current.pk if reached or device.running_id == current.pk else before
        previous = before if target != before else None
        Device.objects.filter(pk=device.pk).update(target=target, previous_target=previous)


class Migration(migrations.Migration):
    dependencies = [("edge", "0002_targets_of_devices")]

    operations = [migrations.RunPython(fill_targets, migrations.RunPython.noop, elidable=True)]
