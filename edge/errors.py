"""What a caller of the edge can act on."""

from rest_framework.exceptions import APIException


class CodeNotValid(APIException):
    status_code = 403
    default_code = "enrolment_code_not_valid"
    default_detail = "This enrolment code is unknown, used up or expired. Ask for a new one."


class DeploymentConflict(APIException):
    status_code = 409
    default_code = "deployment_conflict"
    default_detail = "The deployment is not in a state for this."


class StepNotReported(DeploymentConflict):
    default_code = "step_not_reported"

    def __init__(self, percent: int, reported: int, told: int) -> None:
        super().__init__(
            f"At {percent} % {reported} of {told} devices have reported so far. Wait for them, or send "
            '{"force": true} to go on without.'
        )


class NothingToReturnTo(DeploymentConflict):
    default_code = "nothing_to_return_to"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"Nothing ran before this deployment: rolled back, it leaves {count} "
            f"{'device' if count == 1 else 'devices'}"
            ' without a model. Deploy another model, or send {"force": true} if they are to stop.'
        )


class GroupInUse(APIException):
    status_code = 409
    default_code = "group_in_use"
    default_detail = "Devices run what this group was told to run."


class SigningKeyUnreadable(APIException):
    status_code = 503
    default_code = "signing_key_unreadable"
    default_detail = (
        "The key that signs manifests cannot be opened: the installation's secret is another one than when it was "
        "made. Restore the secret, or make a new key with `manage.py edge rotate-key` and enrol the devices anew."
    )


class TooManyImages(APIException):
    status_code = 429
    default_code = "feedback_quota_used"
    default_detail = "This device has sent its share of pictures for today."
