"""Files that nothing refers to any more are kept for the estimated time, counted from then, and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from storage import services, sweeping
from storage.models import Blob
from tests.conftest import upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db
NOW = timedelta(seconds=-5)


@pytest.fixture
def image(api, dataset) -> dict:
    """One that came a month ago."""
    (image,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
    Blob.objects.update(last_used=timezone.now() - timedelta(days=30))
    return image


def remove_for_good(api, image: dict) -> None:
    assert api.delete(f"/api/v1/images/{image['id']}/").status_code == 204


def pass_time(hours: float) -> None:
    Blob.objects.exclude(unused_since=None).update(unused_since=timezone.now() - timedelta(hours=hours))


def test_an_old_file_is_kept_for_a_day_after_its_image_is_gone(api, no_trash, image):
    path = services.path_of(Blob.objects.get())
    sweeping.sweep_orphans()
    remove_for_good(api, image)
    assert sweeping.sweep_orphans() == 0 and path.exists()
    pass_time(23)
    assert sweeping.sweep_orphans() == 0 and path.exists()
    pass_time(25)
    assert sweeping.sweep_orphans() == 1 and not path.exists() and not Blob.objects.exists()


def test_the_day_begins_again_when_it_was_needed_meanwhile(api, dataset, no_trash, image):
    remove_for_good(api, image)
    sweeping.sweep_orphans()
    pass_time(25)
    (again,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
    Blob.objects.update(last_used=timezone.now() - timedelta(days=30))
    sweeping.sweep_orphans()
    remove_for_good(api, again)
    assert sweeping.sweep_orphans() == 0 and Blob.objects.exists()


def test_what_is_referred_to_again_is_not_unused(api, image):
    Blob.objects.update(unused_since=timezone.now() - timedelta(days=2))
    sweeping.sweep_orphans()
    assert Blob.objects.get().unused_since is None


def test_one_sweep_takes_all_there_are(monkeypatch):
    monkeypatch.setattr(sweeping, "work_off", lambda is_eager: 0)
    long_ago = timezone.now() - timedelta(days=30)
    Blob.objects.bulk_create(
        Blob(sha256=f"{number:064x}", size=1, last_used=long_ago, unused_since=long_ago) for number in range(1200)
    )
    sweeping.sweep_orphans(NOW)
    assert not Blob.objects.filter(sha256__startswith="0" * 50).exists()
