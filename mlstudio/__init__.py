"""Floor 7: settings, URLs, the Celery app, ASGI, the launcher, the API root."""
