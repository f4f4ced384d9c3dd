"""Requests that come at the same moment do not exceed a limit together, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from django.conf import settings as project_settings

from accounts import limits as account_limits
from common.errors import StudioError
from datasets.examining import stage_image
from datasets.exports import ExportParameters
from datasets.ingest import add_images
from datasets.models import Dataset, Image
from jobs import limits as job_limits
from jobs import services as jobs
from jobs.models import Job
from projects import limits
from projects.models import Project
from projects.services import create_project
from storage import resumable
from storage.models import Upload
from tests.pictures import jpeg
from tests.test_two_writers import row, together  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True, available_apps=project_settings.INSTALLED_APPS)
AT_ONCE = 4
EXPORT = ExportParameters(dataset="", format="csv")


@pytest.fixture(autouse=True)
def all_look_at_once(monkeypatch):
    """Each request that has counted waits for a moment for the others to count, too, before it goes on."""
    meeting = threading.Barrier(AT_ONCE)

    def met(count):
        def counted(*arguments, **options):
            found = count(*arguments, **options)
            try:
                meeting.wait(0.5)
            except threading.BrokenBarrierError:  # the others are kept from counting, as they should be
                meeting.reset()
            return found

        return counted

    originals = {
        limit: limit.used
        for limit in account_limits._limits.values()
        if limit.name in ("projects", "open_uploads", "images")
    }
    for limit, used in originals.items():
        object.__setattr__(limit, "used", met(used))
    monkeypatch.setattr(job_limits, "unfinished", met(job_limits.unfinished))
    yield
    for limit, used in originals.items():
        object.__setattr__(limit, "used", used)
    for count in (limits.user_bytes, limits.project_bytes):
        count.clear()


def try_together(call) -> int:
    """How many of the calls were let in."""

    def tried() -> bool:
        try:
            call()
        except StudioError as error:
            assert error.status in (400, 403, 429), error
            return False
        return True

    return sum(together(*[tried] * AT_ONCE))


def test_jobs_of_a_user_and_of_a_project(project, owner, settings):
    settings.MAX_QUEUED_JOBS = 2
    assert try_together(lambda: jobs.enqueue_job(project=project, user=owner, parameters=EXPORT)) == 2
    settings.MAX_QUEUED_JOBS, settings.MAX_QUEUED_JOBS_PER_PROJECT = 0, 3
    assert try_together(lambda: jobs.enqueue_job(project=project, user=None, parameters=EXPORT)) == 1
    assert Job.objects.count() == 3


def test_projects(owner, settings):
    settings.MAX_PROJECTS = 2
    assert try_together(lambda: create_project(user=owner, name="one")) == 2 == Project.objects.count()


def test_open_uploads(owner, settings):
    settings.MAX_OPEN_UPLOADS = 2
    assert try_together(lambda: resumable.begin_upload(user=owner, length=10)) == 2 == Upload.objects.count()


def test_images_of_projects_of_one_user(owner, project, row, settings):  # noqa: F811
    settings.MAX_USER_IMAGES = 2
    others = [row]
    for number in range(AT_ONCE - 1):
        other = create_project(user=owner, name=f"other {number}")
        others.append(Dataset.objects.create(project=other, name="d"))
        Project.objects.filter(pk=other.pk).update(dataset_count=1)
    seeds = iter(range(AT_ONCE))
    lock = threading.Lock()

    def add_one() -> None:
        with lock:
            number = next(seeds)
        item = stage_image(jpeg(number), f"{number}.jpg")
        try:
            add_images(dataset=others[number], items=[item], source="upload")
        finally:
            item.incoming.discard()

    assert try_together(add_one) == 2 == Image.objects.count()
