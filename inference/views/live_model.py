"""The model that learns while somebody labels, and images that are like one."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from common.requests import AuthenticatedRequest
from datasets.gallery.rows import grid_rows
from datasets.gallery.serializers import GridImageSerializer
from datasets.models import Dataset, Image
from datasets.selectors import images_of, labels_of
from inference.embeddings.similar import similar_images
from inference.live_model import serializers
from inference.live_model.box_reading import box_guesses_of
from inference.live_model.guess_pages import guesses_of
from inference.live_model.reading import live_model_of, next_images
from projects.in_project import InProject
from projects.models import Project
from projects.permissions import ProjectPermission
from projects.scoped import valid


class LiveModelView(InProject, viewsets.GenericViewSet):
    """The live model of a project."""

    request: AuthenticatedRequest

    queryset = Project.objects.none()
    serializer_class = serializers.LiveModelSerializer
    pagination_class = None

    @extend_schema(responses=serializers.LiveModelSerializer)
    def live_model(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """How the live model stands: what it has learned from, how good it is, and why it does not guess yet."""
        return Response(serializers.LiveModelSerializer(live_model_of(self.project)).data)

    @extend_schema(
        parameters=[serializers.GuessQuerySerializer], responses=serializers.GuessPageSerializer, filters=False
    )
    def guesses(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """What the live model guesses of the images that nobody has labelled. Confirm guesses by labelling the images,
        many at once with `images/bulk/`."""
        options = valid(
            serializers.GuessQuerySerializer,
            request.query_params,
            label=labels_of(self.project),
            dataset=Dataset.objects.filter(project=self.project),
            image=Image.objects.filter(dataset__project=self.project),
        )
        page = guesses_of(self.project, **options)
        url = remove_query_param(request.build_absolute_uri(), "offset")
        following = None if page.cursor is None else replace_query_param(url, "cursor", page.cursor)
        return Response(serializers.GuessPageSerializer({**vars(page), "next": following}).data)

    @extend_schema(
        parameters=[serializers.NextImagesQuerySerializer], responses=GridImageSerializer(many=True), filters=False
    )
    def next_images(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """The images whose labels teach the live model most, at most 200: those it is unsure of, unlike each other.
        Before the first labels, images that together show most of what there is."""
        datasets = Dataset.objects.filter(project=self.project)
        options = valid(serializers.NextImagesQuerySerializer, request.query_params, dataset=datasets)
        return Response(GridImageSerializer(next_images(self.project, **options), many=True).data)


class SimilarImagesView(viewsets.GenericViewSet):
    """Images that are like one."""

    request: AuthenticatedRequest

    queryset = Image.objects.none()
    serializer_class = serializers.SimilarImageSerializer
    permission_classes = [ProjectPermission]
    pagination_class = None

    def get_queryset(self) -> QuerySet[Image]:
        return images_of(self.request.user)

    @extend_schema(
        parameters=[serializers.SimilarQuerySerializer],
        responses=serializers.SimilarImageSerializer(many=True),
        filters=False,
    )
    def similar(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """The images of the project that are most like this one, the most alike first."""
        image = self.get_object()
        options = valid(serializers.SimilarQuerySerializer, request.query_params)
        dataset = image.dataset_id if options["same_dataset"] else None
        found = {str(one.image): one for one in similar_images(image, limit=options["limit"], dataset=dataset)}
        rows = [{"image": row, "similarity": found[row["id"]].similarity} for row in grid_rows(list(found))]
        return Response(serializers.SimilarImageSerializer(rows, many=True).data)


class BoxGuessesView(viewsets.GenericViewSet):
    """What the live model says of suggested boxes."""

    request: AuthenticatedRequest

    queryset = Image.objects.none()
    serializer_class = serializers.BoxGuessSerializer
    permission_classes = [ProjectPermission]
    pagination_class = None

    def get_queryset(self) -> QuerySet[Image]:
        return images_of(self.request.user)

    @extend_schema(responses=serializers.BoxGuessSerializer(many=True), filters=False)
    def box_guesses(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """What the live model says of the suggested boxes of an image: it learns from every box that people confirm,
        correct or draw, within seconds. Empty where it has not learned yet."""
        return Response(serializers.BoxGuessSerializer(box_guesses_of(self.get_object()), many=True).data)
