from django.apps import AppConfig


class CustomVisionConfig(AppConfig):
    name = "custom_vision"
