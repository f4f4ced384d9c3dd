"""Search by name among 1,000,000 images: where many match, where one does, and where none does."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.rows import Row, percentile

IMAGES, DATASETS, REQUESTS = 1_000_000, 5, 30
QUERIES = {"in all names": "IMG", "in one name": "00777777", "in no name": "qqqq"}


def run(folder: Path) -> list[Row]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from rest_framework.test import APIClient

    settings.ALLOWED_HOSTS = ["testserver"]
    user = get_user_model().objects.create_user("bench")
    client = APIClient()
    client.force_authenticate(user)
    _fill(user)
    rows = []
    for what, text in QUERIES.items():
        worked = time.process_time()
        times = [_seconds(client, text) for _ in range(REQUESTS)]
        worked = 1000 * (time.process_time() - worked) / REQUESTS
        middle, tail = 1000 * statistics.median(times), 1000 * percentile(times, 95)
        rows.append(
            Row(f"search {what} of {IMAGES:,} images, median", f"{middle:.0f} ms", "", None, "< 200 ms", middle < 200)
        )
        rows.append(Row("… CPU", f"{worked:.0f} ms", "", None, "< 200 ms", worked < 200))
        rows.append(Row("… p95", f"{tail:.0f} ms", "", None, "< 200 ms", tail < 200))
    return rows


def _seconds(client, text: str) -> float:
    started = time.perf_counter()
    answer = client.get("/api/v1/search/", {"q": text})
    assert answer.status_code == 200, answer.content
    return time.perf_counter() - started


def _fill(user) -> None:
    from datasets.models import Dataset, Image
    from projects.services import create_project
    from storage.models import Blob

    project = create_project(user=user, name="many images")
    datasets = [Dataset.objects.create(project=project, name=f"d{number}") for number in range(DATASETS)]
    blobs = [uuid.UUID(int=number + 1) for number in range(IMAGES)]
    blob_key = Blob._meta.pk.name
    _insert(Blob(size=1), ({blob_key: key, "sha256": f"{key.int:064x}"} for key in blobs))
    empty = Image(dataset=datasets[0], width=1, height=1, size=1, format="JPEG", phash="0" * 64)
    _insert(
        empty,
        (
            {
                "id": uuid.UUID(int=number + 1),
                "blob_id": blobs[number],
                "filename": f"IMG_{number:08d}.jpg",
                "dataset_id": datasets[number % DATASETS].pk,
            }
            for number in range(IMAGES)
        ),
    )


def _insert(template: Any, changes: Iterable[dict]) -> None:
    """Rows like the template, in one statement: a model's instances would take minutes."""
    from django.db import connection, transaction

    fields = template._meta.concrete_fields
    values = [field.get_db_prep_save(field.pre_save(template, add=True), connection) for field in fields]
    place = {field.attname: number for number, field in enumerate(fields)}

    def rows() -> Iterable[tuple]:
        for change in changes:
            row = list(values)
            for name, value in change.items():
                row[place[name]] = value.hex if isinstance(value, uuid.UUID) else value
            yield tuple(row)

    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {template._meta.db_table} ({columns}) VALUES ({marks})", rows())
