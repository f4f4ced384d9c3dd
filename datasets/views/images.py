from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response

from datasets import serializers, services
from datasets.filters import ImageFilter
from datasets.gallery.paging import ImagePagination
from datasets.models import Annotation, AnnotationChange, Image
from datasets.removal import delete_images
from datasets.review import Correction, Review, review_annotations
from datasets.selectors import all_images, images_of
from datasets.views.bulk import BulkMixin
from datasets.views.gallery import GalleryMixin
from datasets.views.labels import label_or_400
from datasets.views.pictures import PicturesMixin
from projects.models import Role
from projects.permissions import ProjectPermission, SignedReadPermission, require_role
from projects.selectors import project_ids_of
from storage.downloads import blob_response
from storage.signing import is_signed


class ImageViewSet(
    GalleryMixin,
    BulkMixin,
    PicturesMixin,
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
    pagination_class = ImagePagination
    ordering_fields: tuple[str, ...] = ()  # those are of the pagination
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "put", "patch", "delete", "head", "options"]
    repeatable = ("bulk",)

    def get_queryset(self):
        if self.action in ("file", "thumbnail", "rendition") and is_signed(self.request):
            return all_images()
        return images_of(self.request.user)

    def filter_queryset(self, queryset):
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    @extend_schema(exclude=True)
    def update(self, request, *args, **kwargs):
        if not kwargs.get("partial"):
            self.http_method_not_allowed(request)
        return super().update(request, *args, **kwargs)

    def perform_update(self, serializer) -> None:
        services.update_image(image=serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Image) -> None:
        if not delete_images(images=[instance]):
            raise NotFound()

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY, (206, "image/*"): OpenApiTypes.BINARY})
    @action(detail=True, permission_classes=[SignedReadPermission], pagination_class=None, filterset_class=None)
    def file(self, request, pk=None):
        """The original bytes. Supports `ETag`, `If-None-Match` and `Range`; takes signed URLs."""
        image = self.get_object()
        return blob_response(request, image.blob, image.filename)

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


class ReviewView(viewsets.GenericViewSet):
    """Annotations that models suggested."""

    queryset = Annotation.objects.none()
    serializer_class = serializers.ReviewSerializer
    repeatable = ("review",)

    @extend_schema(request=serializers.ReviewSerializer, responses=serializers.ReviewAnswerSerializer)
    def review(self, request):
        """Confirm, correct or reject suggestions of one project. With one that does not fit, nothing is changed."""
        data = serializers.ReviewSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        wishes = data.validated_data
        named = [*wishes["confirm"], *wishes["reject"], *(one["id"] for one in wishes["correct"])]
        found = self._found(named)
        project = next(iter(found.values())).image.project
        require_role(project, request.user, Role.EDITOR)
        review = Review(
            confirm=[found[pk] for pk in dict.fromkeys(wishes["confirm"])],
            reject=[found[pk] for pk in dict.fromkeys(wishes["reject"])],
            correct=[
                Correction(
                    found[one["id"]], label_or_400(project, one["label"]) if "label" in one else None, one.get("box")
                )
                for one in wishes["correct"]
            ],
        )
        return Response(review_annotations(review=review, user=request.user))

    def _found(self, ids: list) -> dict:
        wanted = list(dict.fromkeys(ids))
        mine = Annotation.objects.filter(image__dataset__project__in=project_ids_of(self.request.user))
        found = {}
        for start in range(0, len(wanted), 500):
            rows = mine.filter(pk__in=wanted[start : start + 500]).select_related("image__dataset__project", "label")
            found |= {row.pk: row for row in rows}
        if len(found) != len(wanted):
            raise NotFound(f"{len(wanted) - len(found)} of the annotations do not exist (any more).")
        if len({row.image.dataset.project_id for row in found.values()}) > 1:
            raise ValidationError({"confirm": ["The annotations must be of one project."]})
        return found
