"""A model of the studio as an iteration, and the service with a key."""

from __future__ import annotations

import pytest

from tests.custom_vision import Service, service_of, trained
from training.models import TrainingRun


@pytest.fixture
def service(owner) -> Service:
    return service_of(owner)


@pytest.fixture
def run(classifier, owner) -> TrainingRun:
    return trained(classifier, owner)


@pytest.fixture
def path(run) -> str:
    return f"projects/{run.project_id}"


@pytest.fixture
def at(path, run) -> str:
    return f"{path}/iterations/{run.pk}"
