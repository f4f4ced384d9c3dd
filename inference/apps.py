from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        from inference import (  # noqa: F401 - they register their jobs
            batches,
            comparisons,
            evaluations,
            explanations,
            frames,
            publishing,
            retries,
            teaching,
        )
