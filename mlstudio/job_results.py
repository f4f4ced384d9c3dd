"""The results of all kinds of jobs, for the schema: rooms below name shapes, this one knows all kinds."""

from __future__ import annotations

from rest_framework import serializers

from custom_vision.shapes import CopyResultSerializer
from datasets import shapes as datasets
from inference import shapes as inference
from inference.evaluation.comparison_serializers import ComparedModelSerializer, ComparedPairSerializer
from jobs.shapes import RESULTS, Described, Integer, Key, ResultSerializer, Text, constant, optional
from training.preflights import PreflightFieldsSerializer
from training.shapes import ConfigurationSerializer


class ComparisonResultSerializer(ResultSerializer):
    kind = constant("comparison")
    snapshot = optional(Key)
    split = optional(Text)
    images = optional(Integer)
    models = optional(ComparedModelSerializer, many=True)
    pairs = optional(ComparedPairSerializer, many=True)
    differences = optional(inference.DifferenceSerializer, many=True)


class PublishResultSerializer(serializers.Serializer):
    """Its `files` are where they lie in the store."""

    kind = constant("model_publish")
    model = optional(Key)
    files = optional(inference.PublishedFileSerializer, many=True)


class PreflightResultSerializer(PreflightFieldsSerializer):
    """What such a training would take."""

    kind = constant("preflight")
    configuration = Described(ConfigurationSerializer())


class TrainingOfDatasetResultSerializer(datasets.SnapshotFactsSerializer):
    kind = constant("snapshot_and_training")
    training = optional(Key)


class SearchOfDatasetResultSerializer(datasets.SnapshotFactsSerializer):
    kind = constant("snapshot_and_search")
    search = optional(Key)


class UndoResultSerializer(ResultSerializer):
    """Of a change that was taken back: `change` is the one that this was."""

    kind = constant("undo")
    change = optional(Key)


def register() -> None:
    RESULTS.update(
        {
            "comparison": ComparisonResultSerializer,
            "custom_vision_import": CopyResultSerializer,
            "duplicates": datasets.DuplicatesResultSerializer,
            "evaluation": inference.EvaluationResultSerializer,
            "explanation": inference.ExplanationResultSerializer,
            "export": datasets.ExportResultSerializer,
            "feature_map": inference.FeatureMapResultSerializer,
            "images_bulk": datasets.ImagesBulkResultSerializer,
            "import": datasets.ImportResultSerializer,
            "import_dry_run": datasets.DryRunResultSerializer,
            "label_removal": datasets.LabelRemovalResultSerializer,
            "model_export": inference.ModelExportResultSerializer,
            "model_import": inference.ModelImportResultSerializer,
            "model_publish": PublishResultSerializer,
            "prediction": inference.PredictionResultSerializer,
            "preflight": PreflightResultSerializer,
            "samples": datasets.SamplesResultSerializer,
            "snapshot_and_search": SearchOfDatasetResultSerializer,
            "snapshot": datasets.SnapshotResultSerializer,
            "suggestions": inference.SuggestionsResultSerializer,
            "suspects": inference.SuspectsResultSerializer,
            "snapshot_and_training": TrainingOfDatasetResultSerializer,
            "undo": UndoResultSerializer,
            "video_frames": inference.FramesResultSerializer,
            "video_proxy": datasets.VideoProxyResultSerializer,
            "video_survey": datasets.VideoSurveyResultSerializer,
        }
    )
