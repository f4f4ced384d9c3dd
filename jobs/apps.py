from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs import limits, receivers  # noqa: F401 - registers the limit, connects the signals
