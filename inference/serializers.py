from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from datasets.serializers import RejectedSerializer
from inference.models import Evaluation, Model, ModelFile


class ModelFileSerializer(serializers.ModelSerializer):
    size = serializers.IntegerField(source="blob.size", read_only=True)
    sha256 = serializers.CharField(source="blob.sha256", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = ModelFile
        fields = ["kind", "filename", "size", "sha256", "url"]

    @extend_schema_field(serializers.CharField())
    def get_url(self, file: ModelFile) -> str:
        return reverse("model-files", args=[file.model_id, file.kind])


class ModelSerializer(serializers.ModelSerializer):
    files = ModelFileSerializer(many=True, read_only=True)
    class_names = serializers.ListField(child=serializers.CharField(), read_only=True)
    metrics = serializers.DictField(read_only=True, help_text="On the untouched test split.")
    detector = serializers.DictField(read_only=True, help_text="Of a detector: anchors, thresholds, suppression.")

    class Meta:
        model = Model
        fields = [
            "id", "project", "name", "version", "notes", "task", "class_names", "architecture", "input_height",
            "input_width", "parameters", "metrics", "detector", "training", "base_model", "snapshot", "files",
            "created_at",
        ]  # fmt: skip
        read_only_fields = [field for field in fields if field not in ("name", "notes")]


class MistakeSerializer(serializers.Serializer):
    """A wrongly classified image, or for detectors an image with false alarms and misses."""

    image = serializers.CharField()
    label = serializers.CharField(required=False)
    predicted = serializers.CharField(required=False)
    score = serializers.FloatField(required=False)
    label_score = serializers.FloatField(required=False)
    false_positives = serializers.IntegerField(required=False)
    misses = serializers.IntegerField(required=False)
    surest_mistake = serializers.FloatField(required=False)


class EvaluationSerializer(serializers.ModelSerializer):
    metrics = serializers.DictField()
    mistakes = MistakeSerializer(many=True, help_text="The most confident errors, with their images.")

    class Meta:
        model = Evaluation
        fields = ["id", "model", "snapshot", "split", "metrics", "mistakes", "created_at"]


class PredictionRequestSerializer(serializers.Serializer):
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), required=False)
    images = serializers.ListField(child=serializers.UUIDField(), required=False, help_text="Ids of images.")


class PredictionQuerySerializer(serializers.Serializer):
    threshold = serializers.FloatField(
        min_value=0, max_value=1, required=False,
        help_text="Lowest score to answer. Default: 0 for labels; for boxes each label's own, best on validation.",
    )  # fmt: skip
    max = serializers.IntegerField(
        min_value=1, max_value=1000, required=False, help_text="Labels (default 5) or boxes (300) an image at most."
    )
    iou = serializers.FloatField(
        min_value=0, max_value=1, required=False,
        help_text="For boxes: of two of a label that overlap by more, the better one stays. Default 0.5.",
    )  # fmt: skip


class OverlaySerializer(PredictionQuerySerializer):
    overlay = serializers.ChoiceField(
        ["png", "jpeg"], required=False, help_text="Answer with the one picture and its boxes drawn on it."
    )


class ScoreSerializer(serializers.Serializer):
    label = serializers.CharField()
    score = serializers.FloatField()


class BoxSerializer(ScoreSerializer):
    box = serializers.ListField(
        child=serializers.FloatField(), min_length=4, max_length=4, help_text="In pixels of the upright image."
    )


class PredictionSerializer(serializers.Serializer):
    filename = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    labels = ScoreSerializer(many=True)
    boxes = BoxSerializer(many=True)


class PredictionModelSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()


class PredictionAnswerSerializer(serializers.Serializer):
    predictions = PredictionSerializer(many=True)
    rejected = RejectedSerializer(many=True)
    model = PredictionModelSerializer()
    timing_ms = serializers.FloatField()
