from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.known import ALWAYS, refuse_unknown
from common.requests import AuthenticatedRequest
from mlstudio.search import KINDS, search


class SearchQuerySerializer(serializers.Serializer):
    q = serializers.CharField(max_length=100, help_text="What the name has in it; upper or lower case is the same.")
    project = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(KINDS, required=False, help_text="Only hits of this kind.")
    limit = serializers.IntegerField(min_value=1, max_value=50, default=5, help_text="Hits of each kind.")
    offset = serializers.IntegerField(
        min_value=0, max_value=10_000, default=0, help_text="With `kind`: so many hits are skipped."
    )

    def validate(self, attrs: dict) -> dict:
        if attrs["offset"] and "kind" not in attrs:
            detail = "Only one kind can be paged through: name it with kind, or leave offset out."
            raise serializers.ValidationError({"offset": detail}, code="invalid")
        return attrs


class SearchHitSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    project = serializers.UUIDField(source="project.pk")
    project_name = serializers.CharField(source="project.name")
    dataset = serializers.UUIDField(source="dataset.pk", default=None, allow_null=True)
    dataset_name = serializers.CharField(source="dataset.name", default=None, allow_null=True)


class SearchGroupSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(KINDS)
    hits = SearchHitSerializer(many=True, help_text="Names that begin with the text come first.")
    more = serializers.BooleanField(help_text="Whether there are more than these.")


class SearchAnswerSerializer(serializers.Serializer):
    groups = SearchGroupSerializer(many=True, help_text="Kinds without hits are left out.")


class SearchView(APIView):
    """Search across your projects."""

    @extend_schema(operation_id="search", parameters=[SearchQuerySerializer], responses=SearchAnswerSerializer)
    def get(self, request: AuthenticatedRequest) -> Response:
        """Find projects, datasets, labels, models, trainings, snapshots, videos and images by name."""
        known = [*SearchQuerySerializer().fields, *ALWAYS]
        refuse_unknown(request.query_params, known, code="unknown_filter", what="filter")
        query = SearchQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = dict(query.validated_data)
        groups = search(user=request.user, text=wanted.pop("q"), **wanted)
        return Response(SearchAnswerSerializer({"groups": list(groups)}).data)
