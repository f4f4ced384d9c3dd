from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.known import ALWAYS, refuse_unknown
from common.requests import AuthenticatedRequest
from datasets import import_serializers, snapshot_serializers, thumbnails
from datasets.exports import start_snapshot_export
from datasets.models import Snapshot, SnapshotImage
from datasets.selectors import snapshots_of
from datasets.snapshot_reading import comparing
from datasets.snapshot_reading import serializers as shapes
from datasets.snapshot_reading.rows import in_split_and_label, rows_of
from datasets.views.image_files import ANSWERS, FORMAT, VERSION, AnswersImages
from jobs.serializers import JobSerializer
from projects.changes.fields import change_fields
from projects.changes.making import MakesChanges
from projects.filters import PAGING
from projects.permissions import ProjectPermission


class SnapshotFilter(filters.FilterSet):
    class Meta:
        model = Snapshot
        fields = ["project", "dataset"]


class SnapshotViewSet(MakesChanges, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Frozen versions of your datasets, the newest first."""

    request: AuthenticatedRequest

    queryset = Snapshot.objects.none()
    serializer_class = snapshot_serializers.SnapshotSerializer
    permission_classes = [ProjectPermission]
    filterset_class = SnapshotFilter
    lookup_value_converter = "uuid"
    default_ordering = "-id"

    @extend_schema(
        request=snapshot_serializers.SnapshotChangeSerializer(partial=True),
        responses=snapshot_serializers.SnapshotSerializer,
    )
    def partial_update(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Name a snapshot, or write notes about it. What is in it never changes."""
        snapshot = self.get_object()
        data = snapshot_serializers.SnapshotChangeSerializer(snapshot, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        with self.changing(snapshot.project, "change_snapshot"):
            change_fields("snapshot_fields", snapshot, data.validated_data)
        return Response(self.get_serializer(snapshot).data)

    @extend_schema(
        parameters=[shapes.SnapshotImagesQuerySerializer], responses=shapes.SnapshotImageSerializer(many=True)
    )
    @action(detail=True, filterset_class=None, default_ordering="id")
    def images(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """The images of the snapshot with the annotations that they had then; also those that were deleted since."""
        snapshot = self.get_object()
        options = self._query(shapes.SnapshotImagesQuerySerializer)
        held = snapshot.images.select_related("blob")
        # The images of a record go with its dataset; while that is in the trash, they are only not shown.
        rows = in_split_and_label(held if snapshot.dataset_id is not None else held.none(), **options)
        return self.get_paginated_response(self._rows(snapshot, self.paginate_queryset(rows) or []))

    @extend_schema(parameters=[shapes.CompareSnapshotsQuerySerializer], responses=shapes.SnapshotComparisonSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def compare(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """What changed since another snapshot of the project: images that were added, removed, given other annotations
        or moved to another split, and the images of each label side by side."""
        after, before = self._compared(shapes.CompareSnapshotsQuerySerializer)
        answer = {
            "before": before,
            "after": after,
            "images": comparing.count_differences(before, after),
            "labels": comparing.count_labels(before, after),
            "splits": comparing.count_splits(before, after),
        }
        return Response(shapes.SnapshotComparisonSerializer(answer).data)

    @extend_schema(
        parameters=[shapes.ComparedImagesQuerySerializer], responses=shapes.SnapshotImageSerializer(many=True)
    )
    @action(detail=True, url_path="compare/images", filterset_class=None, default_ordering="id")
    def compared_images(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """The images of one difference, with what they were before."""
        after, before = self._compared(shapes.ComparedImagesQuerySerializer)
        rows = comparing.differing(before, after, self._options["difference"]).select_related("blob")
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(self._rows(after, page, comparing.before_of(before, page)))

    @extend_schema(request=import_serializers.ExportSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def exports(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Write the snapshot as a zip in the background: its images with the annotations and splits that they had
        then. The job's `result.download_url` has it."""
        snapshot = self.get_object()
        data = import_serializers.ExportSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        job = start_snapshot_export(snapshot=snapshot, user=request.user, format=data.validated_data["format"])
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    def get_queryset(self) -> QuerySet:
        return snapshots_of(self.request.user)

    def _query(self, shape: type[Serializer]) -> dict:
        """The parameters of the request. Raises `ValidationError` for those that nobody knows."""
        query = shape(data=self.request.query_params, context={"snapshots": self.get_queryset()})
        refuse_unknown(
            self.request.query_params, [*query.fields, *PAGING, *ALWAYS], code="unknown_filter", what="filter"
        )
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)

    def _compared(self, shape: type[Serializer]) -> tuple[Snapshot, Snapshot]:
        after = self.get_object()
        self._options = self._query(shape)
        before = self._options["with"]
        comparing.require_comparable(before, after)
        return after, before

    def _rows(self, snapshot: Snapshot, page: Sequence[SnapshotImage], before: Mapping | None = None) -> list[dict]:
        return shapes.SnapshotImageSerializer(rows_of(page, snapshot.project_id, before), many=True).data  # type: ignore[return-value]


class SnapshotThumbnailView(AnswersImages, viewsets.GenericViewSet):
    """A small version of an image of a snapshot."""

    request: AuthenticatedRequest

    queryset = Snapshot.objects.none()
    serializer_class = None
    permission_classes = [ProjectPermission]
    pagination_class = None

    def get_queryset(self) -> QuerySet:
        return snapshots_of(self.request.user)

    @extend_schema(
        parameters=[
            OpenApiParameter("row", OpenApiTypes.INT, OpenApiParameter.PATH, description="`id` of the image's row."),
            OpenApiParameter("size", OpenApiTypes.INT, enum=thumbnails.SIZES, default=thumbnails.SIZES[0]),
            VERSION,
            FORMAT,
        ],
        responses=ANSWERS,
    )
    def thumbnail(self, request: Request, pk: uuid.UUID, row: int) -> HttpResponseBase:
        """A small JPEG or WebP of an image of the snapshot, also when it was deleted since."""
        image = SnapshotImage.objects.filter(snapshot=self.get_object(), pk=row).select_related("blob", "image").first()
        if image is None:
            raise NotFound()
        size, kind = self.one_of("size", thumbnails.SIZES), self.image_kind()
        return self.answer_image(image, kind, f"{size}", size, thumbnails.ensure_thumbnail)
