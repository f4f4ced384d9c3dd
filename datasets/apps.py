from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"

    def ready(self) -> None:
        from datasets import duplicates, exports, imports, snapshot_jobs, usage, videos  # noqa: F401 - registers their jobs
        from projects.limits import BYTE_COUNTERS

        BYTE_COUNTERS.append(usage.bytes_of)
