"""Errors as the SDKs for Azure Custom Vision read them: a code of their list, and a sentence."""

from __future__ import annotations

import json
from typing import Any

from common.errors import StudioError


class Refused(StudioError):
    """A request that the service it stands for would refuse too. The code is one of `CustomVisionErrorCodes`."""

    def __init__(self, name: str, detail: str, status: int = 400) -> None:
        super().__init__(detail, code=name)
        self.status = status


def missing(kind: str, detail: str = "") -> Refused:
    """404 of a kind: Project, Iteration, Tag, Image, Domain."""
    return Refused(f"NotFound{kind}", detail or f"There is no such {kind.lower()} for this key.", 404)


TOO_LITTLE = "BadRequestTrainingValidationFailed"
# The studio's codes → those that programs compare with.
BY_CODE = {
    "label_exists": "BadRequestTagNameNotUnique",
    "label_deleted": "NotFoundTag",
    "too_few_labels": TOO_LITTLE,
    "too_few_images": TOO_LITTLE,
    "label_without_images": TOO_LITTLE,
    "label_without_boxes": TOO_LITTLE,
    "empty_split": TOO_LITTLE,
    "no_boxes": TOO_LITTLE,
    "no_labelled_images": TOO_LITTLE,
    "no_dataset": TOO_LITTLE,
    "base_model_does_not_fit": "BadRequestCustomBaseModelDomainNotCompatible",
    "unsupported_media_type": "UnsupportedMediaType",
    "model_not_servable": "ErrorPredictionModelNotFound",
    "model_file_broken": "ErrorPredictionModelNotFound",
    "export_not_possible": "BadRequestExportValidationFailed",
    "file_too_large": "BadRequestImageSizeBytes",
    "throttled": "ErrorServerTimeOut",
    "token_predicts_only": "Forbidden",
    "token_reads_only": "Forbidden",
}
BY_STATUS = {
    401: "Unauthorized",
    403: "ForbiddenUserInsufficientCapability",
    404: "NotFound",
    405: "BadRequestNotSupported",
    409: "Conflict",
    413: "BadRequestExceededBatchSize",
    415: "UnsupportedMediaType",
}
PREFIXES = ("BadRequest", "NotFound", "Forbidden", "Error", "Unauthorized", "Conflict", "UnsupportedMediaType")
SHORT = "Not enough images for training. "


def translated(status: int, content: bytes) -> tuple[int, dict[str, Any]]:
    """The status and the body for the studio's answer to an error; also for one that has no body of its own."""
    code, detail = _first_of(content)
    if not code.startswith(PREFIXES):
        name = BY_CODE.get(code) or BY_STATUS.get(status) or ("ErrorUnknown" if status >= 500 else "BadRequest")
        detail = SHORT + detail if name == TOO_LITTLE else detail
        status = 400 if name.startswith("BadRequest") and status in (409, 413) else status
        code = name
    body: dict[str, Any] = {"code": code, "message": detail or f"The request failed with status {status}."}
    if status == 401:  # the gateway in front of that service answers by itself, in another shape
        body["error"] = {"code": "401", "message": body["message"]}
    return status, body


def _first_of(content: bytes) -> tuple[str, str]:
    """Code and sentences of the studio's body of an error."""
    try:
        errors = json.loads(content)["errors"]
        return str(errors[0]["code"]), " ".join(str(error["detail"]) for error in errors)
    except (ValueError, KeyError, IndexError, TypeError):
        return "", ""
