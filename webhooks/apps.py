from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        from jobs import work
        from webhooks import services

        work.ON_END.append(services.announce_work)
