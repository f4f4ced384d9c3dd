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
