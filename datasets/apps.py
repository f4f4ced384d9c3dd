from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"

    def ready(self) -> None:
        from datasets import (  # noqa: F401 - they register their jobs and uses
            bulk,
            duplicates,
            exports,
            imports,
            label_jobs,
            playing,
            removal,
            samples,
            snapshot_jobs,
            undoing,
            usage,
            uses,
            videos,
        )
        from datasets.selectors import names_of_datasets, names_of_videos
        from datasets.trash import kinds as trash_kinds
        from jobs.naming import NAMES
        from projects.limits import BYTE_COUNTERS
        from projects.removal import IN_BACKGROUND

        undoing.register()
        trash_kinds.register()
        IN_BACKGROUND.append(removal.remove_images_of_records)
        NAMES["dataset"] = names_of_datasets
        NAMES["video"] = names_of_videos
        BYTE_COUNTERS.append(usage.bytes_of)
