"""A kind of job that only tests have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.context import JobContext
from jobs.contracts import PARAMETERS, JobParameters, JobResult
from jobs.services import HANDLERS


def handle_tested_jobs(monkeypatch: pytest.MonkeyPatch, function: Callable[[JobContext], object]) -> None:
    """Let jobs of the kind "tested" call a function."""

    def run(context: JobContext) -> JobResult:
        function(context)
        return JobResult()

    monkeypatch.setitem(PARAMETERS, "tested", JobParameters)
    monkeypatch.setitem(HANDLERS, JobParameters, run)
