"""The codes of work that failed or waits; those of answers are in `projects.error_codes`."""

# Of work that failed or waits, and of files that an import did not take.
WORK = (
    "annotations_too_complex", "annotations_too_large", "annotations_unreadable", "archive_bomb",
    "archive_too_large", "backup_damaged", "backup_failed", "bad_source",
    "base_model_deleted", "base_model_without_file", "boxes_in_classification", "change_forgotten",
    "comparison_without_object", "corrupted_entry", "corrupted_image", "damaged_archive", "database_busy",
    "dataset_deleted", "disk_full", "empty_archive", "empty_file", "encrypted_archive", "engine_file_missing",
    "evaluation_without_object", "export_refused", "extreme_aspect_ratio", "file_damaged", "file_too_large",
    "internal_error", "io_error", "label_deleted", "missing_image", "missing_object", "model_deleted",
    "model_file_broken", "model_file_unsafe", "model_uploads_off", "model_without_file", "nested_too_deep",
    "no_images", "not_a_zip", "not_an_archive", "not_an_image", "nothing_found", "nothing_to_compare",
    "nothing_to_measure", "not_allowed_any_more", "one_label", "sandbox_missing", "snapshot_deleted",
    "source_not_allowed", "source_not_found", "source_too_large", "split_archive", "source_unavailable",
    "store_unavailable", "too_many_archives",
    "too_many_entries", "too_many_images", "too_many_labels", "too_many_pixels", "training_process_died", "unsafe_path",
    "unsupported_archive",
    "unsupported_compression", "video_deleted", "video_empty", "weights_differ",
    "weights_incomplete", "weights_unknown", "weights_unreachable", "worker_lost",
)  # fmt: skip
