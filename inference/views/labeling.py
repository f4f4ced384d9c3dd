"""What a model knows of images: predicted annotations, and what to label next."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from datasets.selectors import datasets_of
from inference.labeling.active_learning import start_suggestions
from inference.labeling.serializers import SuggestionSerializer, SuggestionsRequestSerializer
from inference.models import LabelingCandidate
from inference.selectors import models_of
from inference.views.of_model import OfModel
from jobs.serializers import JobSerializer
from projects.answers import accepted
from projects.models import Role
from projects.permissions import require_role
from projects.scoped import valid
from projects.selectors import is_live, project_ids_of


class ModelSuggestionsView(OfModel):
    """Suggestions of a model. The dataset's project decides about the role."""

    serializer_class = SuggestionsRequestSerializer
    change_role = Role.VIEWER

    @extend_schema(request=SuggestionsRequestSerializer, responses={202: JobSerializer})
    def suggestions(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """Look at the unlabelled images of a dataset: predictions to confirm, and the most informative images first.

        The order is at `suggestions/?model=&dataset=`: uncertain images first, near-duplicates apart.
        """
        model = self.get_object()
        data = valid(
            SuggestionsRequestSerializer,
            request.data,
            dataset=datasets_of(request.user),
            other_model=models_of(request.user),
        )
        require_role(data["dataset"].project, request.user, Role.EDITOR)
        return accepted(start_suggestions(model=model, user=request.user, **data))


class SuggestionFilter(filters.FilterSet):
    project = filters.UUIDFilter(field_name="dataset__project_id")
    reviewed = filters.BooleanFilter(method="with_reviewed", label="Also those that were looked at.")

    class Meta:
        model = LabelingCandidate
        fields = ["dataset", "model"]

    def with_reviewed(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset.filter(image__reviewed=value)


class SuggestionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """The most informative images for a model, in this order. They are made with `models/{id}/suggestions/`."""

    request: AuthenticatedRequest

    queryset = LabelingCandidate.objects.none()
    serializer_class = SuggestionSerializer
    filterset_class = SuggestionFilter
    default_ordering = "rank"
    ordering_fields = ("rank", "uncertainty", "disagreement")

    def get_queryset(self) -> QuerySet:
        live = is_live("image__dataset__project__") & is_live("model__project__")
        rows = LabelingCandidate.objects.filter(live, dataset__project__in=project_ids_of(self.request.user))
        if "reviewed" not in self.request.query_params:
            rows = rows.filter(image__reviewed=False)
        return rows.select_related("image__blob").prefetch_related("image__annotations__label")
