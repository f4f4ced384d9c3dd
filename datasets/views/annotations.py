"""Writing the annotations of an image, their history, and looking at suggestions."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from common.words import counted
from datasets import annotation_serializers as shapes
from datasets.annotating import MOST, AnnotationInput, Difference, change_annotations, replace_annotations
from datasets.errors import RevisionConflict
from datasets.models import Annotation, AnnotationChange, Dataset, Image
from datasets.review import Correction, Review, review_annotations, review_of_waiting
from datasets.selectors import datasets_of
from datasets.serializers import ChangeSerializer
from datasets.suggestion_counts import count_suggestions, waiting
from datasets.views.labels import label_or_400
from datasets.views.of_image import OfImage
from projects.changes.making import MakesChanges
from projects.changes.models import Change
from projects.models import Project, Role
from projects.pagination import KeysetPagination
from projects.permissions import require_role
from projects.selectors import project_ids_of, projects_of

REVISION = OpenApiParameter("revision", OpenApiTypes.INT, description="The revision you saw; 409 if passed.")
ANSWERS = {200: shapes.AnnotationsAnswerSerializer, 409: shapes.AnnotationsConflictSerializer}


class ImageAnnotationsView(MakesChanges, OfImage):
    """The annotations of an image."""

    serializer_class = shapes.AnnotationRequestSerializer

    @extend_schema(methods=["GET"], responses=shapes.AnnotationsAnswerSerializer)
    @extend_schema(
        methods=["PUT"],
        parameters=[REVISION],
        request=shapes.AnnotationRequestSerializer(many=True),
        responses=ANSWERS,
    )
    @extend_schema(methods=["PATCH"], request=shapes.AnnotationsPatchSerializer, responses=ANSWERS)
    def annotations(self, request: Request, pk: uuid.UUID) -> Response:
        """All annotations of the image; PUT replaces them, PATCH changes some.

        What comes as it is there stays the row that it was, with who made it and its score: a suggestion is confirmed
        by saying so. When all is there already, nothing is changed, whatever the revision.
        """
        image = self.get_object()
        try:
            if request.method == "PUT":
                image = self._replace(image)
            elif request.method == "PATCH":
                image = self._change_some(image)
        except RevisionConflict as conflict:
            return _conflict(image, conflict)
        return Response(shapes.AnnotationsAnswerSerializer(_current(image)).data)

    def _replace(self, image: Image) -> Image:
        data = shapes.AnnotationRequestSerializer(data=self.request.data, many=True, max_length=MOST)  # type: ignore[call-arg]
        data.is_valid(raise_exception=True)
        requested = [_requested(item, image.project) for item in data.validated_data]
        with self._annotating(image):
            return replace_annotations(
                image=image, annotations=requested, revision=self._seen_revision(), user=self.request.user
            )

    def _annotating(self, image: Image) -> AbstractContextManager[Change]:
        return self.changing(image.project, "annotate", image=str(image.pk), filename=image.filename)

    def _change_some(self, image: Image) -> Image:
        data = shapes.AnnotationsPatchSerializer(data=self.request.data)
        data.is_valid(raise_exception=True)
        options, project = data.validated_data, image.project
        parts = {
            "add": [_requested(annotation, project) for annotation in options["add"]],
            "change": [Difference(**_with_label(change, project)) for change in options["change"]],
            "remove": options["remove"],
        }
        with self._annotating(image):
            return change_annotations(image=image, revision=options.get("revision"), user=self.request.user, **parts)

    def _seen_revision(self) -> int | None:
        text = self.request.query_params.get("revision")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ValidationError({"revision": ["Must be the revision number of the image."]})
        return int(text)


class ImageHistoryView(OfImage):
    """Who changed the annotations of an image."""

    serializer_class = ChangeSerializer
    pagination_class = KeysetPagination

    @extend_schema(responses=ChangeSerializer(many=True))
    def history(self, request: Request, pk: uuid.UUID) -> Response:
        """Who changed the annotations of the image, the latest change first."""
        changes = AnnotationChange.objects.filter(image=self.get_object()).select_related("changed_by")
        page = self.paginate_queryset(changes)
        return self.get_paginated_response(ChangeSerializer(page, many=True).data)


def _with_label(options: dict, project: Project) -> dict:
    return {**options, "label": label_or_400(project, options["label"])} if "label" in options else dict(options)


def _requested(options: dict, project: Project) -> AnnotationInput:
    names = ("label", "box", "id", "confirmed")
    return AnnotationInput(**{name: value for name, value in _with_label(options, project).items() if name in names})


def _current(image: Image) -> dict:
    return {"revision": image.revision, "annotations": image.annotations.select_related("label").order_by("id")}


def _conflict(image: Image, conflict: RevisionConflict) -> Response:
    """With what is there now, so that nobody has to ask for it."""
    image.refresh_from_db()
    last = AnnotationChange.objects.filter(image=image).select_related("changed_by").order_by("id").last()
    who = None if last is None or last.changed_by is None else last.changed_by.username
    current = {**_current(image), "changed_by": who, "changed_at": last and last.changed_at}
    error = {"code": conflict.code, "detail": conflict.detail, "attr": None}
    body = {"type": "client_error", "errors": [error], "current": current}
    return Response(shapes.AnnotationsConflictSerializer(body).data, status=status.HTTP_409_CONFLICT)


class ReviewView(MakesChanges, viewsets.GenericViewSet):
    """Annotations that models suggested."""

    request: AuthenticatedRequest

    queryset = Annotation.objects.none()
    serializer_class = shapes.ReviewSerializer
    repeatable = ("review",)

    @extend_schema(parameters=[shapes.SuggestionsFilterSerializer], responses=shapes.SuggestionCountsSerializer)
    def counts(self, request: Request) -> Response:
        """How many suggestions wait for a look, by label and by score."""
        data = shapes.SuggestionsFilterSerializer(data=request.query_params)
        data.is_valid(raise_exception=True)
        options = data.validated_data
        named = {"project": options["project"]} if "project" in options else {}
        dataset = self._datasets(options).filter(**named).first()
        # As in lists, what somebody may not see has nothing in it.
        rows = Annotation.objects.none() if dataset is None else self._waiting(dataset.project, options)
        return Response(shapes.SuggestionCountsSerializer(count_suggestions(rows)).data)

    @extend_schema(request=shapes.ReviewSerializer, responses=shapes.ReviewAnswerSerializer)
    def review(self, request: AuthenticatedRequest) -> Response:
        """Confirm, correct or reject suggestions of one project. With one that does not fit, nothing is changed.

        With a filter and a decision: all suggestions of a label, with a score of at least so much. At most 10,000 are
        decided about in a request; `left` says how many the filter still leaves.
        """
        data = shapes.ReviewSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        options = data.validated_data
        if "filter" in options:
            return self._review_filtered(options["filter"], options["decision"] == "confirm")
        named = [*options["confirm"], *options["reject"], *(correction["id"] for correction in options["correct"])]
        annotations = self._annotations_named(named)
        project = next(iter(annotations.values())).image.project
        require_role(project, request.user, Role.EDITOR)
        review = Review(
            confirm=[annotations[pk] for pk in dict.fromkeys(options["confirm"])],
            reject=[annotations[pk] for pk in dict.fromkeys(options["reject"])],
            correct=[
                Correction(
                    annotations[correction["id"]],
                    label_or_400(project, correction["label"]) if "label" in correction else None,
                    correction.get("box"),
                )
                for correction in options["correct"]
            ],
        )
        with self.changing(project, "review"):
            return Response(review_annotations(review=review, user=request.user))

    def _review_filtered(self, options: dict, is_confirmed: bool) -> Response:
        project = self._project(options)
        require_role(project, self.request.user, Role.EDITOR)
        rows = self._waiting(project, options)
        # Those of an image come together, so that it is left with none or all of them.
        chosen = list(rows.order_by("image", "id")[:MOST])
        review = review_of_waiting(chosen, confirm=is_confirmed)
        with self.changing(project, "review"):
            decided = review_annotations(review=review, user=self.request.user)
        return Response({**decided, "left": rows.count()})

    def _project(self, options: dict) -> Project:
        projects = projects_of(self.request.user)
        if "project" in options:
            return get_object_or_404(projects, pk=options["project"])
        return get_object_or_404(projects, pk=get_object_or_404(self._datasets(options)).project_id)

    def _datasets(self, options: dict) -> QuerySet[Dataset]:
        rows = datasets_of(self.request.user)
        return rows.filter(pk=options["dataset"]) if "dataset" in options else rows

    def _waiting(self, project: Project, options: dict) -> QuerySet[Annotation]:
        datasets: list[Dataset] = list(self._datasets(options).filter(project=project))
        label = label_or_400(project, options["label"]) if "label" in options else None
        scores = (options.get("min_score"), options.get("max_score"))
        return waiting(datasets=datasets, label=label, lowest=scores[0], highest=scores[1])

    def _annotations_named(self, ids: list) -> dict:
        named = list(dict.fromkeys(ids))
        mine = Annotation.objects.filter(image__dataset__project__in=project_ids_of(self.request.user))
        annotations: dict = {}
        for start in range(0, len(named), 500):
            rows = mine.filter(pk__in=named[start : start + 500]).select_related("image__dataset__project", "label")
            annotations |= {row.pk: row for row in rows}
        if len(annotations) != len(named):
            missing = counted(len(named) - len(annotations), "annotation does", "annotations do")
            raise NotFound(f"{missing} not exist (any more).")
        if len({row.image.dataset.project_id for row in annotations.values()}) > 1:
            raise ValidationError({"confirm": ["The annotations must be of one project."]})
        return annotations
