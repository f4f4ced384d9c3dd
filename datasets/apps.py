from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"

    def ready(self) -> None:
        from datasets import duplicates, exports, imports, videos  # noqa: F401 - registers their jobs
