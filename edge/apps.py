from django.apps import AppConfig


class EdgeConfig(AppConfig):
    name = "edge"

    def ready(self) -> None:
        from edge.rollouts import needed_model
        from inference.registry import USES

        USES.append(needed_model)
