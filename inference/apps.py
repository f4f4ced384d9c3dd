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
            usage,
            uses,
        )
        from projects.limits import BYTE_COUNTERS

        BYTE_COUNTERS.append(usage.bytes_of)
