"""Pages of an image list in a dataset of 1,000 and in one of 1,000,000 rows, in one database, turn by turn; and what a
gallery of a million asks besides: any place, counts beside the filters, neighbours, light rows, bulk changes."""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.rows import Row, at_most, percentile

SMALL, LARGE = 1_000, 1_000_000
REQUESTS = 200
LABELS = 10
SPLITS = ("train", "train", "train", "validation", "test", None)
THUMBHASH = "1QcSHQRnh493V4dIh4eXh1h4kJUI"


def run(folder: Path) -> list[Row]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.urls import get_resolver
    from rest_framework.test import APIClient

    from mlstudio.garbage import leave_out_what_stays

    settings.ALLOWED_HOSTS = ["testserver"]
    user = get_user_model().objects.create_user("bench")
    client = APIClient()
    client.force_authenticate(user)
    datasets = {count: _fill(user, count) for count in (SMALL, LARGE)}
    get_resolver().url_patterns  # noqa: B018 - as a web process does before it takes requests
    leave_out_what_stays()
    kinds = {
        "images of a dataset, first page": {},
        "images of a dataset, any page": {"cursor": True},
        "by file name, any page": {"cursor": True, "ordering": "filename"},
        "of one split": {"split": "test"},
        "of one label": {"label": "label-3"},
        "without annotations (1 in 10)": {"annotated": "false"},
        "of a label on 5 images": {"label": "rare"},
    }
    rows = [_compare(client, datasets, what, dict(options)) for what, options in kinds.items()]
    return [*rows, *_gallery(client, datasets[LARGE]), _bulk(client, datasets[LARGE])]


