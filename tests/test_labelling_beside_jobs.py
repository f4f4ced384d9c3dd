"""Somebody labels while jobs run over the same images: no job ends for that, and no label is lost."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import numpy as np
import pytest
from django.conf import settings
from django.db import connection
from PIL import Image as Pillow

from datasets.annotating import AnnotationInput, replace_annotations
from datasets.models import AnnotationChange, Dataset, Image, Label
from jobs.models import Job
from storage import replication
from storage.database import by_key
from storage.models import Blob, BlobState
from tests.conftest import upload
from tests.made_videos import made_video
from tests.pictures import make_zip
from tests.test_imports import start
from tests.test_storage import stores  # noqa: F401 - a fixture
from tests.test_videos import add, run_waiting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS),
]
MANY = 520  # more than a page


def tiny(number: int) -> bytes:
    target = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    Pillow.fromarray(pixels).save(target, "PNG")
    return target.getvalue()


@contextmanager
def labelling(images: list, owner) -> Iterator[Callable[[], int]]:
    """A person who labels one image after another, some 25 a second. Yields how many labels were given so far."""
    stop, started = threading.Event(), threading.Event()
    given, problems = [0], []

    def work() -> None:
        try:
            label = Label.objects.get(name="cross")
            while not stop.wait(0.02):
                image = Image.objects.select_related("dataset__project").get(pk=images[given[0] % len(images)])
                replace_annotations(image=image, annotations=[AnnotationInput(label)], revision=None, user=owner)
                given[0] += 1
                started.set()
        except Exception as error:
            problems.append(error)
        finally:
            started.set()
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        started.wait(30)
        yield lambda: given[0]
    finally:
        stop.set()
        thread.join(60)
    assert not problems, problems


def sent(api, path: str, body: dict) -> None:
    answer = api.post(f"/api/v1/{path}", body, format="json")
    assert answer.status_code == 202, answer.content


def states() -> dict[str, tuple[str, str, int]]:
    return {job.kind: (job.state, job.error_code, job.attempts) for job in Job.objects.all()}


def test_every_kind_of_job_beside_a_labeller(api, dataset, classifier, owner):
    video = add(api, dataset, made_video(12, size=(32, 32)))
    upload(api, dataset, [(f"{n}.png", tiny(n)) for n in range(MANY)])
    mine = list(Image.objects.filter(source="upload").order_by("id").values_list("pk", flat=True)[:10])
    Job.objects.all().delete()
    archive = make_zip({f"cross/i{n}.png": tiny(10_000 + n) for n in range(MANY)})
    with labelling(mine, owner) as given:
        sent(api, "predictions/", {"model": str(classifier.pk), "dataset": dataset["id"], "suggest": True})
        run_waiting()
        sent(api, f"models/{classifier.pk}/suggestions/", {"dataset": dataset["id"]})
        run_waiting()
        sent(api, f"datasets/{dataset['id']}/exports/", {"format": "folder"})
        assert start(api, dataset, archive).status_code == 202
        run_waiting()
        sent(api, f"datasets/{dataset['id']}/duplicates/", {})
        sent(api, f"models/{classifier.pk}/suspects/", {"dataset": dataset["id"]})
        sent(api, f"videos/{video['id']}/frames/", {"every_frames": 1})
        run_waiting()
        labels = given()
    kinds = ("prediction", "suggestions", "export", "import", "duplicates", "suspects", "video_frames")
    assert states() == dict.fromkeys(kinds, ("succeeded", "", 1))
    assert labels > 20 and AnnotationChange.objects.filter(image__in=mine).count() > 0
    assert Dataset.objects.get().image_count == Image.objects.count() >= 2 * MANY


@pytest.mark.usefixtures("stores")
def test_the_cache_is_made_smaller_beside_a_labeller(api, dataset, labels, owner, settings):
    settings.STORAGE_CACHE_BYTES, settings.STORAGE_CACHE_REST_SECONDS = 1000, -60
    Label.objects.filter(name="good").update(name="cross")
    upload(api, dataset, [(f"{n}.png", tiny(n)) for n in range(MANY)])
    mine = list(Image.objects.order_by("id").values_list("pk", flat=True)[:10])
    with labelling(mine, owner):
        assert replication.replicate_pending(MANY) == MANY
        assert replication.evict() > 400
    assert replication.cached_bytes() <= 1000


@pytest.mark.parametrize("key", ["pk", "last_used"])
def test_pages_have_every_row_once_in_order(key):
    Blob.objects.bulk_create(Blob(sha256=f"{n:064x}", size=n, state=BlobState.CACHED) for n in range(23))
    rows = Blob.objects.order_by("id")
    now = rows[0].last_used
    for number, blob in enumerate(rows):  # many share a moment
        Blob.objects.filter(pk=blob.pk).update(last_used=now + timedelta(seconds=(number * 7) % 5))
    seen = []
    for blob in by_key(Blob.objects.all(), key=key, size=4):
        seen.append((getattr(blob, key), blob.pk))
        Blob.objects.create(sha256=f"{len(seen) + 1000:064x}", size=1, last_used=now + timedelta(days=1))
    assert seen == sorted(seen) and len(seen) == 23


def test_pages_of_nothing_and_of_one_page():
    assert list(by_key(Blob.objects.all())) == []
    Blob.objects.bulk_create(Blob(sha256=f"{n:064x}", size=n) for n in range(4))
    assert [blob.size for blob in by_key(Blob.objects.all(), size=4)] == [0, 1, 2, 3]
