"""What a group runs: deployments from their start to their end."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from edge.errors import DeploymentConflict
from edge.models import LIVE, Deployment, DeploymentState, Device, DeviceGroup, Health
from inference.models import Model
from inference.runtime.kinds import KINDS
from projects.loops import each
from projects.models import WebhookEvent
from projects.webhooks import announce

log = structlog.get_logger(__name__)

RUNTIMES = ("litert", "onnxruntime")
# A device whose predictions fail oftener than this fails, once it made so many.
FAILING_SHARE, FAILING_LEAST = 0.2, 10
SHARES = 10_000


@transaction.atomic
def start_deployment(
    *, group: DeviceGroup, model: Model, kind: str, user, steps: list[int] | None = None, step_minutes: int = 30,
    largest_failure_rate: float = 0.1, least_reports: int = 1, note: str = "",
) -> Deployment:  # fmt: skip
    """Let the group's devices run a file of the model.

    Args:
        kind: of the file, which must exist: export it first.
        steps: percent of the devices, growing, the last one 100; none: all at once.
        step_minutes: how long a step lasts at least; the next one begins when a device has reported and few failed.
        largest_failure_rate: share of the devices that reported; above it the roll-out stops.
        least_reports: how many devices must have reported before it stops.

    Raises:
        ValidationError: there is no such file, or devices cannot run it.
    """
    file = model.files.select_related("blob").filter(kind=kind).first()
    if kind not in KINDS or KINDS[kind].runtime not in RUNTIMES:
        raise ValidationError({"kind": ["Devices run LiteRT and ONNX files."]}, code="kind_not_for_devices")
    if file is None:
        raise ValidationError({"kind": [f"{model} has no {kind} file: export it first."]}, code="no_such_file")
    group = DeviceGroup.objects.select_for_update(of=("self",)).select_related("current__previous").get(pk=group.pk)
    before = group.current
    deployment = Deployment.objects.create(
        project=group.project, group=group, model=model, kind=kind, file=file.blob, info=_info(model, file),
        steps=steps or [100], step_minutes=step_minutes, step_started_at=timezone.now(),
        largest_failure_rate=largest_failure_rate, least_reports=least_reports, previous=_last_good(before), note=note,
        created_by=user,
    )  # fmt: skip
    if before is not None:
        _end(before, DeploymentState.REPLACED)
    _point(group, deployment)
    return deployment


def _last_good(deployment: Deployment | None) -> Deployment | None:
    """What devices return to: the last deployment that all of them were to have."""
    if deployment is None or deployment.state == DeploymentState.COMPLETED:
        return deployment
    return deployment.previous


def _info(model: Model, file) -> dict:
    """What a device must know of the model, frozen."""
    return {
        "id": str(model.pk),
        "name": model.name,
        "version": model.version,
        "task": model.task,
        "labels": model.class_names,
        "input_height": model.input_height,
        "input_width": model.input_width,
        "resize": model.resize,
        "detector": model.detector or None,
        "filename": file.filename,
    }


def _point(group: DeviceGroup, deployment: Deployment | None) -> None:
    DeviceGroup.objects.filter(pk=group.pk).update(current=deployment, sequence=F("sequence") + 1)


def _end(deployment: Deployment, state: DeploymentState) -> None:
    deployment.state, deployment.ended_at = state, timezone.now()
    deployment.save(update_fields=["state", "ended_at"])
    _announce(deployment)


def _announce(deployment: Deployment) -> None:
    data = {
        "id": str(deployment.pk), "state": deployment.state, "note": deployment.note,
        "group": str(deployment.group_id), "model": str(deployment.model_id),
    }  # fmt: skip
    announce(project_id=deployment.project_id, event=WebhookEvent.DEPLOYMENT, data=data)


@transaction.atomic
def roll_back(*, deployment: Deployment, user) -> Deployment | None:
    """Let the devices return to what they ran before. Returns that, as a deployment of its own; None: to nothing."""
    group, deployment = _locked(deployment)
    if group.current_id != deployment.pk:
        raise DeploymentConflict("This is not what the group runs now.")
    before = deployment.previous
    _end(deployment, DeploymentState.ROLLED_BACK)
    again = None
    if before is not None:
        again = Deployment.objects.create(
            project=before.project, group=group, model=before.model, kind=before.kind, file=before.file,
            info=before.info, state=DeploymentState.COMPLETED, steps=[100], step_minutes=before.step_minutes,
            step_started_at=timezone.now(), largest_failure_rate=before.largest_failure_rate,
            least_reports=before.least_reports, previous=before.previous,
            note=f"Rolled back from {deployment}"[:500], created_by=user,
        )  # fmt: skip
    _point(group, again)
    return again


@transaction.atomic
def stop(*, deployment: Deployment, reason: str) -> Deployment:
    """No further devices get it; those that have it keep it until it is resumed or rolled back."""
    _, deployment = _locked(deployment)
    if deployment.state != DeploymentState.ROLLING:
        raise DeploymentConflict(f"The deployment is {deployment.state}; only a rolling one can be stopped.")
    return _stopped(deployment, reason)


def _stopped(deployment: Deployment, reason: str) -> Deployment:
    deployment.state, deployment.note = DeploymentState.STOPPED, reason[:500]
    deployment.save(update_fields=["state", "note"])
    _announce(deployment)
    log.warning("rollout_stopped", deployment=str(deployment.pk), reason=reason)
    return deployment


@transaction.atomic
def resume(*, deployment: Deployment) -> Deployment:
    """Go on with the step where it stopped; reports of failures from before are forgotten."""
    _, deployment = _locked(deployment)
    if deployment.state != DeploymentState.STOPPED:
        raise DeploymentConflict(f"The deployment is {deployment.state}; only a stopped one can be resumed.")
    Device.objects.filter(running=deployment, health=Health.FAILED).update(health=Health.UNKNOWN)
    deployment.state, deployment.step_started_at = DeploymentState.ROLLING, timezone.now()
    deployment.save(update_fields=["state", "step_started_at"])
    return deployment


@transaction.atomic
def advance(*, deployment: Deployment) -> Deployment:
    """The next step, now."""
    group, deployment = _locked(deployment)
    if deployment.state != DeploymentState.ROLLING:
        raise DeploymentConflict(f"The deployment is {deployment.state}; only a rolling one has a next step.")
    return _next_step(group, deployment)


def _next_step(group: DeviceGroup, deployment: Deployment) -> Deployment:
    if deployment.step + 1 >= len(deployment.steps):
        deployment.state, deployment.ended_at = DeploymentState.COMPLETED, timezone.now()
    else:
        deployment.step += 1
    deployment.step_started_at = timezone.now()
    deployment.save(update_fields=["state", "step", "step_started_at", "ended_at"])
    if deployment.state == DeploymentState.COMPLETED:
        _announce(deployment)
    DeviceGroup.objects.filter(pk=group.pk).update(sequence=F("sequence") + 1)
    return deployment


def _locked(deployment: Deployment) -> tuple[DeviceGroup, Deployment]:
    group = DeviceGroup.objects.select_for_update().get(pk=deployment.group_id)
    return group, Deployment.objects.select_related("group", "previous", "file").get(pk=deployment.pk)


def reports_of(deployment: Deployment) -> dict[str, int]:
    """How many devices said that they run it, and how many of them that it fails."""
    return Device.objects.filter(running=deployment, revoked_at=None).aggregate(
        reported=Count("pk", filter=~Q(health=Health.UNKNOWN)), failed=Count("pk", filter=Q(health=Health.FAILED))
    )


@transaction.atomic
def look_after(*, deployment: Deployment) -> Deployment:
    """Stop a roll-out that fails too often, or take its next step when its time has come."""
    group, deployment = _locked(deployment)
    if deployment.state != DeploymentState.ROLLING:
        return deployment
    reports = reports_of(deployment)
    if reports["reported"] >= max(1, deployment.least_reports):
        rate = reports["failed"] / reports["reported"]
        if rate > deployment.largest_failure_rate:
            reason = f"{reports['failed']} of {reports['reported']} devices failed at {deployment.percent} %"
            return _stopped(deployment, f"{reason}; at most {deployment.largest_failure_rate:.0%} are allowed.")
        if timezone.now() >= deployment.step_started_at + timedelta(minutes=deployment.step_minutes):
            return _next_step(group, deployment)
    return deployment


def look_after_all() -> int:
    """`look_after` every roll-out. Returns how many are still rolling."""
    rolling = list(Deployment.objects.filter(state=DeploymentState.ROLLING))
    looked_after = each(rolling, lambda deployment: look_after(deployment=deployment), loop="roll-outs")
    return sum(deployment.state == DeploymentState.ROLLING for deployment in looked_after)


def target_of(device: Device) -> Deployment | None:
    """What this device is to run: its group's deployment, or while its turn has not come what it ran before."""
    group = device.group
    if group is None or group.current is None:
        return None
    current = group.current
    if share_of(device.pk, current.pk) < current.percent * SHARES // 100:
        return current
    return current.previous


def share_of(device_pk, deployment_pk) -> int:
    """A number from 0 to 9999 that is fixed for a device and a deployment: other devices go first each time."""
    digest = hashlib.sha256(f"{device_pk}\n{deployment_pk}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SHARES


def needed_model(model: Model) -> str | None:
    """Why a model cannot be deleted, for `inference.registry`."""
    running = Deployment.objects.filter(state__in=LIVE)
    if running.filter(Q(model=model) | Q(previous__model=model)).exists():
        return f"Devices run {model}, or return to it when a roll-out is taken back. Deploy another model first."
    return None


def is_failing(health: str, predictions: int, errors: int) -> bool:
    """What a device's report means."""
    return health == Health.FAILED or (predictions >= FAILING_LEAST and errors > FAILING_SHARE * predictions)
