"""Shapes of what makes a model better: frames, batches, suggestions, suspects, comparisons, explanations."""

from __future__ import annotations

import uuid

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.numbers import Number
from datasets.models import Dataset, Image, Snapshot, Split, Video
from datasets.serializers import ImageSerializer
from datasets.video.facts import Selection
from inference.models import Model, Suggestion
from inference.shapes import (
    CalibrationBinSerializer,
    DifferenceSerializer,
    PrecisionRecallSerializer,
    RocSerializer,
)


class Scoped(KnownFieldsOnly, serializers.Serializer):
    """Related objects are looked for among what the user may see: `context["scope"]` has a queryset by field."""

    def get_fields(self) -> dict:
        fields = super().get_fields()
        for name, rows in self.context.get("scope", {}).items():
            if name in fields:
                field = fields[name]
                (field.child_relation if hasattr(field, "child_relation") else field).queryset = rows
        return fields


def related(model, **options) -> serializers.PrimaryKeyRelatedField:
    return serializers.PrimaryKeyRelatedField(queryset=model.objects.none(), **options)


class FramesRequestSerializer(Scoped):
    """Which frames become images. Give one of `every_frames`, `every_seconds` and `scenes`."""

    every_frames = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    every_seconds = Number(min_value=0.001, max_value=86_400, required=False)
    scenes = serializers.BooleanField(default=False, help_text="The first frame of each scene.")
    start_seconds = Number(min_value=0, max_value=1e7, default=0.0)
    end_seconds = Number(min_value=0, max_value=1e7, required=False, allow_null=True, default=None)
    skip_similar = serializers.BooleanField(
        default=False, help_text="Leave out frames that look like one that was taken from this video before."
    )
    format = serializers.ChoiceField(["jpeg", "png"], default="jpeg")
    split = serializers.ChoiceField(Split.choices, required=False, allow_null=True, default=None)
    group_seconds = Number(
        min_value=0.1, max_value=1e6, required=False, allow_null=True, default=None,
        help_text="Frames of so long a stretch stay on one side of a split; default: those of the whole video.",
    )  # fmt: skip
    model = related(
        Model, required=False, allow_null=True, default=None,
        help_text="Its predictions become annotations to confirm.",
    )  # fmt: skip
    min_uncertainty = Number(
        min_value=0, max_value=1, required=False, allow_null=True, default=None,
        help_text="Of the chosen frames only those of which the model is at least so unsure, from 0 (sure) to 1.",
    )  # fmt: skip
    dry_run = serializers.BooleanField(
        default=False, help_text="Only count the frames: the job's result has how many, and when they are."
    )

    def validate(self, attrs: dict) -> dict:
        rules = [name for name in ("every_frames", "every_seconds") if name in attrs]
        if len(rules) + attrs["scenes"] != 1:
            raise serializers.ValidationError(
                {"every_seconds": "Give one of every_frames, every_seconds and scenes."}, code="required"
            )
        if attrs["min_uncertainty"] is not None and attrs["model"] is None:
            raise serializers.ValidationError({"model": "Name the model whose doubt counts."}, code="required")
        if attrs["end_seconds"] is not None and attrs["end_seconds"] <= attrs["start_seconds"]:
            raise serializers.ValidationError({"end_seconds": "Must be after start_seconds."})
        names = ("every_frames", "every_seconds", "scenes", "start_seconds", "end_seconds")
        attrs["selection"] = Selection(**{name: attrs.pop(name) for name in names if name in attrs})
        return attrs


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
        wishes = attrs.get("filter") or {}
        attrs["filter"] = {name: str(value) for name, value in wishes.items()}
        return attrs


class SuggestionsRequestSerializer(Scoped):
    dataset = related(Dataset, help_text="Whose unlabelled images are looked at.")
    other_model = related(
        Model, required=False, allow_null=True, default=None, source="other",
        help_text="A second opinion: images on which the two disagree come first too.",
    )  # fmt: skip
    annotate = serializers.BooleanField(default=True, help_text="Keep the predictions as annotations to confirm.")


