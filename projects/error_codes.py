"""The codes of errors, for clients that translate them: a test holds that none is missing that stands in the code.

Rules of settings and libraries may answer others; a client then shows `detail`.
"""

# Of answers; then those that the libraries have for fields and requests.
OURS = (
    "address_refused", "already_ended", "already_member", "already_undone", "annotation_deleted", "archive_gone",
    "backups_off", "bad_request", "bad_source", "base_model_deleted", "base_model_does_not_fit", "base_model_hidden",
    "cannot_train", "changed_meanwhile", "changed_since", "checksum_mismatch", "conflict", "csrf_failed",
    "database_busy", "database_unavailable", "dataset_changed", "dataset_in_use", "deployment_conflict", "disk_full",
    "does_not_exist", "empty_split", "enrolment_code_not_valid", "error", "export_not_possible", "feedback_quota_used",
    "file_damaged", "file_removing", "file_too_large", "file_unavailable", "format_does_not_fit", "frames_exist",
    "group_in_use", "hotkey_in_use", "idempotency_already_done", "idempotency_in_progress", "idempotency_key_reused",
    "images_busy", "in_use", "invalid", "invalid_email_link", "invalid_idempotency_key", "invalid_invitation",
    "invalid_metadata", "invalid_name", "invalid_reset_link", "kind_not_for_devices", "label_deleted", "label_exists",
    "label_in_use", "last_owner", "limit_reached", "missing_slash", "mixed_scripts", "model_does_not_fit",
    "model_file_broken", "model_in_use", "model_not_servable", "model_uploads_off", "no_dataset", "no_embedder",
    "no_file", "no_labelled_images", "no_live_model", "no_such_file", "not_a_video", "not_authenticated",
    "not_embedded", "not_evaluated", "not_found", "not_retryable", "not_usable",
    "nothing_to_compare", "nothing_to_predict", "nothing_to_return_to", "nothing_to_suggest", "offset_conflict",
    "out_of_memory", "own_account", "permission_denied", "preferences_too_large", "project_in_use",
    "project_needs_predict", "registration_closed", "request_timeout", "request_too_large", "required",
    "revision_conflict", "server_busy", "signing_key_unreadable", "snapshot_does_not_fit", "snapshot_in_use",
    "snapshot_without_images", "source_busy", "source_key_wrong", "source_not_allowed", "source_not_found",
    "source_refuses", "source_unavailable", "space_too_small", "step_not_reported", "still_running",
    "store_unavailable", "token_predicts_only", "token_reads_only", "too_few_features", "too_few_images",
    "too_many_bytes", "too_many_bytes_in_project", "too_many_event_streams", "too_many_files", "too_many_images",
    "too_many_images_in_project", "too_many_large_requests", "too_many_open_uploads", "too_many_projects",
    "too_many_queued_jobs", "too_many_queued_jobs_in_project", "too_many_queued_trainings",
    "too_many_queued_trainings_in_project", "too_many_uploads", "trainingrun_in_use", "tus_version", "unique",
    "unknown", "unknown_field", "unknown_filter", "unknown_host", "unknown_label", "upload_incomplete", "video_exists",
    "video_in_use", "weights_differ", "weights_folder", "weights_here", "weights_incomplete", "weights_off",
    "wrong_credentials", "wrong_password",
)  # fmt: skip
OF_LIBRARIES = (
    "authentication_failed", "blank", "date", "datetime", "does_not_exist", "empty", "incorrect_type",
    "invalid_choice", "invalid_image", "invalid_list", "make_aware", "max_digits", "max_length",
    "max_string_length", "max_value", "method_not_allowed", "min_length", "min_value", "no_name",
    "not_a_dict", "not_a_list", "not_acceptable", "null", "null_characters_not_allowed", "overflow",
    "parse_error", "password_entirely_numeric", "password_too_common", "password_too_short",
    "password_too_similar", "surrogate_characters_not_allowed", "throttled", "unsupported_media_type",
)  # fmt: skip
ANSWERS = tuple(sorted({*OURS, *OF_LIBRARIES}))
# Of OURS, what any operation may answer; the schema names the others at each operation that does (`x-error-codes`).
ANYWHERE = (
    "bad_request", "changed_meanwhile", "conflict", "csrf_failed", "database_busy", "database_unavailable", "disk_full",
    "does_not_exist", "error", "idempotency_already_done", "idempotency_in_progress", "idempotency_key_reused",
    "invalid", "invalid_idempotency_key", "missing_slash", "not_authenticated", "not_found", "out_of_memory",
    "permission_denied", "request_timeout", "request_too_large", "required", "server_busy", "token_predicts_only",
    "token_reads_only", "too_many_large_requests", "unknown_field", "unknown_filter", "unknown_host",
)  # fmt: skip
