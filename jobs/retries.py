"""Trying again what another member may have started: the one who retries must be allowed to use what it uses."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User

from jobs.models import Job

CHECKS: list[Callable[[Job, User], None]] = []


def checks_retry(check: Callable[[Job, User], None]) -> Callable[[Job, User], None]:
    """Register what a room above knows of jobs. It raises a StudioError to refuse."""
    CHECKS.append(check)
    return check


def check_retry(job: Job, user: User) -> None:
    for check in CHECKS:
        check(job, user)
