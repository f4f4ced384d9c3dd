"""Answers that many views give."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import status
from rest_framework.response import Response

from jobs.models import Job
from jobs.serializers import JobSerializer


def accepted(job: Job) -> Response:
    """What was asked for is done in the background: its job, and where that is."""
    location = reverse("job-detail", args=[job.pk])
    return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})
