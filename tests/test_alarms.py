"""Devices that fall silent or fail raise an alarm, once, and end it when they are well again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.models import Image
from edge import alarms
from edge.models import Device
from storage.models import Blob
from tests.test_edge import add_device, group  # noqa: F401 - fixtures
from webhooks.models import WebhookDelivery

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def studio_that_runs_for_long(monkeypatch):
    monkeypatch.setattr(alarms, "_started", alarms._started - 1_000_000)


@pytest.fixture
def device(api, project, group) -> Device:  # noqa: F811
    return Device.objects.get(pk=add_device(api, project, group, "press 4").device)


@pytest.fixture
def webhook(api, project, settings):
    settings.WEBHOOK_HOSTS = ("127.0.0.1",)
    body = {"project": str(project.pk), "url": "http://127.0.0.1:9/", "events": ["device.alarm"]}
    return api.post("/api/v1/webhooks/", body, format="json").json()


def seen(device: Device, minutes: float, **more) -> None:
    Device.objects.filter(pk=device.pk).update(last_seen=timezone.now() - timedelta(minutes=minutes), **more)


def alarm_of(api, device: Device) -> str:
    return api.get(f"/api/v1/devices/{device.pk}/").json()["alarm"]


def messages() -> list[dict]:
    return [one.payload["data"] for one in WebhookDelivery.objects.order_by("id")]


def test_a_silent_device_raises_one_alarm_and_ends_it(api, project, device, webhook):
    seen(device, 4)
    assert alarms.look_after_alarms() == 0 and alarm_of(api, device) == ""
    seen(device, 8)
    assert alarms.look_after_alarms() == 1 and alarm_of(api, device) == "silent"
    assert alarms.look_after_alarms() == 0
    seen(device, 0)
    assert alarms.look_after_alarms() == 1 and alarm_of(api, device) == ""
    began, ended = messages()
    assert began["alarm"] == "silent" and began["count"] == 1 and began["devices"][0]["name"] == "press 4"
    assert ended["alarm"] is None and ended["devices"][0]["was"] == "silent"


def test_one_that_failed_and_then_falls_silent(api, device, webhook):
    seen(device, 0, health="failed", problem="The model file is damaged.")
    assert alarms.look_after_alarms() == 1 and alarm_of(api, device) == "failed"
    seen(device, 60, health="failed")
    assert alarms.look_after_alarms() == 1 and alarm_of(api, device) == "silent"
    seen(device, 0, health="ok")
    alarms.look_after_alarms()
    assert alarm_of(api, device) == ""
    assert [one["alarm"] for one in messages()] == ["failed", "silent", None]
    assert messages()[0]["devices"][0]["problem"] == "The model file is damaged."


def test_a_slow_group_and_a_device_without_one(api, device, group):  # noqa: F811
    api.patch(f"/api/v1/device-groups/{group['id']}/", {"poll_seconds": 3600}, format="json")
    seen(device, 100)
    assert alarms.look_after_alarms() == 0
    api.patch(f"/api/v1/devices/{device.pk}/", {"group": None}, format="json")
    assert alarms.look_after_alarms() == 1 and alarm_of(api, device) == "silent"


@pytest.mark.parametrize("change", [{"revoked_at": timezone.now()}, {"last_seen": None}])
def test_what_nobody_waits_for_raises_none(api, device, change):
    seen(device, 60)
    Device.objects.filter(pk=device.pk).update(**change)
    assert alarms.look_after_alarms() == 0
    Device.objects.filter(pk=device.pk).update(alarm="silent")
    assert alarms.look_after_alarms() == 1 and Device.objects.get(pk=device.pk).alarm == ""


def test_a_studio_that_has_just_started_calls_nobody_silent(device, monkeypatch):
    seen(device, 60)
    monkeypatch.setattr(alarms, "_started", alarms.time.monotonic())
    assert alarms.look_after_alarms() == 0


def test_many_at_once_are_one_message_a_project(api, project, group, webhook, django_assert_max_num_queries):  # noqa: F811
    rows = [
        Device(
            project=project,
            group_id=group["id"],
            name=f"d{number}",
            key_hash=str(number),
            last_seen=timezone.now() - timedelta(days=1),
        )
        for number in range(300)
    ]
    Device.objects.bulk_create(rows)
    with django_assert_max_num_queries(25):
        assert alarms.look_after_alarms() == 300
    (message,) = messages()
    assert message["count"] == 300 and len(message["devices"]) == 100


def test_devices_with_an_alarm_are_listed(api, project, device, group):  # noqa: F811
    other = add_device(api, project, group, "press 5")
    seen(device, 60)
    alarms.look_after_alarms()

    def listed(alarm: str) -> list[str]:
        rows = api.get(f"/api/v1/devices/?project={project.pk}&alarm={alarm}").json()["results"]
        return [row["name"] for row in rows]

    assert listed("any") == listed("silent") == ["press 4"] and listed("failed") == []
    assert api.get(f"/api/v1/devices/?project={project.pk}&alarm=loud").status_code == 400
    assert alarm_of(api, Device.objects.get(pk=other.device)) == ""


def test_images_of_devices_are_found(api, project, dataset):
    row = {"dataset_id": dataset["id"], "filename": "a.jpg", "width": 8, "height": 8, "format": "JPEG", "size": 1}
    blobs = Blob.objects.bulk_create(Blob(sha256=f"{number:064x}", size=1) for number in range(2))
    mine, sent = Image.objects.bulk_create(
        Image(blob=blob, source=source, **row)
        for blob, source in zip(blobs, ("upload", "device press 4 (abcdef)"), strict=True)
    )

    def found(value: str) -> list[str]:
        rows = api.get(f"/api/v1/images/?project={project.pk}&from_devices={value}").json()["results"]
        return [row["id"] for row in rows]

    assert found("true") == [str(sent.pk)] and found("false") == [str(mine.pk)]
