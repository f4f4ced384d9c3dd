from django.apps import AppConfig
from django.db.models.signals import post_save


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        # They register their jobs and answers.
        from datasets.alike import FINDERS
        from inference import retries, trash, usage, uses  # noqa: F401
        from inference.embeddings.near_duplicates import pairs_by_features
        from inference.evaluation import comparisons, evaluations, explanations  # noqa: F401
        from inference.feature_map import making  # noqa: F401
        from inference.labeling import active_learning, label_issues, video_frames  # noqa: F401
        from inference.live_model.upkeep import announce_change
        from inference.registry import exports, model_imports, publishing  # noqa: F401
        from inference.registry.naming import names_of_models
        from inference.serving import batches  # noqa: F401
        from jobs.naming import NAMES
        from projects.limits import BYTE_COUNTERS
        from projects.models import ProjectEvent

        trash.register()
        post_save.connect(announce_change, sender=ProjectEvent, dispatch_uid="live_model")
        NAMES["model"] = names_of_models
        BYTE_COUNTERS.append(usage.bytes_of)
        FINDERS.append(pairs_by_features)
