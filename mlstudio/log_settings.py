"""Logs: one line an event, JSON for machines, key=value for people."""

from __future__ import annotations

from typing import Any

import structlog

from mlstudio.logs import hide_secrets

SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    hide_secrets,
]


def configure_structlog() -> None:
    structlog.configure(
        processors=[
            *SHARED_PROCESSORS,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_configuration(format: str, level: str) -> dict[str, Any]:
    """As `logging.config.dictConfig` takes it.

    Args:
        format: `text` or `json`.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "studio": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*SHARED_PROCESSORS, structlog.processors.format_exc_info],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer()
                    if format == "json"
                    else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=24),
                ],
            }
        },
        "filters": {
            "worth": {"()": "mlstudio.logs.WorthALine"},
            "without_trace": {"()": "mlstudio.logs.WithoutTrace"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "studio", "filters": ["worth"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.apps.worker": {"level": "WARNING"},
            "celery.worker.consumer.connection": {"level": "WARNING"},
            "uvicorn": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"filters": ["without_trace"]},
        },
    }
