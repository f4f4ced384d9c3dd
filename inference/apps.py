from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        # They register their jobs and answers.
        from inference import retries, trash, usage, uses  # noqa: F401
        from inference.evaluation import comparisons, evaluations, explanations  # noqa: F401
        from inference.labeling import active_learning, label_issues, video_frames  # noqa: F401
        from inference.registry import exports, model_imports, publishing  # noqa: F401
        from inference.registry.naming import names_of_models
        from inference.serving import batches  # noqa: F401
        from jobs.naming import NAMES
        from projects.limits import BYTE_COUNTERS

        trash.register()
        NAMES["model"] = names_of_models
        BYTE_COUNTERS.append(usage.bytes_of)
