from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self) -> None:
        from projects import receivers, webhooks, work  # noqa: F401 - connects the signals

        work.ON_END.append(webhooks.announce_work)