def _gallery(client, dataset) -> list[Row]:
    """Against what somebody who looks at it takes for at once."""
    generator = random.Random(2)

    def place(below: int) -> dict:
        return {"offset": generator.randrange(below), "fields": "grid"}

    def image() -> str:
        return f"{uuid.UUID(_uuid(2, LARGE, generator.randrange(LARGE)))}/neighbours/"

    scope = {"dataset": str(dataset.pk)}
    kinds: dict[str, tuple[float, Callable[[], tuple[str, dict]]]] = {
        "any place": (100, lambda: ("", place(LARGE - 50))),
        "any place of a split": (100, lambda: ("", {"split": "train", **place(LARGE // 2 - 50)})),
        "any place of a label": (100, lambda: ("", {"label": "label-3", **place(LARGE // 11)})),
        "any place by file name": (100, lambda: ("", {"ordering": "filename", **place(LARGE - 50)})),
        "facets": (100, lambda: ("facets/", {})),
        "facets of a split and a label": (100, lambda: ("facets/", {"split": "test", "label": "label-3"})),
        "neighbours": (100, lambda: (image(), {})),
        "neighbours with a label": (100, lambda: (image(), {"label": "label-3"})),
        "500 light rows": (60, lambda: ("", {"fields": "grid", "page_size": 500, "offset": generator.randrange(1000)})),
    }
    return [_timed(client, what, limit, scope, ask) for what, (limit, ask) in kinds.items()]


def _timed(client, what: str, limit: float, scope: dict, ask: Callable[[], tuple[str, dict]]) -> Row:
    times, size = [], 0
    for turn in range(REQUESTS // 2 + 5):
        path, query = ask()
        started = time.perf_counter()
        answer = client.get(f"/api/v1/images/{path}", {**query, **scope}, headers={"Accept-Encoding": "gzip"})
        seconds = time.perf_counter() - started
        assert answer.status_code == 200, answer.content
        size = len(answer.content)
        if turn >= 5:
            times.append(seconds * 1000)
    found = f"{percentile(times, 95):.1f} ms, median {percentile(times, 50):.1f}, {size:,} bytes compressed"
    return at_most(f"gallery of {LARGE:,}, {what}, p95", found, f"{limit:.0f} ms", percentile(times, 95) / limit, 1.0)


def _bulk(client, dataset) -> Row:
    """The first 10,000 images of the dataset get another label."""
    ids = [str(uuid.UUID(_uuid(2, LARGE, n))) for n in range(10_000)]
    body = {"action": "label", "label": "label-1", "images": ids}
    started = time.perf_counter()
    answer = client.post("/api/v1/images/bulk/", body, format="json")
    seconds = time.perf_counter() - started
    assert answer.status_code == 200 and answer.json()["changed"] > 8_000, answer.content
    return at_most("gallery, 10,000 labels", f"{seconds:.2f} s", "2 s", seconds / 2, 1.0)


STORED = {"size": 1000, "content_type": "image/jpeg", "backend": "local", "remote_id": "", "state": "replicated"}
ROW_OF_IMPORT = dict.fromkeys(("x_min", "y_min", "x_max", "y_max", "score", "created_by_id")) | {
    "origin": "imported",
    "confirmed": 1,
}


def _fill(user, count: int):
    """A project with a dataset of `count` images; 9 of 10 have a label, 5 images have a rare one."""
    from datasets.models import Dataset, Label
    from projects.services import create_project

    project = create_project(user=user, name=f"{count} images")
    dataset = Dataset.objects.create(project=project, name="d", image_count=count)
    names = [*(f"label-{n}" for n in range(LABELS - 1)), "rare"]
    labels = [Label.objects.create(project=project, name=name).pk.hex for name in names]
    images = _insert_images(dataset, count)
    _insert_labels(dataset, images, labels)
    return dataset


def _insert_images(dataset, count: int) -> list[str]:
    """The images' ids."""
    from datasets.models import Image
    from storage.models import Blob

    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    code = _facet_codes()
    blobs, images = ([_uuid(kind, count, n) for n in range(count)] for kind in (1, 2))
    _insert(
        Blob,
        (
            {"id": blobs[n], "sha256": sha256_of(n, count), **STORED, "created_at": now, "last_used": now}
            for n in range(count)
        ),
    )
    _insert(
        Image,
        (
            {"id": images[n], "dataset_id": dataset.pk.hex, "blob_id": blobs[n],
             "filename": f"{_rank(n, count):07}.jpg",
             "source": "upload", "width": 640, "height": 480, "format": "JPEG", "size": 1000, "phash": f"{n:064x}",
             "split": SPLITS[n % len(SPLITS)], "group": "", "revision": 1,
             "has_thumbnails": 1, "reviewed": 1, "created_at": now, "thumbhash": THUMBHASH,
             "shuffle": n * 48_271 % (2**31 - 1), "project_key": dataset.project_id.hex, "facets": code(n),
             "annotation_count": int(bool(n % 10)), "suggestion_count": 0, "lowest_score": 1.0}
            for n in range(count)
        ),
    )  # fmt: skip
    return images


def _insert_labels(dataset, images: list[str], labels: list[str]) -> None:
    """Annotations, and the tables that are kept beside them."""
    from datasets.models import ANY_LABEL, Annotation, FacetCount, ImageLabel

    count = len(images)
    code = _facet_codes()
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    _insert(
        Annotation,
        (
            {
                "id": _uuid(3, count, n),
                "image_id": images[n],
                "label_id": labels[_label_of(n, count)],
                **ROW_OF_IMPORT,
                "created_at": now,
            }
            for n in range(count)
            if n % 10
        ),
    )
    carried = [n for n in range(count) if n % 10]
    _insert(
        ImageLabel,
        (
            {
                "id": n + 1 + (count if count == LARGE else 0),
                "image_id": images[n],
                "label_id": labels[_label_of(n, count)],
                "dataset_key": dataset.pk.hex,
                "facets": code(n),
            }
            for n in carried
        ),
    )
    counted = Counter((ANY_LABEL.hex, code(n)) for n in range(count))
    counted += Counter((labels[_label_of(n, count)], code(n)) for n in carried)
    FacetCount.objects.bulk_create(
        FacetCount(dataset=dataset, label_key=label, facets=facets, images=n) for (label, facets), n in counted.items()
    )


def _facet_codes() -> Callable[[int], int]:
    """Of the nth image."""
    from datasets.gallery.codes import code_of

    codes = [
        code_of(
            split=split,
            annotated=is_labelled,
            reviewed=True,
            suggested=False,
            origins={"imported"} if is_labelled else set(),
            image_format="JPEG",
        )
        for split in SPLITS
        for is_labelled in (False, True)
    ]
    return lambda n: codes[n % len(SPLITS) * 2 + bool(n % 10)]


def _label_of(n: int, count: int) -> int:
    return LABELS - 1 if n % (count // 5) == 1 else n % (LABELS - 1)


def _rank(n: int, count: int) -> int:
    """File names sort in another order than rows."""
    return n * 7919 % count


def _uuid(kind: int, count: int, n: int) -> str:
    return f"{kind:04x}{count:012x}{n:016x}"


def sha256_of(n: int, count: int) -> str:
    """Of the file of image `n`, which no row can be without. The first digits, which name folders, differ."""
    return f"{n * 7919 % 2**32:08x}{count:024x}{n:032x}"


def _insert(model, rows: Iterator[dict]) -> None:
    from django.db import connection, transaction

    fields = model._meta.concrete_fields
    columns = [field.column for field in fields]
    # What no row names has its default, so that a new field does not end the benchmark.
    usual = {field.column: field.get_db_prep_save(field.get_default(), connection) for field in fields}
    marks, names = ", ".join(["%s"] * len(columns)), ", ".join(f'"{name}"' for name in columns)
    statement = f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks})'
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statement, (tuple((usual | row)[name] for name in columns) for row in rows))


def _compare(client, datasets: dict, what: str, options: dict) -> Row:
    times: dict[int, list[float]] = {count: [] for count in datasets}
    generator = random.Random(1)
    paged = options.pop("cursor", False)
    for turn in range(REQUESTS + 10):
        for count, dataset in datasets.items():
            query = {"dataset": str(dataset.pk), **options}
            if paged:
                query["cursor"] = _cursor(count, generator, options.get("ordering"))
            started = time.perf_counter()
            answer = client.get("/api/v1/images/", query)
            seconds = time.perf_counter() - started
            assert answer.status_code == 200 and answer.json()["results"], answer.content
            if turn >= 10:
                times[count].append(seconds * 1000)
    small, large = (percentile(times[count], 95) for count in (SMALL, LARGE))
    return at_most(
        f"listing, {what}, p95", f"{large:.1f} ms at {LARGE:,}", f"{small:.1f} ms at {SMALL:,}", large / small, 1.5
    )


def _cursor(count: int, generator: random.Random, ordering: str | None) -> str:
    import base64
    import json

    # Never in the last tenth, whichever way the list goes, so that every page is full.
    row = generator.randrange(count // 10, count * 9 // 10)
    while ordering and _rank(row, count) > count * 9 // 10:
        row = generator.randrange(count)
    value = f"{_rank(row, count):07}.jpg" if ordering else None
    cursor = {"id": str(uuid.UUID(_uuid(2, count, row))), "value": value, "back": False}
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")
