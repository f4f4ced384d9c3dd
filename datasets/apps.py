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
            removal,
            snapshot_jobs,
            undoing,
            usage,
            uses,
            videos,
        )
        from projects.limits import BYTE_COUNTERS
        from projects.removal import IN_BACKGROUND

        undoing.register()
        IN_BACKGROUND.append(removal.remove_images_of_records)
        BYTE_COUNTERS.append(usage.bytes_of)
