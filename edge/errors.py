"""What a caller of the edge can act on."""

from common.errors import StudioError
from common.words import counted


class CodeNotValid(StudioError):
    status = 403
    code = "enrolment_code_not_valid"
    detail = "This enrolment code is unknown, used up or expired. Ask for a new one."


class DeploymentConflict(StudioError):
    status = 409
    code = "deployment_conflict"
    detail = "The deployment is not in a state for this."


class StepNotReported(DeploymentConflict):
    code = "step_not_reported"

    def __init__(self, percent: int, reported: int, told: int) -> None:
        devices = counted(told, "device has", "devices have")
        super().__init__(
            f"At {percent} % {reported} of {devices} reported so far. Wait for the rest, or go on "
            "without them by force."
        )


class NothingToReturnTo(DeploymentConflict):
    code = "nothing_to_return_to"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"Nothing ran before this deployment: rolled back, it leaves {counted(count, 'device')}"
            " without a model. Deploy another model, or roll back by force if they are to stop."
        )


class GroupInUse(StudioError):
    status = 409
    code = "group_in_use"
    detail = "Devices run a model that was deployed to this group."


class SigningKeyUnreadable(StudioError):
    status = 503
    code = "signing_key_unreadable"
    detail = (
        "The key that signs manifests cannot be opened: the installation's secret is another one than when it was "
        "made. Restore the secret, or make a new key with `manage.py edge rotate-key` and enrol the devices again."
    )


class TooManyImages(StudioError):
    status = 429
    code = "feedback_quota_used"
    detail = "This device has sent as many images within a day as are taken."
