from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        from training import engine_runs, model_exports, model_imports, services, uses  # noqa: F401 - they register
