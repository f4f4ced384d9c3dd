from __future__ import annotations

from django.db.models import Count
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from datasets import serializers
from datasets.models import Video
from datasets.selectors import shown_videos, videos_of
from datasets.videos import delete_video
from projects.changes.fields import change_fields
from projects.changes.views import MakesChanges
from projects.permissions import ProjectPermission, SignedReadPermission
from storage.downloads import blob_response
from storage.signing import is_signed


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

    queryset = Video.objects.none()
    serializer_class = serializers.VideoSerializer
    permission_classes = [ProjectPermission]
    filterset_class = VideoFilter
    ordering_fields = ("filename",)
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_queryset(self):
        if self.action in ("file", "strip") and is_signed(self.request):
            return shown_videos()
        videos = videos_of(self.request.user)
        return videos if self.action in ("file", "strip") else videos.annotate(counted_frames=Count("frames"))

    def perform_update(self, serializer) -> None:
        video = serializer.instance
        with self.changing(video.project, "change_video", filename=video.filename):
            change_fields("video_fields", video, serializer.validated_data)

    @extend_schema(
        parameters=[serializers.VideoDeletionSerializer], responses={204: OpenApiResponse(description="Deleted.")}
    )
    def destroy(self, request, pk=None):
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
    def file(self, request, pk=None):
        """The original bytes. Supports `ETag`, `If-None-Match` and `Range`; takes signed URLs."""
        video = self.get_object()
        return blob_response(request, video.blob, video.filename)

    @extend_schema(responses={(200, "image/jpeg"): OpenApiTypes.BINARY, (206, "image/jpeg"): OpenApiTypes.BINARY})
    @action(detail=True, permission_classes=[SignedReadPermission], pagination_class=None, filterset_class=None)
    def strip(self, request, pk=None):
        """Small pictures side by side, from the beginning to the end; `strip_times` says when each was. Takes signed
        URLs."""
        video = self.get_object()
        if video.strip_blob is None:
            raise NotFound("This video has no strip yet: it is still being read through.")
        return blob_response(request, video.strip_blob, f"{video.filename}-strip.jpg")
