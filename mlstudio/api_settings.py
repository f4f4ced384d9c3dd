"""The API: Django REST framework, its schema, and the headers that pages on other hosts may send and read."""

from __future__ import annotations

from typing import Any

from mlstudio.environment import rate

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["projects.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "projects.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["projects.filters.KnownFiltersBackend"],
    "DEFAULT_METADATA_CLASS": None,  # the schema says what a URL takes; OPTIONS is for browsers' CORS
    "DEFAULT_SCHEMA_CLASS": "mlstudio.schema.StudioSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "DEFAULT_THROTTLE_RATES": {
        "login": rate("MLSTUDIO_LOGIN_RATE", "10/min"),
        "login_address": rate("MLSTUDIO_LOGIN_ADDRESS_RATE", "30/min"),
        "login_account": rate("MLSTUDIO_LOGIN_ACCOUNT_RATE", "100/hour"),
        "own_password": rate("MLSTUDIO_OWN_PASSWORD_RATE", "10/hour"),
        "email_change": rate("MLSTUDIO_EMAIL_CHANGE_RATE", "10/hour"),
        "email_confirm": rate("MLSTUDIO_EMAIL_CONFIRM_RATE", "30/hour"),
        "new_token": rate("MLSTUDIO_NEW_TOKEN_RATE", "60/hour"),
        "invitation": rate("MLSTUDIO_INVITATION_RATE", "60/hour"),
        "invitation_token": rate("MLSTUDIO_INVITATION_TOKEN_RATE", "60/hour"),
        "custom_vision_copy": rate("MLSTUDIO_CUSTOM_VISION_COPY_RATE", "120/hour"),
        "webhook_test": rate("MLSTUDIO_WEBHOOK_TEST_RATE", "20/hour"),
        "registration": rate("MLSTUDIO_REGISTRATION_RATE", "20/hour"),
        "enrolment": rate("MLSTUDIO_ENROLMENT_RATE", "60/min"),
        "password_reset": rate("MLSTUDIO_PASSWORD_RESET_RATE", "10/hour"),
        "password_reset_mail": rate("MLSTUDIO_PASSWORD_RESET_MAIL_RATE", "5/hour"),
        "password_reset_confirm": rate("MLSTUDIO_PASSWORD_RESET_CONFIRM_RATE", "30/hour"),
        "password_reset_account": rate("MLSTUDIO_PASSWORD_RESET_ACCOUNT_RATE", "10/hour"),
    },
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "mlstudio.errors.StudioExceptionHandler",
    "EXCEPTION_FORMATTER_CLASS": "mlstudio.errors.StudioExceptionFormatter",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "ML Studio",
    "DESCRIPTION": "Upload images, label them, train a model, ask it for predictions, let devices run it. "
    "All on your own machine.\n\nStart with `POST auth/register/`, and put `Token …` with the token of its answer into "
    "*Authorize*. Then `projects/`, `datasets/`, `datasets/{id}/imports/`, `datasets/{id}/snapshots/`, `trainings/` "
    "and `models/{id}/predict/`: the README goes through these in five minutes.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mlstudio.schema.write_streams",
    ],
    "ENUM_NAME_OVERRIDES": {
        "WorkState": "jobs.models.WorkState",
        "JobKindName": "jobs.models.JobKind",
        "DeploymentStateName": "edge.models.DeploymentState",
        "RowAction": "mlstudio.live_serializers.ACTIONS",
        "TaskKind": "projects.models.Task",
        "RoleName": "projects.models.Role",
        "SplitName": "datasets.models.Split",
        "StageName": "inference.models.Stage",
        "ModelFileKind": "inference.models.FileKind",
        "ExportKindName": "vision.runtime.kinds.NAMES",
        "OriginName": "datasets.models.Origin",
        "ErrorTypeEnum": "mlstudio.schema.KINDS",
        "ChangeAction": "projects.changes.serializers.ACTIONS",
        "BulkAction": "datasets.bulk.ACTIONS",
        "SplitFilterName": "datasets.gallery.codes.SPLIT_NAMES",
        "OriginFilterName": "datasets.gallery.codes.ORIGIN_NAMES",
        "ImageFormatName": "datasets.gallery.codes.FORMAT_NAMES",
        "SearchKind": "mlstudio.search.KINDS",
        "SuspectKind": "inference.models.LabelIssue.Kind",
        "InitialWeightsEnum": "training.serializers.INITIAL_WEIGHTS",
        "PresetName": "vision.training.presets.NAMES",
        "StoredEnum": "storage.models.BlobState",
        "TokenScopeName": "accounts.models.TokenScope",
        "MaintenanceKindName": "mlstudio.models.MaintenanceKind",
        "SuspectDecision": "inference.models.LabelIssue.Decision",
    },
}

CORS_EXPOSE_HEADERS = [
    "X-Request-ID",
    "X-Studio-Version",
    "Location",
    "ETag",
    "Retry-After",
    "X-Change",
    "Content-Disposition",
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Expires",
]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "range",
    "x-csrftoken",
    "x-request-id",
    "tus-resumable",
    "upload-length",
    "upload-metadata",
    "upload-offset",
    "upload-checksum",
    "x-http-method-override",
    "x-requested-with",
    # Of programs written for Azure Custom Vision that run in a browser.
    "training-key",
    "prediction-key",
    "ocp-apim-subscription-key",
    "x-ms-client-request-id",
    "x-ms-command-name",
    "x-ms-useragent",
]
