from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        from training import (  # noqa: F401 - they register their jobs
            large_datasets,
            services,
            uses,
        )
