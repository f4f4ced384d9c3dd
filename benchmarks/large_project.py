"""Pages of a project with 1,000 models, 500 trainings and 10,000 devices, in Chromium."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

from benchmarks.rows import Row
from tests.studio import ROOT, Studio

NAME, PASSWORD = "mia", "a long pass phrase"
MODELS, TRAININGS, DEVICES, SILENT = 1_000, 500, 10_000, 12
EPOCHS = 200
GOAL_MS = 1_000


def run(folder: Path) -> list[Row]:
    subprocess.run([sys.executable, "frontend/build.py"], cwd=ROOT, check=True)
    plan = _filled()
    studio = Studio(folder / "data", web_processes=min(4, os.cpu_count() or 1)).start()
    try:
        found = _measured(folder, studio.url, plan)
    finally:
        studio.stop()
    return [_row(page, found.get(page, [])) for page in plan["pages"]]


def _row(page: str, values: list[float]) -> Row:
    what = f"{page}, opened until its content is there"
    if not values:
        return Row(what, "not measured", "", goal=f"≤ {GOAL_MS} ms", reached=False)
    value = statistics.median(values)
    return Row(what, f"{value:.0f} ms, median of {len(values)}", "", goal=f"≤ {GOAL_MS} ms", reached=value <= GOAL_MS)


def _filled() -> dict:
    """The rows, and which pages are opened: the address and what must be seen on it."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connections

    from datasets.models import Snapshot
    from datasets.services import create_dataset
    from projects.services import create_project

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user(NAME, f"{NAME}@example.com", PASSWORD)
    project = create_project(user=user, name="Large", description="", task="classification")
    dataset = create_dataset(project=project, name="Images", description="")
    snapshot = Snapshot.objects.create(
        project=project,
        dataset=dataset,
        number=1,
        digest="0" * 64,
        seed=1,
        class_names=["good", "bad"],
        counts={},
        fractions={"train": 0.8, "validation": 0.1, "test": 0.1},
    )
    models, training = _models(project, snapshot)
    device = _devices(project)
    connections.close_all()
    base = f"/projects/{project.pk}"
    pages = {
        "overview": [base, "main h1"],
        "models": [f"{base}/models", 'main a[href*="/models/0"]'],
        "one model": [f"{base}/models/{models[-1]}", "main h1"],
        "trainings": [f"{base}/trainings", 'main a[href*="/trainings/0"]'],
        f"one training of {EPOCHS} epochs": [f"{base}/trainings/{training}", "main svg path"],
        "devices": [f"{base}/devices", "main table tbody tr"],
        "one device": [f"{base}/devices/{device}", "main table tbody tr"],
        "try": [f"{base}/try", "main section h2"],
    }
    return {"name": NAME, "password": PASSWORD, "pages": pages}


def _models(project, snapshot) -> tuple[list[uuid.UUID], uuid.UUID]:
    from django.utils import timezone

    from inference.models import Model
    from training.models import TrainingRun

    numbers = random.Random(1)
    models = Model.objects.bulk_create(
        Model(
            project=project,
            name="Large",
            version=version,
            task="classification",
            class_names=["good", "bad"],
            architecture="mobilenet_v2",
            input_height=224,
            input_width=224,
            parameters=2_200_000,
            snapshot=snapshot,
            metrics={"accuracy": 0.5 + numbers.random() / 2},
            figures={"accuracy": 0.5 + numbers.random() / 2},
        )
        for version in range(1, MODELS + 1)
    )
    history = [
        {
            "epoch": epoch,
            "loss": 1 / epoch,
            "accuracy": 1 - 1 / (epoch + 1),
            "val_loss": 1.1 / epoch,
            "val_accuracy": 0.98 - 1 / (epoch + 1),
            "seconds": 1.0,
            "learning_rate": 0.001,
        }
        for epoch in range(1, EPOCHS + 1)
    ]
    now = timezone.now()
    runs = TrainingRun.objects.bulk_create(
        TrainingRun(
            project=project,
            snapshot=snapshot,
            state="succeeded",
            configuration={"architecture": "mobilenet_v2"},
            history=history,
            score=0.9,
            model=model,
            started_at=now - timedelta(hours=1),
            finished_at=now,
        )
        for model in models[:TRAININGS]
    )
    return [model.pk for model in models], runs[-1].pk


def _devices(project) -> uuid.UUID:
    from django.utils import timezone

    from edge.models import Device, DeviceGroup

    groups = DeviceGroup.objects.bulk_create(DeviceGroup(project=project, name=f"hall {n}") for n in range(20))
    now = timezone.now()
    devices = Device.objects.bulk_create(
        (
            Device(
                project=project,
                group=groups[n % 20],
                name=f"camera {n}",
                key_hash=f"{n:064x}",
                last_seen=now,
                health="ok",
                predictions=n,
                agent_version="1.0",
                platform={"machine": "aarch64"},
                alarm="silent" if n < SILENT else "",
            )
            for n in range(DEVICES)
        ),
        batch_size=1_000,
    )
    return devices[0].pk


def _measured(folder: Path, url: str, plan: dict) -> dict[str, list[float]]:
    asked, answered = folder / "plan.json", folder / "result.json"
    asked.write_text(json.dumps(plan))
    environment = {**os.environ, "MEASURE_URL": url, "MEASURE_PLAN": str(asked), "MEASURE_RESULT": str(answered)}
    command = [sys.executable, "frontend/check.py", "--measure", "large"]
    subprocess.run(command, cwd=ROOT, env=environment, check=False)
    return json.loads(answered.read_text()) if answered.exists() else {}
