"""The stores, chosen by configuration in this one place."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from django.conf import settings

from storage.backends.base import Backend, BackendError

BACKENDS = {"local": "storage.backends.local"}

__all__ = ["BACKENDS", "Backend", "BackendError", "get_backend"]


@cache
def get_backend() -> Backend:
    """The configured store. Its module alone imports its client library."""
    return import_module(BACKENDS[settings.STORAGE_BACKEND]).from_settings(settings)
