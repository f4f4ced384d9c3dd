"""System checks: folders that must be writable, a store that must be known."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from storage.backends import BACKENDS, BackendConfigurationError, get_backend


@register()
def check_storage(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if settings.STORAGE_BACKEND not in BACKENDS:
        problems.append(
            Error(
                f"MLSTUDIO_STORAGE must be one of {', '.join(BACKENDS)}, received {settings.STORAGE_BACKEND!r}.",
                id="storage.E001",
            )
        )
    else:
        try:
            get_backend()
        except BackendConfigurationError as error:
            problems.append(Error(str(error), hint="See docs/storage.md.", id="storage.E003"))
        except ImportError as error:
            problems.append(Error(f"The store's client is not installed: {error}.", id="storage.E004"))
    for folder in (settings.DATA_DIR, settings.STORAGE_CACHE_DIR):
        existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if not os.access(existing, os.W_OK | os.X_OK):
            problems.append(Error(f"{folder} cannot be written.", hint="Use --data-dir.", id="storage.E002"))
    return problems
