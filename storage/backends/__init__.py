"""The stores, chosen by configuration in this one place."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from django.conf import settings

from storage.backends.base import (
    Backend,
    BackendConfigurationError,
    BackendError,
    BackendUnavailable,
    NotInStore,
)

# Where files go that are imported with `link`: they stay in somebody else's bucket.
LINKED = "linked"
BACKENDS = {"local": "storage.backends.local", "fastdfs": "storage.backends.fastdfs", "s3": "storage.backends.s3"}

__all__ = [
    "BACKENDS",
    "LINKED",
    "Backend",
    "BackendConfigurationError",
    "BackendError",
    "BackendUnavailable",
    "NotInStore",
    "backend_named",
    "get_backend",
]


def get_backend() -> Backend:
    """The configured store, where new files go."""
    return backend_named(settings.STORAGE_BACKEND)


@cache
def backend_named(name: str) -> Backend:
    """A store that files may be in from earlier. Its module alone imports its client library.

    Raises:
        BackendConfigurationError: a setting is missing.
    """
    module = "storage.backends.linked" if name == LINKED else BACKENDS[name]
    return import_module(module).from_settings(settings)
