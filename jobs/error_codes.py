"""The codes of work that failed or waits; those of answers are in `projects.error_codes`."""

# Of work that failed or waits, and of files that an import did not take.
WORK = (
    "anchors_do_not_fit", "anchors_needed", "annotations_too_complex", "annotations_too_large",
    "annotations_unreadable", "archive_bomb", "archive_too_large", "backbone_died", "backbone_died_slowly",
    "backup_damaged", "backup_failed", "bad_source", "base_model_deleted", "base_model_without_file",
    "boxes_in_classification", "cannot_export", "change_forgotten", "comparison_without_object", "conversion_differs",
    "corrupted_entry", "corrupted_files", "corrupted_image", "damaged_annotations", "damaged_archive", "database_busy",
    "dataset_deleted", "disk_full", "empty_archive", "empty_file", "empty_split", "encrypted_archive",
    "engine_file_missing", "evaluation_without_object", "export_disagrees", "export_refused", "extreme_aspect_ratio",
    "file_damaged", "file_too_large", "forbidden_layer", "forbidden_xml", "internal_error", "invalid_configuration",
    "io_error", "label_deleted", "label_without_boxes", "label_without_images", "labels_do_not_fit", "missing_image",
    "missing_object", "model_deleted", "model_file_broken", "model_file_unsafe", "model_uploads_off",
    "model_without_file", "nested_too_deep", "no_annotations", "no_boxes", "no_class_names", "no_embedder", "no_images",
    "no_such_frame", "no_video_track", "not_a_model", "not_a_video", "not_a_zip", "not_allowed_any_more",
    "not_an_archive", "not_an_image", "nothing_found", "nothing_to_compare", "nothing_to_measure", "one_label",
    "out_of_memory", "sandbox_missing", "size_needed", "snapshot_deleted", "source_busy", "source_key_wrong",
    "source_not_allowed", "source_not_found", "source_refuses", "source_too_large", "source_unavailable",
    "split_archive", "store_unavailable", "too_few_features", "too_few_images", "too_few_labels", "too_large",
    "too_many_archives", "too_many_entries", "too_many_images", "too_many_labels", "too_many_pixels",
    "training_diverged", "training_failed", "training_process_died", "unknown_backbone", "unknown_layers",
    "unreadable_file", "unsafe_file", "unsafe_path", "unsupported_archive", "unsupported_compression",
    "unsupported_operation", "video_broken", "video_deleted", "video_empty", "weights_differ", "weights_folder",
    "weights_incomplete", "weights_missing", "weights_not_available", "weights_only", "weights_unknown",
    "weights_unreachable", "worker_lost", "wrong_input", "wrong_output",
)  # fmt: skip
