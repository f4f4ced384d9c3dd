from __future__ import annotations

import uuid

from django.db.models import Count, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer

from common.requests import AuthenticatedRequest
from datasets import serializers
from datasets.models import Video
from datasets.playing import frame_of, start_proxy
from datasets.selectors import shown_videos, videos_of
from datasets.videos import delete_video
from jobs.serializers import JobSerializer
from projects.changes.fields import change_fields
from projects.changes.making import MakesChanges
from projects.permissions import ProjectPermission, SignedReadPermission
from storage.downloads import blob_response
from storage.signing import is_signed

IMAGE_ACTIONS = ("file", "strip", "frame")


class VideoFilter(filters.FilterSet):
    project = filters.UUIDFilter(field_name="dataset__project_id")
    filename = filters.CharFilter(lookup_expr="icontains", max_length=255)

    class Meta:
        model = Video
        fields = ["dataset"]


class VideoViewSet(
    MakesChanges,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Videos of your datasets. They are added at `datasets/{id}/videos/`."""

    request: AuthenticatedRequest

    queryset = Video.objects.none()
    serializer_class = serializers.VideoSerializer
    permission_classes = [ProjectPermission]
    filterset_class = VideoFilter
    ordering_fields = ("filename",)
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_queryset(self) -> QuerySet:
        if self.action in IMAGE_ACTIONS and is_signed(self.request):
            return shown_videos()
        videos = videos_of(self.request.user)
        return videos if self.action in IMAGE_ACTIONS else videos.annotate(counted_frames=Count("frames"))

    def perform_update(self, serializer: BaseSerializer) -> None:
        video = serializer.instance
        assert video is not None
        with self.changing(video.project, "change_video", filename=video.filename):
            change_fields("video_fields", video, serializer.validated_data)

    @extend_schema(
        parameters=[serializers.VideoDeletionSerializer], responses={204: OpenApiResponse(description="Deleted.")}
    )
    def destroy(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Delete a video; it stays in the trash for a while.

        When images were cut from it, `frames` says what happens to them. While work needs the video, that is refused
        with a list (409 `video_in_use`), unless `force` is set."""
        data = serializers.VideoDeletionSerializer(data=request.query_params)
        data.is_valid(raise_exception=True)
        video = self.get_object()
        with self.changing(video.project, "delete_video", filename=video.filename):
            delete_video(video=video, **data.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={(200, "video/*"): OpenApiTypes.BINARY, (206, "video/*"): OpenApiTypes.BINARY})
    @action(detail=True, permission_classes=[SignedReadPermission], pagination_class=None, filterset_class=None)
    def file(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponseBase:
        """The original bytes. Supports `ETag`, `If-None-Match` and `Range`; takes signed URLs."""
        video = self.get_object()
        return blob_response(request, video.blob, video.filename)

    @extend_schema(parameters=[serializers.FrameQuerySerializer], responses={(200, "image/jpeg"): OpenApiTypes.BINARY})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def frame(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponse:
        """One frame as JPEG: by its `index`, or the one that is shown at a `time` (seconds). `X-Frame-Time` says when
        it begins. For players that cannot read the file, and for stepping through it."""
        video = self.get_object()
        asked = serializers.FrameQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        frame = frame_of(video=video, **asked.validated_data)
        response = HttpResponse(frame.jpeg, content_type="image/jpeg")
        # The bytes of a video never change under its address.
        response["Cache-Control"] = "private, max-age=86400"
        response["X-Frame-Time"] = f"{frame.time:.6f}"
        response["X-Content-Type-Options"] = "nosniff"
        patch_vary_headers(response, ["Cookie", "Authorization"])
        return response

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def proxy(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Write the video in a format that browsers play (MP4), in the background: the job's `proxy.mp4`.

        It has the same frames, at an even rate. Asked again, it answers the job that is there."""
        job = start_proxy(video=self.get_object(), user=request.user)
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    @extend_schema(responses={(200, "image/jpeg"): OpenApiTypes.BINARY, (206, "image/jpeg"): OpenApiTypes.BINARY})
    @action(detail=True, permission_classes=[SignedReadPermission], pagination_class=None, filterset_class=None)
    def strip(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponseBase:
        """Small images side by side, from the beginning to the end; `strip_times` says when each was. Takes signed
        URLs."""
        video = self.get_object()
        if video.strip_blob is None:
            raise NotFound("This video has no strip yet: it is still being read through.")
        return blob_response(request, video.strip_blob, f"{video.filename}-strip.jpg")
