"""The ASGI application."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
django.setup(set_prefix=False)

from mlstudio.handler import PooledHandler  # noqa: E402 - settings need the line above

application = PooledHandler()
