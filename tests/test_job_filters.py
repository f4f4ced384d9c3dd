"""Jobs are found by what they are about, without reading all of them."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import Job

pytestmark = pytest.mark.django_db


def test_work_on_a_video_is_found_by_an_index(api, project):
    videos = [str(uuid.UUID(int=number)) for number in range(1000)]
    Job.objects.bulk_create(Job(project=project, kind="video_frames", parameters={"video": video}) for video in videos)
    Job.objects.bulk_create(Job(project=project, kind="import", parameters={"video": None}) for _ in range(1000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as queries:
        listed = api.get("/api/v1/jobs/", {"video": videos[7]}).json()["results"]
    assert [job["kind"] for job in listed] == ["video_frames"]
    (listing,) = [query["sql"] for query in queries if videos[7] in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{listing}")
        assert "job_video" in str(cursor.fetchall())
