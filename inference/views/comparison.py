"""Models side by side."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from datasets.selectors import snapshots_of
from inference.evaluation.comparison_serializers import (
    CompareQuerySerializer,
    CompareRequestSerializer,
    ComparisonSerializer,
)
from inference.evaluation.comparisons import check_models, common_snapshot, compare, start_comparison
from inference.evaluation.shown_images import with_images
from inference.models import Model
from inference.selectors import models_of
from jobs.serializers import JobSerializer
from projects.answers import accepted
from projects.models import Role
from projects.permissions import require_member, require_role
from projects.scoped import valid


class ModelCompareView(viewsets.GenericViewSet):
    """Models side by side."""

    request: AuthenticatedRequest

    queryset = Model.objects.none()
    serializer_class = CompareRequestSerializer
    pagination_class = None

    @extend_schema(methods=["GET"], parameters=[CompareQuerySerializer], responses=ComparisonSerializer)
    @extend_schema(methods=["POST"], request=CompareRequestSerializer, responses={202: JobSerializer})
    def compare(self, request: AuthenticatedRequest) -> Response:
        """Models side by side on the same images, with a test of whether the difference means anything.

        Classifiers: McNemar's exact test; detectors: a paired bootstrap of AP50 over the images. GET answers at once
        when all of them were measured on the snapshot; POST measures those that were not, in the background.
        """
        user = request.user
        if request.method == "GET":
            data = valid(CompareQuerySerializer, request.query_params, snapshot=snapshots_of(user))
            models = self._named(data["ids"])
            check_models(models)
            snapshot = data["snapshot"] or common_snapshot(models, data["split"], snapshots_of(user))
            answer = compare(models=models, snapshot=snapshot, split=data["split"]).to_dict()
            answer["differences"] = with_images(answer["differences"], snapshot)
            return Response(answer)
        data = valid(CompareRequestSerializer, request.data, snapshot=snapshots_of(user))
        models = self._named(list(dict.fromkeys(data["ids"])))
        require_role(data["snapshot"].project, user, Role.EDITOR)
        job = start_comparison(
            models=models,
            project=data["snapshot"].project,
            user=user,
            snapshot=data["snapshot"],
            split=data["split"],
        )
        return accepted(job)

    def _named(self, ids: list) -> list[Model]:
        models = {str(model.pk): model for model in models_of(self.request.user).filter(pk__in=ids)}
        missing = [str(pk) for pk in ids if str(pk) not in models]
        if missing:
            raise ValidationError({"ids": [f"There is no model {missing[0]}."]}, code="does_not_exist")
        for model in models.values():
            require_member(model.project, self.request.user)
        return [models[str(pk)] for pk in ids]
