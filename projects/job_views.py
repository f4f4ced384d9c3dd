from __future__ import annotations

import json
import uuid

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from common.requests import AuthenticatedRequest
from jobs import serializers, work
from jobs.job_video import JobVideo
from jobs.models import ENDED, Job, WorkState
from jobs.report_lines import decode_cursor, encode_cursor, read_page
from jobs.retries import check_retry
from jobs.services import delete_job, retry_job
from projects.events import EVENT_STREAM, NOTHING_LEFT, EventStreamRenderer, StreamsEvents, event_stream
from projects.permissions import MemberLinkPermission, ProjectPermission
from projects.selectors import jobs_of
from storage import services as storage
from storage.downloads import blob_response
from storage.signing import signed_for


class JobFilter(filters.FilterSet):
    video = filters.UUIDFilter(method="of_video", label="Work on this video.")

    def of_video(self, queryset: QuerySet, name: str, value: uuid.UUID) -> QuerySet:
        return queryset.alias(of_video=JobVideo()).filter(of_video=str(value))

    class Meta:
        model = Job
        fields = ["project", "kind", "state"]


class JobViewSet(
    StreamsEvents, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """Background work: imports, exports and estimates."""

    request: AuthenticatedRequest

    queryset = Job.objects.none()
    serializer_class = serializers.JobSerializer
    permission_classes = [ProjectPermission]
    filterset_class = JobFilter
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet:
        by_link = signed_for(self.request) if self.action in ("file", "files") else None
        return jobs_of(by_link or self.request.user)

    def perform_destroy(self, instance: Job) -> None:
        """Delete an ended job with its files."""
        delete_job(job=instance)

    @extend_schema(request=None, responses=serializers.JobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Cancel a job: at once when it waits, within seconds when it runs."""
        job = self.get_object()
        work.request_cancel(job)
        return Response(self.get_serializer(job).data)

    @extend_schema(request=None, responses={202: serializers.JobSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Do again what failed or was cancelled: a new job with the same settings."""
        job = self.get_object()
        check_retry(job, request.user)
        job = retry_job(job=job, user=request.user)
        location = reverse("job-detail", args=[job.pk])
        return Response(self.get_serializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def log(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponse:
        """What the job said while it worked, a line each, with times."""
        return HttpResponse(work.log_of(self.get_object()), content_type="text/plain; charset=utf-8")

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        }
    )
    @action(
        detail=True,
        url_path="files/<str:name>",
        permission_classes=[MemberLinkPermission],
        pagination_class=None,
        filterset_class=None,
    )
    def files(self, request: Request, pk: uuid.UUID | None = None, name: str | None = None) -> HttpResponseBase:
        """One of the files that the job made, as `result.files` lists them. Supports `Range`, takes signed URLs."""
        file = get_object_or_404(self.get_object().files.select_related("blob"), name=name)
        return blob_response(request, file.blob, file.name)

    @extend_schema(responses={(200, "text/event-stream"): EVENT_STREAM, 204: NOTHING_LEFT})
    @action(detail=True, renderer_classes=[EventStreamRenderer], pagination_class=None, filterset_class=None)
    def events(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> HttpResponseBase:
        """Watch a job live, from its beginning or after `Last-Event-ID`."""
        return event_stream(request, self.get_object(), jobs_of)

    @extend_schema(responses={(200, "application/x-ndjson"): serializers.ReportLineSerializer})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def report(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponseBase:
        """One JSON line for every file that was not taken as it is, with the reason.

        Where all were, it is one line with the `outcome` `summary` and the counts.
        """
        job = self.get_object()
        if job.report_blob is None:
            if job.state != WorkState.SUCCEEDED or "created" not in (job.result or {}):
                raise NotFound(_why_no_report(job))
            line = json.dumps({"outcome": "summary", **job.result}, ensure_ascii=False)
            return HttpResponse(f"{line}\n", content_type="application/x-ndjson")
        return blob_response(request, job.report_blob, f"{job.kind}-{job.pk}.jsonl")

    @extend_schema(parameters=[serializers.ReportQuerySerializer], responses=serializers.ReportPageSerializer)
    @action(detail=True, url_path="report/lines", pagination_class=None, filterset_class=None)
    def report_lines(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """The report page by page: what was not taken as it is, with its code, the annotation file and the line in it.

        A page may have fewer lines than asked for, or none, while `next` says that there are more.
        """
        job = self.get_object()
        query = serializers.ReportQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        if job.report_blob is None:
            if job.state not in ENDED:
                raise NotFound(_why_no_report(job))
            return Response({"next": None, "results": []})
        options = {name: query.validated_data[name] for name in ("outcome", "code") if name in query.validated_data}
        start = decode_cursor(query.validated_data.get("cursor"))
        with storage.opened(job.report_blob) as file:
            page = read_page(file, start, query.validated_data["page_size"], options)
        url = None
        if page.next is not None:
            url = replace_query_param(request.build_absolute_uri(), "cursor", encode_cursor(page.next))
        return Response({"next": url, "results": page.lines})

    @extend_schema(
        responses={(200, "application/zip"): OpenApiTypes.BINARY, (206, "application/zip"): OpenApiTypes.BINARY}
    )
    @action(detail=True, permission_classes=[MemberLinkPermission], pagination_class=None, filterset_class=None)
    def file(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponseBase:
        """What the job made, for example an exported dataset. Supports `ETag` and `Range`; takes your signed URLs."""
        job = self.get_object()
        if job.output_blob is None:
            raise NotFound("This job has no file (yet).")
        return blob_response(request, job.output_blob, job.output_name)


def _why_no_report(job: Job) -> str:
    if job.state not in ENDED:
        return f"This job is {job.state}; its report is there when it has ended."
    return "This job has no report: only imports that came to an end have one."
