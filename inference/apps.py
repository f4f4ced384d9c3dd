from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        from inference import evaluations, publishing  # noqa: F401 - they register their jobs
