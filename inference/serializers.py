from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from datasets.serializers import RejectedSerializer
from inference.model_uploads import UploadProblem, parse_anchor_config, parse_labels
from inference.models import Evaluation, Model, ModelFile
from projects.models import Project, Task
from storage.models import BlobState


class ModelFileSerializer(serializers.ModelSerializer):
    size = serializers.IntegerField(source="blob.size", read_only=True)
    sha256 = serializers.CharField(source="blob.sha256", read_only=True)
    stored = serializers.ChoiceField(
        BlobState.choices,
        source="blob.state",
        read_only=True,
        help_text="Where the file is: cache, store, or both.",
    )
    url = serializers.SerializerMethodField()

    class Meta:
        model = ModelFile
        fields = ["kind", "filename", "size", "sha256", "stored", "url"]

    @extend_schema_field(serializers.CharField())
    def get_url(self, file: ModelFile) -> str:
        return reverse("model-files", args=[file.model_id, file.kind])


class DetectorSerializer(serializers.Serializer):
    """How a detector's output is read. Thresholds and suppression can be changed; the network stays as it is."""

    score_threshold = serializers.FloatField(
        min_value=0, max_value=1, help_text="Lowest score of a box whose label has no threshold of its own."
    )
    label_thresholds = serializers.DictField(
        child=serializers.FloatField(min_value=0, max_value=1), help_text="Lowest score by label."
    )
    iou_threshold = serializers.FloatField(
        min_value=0, max_value=1,
        help_text="Of two boxes of a label that overlap by more, the better one stays.",
    )  # fmt: skip
    anchors = serializers.DictField(read_only=True)
    letterbox = serializers.CharField(read_only=True)

    def get_attribute(self, instance: Model) -> dict | None:
        return super().get_attribute(instance) or None


class ModelSerializer(serializers.ModelSerializer):
    files = ModelFileSerializer(many=True, read_only=True)
    class_names = serializers.ListField(child=serializers.CharField(), read_only=True)
    metrics = serializers.DictField(read_only=True, help_text="On the untouched test split.")
    detector = DetectorSerializer(
        required=False,
        allow_null=True,
        partial=True,
        help_text="Of a detector: anchors, thresholds, suppression; else null.",
    )

    class Meta:
        model = Model
        fields = [
            "id", "project", "name", "version", "notes", "task", "class_names", "architecture", "input_height",
            "input_width", "parameters", "metrics", "detector", "training", "base_model", "snapshot", "files",
            "created_at",
        ]  # fmt: skip
        read_only_fields = [field for field in fields if field not in ("name", "notes", "detector")]

    def validate_detector(self, value: dict | None) -> dict:
        model = self.instance
        if value is None:
            return model.detector
        if model.task != Task.DETECTION:
            raise serializers.ValidationError("Only detectors have these settings.")
        unknown = sorted(set(value.get("label_thresholds", {})) - set(model.class_names))
        if unknown:
            raise serializers.ValidationError({"label_thresholds": [f"The model has no label {unknown[0]!r}."]})
        return {**model.detector, **value}


class ModelUploadSerializer(serializers.Serializer):
    """A model that was made elsewhere."""

    project = serializers.PrimaryKeyRelatedField(queryset=Project.objects.none())
    file = serializers.FileField(help_text="The .h5 file of keras-retinanet: a training snapshot or a converted model.")
    labels = serializers.CharField(
        max_length=2_000_000, trim_whitespace=False,
        help_text='In the order of the outputs: one a line, a JSON list, {"label": index}, or classes.csv.',
    )  # fmt: skip
    name = serializers.CharField(max_length=100, required=False, default="")
    input_width = serializers.IntegerField(min_value=64, max_value=1536, default=512)
    input_height = serializers.IntegerField(min_value=64, max_value=1536, default=512)
    anchors = serializers.CharField(
        max_length=10_000, required=False, default="", allow_blank=True,
        help_text="The text of the configuration file it was trained with; default: the package's own anchors.",
    )  # fmt: skip

    def get_fields(self) -> dict:
        fields = super().get_fields()
        if "projects" in self.context:
            fields["project"].queryset = self.context["projects"]
        return fields

    def _side(self, value: int) -> int:
        if value % 32:
            raise serializers.ValidationError("Must be a multiple of 32.")
        return value

    validate_input_width = validate_input_height = _side

    def validate_labels(self, value: str) -> list[str]:
        return self._parsed(parse_labels, value)

    def validate_anchors(self, value: str) -> dict | None:
        return self._parsed(parse_anchor_config, value)

    def _parsed(self, parse, value: str):
        try:
            return parse(value)
        except UploadProblem as problem:
            raise serializers.ValidationError(str(problem)) from problem

    def validate_project(self, project: Project) -> Project:
        if project.task != Task.DETECTION:
            raise serializers.ValidationError("Must be a detection project: these models find boxes.")
        return project


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