class SuspectsRequestSerializer(Scoped):
    dataset = related(Dataset, help_text="Whose labels are looked at.")


class SuggestionSerializer(serializers.ModelSerializer):
    image = ImageSerializer(read_only=True)

    class Meta:
        model = Suggestion
        fields = ["id", "model", "dataset", "rank", "uncertainty", "disagreement", "image", "created_at"]
        read_only_fields = fields


class CompareQuerySerializer(Scoped):
    ids = serializers.CharField(max_length=400, help_text="Ids of 2 to 5 models, with commas.")
    snapshot = related(
        Snapshot, required=False, default=None, help_text="Default: the newest on which all of them were measured."
    )
    split = serializers.ChoiceField(Split.choices, default=Split.TEST)

    def validate_ids(self, value: str) -> list[uuid.UUID]:
        try:
            return list(dict.fromkeys(uuid.UUID(part.strip()) for part in value.split(",") if part.strip()))
        except ValueError as error:
            raise serializers.ValidationError("Must be ids of models, with commas.") from error


class CompareRequestSerializer(Scoped):
    ids = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=5)
    snapshot = related(Snapshot)
    split = serializers.ChoiceField(Split.choices, default=Split.TEST)


class ComparedModelSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    evaluation = serializers.UUIDField()
    left_out = serializers.IntegerField(help_text="Images that another of the models could not be measured on.")
    accuracy = serializers.FloatField(required=False)
    accuracy_interval = serializers.ListField(child=serializers.FloatField(), required=False)
    recall_by_label = serializers.DictField(child=serializers.FloatField(), required=False)
    ap = serializers.FloatField(required=False, allow_null=True)
    ap50 = serializers.FloatField(required=False, allow_null=True)
    ap50_interval = serializers.ListField(child=serializers.FloatField(), required=False, allow_null=True)
    precision = serializers.FloatField(required=False)
    recall = serializers.FloatField(required=False)
    threshold = serializers.FloatField(required=False)
    ap50_by_label = serializers.DictField(child=serializers.FloatField(allow_null=True), required=False)


class ComparedPairSerializer(serializers.Serializer):
    first = serializers.UUIDField()
    second = serializers.UUIDField()
    test = serializers.CharField()
    difference = serializers.FloatField(help_text="Of accuracy or AP50, second less first.")
    interval = serializers.ListField(child=serializers.FloatField(), help_text="95 %, of the difference.")
    p_value = serializers.FloatField()
    is_significant = serializers.BooleanField(help_text="At 5 %.")
    only_first = serializers.IntegerField(required=False, help_text="Images that only the first got right.")
    only_second = serializers.IntegerField(required=False)


