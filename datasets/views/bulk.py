"""Changing many images with one request."""

from __future__ import annotations

import uuid

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from common.words import counted
from datasets.bulk import MOST_AT_ONCE, BulkChange, change_images, images_with, start_bulk_change
from datasets.bulk_serializers import BULK, NEEDED, BulkAnswerSerializer, BulkSerializer
from datasets.chosen import ChosenImage
from datasets.filters import filterset_of
from datasets.gallery.selection import Selection, count_images
from datasets.gallery.windows import all_keys
from datasets.models import Dataset, Image
from datasets.selectors import datasets_of, images_of
from datasets.views.labels import label_or_400
from jobs.serializers import JobSerializer
from projects.changes.making import MakesChanges
from projects.models import Project, Role
from projects.permissions import ProjectPermission, require_role
from projects.selectors import projects_of


class ImageBulkView(MakesChanges, viewsets.GenericViewSet):
    """Many images at once."""

    request: AuthenticatedRequest

    queryset = Image.objects.none()
    serializer_class = BulkSerializer
    permission_classes = [ProjectPermission]
    pagination_class = None
    repeatable = ("bulk",)

    @extend_schema(request=BULK, responses={200: BulkAnswerSerializer, 202: JobSerializer})
    def bulk(self, request: Request) -> Response:
        """Label, move, split, group or delete many images of one project: those that are named, or all that a filter
        leaves, but for some.

        What is wrong with the request is said before anything is changed. The images are then changed a few hundred at
        a time, so that others are not held up: should it be broken off, the same request again finishes it. When a
        filter leaves more than 10,000 images, a job changes them (202); its result has the same counts.
        """
        data = BulkSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        options = data.validated_data
        if "filter" in options:
            return self._change_filtered(options)
        images = self._chosen(options["images"])
        change = self._change(options, images[0].dataset.project)
        return self._done(images, change, len(images))

    def _done(self, images: list[ChosenImage], change: BulkChange, total: int) -> Response:
        if not images:
            return Response({"changed": 0, "unchanged": total})
        with self.changing(images[0].dataset.project, change.action, **change.in_words()):
            changed = change_images(images=images, change=change, user=self.request.user)
        return Response({"changed": changed, "unchanged": total - changed})

    def _chosen(self, ids: list) -> list[ChosenImage]:
        named = list(dict.fromkeys(ids))
        images = images_with(named, images_of(self.request.user).prefetch_related(None).select_related(None))
        if len(images) != len(named):
            raise NotFound(f"{counted(len(named) - len(images), 'image does', 'images do')} not exist.")
        if len({image.dataset.project_id for image in images}) > 1:
            raise ValidationError({"images": ["Must be of one project."]})
        return images

    def _change_filtered(self, options: dict) -> Response:
        filters = options["filter"]
        selection = filterset_of(self.request.user, filters).selection()
        change = self._change(options, self._project(selection, filters))
        total = count_images(selection)
        left_out = set(options["except"])
        if total > MOST_AT_ONCE + len(left_out):
            job = start_bulk_change(
                project=self._project(selection, filters),
                change=change,
                filters=filters,
                left_out=sorted(left_out),
                images=total,
                user=self.request.user,
            )
            location = reverse("job-detail", args=[job.pk])
            return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})
        keys = [key for key in all_keys(selection, limit=total) if key not in left_out]
        images = images_with(keys)
        return self._done(images, change, len(images))

    def _project(self, selection: Selection, filters: dict) -> Project:
        """The one project that the filter names, itself or by a dataset."""
        projects = projects_of(self.request.user)
        if "project" in filters:
            return get_object_or_404(projects, pk=filters["project"])
        dataset = get_object_or_404(Dataset.objects.filter(pk__in=selection.scope.datasets), pk=filters["dataset"])
        return get_object_or_404(projects, pk=dataset.project_id)

    def _change(self, options: dict, project: Project) -> BulkChange:
        """Raises what is wrong with the request."""
        require_role(project, self.request.user, Role.EDITOR)
        action_name = options["action"]
        names = dict.fromkeys(options["labels"]) if action_name == "set_labels" else ()
        labels = {label.pk: label for label in (label_or_400(project, name, "labels") for name in names)}
        change = BulkChange(
            action_name,
            label=label_or_400(project, options["label"]) if NEEDED.get(action_name) == "label" else None,
            dataset=self._target(options["dataset"]) if action_name == "move" else None,
            split=options.get("split"),
            group=options.get("group", ""),
            labels=tuple(labels.values()),
        )
        change.require_fit(project)
        return change

    def _target(self, pk: uuid.UUID) -> Dataset:
        return get_object_or_404(datasets_of(self.request.user), pk=pk)
