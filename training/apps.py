from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        from training import (  # noqa: F401 - they register their jobs
            engine_runs,
            large_datasets,
            model_exports,
            model_imports,
            services,
            uses,
        )
