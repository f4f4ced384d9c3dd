from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "mlstudio"

    def ready(self) -> None:
        from mlstudio.celery import app  # noqa: F401 - shared tasks bind to our app, in the web process too
        from mlstudio.garbage import leave_out_what_stays
        from mlstudio.live import watch_all

        watch_all()
        leave_out_what_stays()
