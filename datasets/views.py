from __future__ import annotations

import contextlib
import uuid

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response

from datasets import serializers, services, snapshots, thumbnails
from datasets.exports import start_export
from datasets.formats.boxes import composed
from datasets.imaging.preprocessing import ImageError
from datasets.imports import start_import
from datasets.ingest import Examined, add_images, clean_filename, examine_upload
from datasets.models import Annotation, AnnotationChange, Dataset, Image, Label, Origin, Snapshot, Split
from datasets.selectors import all_images, datasets_of, find_label, images_of, labels_of, snapshots_of
from projects.models import Project, Role
from projects.permissions import ProjectPermission, SignedReadPermission, require_role
from projects.selectors import project_ids_of, projects_of
from projects.serializers import JobSerializer
from projects.views import InProject
from storage.downloads import blob_response, file_response
from storage.signing import is_signed

NOTHING = OpenApiResponse(description="Done.")


def label_or_400(project: Project, text: str) -> Label:
    label = find_label(project, text)
    if label is None:
        raise ValidationError({"label": [f"The project has no label {text!r}."]}, code="unknown_label")
    return label


class LabelViewSet(InProject, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """The labels of a project."""

    queryset = Label.objects.none()
    serializer_class = serializers.LabelSerializer
    lookup_value_converter = "uuid"
    default_ordering = "order"
    ordering_fields = ("order", "name")

    def get_queryset(self):
        return Label.objects.filter(project_id=self.kwargs["project_id"])

    @extend_schema(responses={201: serializers.LabelSerializer})
    def create(self, request, project_id):
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        label = services.create_label(project=self.project, **data.validated_data)
        return Response(self.get_serializer(label).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request, project_id, pk):
        """Rename or recolour. Every image shows the new name at once."""
        label = self.get_object()
        data = self.get_serializer(label, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return Response(self.get_serializer(services.update_label(label=label, **data.validated_data)).data)

    @extend_schema(parameters=[serializers.LabelDeletionSerializer], responses={204: NOTHING})
    def destroy(self, request, project_id, pk):
        """Delete a label. When images carry it, `images` says what happens to them."""
        data = serializers.LabelDeletionSerializer(data=request.query_params)
        data.is_valid(raise_exception=True)
        choice, target = data.validated_data.get("images"), data.validated_data.get("move_to")
        move_to = get_object_or_404(labels_of(self.project), pk=target) if target else None
        services.delete_label(label=self.get_object(), images=choice, move_to=move_to)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=serializers.LabelMergeSerializer, responses=serializers.LabelSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request, project_id, pk):
        """Give all images of this label another one and delete it. Answers with the label that stays."""
        data = serializers.LabelMergeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        into = get_object_or_404(labels_of(self.project), pk=data.validated_data["into"])
        return Response(self.get_serializer(services.merge_labels(label=self.get_object(), into=into)).data)

    @extend_schema(request=serializers.LabelOrderSerializer, responses=serializers.LabelSerializer(many=True))
    @action(detail=False, methods=["post"], pagination_class=None)
    def reorder(self, request, project_id):
        """Put the labels into an order."""
        data = serializers.LabelOrderSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        services.reorder_labels(project=self.project, ids=data.validated_data["labels"])
        return Response(self.get_serializer(self.get_queryset(), many=True).data)


class DatasetFilter(filters.FilterSet):
    class Meta:
        model = Dataset
        fields = ["project"]


class DatasetViewSet(viewsets.ModelViewSet):
    """Collections of images. Upload with `images/`, or a whole archive with `imports/`."""

    queryset = Dataset.objects.none()
    serializer_class = serializers.DatasetSerializer
    permission_classes = [ProjectPermission]
    filterset_class = DatasetFilter
    ordering_fields = ("name",)
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_queryset(self):
        return datasets_of(self.request.user)

    def get_serializer_context(self) -> dict:
        user = getattr(self.request, "user", None)
        visible = projects_of(user) if user is not None and user.is_authenticated else Project.objects.none()
        return {**super().get_serializer_context(), "visible_projects": visible}

    def perform_create(self, serializer) -> None:
        require_role(serializer.validated_data["project"], self.request.user, Role.EDITOR)
        serializer.instance = services.create_dataset(**serializer.validated_data)

    def perform_destroy(self, instance: Dataset) -> None:
        services.delete_dataset(dataset=instance)

    @extend_schema(
        request={"multipart/form-data": serializers.UploadSerializer},
        responses={201: serializers.UploadAnswerSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser], filterset_class=None)
    def images(self, request, pk=None):
        """Upload many images. Each file has its own outcome; the good ones stay whatever the others are."""
        dataset = self.get_object()
        data = serializers.UploadSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        options = data.validated_data
        label = label_or_400(dataset.project, options["label"]) if "label" in options else None
        items: list[Examined] = []
        rejected = []
        with contextlib.ExitStack() as cleanup:
            for upload in options["files"]:
                try:
                    item = examine_upload(upload.incoming, upload.name, strip_location=options["strip_location"])
                except ImageError as error:
                    rejected.append({"filename": clean_filename(upload.name), "code": error.code, "detail": str(error)})
                    continue
                cleanup.callback(item.incoming.discard)
                item.label, item.split, item.group = label, options.get("split"), options.get("group", "")
                items.append(item)
            outcomes = add_images(dataset=dataset, items=items, user=request.user, source="upload", origin=Origin.HUMAN)
        return Response(self._upload_answer(outcomes, rejected), status=status.HTTP_201_CREATED)

    def _upload_answer(self, outcomes, rejected: list[dict]) -> dict:
        created = [outcome.image_id for outcome in outcomes if outcome.kind == "created"]
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
            "multipart/form-data": serializers.ImportSerializer,
            "application/json": serializers.ImportSerializer,
        },
        responses={202: JobSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser, JSONParser], filterset_class=None)
    def imports(self, request, pk=None):
        """Import a zip in the background: images with their annotations and splits.

        It is sent as `file`, or lies in a store already and is named by `source`, where the operator allows that.

        Formats: `folder` (a folder a label), `coco`, `voc`, `yolo`, `csv` (keras-retinanet); `auto` recognises them.
        The job's report names every file and box that was not taken as it was.
        """
        dataset = self.get_object()
        data = serializers.ImportSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        upload, source = data.validated_data.get("file"), data.validated_data.get("source")
        job = start_import(
            dataset=dataset,
            user=request.user,
            incoming=None if upload is None else upload.incoming,
            source="" if source is None else source.url,
            link=data.validated_data["link"],
            filename=source.url if upload is None else clean_filename(upload.name),
            format=data.validated_data["format"],
            strip_location=data.validated_data["strip_location"],
        )
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    @extend_schema(request=serializers.ExportSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def exports(self, request, pk=None):
        """Write the dataset as a zip in the background; the job's `result.download_url` has it."""
        dataset = self.get_object()
        data = serializers.ExportSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        job = start_export(dataset=dataset, user=request.user, format=data.validated_data["format"])
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    @extend_schema(responses=serializers.StatisticsSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def statistics(self, request, pk=None):
        """Images by label, split, format and size."""
        return Response(services.dataset_statistics(self.get_object()))

    @extend_schema(methods=["GET"], responses=serializers.SnapshotSerializer(many=True))
    @extend_schema(
        methods=["POST"],
        request=serializers.SnapshotRequestSerializer,
        responses={201: serializers.SnapshotSerializer},
    )
    @action(detail=True, methods=["get", "post"], filterset_class=None, ordering_fields=())
    def snapshots(self, request, pk=None):
        """Frozen versions of the dataset, the newest first."""
        dataset = self.get_object()
        if request.method == "GET":
            page = self.paginate_queryset(Snapshot.objects.filter(dataset=dataset))
            return self.get_paginated_response(serializers.SnapshotSerializer(page, many=True).data)
        data = serializers.SnapshotRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        fractions = {split: data.validated_data[split] for split in Split.values}
        snapshot = snapshots.take_snapshot(
            dataset=dataset, user=request.user, fractions=fractions, seed=data.validated_data["seed"]
        )
        return Response(serializers.SnapshotSerializer(snapshot).data, status=status.HTTP_201_CREATED)


RARE = 2_000


class ImageFilter(filters.FilterSet):
    dataset = filters.UUIDFilter(field_name="dataset_id")
    project = filters.UUIDFilter(field_name="dataset__project_id")
    label = filters.CharFilter(method="with_label", max_length=100, label="Name or id of a label.")
    split = filters.ChoiceFilter(choices=[*Split.choices, ("none", "none")], method="with_split")
    annotated = filters.BooleanFilter(method="with_annotations")
    origin = filters.ChoiceFilter(choices=Origin.choices, method="with_origin")
    filename = filters.CharFilter(lookup_expr="icontains", max_length=255)

    class Meta:
        model = Image
        fields: list[str] = []

    def with_label(self, queryset, name, value):
        labels = Label.objects.filter(project__in=project_ids_of(self.request.user))
        wanted = Q(name=composed(value))
        with contextlib.suppress(ValueError):
            wanted |= Q(pk=uuid.UUID(value))
        annotations = Annotation.objects.filter(label__in=list(labels.filter(wanted).values_list("pk", flat=True)))
        if annotations[RARE : RARE + 1].exists():
            return queryset.filter(Exists(annotations.filter(image=OuterRef("pk"))))
        # Few images have it: to look at each of a million for the label would take a second.
        return queryset.filter(pk__in=annotations.values("image"))

    def with_split(self, queryset, name, value):
        return queryset.filter(split=None if value == "none" else value)

    def with_annotations(self, queryset, name, value):
        return queryset.filter(_annotation_exists() if value else ~_annotation_exists())

    def with_origin(self, queryset, name, value):
        return queryset.filter(_annotation_exists(origin=value))


def _annotation_exists(**conditions) -> Exists:
    return Exists(Annotation.objects.filter(image=OuterRef("pk"), **conditions))


class ImageViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Images of your datasets."""

    queryset = Image.objects.none()
    serializer_class = serializers.ImageSerializer
    permission_classes = [ProjectPermission]
    filterset_class = ImageFilter
    ordering_fields = ("filename",)
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "put", "patch", "delete", "head", "options"]

    def get_queryset(self):
        if self.action in ("file", "thumbnail") and is_signed(self.request):
            return all_images()
        return images_of(self.request.user)

    @extend_schema(exclude=True)
    def update(self, request, *args, **kwargs):
        if not kwargs.get("partial"):
            self.http_method_not_allowed(request)
        return super().update(request, *args, **kwargs)

    def perform_destroy(self, instance: Image) -> None:
        services.delete_images(images=[instance])

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY, (206, "image/*"): OpenApiTypes.BINARY})
    @action(detail=True, permission_classes=[SignedReadPermission], pagination_class=None, filterset_class=None)
    def file(self, request, pk=None):
        """The original bytes. Supports `ETag`, `If-None-Match` and `Range`; takes signed URLs."""
        image = self.get_object()
        return blob_response(request, image.blob, image.filename)

    @extend_schema(
        parameters=[OpenApiParameter("size", OpenApiTypes.INT, enum=thumbnails.SIZES, default=thumbnails.SIZES[0])],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, (206, "image/jpeg"): OpenApiTypes.BINARY},
    )
    @action(detail=True, permission_classes=[SignedReadPermission], pagination_class=None, filterset_class=None)
    def thumbnail(self, request, pk=None):
        """A small JPEG of the upright image. Takes signed URLs."""
        image = self.get_object()
        text = request.query_params.get("size", str(thumbnails.SIZES[0]))
        if text not in [str(size) for size in thumbnails.SIZES]:
            raise ValidationError({"size": [f"Must be one of {', '.join(map(str, thumbnails.SIZES))}."]})
        try:
            path = thumbnails.ensure_thumbnail(image.blob, int(text))
        except ImageError as error:
            raise NotFound(f"This image has no thumbnail: {error}") from error
        return file_response(request, path, f"{image.blob.sha256}-{text}", "image/jpeg", f"{image.filename}-{text}.jpg")

    @extend_schema(methods=["GET"], responses=serializers.AnnotationsAnswerSerializer)
    @extend_schema(
        methods=["PUT"],
        parameters=[OpenApiParameter("revision", OpenApiTypes.INT, description="The revision you saw; 409 if passed.")],
        request=serializers.AnnotationRequestSerializer(many=True),
        responses=serializers.AnnotationsAnswerSerializer,
    )
    @action(detail=True, methods=["get", "put"], pagination_class=None, filterset_class=None)
    def annotations(self, request, pk=None):
        """All annotations of the image; PUT replaces them."""
        image = self.get_object()
        if request.method == "PUT":
            data = serializers.AnnotationRequestSerializer(data=request.data, many=True, max_length=10_000)
            data.is_valid(raise_exception=True)
            wanted = [{**one, "label": label_or_400(image.project, one["label"])} for one in data.validated_data]
            image = services.replace_annotations(
                image=image, annotations=wanted, revision=self._seen_revision(), user=request.user
            )
        rows = image.annotations.select_related("label").order_by("id")
        answer = {"revision": image.revision, "annotations": rows}
        return Response(serializers.AnnotationsAnswerSerializer(answer).data)

    @extend_schema(responses=serializers.ChangeSerializer(many=True))
    @action(detail=True, filterset_class=None, ordering_fields=())
    def history(self, request, pk=None):
        """Who changed the annotations of the image, the latest change first."""
        changes = AnnotationChange.objects.filter(image=self.get_object()).select_related("changed_by")
        page = self.paginate_queryset(changes)
        return self.get_paginated_response(serializers.ChangeSerializer(page, many=True).data)

    def _seen_revision(self) -> int | None:
        text = self.request.query_params.get("revision")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ValidationError({"revision": ["Must be the revision number of the image."]})
        return int(text)

    @extend_schema(request=serializers.BulkSerializer, responses=serializers.BulkAnswerSerializer)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def bulk(self, request):
        """Label, move, split, group or delete many images of one project. All or none."""
        data = serializers.BulkSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        options = data.validated_data
        images = self._chosen(options["images"])
        project = images[0].dataset.project
        require_role(project, request.user, Role.EDITOR)
        return Response(self._change(options, images, project))

    def _chosen(self, ids: list) -> list[Image]:
        wanted = list(dict.fromkeys(ids))
        found: list[Image] = []
        for start in range(0, len(wanted), 500):
            chunk = images_of(self.request.user).filter(pk__in=wanted[start : start + 500])
            found += chunk.prefetch_related(None).select_related("dataset__project")
        if len(found) != len(wanted):
            raise NotFound(f"{len(wanted) - len(found)} of the images do not exist.")
        if len({image.dataset.project_id for image in found}) > 1:
            raise ValidationError({"images": ["Must be of one project."]})
        return found

    def _change(self, options: dict, images: list[Image], project: Project) -> dict[str, int]:
        action_name = options["action"]
        if action_name == "move":
            target = get_object_or_404(datasets_of(self.request.user), pk=options["dataset"])
            return services.move_images(images=images, target=target)
        if action_name == "label":
            label = label_or_400(project, options["label"])
            if project.task != "classification":
                raise ValidationError({"action": ["A detection project labels boxes, not images."]})
            changed = services.label_images(images=images, label=label, user=self.request.user)
        elif action_name == "unlabel":
            changed = services.label_images(images=images, label=None, user=self.request.user)
        elif action_name == "split":
            changed = services.set_split(images=images, split=options["split"])
        elif action_name == "group":
            changed = services.set_group(images=images, group=options["group"])
        else:
            changed = services.delete_images(images=images)
        return {"changed": changed, "unchanged": len(images) - changed}


class SnapshotViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """One frozen version of a dataset."""

    queryset = Snapshot.objects.none()
    serializer_class = serializers.SnapshotSerializer
    permission_classes = [ProjectPermission]
    lookup_value_converter = "uuid"

    def get_queryset(self):
        return snapshots_of(self.request.user)
