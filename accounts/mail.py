"""Mails to users. Whether one is sent at all must not show in how long an answer takes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import structlog
from django.conf import settings
from django.core.mail import EmailMessage

log = structlog.get_logger(__name__)
_senders = ThreadPoolExecutor(2, thread_name_prefix="mail")


def send(*, to: str, subject: str, text: str) -> None:
    """At once, or behind the answer where a mail server has to be talked to. A failure is logged."""
    message = EmailMessage(subject, text, None, [to])
    if settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend"):
        _senders.submit(_send, message)
    else:
        _send(message)


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError:  # smtplib's errors are such
        log.exception("mail_not_sent", subject=message.subject)
