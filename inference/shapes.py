"""What metrics, curves, exports and jobs of models answer, for the schema."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from jobs.shapes import (
    Integer,
    Key,
    Number,
    ResultSerializer,
    Text,
    Yes,
    by_name,
    constant,
    one_of,
    optional,
    perhaps,
    several,
)
from projects.models import Task


def matrix() -> serializers.ListField:
    return several(serializers.ListField(child=Integer()), help_text="Rows are the truth, columns what was said.")


class LabelFiguresSerializer(serializers.Serializer):
    label = Text()
    precision = Number()
    recall = Number()
    f1 = Number()
    support = Integer(help_text="Images with this label.")


class MeasuredSerializer(serializers.Serializer):
    """What all metrics have; none of a model that was made elsewhere and never measured."""

    count = optional(Integer, help_text="Images.")
    labels_covered = optional(Integer)
    labels_not_measured = several(Text())
    confusion_matrix = matrix()
    unknown_label = optional(Integer, help_text="Images left out for a label that the model does not know.")
    unreadable = optional(Integer)


class TemperatureScalingSerializer(serializers.Serializer):
    """How confidences were corrected, so that of many answers with 0.9 nine of ten are right."""

    temperature = Number(help_text="What logits are divided by, in every file of the model; 1: they are as they were.")
    images = Integer(help_text="Of the validation split, that it was fitted on.")
    error_before = Number(allow_null=True, help_text="Expected calibration error on the test split without it.")
    error_after = Number(allow_null=True, help_text="The same with it.")
    reason = Text(help_text="Why nothing was corrected; empty where it was.")


class ClassificationMetricsSerializer(MeasuredSerializer):
    task = constant(Task.CLASSIFICATION.value)
    accuracy = optional(Number)
    accuracy_interval = several(Number(), help_text="95 %, Wilson.")
    balanced_accuracy = optional(Number)
    macro_f1 = optional(Number)
    weighted_f1 = optional(Number)
    top_5_accuracy = optional(Number)
    expected_calibration_error = optional(Number)
    temperature_scaling = optional(TemperatureScalingSerializer, help_text="Of models trained here.")
    per_class = optional(LabelFiguresSerializer, many=True)


class MultilabelFiguresSerializer(LabelFiguresSerializer):
    threshold = Number(help_text="From this score on an image has the label.")
    average_precision = Number(allow_null=True, help_text="null: no image has this label.")
    precision_interval = several(Number(), help_text="95 %, Wilson.")
    recall_interval = several(Number(), help_text="95 %, Wilson.")
    predicted = Integer(help_text="Images that are said to have it.")


class MultilabelMetricsSerializer(MeasuredSerializer):
    task = constant(Task.MULTILABEL.value)
    mean_average_precision = optional(Number, help_text="The mean over the labels, in which no threshold has a part.")
    mean_average_precision_interval = perhaps(
        serializers.ListField, child=Number(), help_text="95 %, bootstrap over images."
    )
    macro_precision = optional(Number)
    macro_recall = optional(Number)
    macro_f1 = optional(Number)
    micro_precision = optional(Number)
    micro_recall = optional(Number)
    micro_f1 = optional(Number)
    subset_accuracy = optional(Number, help_text="Share of images with exactly their labels.")
    subset_accuracy_interval = several(Number(), help_text="95 %, Wilson.")
    hamming_loss = optional(Number, help_text="Share of wrong decisions.")
    expected_calibration_error = optional(Number)
    temperature_scaling = optional(TemperatureScalingSerializer, help_text="Of models trained here.")
    per_class = optional(MultilabelFiguresSerializer, many=True)


class BoxFiguresSerializer(serializers.Serializer):
    label = Text()
    boxes = Integer()
    ap = Number(allow_null=True)
    ap50 = Number(allow_null=True)
    ar = Number(allow_null=True)
    precision_at_recall = several(Number(), help_text="At 101 recalls from 0 to 1.")
    threshold = optional(Number)
    precision = optional(Number)
    recall = optional(Number)


class DetectionMetricsSerializer(MeasuredSerializer):
    task = constant(Task.DETECTION.value)
    boxes = optional(Integer)
    ap = perhaps(Number, help_text="IoU 0.50 to 0.95, as COCO has it.")
    ap50 = perhaps(Number)
    ap75 = perhaps(Number)
    ap_small = perhaps(Number)
    ap_medium = perhaps(Number)
    ap_large = perhaps(Number)
    ar = perhaps(Number)
    ap50_interval = perhaps(serializers.ListField, child=Number(), help_text="95 %, bootstrap over images.")
    threshold = optional(Number)
    precision = optional(Number)
    recall = optional(Number)
    recall_interval = perhaps(serializers.ListField, child=Number(), help_text="95 %, boxes grouped by image.")
    per_class = optional(BoxFiguresSerializer, many=True)


METRICS = one_of(
    "Metrics",
    lambda: {
        "classification": ClassificationMetricsSerializer,
        "multilabel": MultilabelMetricsSerializer,
        "detection": DetectionMetricsSerializer,
    },
    "task",
)


class RocSerializer(serializers.Serializer):
    false_positive_rate = serializers.ListField(child=Number())
    true_positive_rate = serializers.ListField(child=Number())
    threshold = several(Number(allow_null=True), help_text="null: above all scores.")
    auc = Number()


class PrecisionRecallSerializer(serializers.Serializer):
    precision = serializers.ListField(child=Number())
    recall = serializers.ListField(child=Number())
    threshold = serializers.ListField(child=Number())
    average_precision = Number()


class LabelThresholdSerializer(serializers.Serializer):
    threshold = Number()
    precision = Number(allow_null=True)
    recall = Number(allow_null=True)
    f1 = Number(allow_null=True)


class LabelCurvesSerializer(serializers.Serializer):
    label = Text()
    roc = RocSerializer(allow_null=True)
    precision_recall = PrecisionRecallSerializer(allow_null=True)
    thresholds = LabelThresholdSerializer(many=True)


class AnswerThresholdSerializer(serializers.Serializer):
    """What a lowest score costs: of classifiers answers, of detectors boxes."""

    threshold = Number()
    answered = optional(Number)
    accuracy = perhaps(Number)
    right = optional(Number)
    precision = perhaps(Number)
    recall = perhaps(Number)
    f1 = perhaps(Number)


CalibrationBinSerializer = type(
    "CalibrationBinSerializer",
    (serializers.Serializer,),
    {"from": Number(), "to": Number(), "count": Integer(), "confidence": Number(), "accuracy": Number()},
)


class CurvesSerializer(serializers.Serializer):
    """Empty where only figures were kept."""

    per_class = optional(LabelCurvesSerializer, many=True)
    macro_auc = perhaps(Number)
    mean_average_precision = perhaps(Number)
    calibration = optional(CalibrationBinSerializer, many=True)
    thresholds = optional(AnswerThresholdSerializer, many=True)


class AnchorsSerializer(serializers.Serializer):
    min_level = Integer()
    max_level = Integer()
    sizes = serializers.ListField(child=Number())
    ratios = serializers.ListField(child=Number())
    factors = several(Number())


class OriginSerializer(serializers.Serializer):
    """Of a model that was made elsewhere: its file and how it was read. Empty for others."""

    filename = optional(Text)
    format = optional(Text)
    read = optional(Text)
    channels = optional(Text)
    scaling = optional(Text)
    output = optional(Text)
    largest_difference = perhaps(Number)


class DetectorSettingsSerializer(serializers.Serializer):
    score_threshold = optional(Number)
    label_thresholds = by_name(Number())
    iou_threshold = optional(Number)
    anchors = optional(AnchorsSerializer)
    letterbox = optional(Text)


@extend_schema_serializer(deprecate_fields=["pictures"])
class ExportReportSerializer(serializers.Serializer):
    """What was measured of a file; empty for what was not exported."""

    images = optional(Integer)
    measured_on = optional(Text, help_text="Which images it was measured on.")
    pictures = optional(Text, help_text="Deprecated: the same as `measured_on`.")
    size = optional(Integer)
    largest_difference = perhaps(Number)
    agreement = optional(Number)
    latency_ms = perhaps(Number)
    accuracy = optional(Number)
    keras_accuracy = optional(Number)
    micro_f1 = optional(Number, help_text="Of a multilabel model, at its thresholds.")
    keras_micro_f1 = optional(Number)
    ap50 = perhaps(Number)
    keras_ap50 = perhaps(Number)
    drop = perhaps(Number)
    opset = optional(Integer)
    kind = optional(Text, help_text="Of a bundle: the kind of file in it.")
    detector = perhaps(DetectorSettingsSerializer, help_text="The settings that were written into the file.")
    score_threshold = perhaps(Number, help_text="Of a classifier's bundle: the lowest score that was written into it.")
    label_thresholds = by_name(Number(), help_text="Of a multilabel model's bundle: those that were written into it.")


class DifferenceAnswerSerializer(serializers.Serializer):
    """What one of the models said: a label with its score, labels, or of detectors how often it was wrong."""

    label = optional(Text)
    labels = several(Text(), help_text="Of a multilabel model.")
    score = optional(Number)
    false_positives = optional(Integer)
    misses = optional(Integer)


class DifferenceSerializer(serializers.Serializer):
    image = Key()
    label = optional(Text, help_text="The truth, for classifiers.")
    labels = several(Text(), help_text="The truth, for multilabel models.")
    answers = DifferenceAnswerSerializer(many=True, help_text="In the order of the models.")


# Results of jobs


class EvaluationResultSerializer(ResultSerializer):
    kind = constant("evaluation")
    model = optional(Key)
    evaluation = optional(Key)
    images = optional(Integer)


class StretchSerializer(serializers.Serializer):
    """When a label is seen in a video, in seconds; `most`: at most so many at once."""

    label = Text()
    start = Number()
    end = Number()
    frames = Integer()
    mean_score = Number()
    best_score = Number()
    most = Integer()


class PredictionResultSerializer(ResultSerializer):
    kind = constant("prediction")
    model = optional(Key)
    video = optional(Key)
    frames = optional(Integer, help_text="Of a video: how many it has.")
    codec = perhaps(Text, help_text="Of a video: what annotated.mp4 is written in.")
    timeline = optional(StretchSerializer, many=True, help_text="Of a video: the first 200 stretches of a label.")
    tracks = optional(Integer, help_text="With tracking: how many things were followed.")
    counts = by_name(Integer(), help_text="With tracking: how many of each label.")
    note = optional(Text)
    images = optional(Integer)
    rejected = optional(Integer)
    suggestions = optional(Integer)
    labels = by_name(Integer())
    thresholds = by_name(Number())


class ExplanationResultSerializer(ResultSerializer):
    kind = constant("explanation")
    model = optional(Key)
    image = perhaps(Key)
    label = optional(Text)
    box = perhaps(serializers.ListField, child=Number())
    score = optional(Number)
    method = optional(Text)
    heat = several(serializers.ListField(child=Number()))


@extend_schema_serializer(deprecate_fields=["chosen"])
class FramesResultSerializer(ResultSerializer):
    kind = constant("video_frames")
    video = optional(Key)
    created = optional(Integer)
    duplicates = optional(Integer)
    similar = optional(Integer)
    left = optional(Integer, help_text="Frames of which the model was surer than asked for.")
    dry_run = optional(Yes)
    frames = optional(Integer, help_text="Of a dry run: how many frames would be taken.")
    chosen = optional(Integer, help_text="Deprecated: the same as `frames`.")
    times = several(Number(), help_text="Of a dry run: when the first 2,000 of them are, in seconds.")
    suggestions = optional(Integer)
    change = optional(Key, help_text="`changes/{id}/undo/` takes the images away again.")


class PublishedFileSerializer(serializers.Serializer):
    kind = Text()
    filename = Text()
    sha256 = Text()
    size = Integer()
    store = Text()
    remote_id = Text()
    trackers = serializers.ListField(child=Text())
    url = Text()


class SuggestionsResultSerializer(ResultSerializer):
    kind = constant("suggestions")
    model = optional(Key)
    dataset = optional(Key)
    images = optional(Integer)
    suggestions = optional(Integer)
    unreadable = optional(Integer)


class SuspectsResultSerializer(ResultSerializer):
    kind = constant("suspects")
    model = perhaps(Key)
    dataset = optional(Key)
    images = optional(Integer)
    probably_wrong = optional(Integer)
    outliers = optional(Integer)


class FeatureMapResultSerializer(ResultSerializer):
    kind = constant("feature_map")
    images = optional(Integer)


class ModelImportResultSerializer(ResultSerializer):
    kind = constant("model_import")
    model = optional(Key)
    version = optional(Integer)
    litert_difference = perhaps(Number)
    read = optional(OriginSerializer)


@extend_schema_serializer(deprecate_fields=["pictures"])
class ExportedSerializer(ExportReportSerializer):
    kind = Text()
    offered = Yes()
    problem = Text(help_text="Why it is not kept.")


class ModelExportResultSerializer(ResultSerializer):
    kind = constant("model_export")
    model = optional(Key)
    exports = optional(ExportedSerializer, many=True)
    bundle = perhaps(Text)