class PictureSerializer(serializers.Serializer):
    """What shows an image behind a figure."""

    is_deleted = serializers.BooleanField(help_text="The dataset no longer has it; its `thumbnail` stays.")
    filename = serializers.CharField(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    thumbhash = serializers.CharField(allow_null=True)
    thumbnail = serializers.CharField(
        allow_null=True, help_text="null: the snapshot's images are gone, or are of a project that you do not see."
    )


class ShownDifferenceSerializer(PictureSerializer, DifferenceSerializer):
    pass


class ComparisonSerializer(serializers.Serializer):
    snapshot = serializers.UUIDField()
    split = serializers.CharField()
    images = serializers.IntegerField()
    models = ComparedModelSerializer(many=True)
    pairs = ComparedPairSerializer(many=True)
    differences = ShownDifferenceSerializer(many=True, help_text="Images on which the models differ, at most 200.")


class ExplanationRequestSerializer(Scoped):
    image = related(Image, required=False, help_text="An image of yours.")
    file = serializers.FileField(required=False, allow_empty_file=True, help_text="Or a picture, sent along.")
    label = serializers.CharField(required=False, max_length=100, help_text="Default: the model's first answer.")

    def validate(self, attrs: dict) -> dict:
        if ("image" in attrs) == ("file" in attrs):
            raise serializers.ValidationError({"image": "Name an image, or send a file, one of them."}, code="required")
        return attrs


def _edges(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.FloatField(), min_length=4, max_length=4, allow_null=True, help_text=help_text
    )


class OutcomeQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    """Which images of an evaluation are wanted."""

    label = serializers.CharField(required=False, max_length=100, help_text="Images that show this label.")
    predicted = serializers.CharField(required=False, max_length=100, help_text="Images on which the model said this.")
    outcome = serializers.ChoiceField(
        ["right", "wrong", "false_positive", "miss", "cell"], required=False,
        help_text="For classifiers right or wrong; for detectors also false_positive (of `predicted`) and miss (of "
        "`label`), where these are named. cell: what the confusion matrix counts for `label` and `predicted`; for "
        "detectors without `label` boxes where nothing is annotated, without `predicted` boxes that were not found.",
    )  # fmt: skip
    min_score = Number(min_value=0, max_value=1, required=False, help_text="Of the best answer.")
    max_score = Number(min_value=0, max_value=1, required=False)
    score_of = serializers.CharField(
        required=False, max_length=100,
        help_text="The label that `min_score` and `max_score` are about, instead of the best answer. Of classifiers: "
        "its score, and what shows it is right. Of detectors: the score of any box that was found as it.",
    )  # fmt: skip
    threshold = Number(
        min_value=0,
        max_value=1,
        required=False,
        help_text="For detectors; default: those that the figures were made with.",
    )
    offset = serializers.IntegerField(min_value=0, max_value=10_000_000, default=0)
    page_size = serializers.IntegerField(min_value=1, max_value=500, default=50)


class OutcomeBoxSerializer(serializers.Serializer):
    """A box that was found, or missed. Edges are x_min, y_min, x_max, y_max in pixels of the upright image."""

    match = serializers.ChoiceField(["hit", "false_positive", "miss"])
    label = serializers.CharField()
    score = serializers.FloatField(allow_null=True, help_text="null: it was missed.")
    box = _edges("What the model found; null: it was missed.")
    annotation = _edges("What was annotated; null: nothing of this label.")


class OutcomeSerializer(PictureSerializer):
    image = serializers.UUIDField()
    label = serializers.CharField(required=False)
    predicted = serializers.CharField(required=False)
    score = serializers.FloatField(required=False)
    label_score = serializers.FloatField(required=False)
    hits = serializers.IntegerField(required=False)
    false_positives = serializers.IntegerField(required=False)
    misses = serializers.IntegerField(required=False)
    boxes = OutcomeBoxSerializer(many=True, required=False, help_text="Of a detector.")


class OutcomePageSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    results = OutcomeSerializer(many=True)


class ThresholdQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    label = serializers.CharField(required=False, max_length=100, help_text="Default: all labels together.")


class CurveQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    label = serializers.CharField(max_length=100)


class LabelChartsSerializer(serializers.Serializer):
    """One label against all others."""

    label = serializers.CharField()
    precision_recall = PrecisionRecallSerializer(allow_null=True, help_text="null: nothing has this label.")
    roc = RocSerializer(allow_null=True, help_text="null: of a detector, or all images or none have this label.")
    calibration = CalibrationBinSerializer(many=True, help_text="Of images, or of a detector's boxes.")


class ThresholdCostSerializer(serializers.Serializer):
    """At a lowest score: of classifiers best answers, one an image; of detectors boxes."""

    threshold = serializers.FloatField()
    right = serializers.IntegerField()
    wrong = serializers.IntegerField()
    left = serializers.IntegerField(help_text="Below the threshold: left to a person.")
    missed = serializers.IntegerField(help_text="Images or boxes of the label that are not among the right ones.")
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)
    f1 = serializers.FloatField(allow_null=True)


class ThresholdTableSerializer(serializers.Serializer):
    label = serializers.CharField(allow_null=True)
    total = serializers.IntegerField(help_text="Images with the label, or annotated boxes.")
    rows = ThresholdCostSerializer(many=True, help_text="At 101 thresholds from 0 to 1.")


class PictureQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    kind = serializers.ChoiceField(["svg", "png"], default="svg")
