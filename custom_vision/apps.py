from django.apps import AppConfig


class CustomVisionConfig(AppConfig):
    name = "custom_vision"

    def ready(self) -> None:
        from custom_vision import publications  # noqa: F401 - says what needs published models
