"""The ASGI application."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402 - as above

from mlstudio.handler import PooledHandler  # noqa: E402 - settings need the line above
from vision.imaging.budget import DECODING  # noqa: E402

# Threads that wait for room to decode large images keep other requests waiting: half of them stay free of that.
DECODING.most_waiting = max(1, settings.WEB_THREADS // 2 - 1)
application = PooledHandler()
