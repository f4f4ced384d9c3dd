from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence

from django.db.models import QuerySet
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from common.requests import AuthenticatedRequest
from datasets import import_serializers, serializers, services, snapshot_serializers, snapshots
from datasets.duplicate_groups.selectors import summary_of
from datasets.duplicate_groups.serializers import DuplicatesSummarySerializer
from datasets.duplicates import start_duplicates
from datasets.examining import StagedImage, stage_upload
from datasets.exports import start_export
from datasets.imports import earlier_import, start_import
from datasets.ingest import add_images
from datasets.models import Dataset, Origin, Split
from datasets.outcomes import Outcome
from datasets.removal import content_of, delete_dataset
from datasets.selectors import all_images, datasets_of, snapshots_of
from datasets.snapshot_jobs import is_large, start_snapshot
from datasets.statistics import dataset_statistics
from datasets.videos import add_video
from datasets.views.labels import label_or_400
from jobs.serializers import JobSerializer
from projects.changes.making import MakesChanges
from projects.models import Project, Role
from projects.parsers import JSONParser
from projects.permissions import ProjectPermission, require_role
from projects.selectors import projects_of
from projects.serializers import DeletionSerializer, UsesSerializer, is_forced
from projects.uses import uses_of
from storage.filenames import clean_filename
from storage.finished_uploads import taking_uploads
from storage.receiving import FileBody, open_form
from vision.imaging.preprocessing import ImageError

# How an archive is read: what an import of an earlier one's archive takes over from it, unless it says otherwise.
READING_OPTIONS = ("format", "strip_location", "name_encoding")
IMPORT_OPTIONS = ("format", "strip_location", "link", "dry_run", "label_map", "skip", "name_encoding")


class DatasetFilter(filters.FilterSet):
    class Meta:
        model = Dataset
        fields = ["project"]


