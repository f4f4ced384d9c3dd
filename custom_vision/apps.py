from django.apps import AppConfig


class CustomVisionConfig(AppConfig):
    name = "custom_vision"

    def ready(self) -> None:
        # What needs published models, and what jobs copy projects.
        from custom_vision import copying, publications  # noqa: F401
