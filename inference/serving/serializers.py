"""Shapes of predictions."""

from __future__ import annotations

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.numbers import Number
from datasets.import_serializers import RejectedSerializer
from datasets.models import Dataset, Split, Video
from inference.models import Model
from projects.scoped import Scoped, related


class PredictionRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), required=False)
    file = serializers.FileField(allow_empty_file=True, required=False, help_text="The same for one image.")
    images = serializers.ListField(child=serializers.UUIDField(), required=False, help_text="Ids of images.")

    def validate(self, attrs: dict) -> dict:
        files = [*attrs.get("files", []), *([attrs["file"]] if "file" in attrs else [])]
        return {"files": files, "images": attrs.get("images", [])}


class PredictionQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    threshold = Number(
        min_value=0,
        max_value=1,
        required=False,
        help_text="Lowest score to answer. Default: the model's own, for boxes and of multilabel models each label's.",
    )
    max = serializers.IntegerField(
        min_value=1,
        max_value=1000,
        required=False,
        help_text="Labels (default 5, of multilabel models all) or boxes (300) an image at most.",
    )
    iou = Number(
        min_value=0,
        max_value=1,
        required=False,
        help_text="For boxes: of two of a label that overlap by more, the better one stays. Default 0.5.",
    )


class OverlaySerializer(PredictionQuerySerializer):
    overlay = serializers.ChoiceField(
        ["png", "jpeg"], required=False, help_text="Answer with the one image and its boxes drawn on it."
    )


class ScoreSerializer(serializers.Serializer):
    label = serializers.CharField()
    score = serializers.FloatField()


class AnsweredLabelSerializer(ScoreSerializer):
    threshold = serializers.FloatField(required=False, help_text="Of multilabel models: from this score on it counts.")
    is_present = serializers.BooleanField(
        required=False, help_text="Of multilabel models: whether the image has the label."
    )


class BoxSerializer(ScoreSerializer):
    box = serializers.ListField(
        child=serializers.FloatField(), min_length=4, max_length=4, help_text="In pixels of the upright image."
    )


class PredictionSerializer(serializers.Serializer):
    filename = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    labels = AnsweredLabelSerializer(many=True)
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


class ImageFilterSerializer(KnownFieldsOnly, serializers.Serializer):
    """As the parameters of the list of images."""

    label = serializers.CharField(required=False, max_length=100)
    split = serializers.ChoiceField([*Split.values, "none"], required=False)
    annotated = serializers.BooleanField(required=False)
    unconfirmed = serializers.BooleanField(required=False)
    origin = serializers.ChoiceField(["human", "imported", "model"], required=False)
    filename = serializers.CharField(required=False, max_length=255)
    video = serializers.UUIDField(required=False)


class BatchRequestSerializer(Scoped):
    """A model on a dataset (or what of it passes the filter), or on a video."""

    model = related(Model)
    dataset = related(Dataset, required=False, allow_null=True, default=None)
    filter = ImageFilterSerializer(required=False)
    video = related(Video, required=False, allow_null=True, default=None)
    threshold = Number(min_value=0, max_value=1, required=False, allow_null=True, default=None)
    max = serializers.IntegerField(
        min_value=1, max_value=1000, required=False, allow_null=True, default=None, source="limit"
    )
    suggest = serializers.BooleanField(
        default=False, help_text="Of a dataset: keep the predictions as annotations to confirm."
    )
    every_frames = serializers.IntegerField(
        min_value=1, max_value=10_000, default=1, help_text="Of a video: predict each nth frame."
    )
    annotate = serializers.BooleanField(default=True, help_text="Of a video: also make annotated.mp4.")
    tracking = serializers.BooleanField(
        default=False, help_text="Of a video, by a detector: follow boxes through it and count them."
    )

    def validate(self, attrs: dict) -> dict:
        if (attrs["dataset"] is None) == (attrs["video"] is None):
            raise serializers.ValidationError({"dataset": "Name a dataset or a video, one of them."}, code="required")
        if attrs["video"] is not None and (attrs.get("filter") or attrs["suggest"]):
            raise serializers.ValidationError(
                {"video": "filter and suggest are for datasets; of a video make frames (videos/{id}/frames/)."}
            )
        options = attrs.get("filter") or {}
        attrs["filter"] = {name: str(value) for name, value in options.items()}
        return attrs
