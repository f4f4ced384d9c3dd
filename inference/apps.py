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
            trash,
            usage,
            uses,
        )
        from inference.naming import names_of_models
        from jobs.naming import NAMES
        from projects.limits import BYTE_COUNTERS

        trash.register()
        NAMES["model"] = names_of_models
        BYTE_COUNTERS.append(usage.bytes_of)
