from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self) -> None:
        from projects import limits, receivers, webhooks, work  # noqa: F401 - connects the signals
        from storage.resumable import BEFORE_UPLOAD

        work.ON_END.append(webhooks.announce_work)
        BEFORE_UPLOAD.append(limits.require_user_bytes)
