"""What a group runs: deployments from their start to their end."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.contrib.auth.models import User
from django.db.models import Count, F, Q
from django.utils import timezone

from accounts.limits import hold
from common.errors import Invalid
from common.words import counted
from edge.assignments import assign_step, assigned_to, devices_in, take_back, wanted_count
from edge.errors import DeploymentConflict, NothingToReturnTo, StepNotReported
from edge.models import LIVE, Deployment, DeploymentState, Device, DeviceGroup, Health
from inference.models import Model, ModelFile
from jobs.loops import each
from projects.selectors import is_live
from storage.database import atomic_again
from vision.runtime.kinds import KINDS
from webhooks.models import WebhookEvent
from webhooks.services import announce

log = structlog.get_logger(__name__)

RUNTIMES = ("litert", "onnxruntime")
# A device whose predictions fail more often than this fails, once it made so many.
FAILING_SHARE, FAILING_LEAST = 0.2, 10


@atomic_again
def start_deployment(
    *,
    group: DeviceGroup,
    model: Model,
    kind: str,
    user: User,
    steps: list[int] | None = None,
    step_minutes: int = 30,
    largest_failure_rate: float = 0.1,
    least_reports: int = 1,
    note: str = "",
) -> Deployment:
    """Let the group's devices run a file of the model.

    Args:
        kind: of the file, which must exist: export it first.
        steps: percent of the devices, growing, the last one 100; none: all at once.
        step_minutes: how long a step lasts at least; the next one begins when enough devices have reported and few
            failed. The last step ends as soon as all of its devices reported well.
        largest_failure_rate: share of the devices that reported; above it the roll-out stops.
        least_reports: how many devices must have reported before it stops or takes its next step; all of the step when
            it has fewer.

    Raises:
        Invalid: there is no such file, or devices cannot run it.
    """
    hold(group.project)  # before the group, as the deletion of a model does
    # Not of a model that was put into the trash a moment ago.
    file = model.files.select_related("blob").filter(is_live("model__project__"), kind=kind).first()
    if kind not in KINDS or KINDS[kind].runtime not in RUNTIMES:
        raise Invalid("Devices run LiteRT and ONNX files.", attr="kind", code="kind_not_for_devices")
    if file is None:
        raise Invalid(f"{model} has no {kind} file: export it first.", attr="kind", code="no_such_file")
    group = DeviceGroup.objects.select_for_update(of=("self",)).select_related("current__previous").get(pk=group.pk)
    before = group.current
    deployment = Deployment.objects.create(
        project=group.project,
        group=group,
        model=model,
        kind=kind,
        file=file.blob,
        info=_info(model, file),
        steps=steps or [100],
        step_minutes=step_minutes,
        step_started_at=timezone.now(),
        largest_failure_rate=largest_failure_rate,
        least_reports=least_reports,
        previous=before,
        note=note,
        created_by=user,
    )
    if before is not None:
        _end(before, DeploymentState.REPLACED)
    _point(group, deployment)
    assign_step(deployment)
    return deployment


def _info(model: Model, file: ModelFile) -> dict:
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
        "score_threshold": model.score_threshold,
        "label_thresholds": model.label_thresholds or None,
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
        "id": str(deployment.pk),
        "state": deployment.state,
        "note": deployment.note,
        "group": str(deployment.group_id),
        "model": str(deployment.model_id),
    }
    announce(project_id=deployment.project_id, event=WebhookEvent.DEPLOYMENT, data=data)


@atomic_again
def roll_back(*, deployment: Deployment, user: User, force: bool = False) -> Deployment | None:
    """Let the devices return to what they ran before. Returns that, as a deployment of its own; None: to nothing.

    Raises:
        NothingToReturnTo: devices would be left without a model, and `force` does not say that this is wanted.
    """
    hold(deployment.project)
    group, deployment = _locked(deployment)
    if group.current_id != deployment.pk:
        raise DeploymentConflict("This is not what the group runs now.")
    before = deployment.previous
    if before is None and not force and (count := assigned_to(deployment).filter(previous_target=None).count()):
        raise NothingToReturnTo(count)
    _end(deployment, DeploymentState.ROLLED_BACK)
    again = None if before is None else _repeat(before, deployment, user)
    _point(group, again)
    take_back(deployment, before, again)
    if again is not None and again.state == DeploymentState.COMPLETED:
        assign_step(again)
    return again


def _repeat(before: Deployment, deployment: Deployment, user: User) -> Deployment:
    """What ran before, as a deployment of now. One that had not reached all devices goes on only when it is resumed."""
    is_whole = before.percent >= 100
    note = f"Rolled back from {deployment}."
    if not is_whole:
        note += f" It had reached {before.percent} % of the devices: resume it, or deploy another model."
    return Deployment.objects.create(
        project=before.project,
        group=before.group,
        model=before.model,
        kind=before.kind,
        file=before.file,
        info=before.info,
        state=DeploymentState.COMPLETED if is_whole else DeploymentState.STOPPED,
        steps=[100] if is_whole else before.steps,
        step=0 if is_whole else before.step,
        step_minutes=before.step_minutes,
        step_started_at=timezone.now(),
        largest_failure_rate=before.largest_failure_rate,
        least_reports=before.least_reports,
        previous=before.previous,
        note=note[:500],
        created_by=user,
    )


@atomic_again
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


@atomic_again
def resume(*, deployment: Deployment) -> Deployment:
    """Go on with the step where it stopped; reports of failures from before are forgotten, and why it stopped."""
    _, deployment = _locked(deployment)
    if deployment.state != DeploymentState.STOPPED:
        raise DeploymentConflict(f"The deployment is {deployment.state}; only a stopped one can be resumed.")
    Device.objects.filter(running=deployment, health=Health.FAILED).update(health=Health.UNKNOWN)
    deployment.state, deployment.step_started_at, deployment.note = DeploymentState.ROLLING, timezone.now(), ""
    deployment.save(update_fields=["state", "step_started_at", "note"])
    return deployment


@atomic_again
def advance(*, deployment: Deployment, force: bool = False) -> Deployment:
    """The next step, now.

    Raises:
        StepNotReported: too few devices of this step have reported, and `force` does not say that this is known.
    """
    group, deployment = _locked(deployment)
    if deployment.state != DeploymentState.ROLLING:
        raise DeploymentConflict(f"The deployment is {deployment.state}; only a rolling one has a next step.")
    reports = reports_of(deployment)
    if reports["reported"] < needed_reports(deployment, reports["assigned"]) and not force:
        raise StepNotReported(deployment.percent, reports["reported"], reports["assigned"])
    return _next_step(group, deployment)


def needed_reports(deployment: Deployment, assigned_count: int) -> int:
    """How many devices must have reported before the next step: no more than the step has."""
    return min(max(1, deployment.least_reports), assigned_count)


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
    assign_step(deployment)
    return deployment


def _locked(deployment: Deployment) -> tuple[DeviceGroup, Deployment]:
    group = DeviceGroup.objects.select_for_update().get(pk=deployment.group_id)
    return group, Deployment.objects.select_related("group", "previous", "file").get(pk=deployment.pk)


def reports_of(deployment: Deployment) -> dict[str, int]:
    """How many devices are assigned to it, how many reported that they run it, and how many of these that it fails."""
    runs = Q(running=deployment)
    return Device.objects.filter(runs | Q(target=deployment), revoked_at=None).aggregate(
        assigned=Count("pk", filter=Q(target=deployment)),
        reported=Count("pk", filter=runs & ~Q(health=Health.UNKNOWN)),
        failed=Count("pk", filter=runs & Q(health=Health.FAILED)),
    )


@atomic_again
def look_after(*, deployment: Deployment) -> Deployment:
    """Stop a roll-out that fails too often, or take its next step when its time has come."""
    group, deployment = _locked(deployment)
    if deployment.state != DeploymentState.ROLLING:
        return deployment
    _fill_step(group, deployment)
    reports = reports_of(deployment)
    if not reports["reported"] or reports["reported"] < needed_reports(deployment, reports["assigned"]):
        return deployment
    rate = reports["failed"] / reports["reported"]
    if rate > deployment.largest_failure_rate:
        reason = f"{reports['failed']} of {counted(reports['reported'], 'device')} failed at {deployment.percent} %"
        return _stopped(deployment, f"{reason}; at most {deployment.largest_failure_rate:.0%} are allowed.")
    is_last = deployment.step + 1 >= len(deployment.steps)
    if is_last and reports["reported"] >= reports["assigned"]:
        return _next_step(group, deployment)  # all said so: nothing is left to wait for
    if timezone.now() >= deployment.step_started_at + timedelta(minutes=deployment.step_minutes):
        return _next_step(group, deployment)
    return deployment


def _fill_step(group: DeviceGroup, deployment: Deployment) -> None:
    """Devices of the step may have left or been revoked: others take their place."""
    if assigned_to(deployment).count() < wanted_count(deployment, devices_in(group.pk).count()) and assign_step(
        deployment
    ):
        DeviceGroup.objects.filter(pk=group.pk).update(sequence=F("sequence") + 1)


def look_after_all() -> int:
    """`look_after` every roll-out. Returns how many are still rolling."""
    rolling = list(Deployment.objects.filter(state=DeploymentState.ROLLING))
    looked_after = each(rolling, lambda deployment: look_after(deployment=deployment), loop="roll-outs")
    return sum(deployment.state == DeploymentState.ROLLING for deployment in looked_after)


def needed_model(model: Model) -> str | None:
    """Why a model cannot be deleted, for `inference.registry.changing`."""
    live = Deployment.objects.filter(state__in=LIVE).filter(Q(model=model) | Q(previous__model=model))
    devices = Device.objects.filter(Q(target__model=model) | Q(running__model=model), revoked_at=None)
    if live.exists() or devices.exists():
        return f"Devices run {model}, or return to it when a roll-out is taken back. Deploy another model first."
    return None


def is_failing(health: str, predictions: int, errors: int) -> bool:
    """What a device's report means."""
    return health == Health.FAILED or (predictions >= FAILING_LEAST and errors > FAILING_SHARE * predictions)
