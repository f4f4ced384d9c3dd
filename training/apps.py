from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        from django.conf import settings

        from vision.training import architectures

        architectures.OWN_FOLDERS.append(settings.WEIGHTS_FOLDER)
        from training import (  # noqa: F401 - they register their jobs
            estimates,
            large_datasets,
            services,
            uses,
        )
