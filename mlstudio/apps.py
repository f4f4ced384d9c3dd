from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "mlstudio"

    def ready(self) -> None:
        from mlstudio.celery import app  # noqa: F401 - shared tasks bind to our app, in the web process too
        from mlstudio.live import watch_all

        watch_all()
