"""Shapes of evaluations."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from common.renamed_fields import under_both_names
from datasets.models import Snapshot, Split
from inference.models import Evaluation, FileKind
from inference.registry.serializers import MetricsField
from inference.shapes import (
    CurvesSerializer,
)
from jobs.shapes import Described
from vision.runtime.kinds import NAMES


@extend_schema_serializer(deprecate_fields=["surest_mistake"])
class MistakeSerializer(serializers.Serializer):
    """A wrongly classified image, for multilabel models a wrong decision about a label of an image, or for detectors an
    image with false alarms and misses."""

    image = serializers.CharField()
    kind = serializers.ChoiceField(
        ["missed", "false_alarm"], required=False, help_text="Of a multilabel model: what is wrong about `label`."
    )
    threshold = serializers.FloatField(required=False, help_text="Of a multilabel model: that of `label`.")
    label = serializers.CharField(required=False)
    predicted = serializers.CharField(required=False)
    score = serializers.FloatField(required=False)
    label_score = serializers.FloatField(required=False)
    false_positives = serializers.IntegerField(required=False)
    misses = serializers.IntegerField(required=False)
    highest_wrong_score = serializers.FloatField(
        required=False, help_text="Of a detector: the highest score of a false positive; 0 where there is none."
    )
    surest_mistake = serializers.FloatField(required=False, help_text="Deprecated: the same as `highest_wrong_score`.")

    def to_representation(self, instance: dict) -> dict:
        return super().to_representation(under_both_names(instance, {"surest_mistake": "highest_wrong_score"}))


class EvaluationSerializer(serializers.ModelSerializer):
    metrics = MetricsField()
    split = serializers.ChoiceField(Split.choices, read_only=True)
    mistakes = MistakeSerializer(many=True, help_text="The most confident errors, with their images.")

    class Meta:
        model = Evaluation
        fields = [
            "id",
            "model",
            "snapshot",
            "split",
            "file_kind",
            "metrics",
            "curves",
            "mistakes",
            "has_outcomes",
            "created_at",
            "model_name",
            "project",
            "dataset_name",
            "snapshot_name",
        ]

    model_name = serializers.CharField(source="model.__str__", read_only=True)
    project = serializers.UUIDField(source="model.project_id", read_only=True)
    dataset_name = serializers.CharField(source="snapshot.name_of_dataset", default=None, allow_null=True)
    snapshot_name = serializers.CharField(source="snapshot.title", default=None, allow_null=True)

    curves = Described(
        CurvesSerializer(),
        help_text="ROC, precision and recall, calibration, thresholds; of detectors they are in the metrics.",
    )
    has_outcomes = serializers.SerializerMethodField(help_text="Whether `images/` can list what is behind each figure.")

    def get_has_outcomes(self, evaluation: Evaluation) -> bool:
        return evaluation.outcomes_id is not None


class EvaluationRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    snapshot = serializers.PrimaryKeyRelatedField(
        queryset=Snapshot.objects.none(), help_text="Of any project of yours with the same task."
    )
    split = serializers.ChoiceField(Split.choices, default=Split.TEST)
    file_kind = serializers.ChoiceField(
        list(NAMES), default=FileKind.LITERT_FLOAT32.value, help_text="Which of the model's files is measured."
    )

    def get_fields(self) -> dict:
        fields = super().get_fields()
        if "snapshots" in self.context:
            fields["snapshot"].queryset = self.context["snapshots"]  # type: ignore[attr-defined]
        return fields