class DatasetViewSet(MakesChanges, viewsets.ModelViewSet):
    """Collections of images. Upload with `images/`, or a whole archive with `imports/`."""

    request: AuthenticatedRequest

    queryset = Dataset.objects.none()
    serializer_class = serializers.DatasetSerializer
    permission_classes = [ProjectPermission]
    filterset_class = DatasetFilter
    ordering_fields = ("name",)
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    repeatable = ("images", "videos")
    without_changes = ("exports", "imports", "duplicates", "snapshots")
    file_bodies = dict.fromkeys(("images", "videos", "imports"), FileBody(open_form))

    def get_queryset(self) -> QuerySet:
        return datasets_of(self.request.user)

    def get_serializer_context(self) -> dict:
        user = getattr(self.request, "user", None)
        visible = projects_of(user) if user is not None and user.is_authenticated else Project.objects.none()
        return {**super().get_serializer_context(), "visible_projects": visible}

    def perform_create(self, serializer: BaseSerializer) -> None:
        require_role(serializer.validated_data["project"], self.request.user, Role.EDITOR)
        options = serializer.validated_data
        with self.changing(options["project"], "create_dataset", dataset=options["name"]):
            serializer.instance = services.create_dataset(**options)

    def perform_update(self, serializer: BaseSerializer) -> None:
        dataset = serializer.instance
        assert dataset is not None
        changes = {name: value for name, value in serializer.validated_data.items() if name != "project"}
        with self.changing(dataset.project, "change_dataset", dataset=dataset.name):
            serializer.instance = services.update_dataset(dataset=dataset, **changes)

    @extend_schema(parameters=[DeletionSerializer], responses={204: OpenApiResponse(description="Deleted.")})
    def destroy(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Delete a dataset with its images and videos; it stays in the trash for a while.

        While work, a model in production or devices need it, that is refused with a list (409 `dataset_in_use`), unless
        `force` is set. Snapshots that something was trained or measured on stay as records, without their images."""
        dataset, force = self.get_object(), is_forced(request)
        with self.changing(dataset.project, "delete_dataset", dataset=dataset.name):
            delete_dataset(dataset=dataset, force=force)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=UsesSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def uses(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """What needs the dataset, and what is deleted with it."""
        dataset = self.get_object()
        return Response(UsesSerializer({"uses": uses_of(dataset), "along": content_of(dataset)}).data)

    @extend_schema(
        request={
            "multipart/form-data": import_serializers.UploadSerializer,
            "application/json": import_serializers.UploadSerializer,
        },
        responses={201: import_serializers.UploadAnswerSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser, JSONParser], filterset_class=None)
    def images(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Add many images, as `files` or as `uploads` in parts. Each has its own outcome; the good ones stay whatever
        the others are."""
        dataset = self.get_object()
        data = import_serializers.UploadSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        options = data.validated_data
        label = label_or_400(dataset.project, options["label"]) if "label" in options else None
        items: list[StagedImage] = []
        rejected = []
        with taking_uploads(request.user) as taking, contextlib.ExitStack() as cleanup:
            uploads = [taking.take(pk) for pk in options.get("uploads", ())]
            for upload in [*options.get("files", ()), *uploads]:
                try:
                    item = stage_upload(upload.incoming, upload.name, strip_location=options["strip_location"])
                except ImageError as error:
                    rejected.append({"filename": clean_filename(upload.name), "code": error.code, "detail": str(error)})
                    continue
                cleanup.callback(item.incoming.discard)
                item.label, item.split, item.group = label, options.get("split"), options.get("group", "")
                items.append(item)
            with self.changing(dataset.project, "upload", dataset=dataset.name):
                outcomes = add_images(
                    dataset=dataset, items=items, user=request.user, source="upload", origin=Origin.HUMAN
                )
        answer = self._upload_answer(outcomes, rejected)
        answer["remarks"] = [
            {"filename": item.filename, "code": code, "detail": detail} for item in items for code, detail in item.notes
        ]
        return Response(answer, status=status.HTTP_201_CREATED)

    def _upload_answer(self, outcomes: Sequence[Outcome], rejected: list[dict]) -> dict:
        created = [str(outcome.image_id) for outcome in outcomes if outcome.kind == "created"]
        images = {str(image.pk): image for image in all_images().filter(pk__in=created)}
        return {
            "created": serializers.ImageSerializer([images[pk] for pk in created], many=True).data,
            "duplicates": [
                {**outcome.to_dict(), "id": outcome.image_id} for outcome in outcomes if outcome.kind == "duplicate"
            ],
            "rejected": rejected,
        }

    @extend_schema(
        request={
            "multipart/form-data": serializers.NewVideoSerializer,
            "application/json": serializers.NewVideoSerializer,
        },
        responses={201: serializers.VideoSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser, JSONParser], filterset_class=None)
    def videos(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Add a video (MP4, MOV, MKV, WebM, AVI), as `file` or, when it is large, as an `upload` in parts.

        It is listed at `videos/?dataset=`. A job reads all of it and makes its strip of thumbnails.
        """
        dataset = self.get_object()
        data = serializers.NewVideoSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        options = data.validated_data
        with taking_uploads(request.user) as taking:
            file = options["file"] if "file" in options else taking.take(options["upload"])
            filename = options.get("filename") or file.name
            with self.changing(dataset.project, "add_video", filename=filename):
                video = add_video(dataset=dataset, user=request.user, incoming=file.incoming, filename=filename)
        return Response(serializers.VideoSerializer(video).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request={
            "multipart/form-data": import_serializers.ImportSerializer,
            "application/json": import_serializers.ImportSerializer,
        },
        responses={202: JobSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser, JSONParser], filterset_class=None)
    def imports(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Import an archive in the background: images with their annotations and splits.

        It is sent as `file` or, when it is large, as an `upload` in parts; lies in a store already and is named by
        `source` where the operator allows that; or is the one of an earlier `job`, and is read as that one was where
        nothing else is said. With `dry_run` the job only says
        what the import would do. An annotation file alone, or an archive without images, is for the images that the
        dataset has.

        Formats: folders of labels, COCO, Pascal VOC, YOLO, CSV, CreateML, Label Studio, LabelMe, VIA, CVAT for images
        and Datumaro; `auto` reads each annotation file by what it is and joins them. The job's report names everything
        that was not taken as it was.
        """
        dataset = self.get_object()
        data = import_serializers.ImportSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        options = data.validated_data
        source = options.get("source")
        earlier = earlier_import(dataset, options["job"]) if "job" in options else None
        chosen = {name: options[name] for name in IMPORT_OPTIONS if name in options}
        if earlier is not None:
            chosen |= {name: earlier.parameters[name] for name in READING_OPTIONS if name not in request.data}
        with taking_uploads(request.user) as taking:
            file = taking.take(options["upload"]) if "upload" in options else options.get("file")
            filename = clean_filename(file.name) if file is not None else "" if source is None else source.url
            job = start_import(
                dataset=dataset,
                user=request.user,
                incoming=None if file is None else file.incoming,
                source="" if source is None else source.url,
                earlier=earlier,
                filename=filename if earlier is None else earlier.parameters["filename"],
                **chosen,
            )
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    @extend_schema(request=import_serializers.ExportSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def exports(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Write the dataset as a zip in the background; the job's `result.download_url` has it."""
        dataset = self.get_object()
        data = import_serializers.ExportSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        job = start_export(dataset=dataset, user=request.user, format=data.validated_data["format"])
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    @extend_schema(methods=["GET"], responses=DuplicatesSummarySerializer)
    @extend_schema(
        methods=["POST"], request=import_serializers.DuplicatesRequestSerializer, responses={202: JobSerializer}
    )
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def duplicates(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Look for exact and near duplicates, and for images that are in train and in test, in the background. The
        groups are those that the dataset's splits keep together.

        GET counts what the last search found that is still there; the groups are at `duplicate-groups/?dataset=`.
        """
        dataset = self.get_object()
        if request.method == "GET":
            return Response(DuplicatesSummarySerializer(summary_of(dataset=dataset, user=request.user)).data)
        data = import_serializers.DuplicatesRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        job = start_duplicates(dataset=dataset, user=request.user, **data.validated_data)
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    @extend_schema(responses=snapshot_serializers.StatisticsSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def statistics(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Images by label, split, format and size."""
        return Response(dataset_statistics(self.get_object()))

    @extend_schema(methods=["GET"], responses=snapshot_serializers.SnapshotSerializer(many=True))
    @extend_schema(
        methods=["POST"],
        request=snapshot_serializers.SnapshotRequestSerializer,
        responses={201: snapshot_serializers.SnapshotSerializer, 202: JobSerializer},
    )
    @action(detail=True, methods=["get", "post"], filterset_class=None, ordering_fields=())
    def snapshots(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Frozen versions of the dataset, the newest first.

        A large dataset is frozen by a job (202): its `result.snapshot` is the id.
        """
        dataset = self.get_object()
        if request.method == "GET":
            page = self.paginate_queryset(snapshots_of(request.user).filter(dataset=dataset))
            return self.get_paginated_response(snapshot_serializers.SnapshotSerializer(page, many=True).data)
        data = snapshot_serializers.SnapshotRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        fractions = {split: data.validated_data[split] for split in Split.values}
        options = {
            "dataset": dataset,
            "user": request.user,
            "fractions": fractions,
            "seed": data.validated_data["seed"],
        }
        if is_large(dataset):
            job = start_snapshot(**options)
            location = reverse("job-detail", args=[job.pk])
            return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})
        snapshot = snapshots.take_snapshot(**options)
        return Response(snapshot_serializers.SnapshotSerializer(snapshot).data, status=status.HTTP_201_CREATED)
