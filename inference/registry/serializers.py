"""Shapes of models, their stages, lineage and files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.names import OneLineName
from accounts.numbers import Number
from datasets.models import Origin, Snapshot
from inference.models import Evaluation, FileKind, Model, ModelFile, Stage, StageChange
from inference.registry.exports import LARGEST_DROP, REPORT_NAMES
from inference.registry.naming import name_of_base
from inference.registry.staleness import is_stale
from inference.shapes import (
    METRICS,
    AnchorsSerializer,
    ExportReportSerializer,
    OriginSerializer,
)
from jobs.shapes import Described
from projects.models import Task
from storage.models import BlobState
from vision.runtime.kinds import NAMES


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
    stale = serializers.SerializerMethodField(
        help_text="Whether the thresholds of the model were changed since the file was written with them: export again."
    )
    report = Described(
        ExportReportSerializer(),
        names=REPORT_NAMES,
        help_text="What was measured of an export: size, agreement, accuracy or AP50, latency.",
    )

    class Meta:
        model = ModelFile
        fields = ["kind", "filename", "size", "sha256", "stored", "url", "stale", "report"]

    @extend_schema_field(serializers.CharField())
    def get_url(self, file: ModelFile) -> str:
        return reverse("model-files", args=[file.model_id, file.kind])

    def get_stale(self, file: ModelFile) -> bool:
        return is_stale(file)


class DetectorSerializer(KnownFieldsOnly, serializers.Serializer):
    """How a detector's output is read. Thresholds and suppression can be changed; the network stays as it is."""

    score_threshold = Number(
        min_value=0, max_value=1, help_text="Lowest score of a box whose label has no threshold of its own."
    )
    label_thresholds = serializers.DictField(child=Number(min_value=0, max_value=1), help_text="Lowest score by label.")
    iou_threshold = Number(
        min_value=0,
        max_value=1,
        help_text="Of two boxes of a label that overlap by more, the better one stays.",
    )
    anchors = Described(AnchorsSerializer())
    letterbox = serializers.CharField(read_only=True)

    def get_attribute(self, instance: Model) -> dict | None:
        return super().get_attribute(instance) or None


class MetricsField(Described):
    """With the task, which says which figures there are."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(METRICS, source="*", **kwargs)

    def to_representation(self, value: Model | Evaluation) -> dict:
        model = value if isinstance(value, Model) else value.model
        return {"task": model.task, **value.metrics}


class TagsField(serializers.ListField):
    """Words to find models by: each once, in order."""

    child = serializers.CharField(max_length=50)

    def to_internal_value(self, data: Any) -> list[str]:
        tags = super().to_internal_value(data)
        if any("\n" in tag for tag in tags):
            raise serializers.ValidationError("A tag is one line.")
        return sorted(set(tags))


CHANGEABLE = ("name", "notes", "tags", "visibility", "detector", "score_threshold", "label_thresholds")


class ModelSerializer(KnownFieldsOnly, OneLineName, serializers.ModelSerializer):
    files = ModelFileSerializer(many=True, read_only=True)
    class_names = serializers.ListField(child=serializers.CharField(), read_only=True)
    metrics = MetricsField(help_text="On the untouched test split.")
    detector = DetectorSerializer(
        required=False,
        allow_null=True,
        partial=True,
        help_text="Of a detector: anchors, thresholds, suppression; else null.",
    )

    score_threshold = Number(
        min_value=0,
        max_value=1,
        required=False,
        allow_null=True,
        help_text="Of a classifier: lowest score that predictions answer with when they name none; null: 0.",
    )
    label_thresholds = serializers.DictField(
        child=Number(min_value=0, max_value=1),
        required=False,
        help_text="Of a multilabel model: from which score on an image has a label, by its name. Chosen on the "
        "validation split; what is not named keeps its threshold.",
    )
    tags = TagsField(required=False, max_length=20)
    project_name = serializers.SerializerMethodField(help_text="null: others made it public, and you are no member.")
    dataset = serializers.SerializerMethodField(help_text="Of its snapshot.")
    dataset_name = serializers.SerializerMethodField()
    snapshot_name = serializers.SerializerMethodField(help_text="The snapshot's name, or its dataset and number.")
    base_model_name = serializers.SerializerMethodField(help_text="null also where you may not see it.")
    created_by = serializers.SerializerMethodField(help_text="The user name of who made it.")
    origin = Described(OriginSerializer(), help_text="Of an uploaded model: its file and how it was read.")

    class Meta:
        model = Model
        fields = [
            "id", "project", "name", "version", "notes", "tags", "task", "stage", "visibility", "class_names",
            "architecture", "input_height", "input_width", "resize", "parameters", "metrics", "detector",
            "score_threshold", "label_thresholds", "training",
            "base_model", "snapshot", "origin", "files", "created_at", "project_name", "dataset", "dataset_name",
            "snapshot_name", "base_model_name", "created_by",
        ]  # fmt: skip
        read_only_fields = [field for field in fields if field not in CHANGEABLE]

    @staticmethod
    def _known(model: Model) -> bool:
        """Whether the user may know what the model came from."""
        return getattr(model, "is_mine", True)

    def get_project_name(self, model: Model) -> str | None:
        return model.project.name if self._known(model) else None

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_dataset(self, model: Model) -> UUID | None:
        return model.snapshot.dataset_id if model.snapshot is not None and self._known(model) else None

    def get_dataset_name(self, model: Model) -> str | None:
        return model.snapshot.name_of_dataset if model.snapshot is not None and self._known(model) else None

    def get_snapshot_name(self, model: Model) -> str | None:
        return model.snapshot.title if model.snapshot is not None and self._known(model) else None

    def get_base_model_name(self, model: Model) -> str | None:
        return name_of_base(model) if self._known(model) else None

    def get_created_by(self, model: Model) -> str | None:
        return model.created_by.username if model.created_by is not None and self._known(model) else None

    def validate_detector(self, value: dict | None) -> dict:
        """The settings that were sent; `change_model` puts them among the others."""
        model = self.instance
        if value is None:
            return {}
        assert model is not None
        if not Task(model.task).has_boxes:
            raise serializers.ValidationError("Only detectors have these settings.")
        unknown = sorted(set(value.get("label_thresholds", {})) - set(model.class_names))
        if unknown:
            raise serializers.ValidationError({"label_thresholds": [f"The model has no label {unknown[0]!r}."]})
        return value

    def validate_score_threshold(self, value: float | None) -> float | None:
        assert self.instance is not None
        task = Task(self.instance.task)
        if value is not None and task.has_boxes:
            raise serializers.ValidationError("A detector has its thresholds in `detector`.")
        if value is not None and not task.has_single_labels:
            raise serializers.ValidationError("A multilabel model has its thresholds in `label_thresholds`.")
        return value

    def validate_label_thresholds(self, value: dict[str, float]) -> dict[str, float]:
        model = self.instance
        assert model is not None
        if model.task != Task.MULTILABEL:
            raise serializers.ValidationError("Only multilabel models have a threshold for each label.")
        unknown = sorted(set(value) - set(model.class_names))
        if unknown:
            raise serializers.ValidationError(f"The model has no label {unknown[0]!r}.")
        return value


class ModelSummarySerializer(ModelSerializer):
    """A model in a list: of its metrics the single numbers."""

    metrics = serializers.DictField(
        child=serializers.FloatField(allow_null=True),
        source="figures",
        read_only=True,
        help_text="On the untouched test split; matrices and figures by label are in the model itself.",
    )


class StageSerializer(KnownFieldsOnly, serializers.Serializer):
    stage = serializers.ChoiceField(Stage.choices)
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True, help_text="Why.")


class StageChangeSerializer(serializers.ModelSerializer):
    changed_by = serializers.CharField(source="changed_by.username", default=None, allow_null=True)

    class Meta:
        model = StageChange
        fields = ["id", "before", "after", "note", "changed_by", "changed_at"]


class RelatedModelSerializer(serializers.ModelSerializer):
    class Meta:
        model = Model
        fields = ["id", "project", "name", "version", "stage"]


class LineageSnapshotSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    digest = serializers.CharField()
    dataset = serializers.UUIDField(source="dataset_id", allow_null=True)
    dataset_name = serializers.CharField(source="name_of_dataset")
    has_images = serializers.BooleanField()


class LabelledBySerializer(serializers.Serializer):
    user = serializers.CharField(
        allow_null=True, help_text="null: nobody by name, or nobody of whom the reader may know."
    )
    origin = serializers.ChoiceField(Origin.choices)
    annotations = serializers.IntegerField()


class LineageSerializer(serializers.Serializer):
    training = serializers.UUIDField(allow_null=True)
    snapshot = LineageSnapshotSerializer(allow_null=True)
    labelled_by = LabelledBySerializer(
        many=True, help_text="Who made the annotations that the images of the snapshot have now, the most first."
    )
    origin = Described(OriginSerializer(), allow_null=True)
    ancestors = RelatedModelSerializer(many=True, help_text="What it started from, the nearest first.")
    descendants = RelatedModelSerializer(many=True, help_text="What started from it.")


class ExportRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    kinds = serializers.ListField(
        child=serializers.ChoiceField(list(NAMES)), required=False, default=list, max_length=len(NAMES)
    )
    bundle_of = serializers.ChoiceField(
        list(NAMES),
        required=False,
        allow_null=True,
        default=None,
        help_text="Also a zip of this kind of file with labels, model card and a program that runs it.",
    )
    snapshot = serializers.PrimaryKeyRelatedField(
        queryset=Snapshot.objects.none(),
        required=False,
        allow_null=True,
        default=None,
        help_text="Whose test split the files are verified on. Default: what the model was trained on.",
    )
    largest_drop = Number(
        min_value=0,
        max_value=1,
        default=LARGEST_DROP,
        help_text="How much accuracy (of detectors AP50) a file may lose; what loses more is not offered.",
    )

    def get_fields(self) -> dict:
        fields = super().get_fields()
        if "snapshots" in self.context:
            fields["snapshot"].queryset = self.context["snapshots"]  # type: ignore[attr-defined]
        return fields

    def validate(self, attrs: dict) -> dict:
        if not attrs["kinds"] and not attrs["bundle_of"]:
            raise serializers.ValidationError({"kinds": "Name at least one kind of file."}, code="required")
        return attrs


class ExportSerializer(serializers.Serializer):
    """A kind of file that the model can be exported as."""

    kind = serializers.CharField()
    title = serializers.CharField(source="spec.title")
    runtime = serializers.CharField(source="spec.runtime", help_text="What a device needs to run it.")
    file = ModelFileSerializer(allow_null=True, help_text="null: not made yet.")


class PublishRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    kinds = serializers.ListField(
        child=serializers.ChoiceField(FileKind.choices),
        required=False,
        default=list,
        max_length=len(FileKind),
        help_text="Which files; default: all.",
    )
    seconds = serializers.IntegerField(
        min_value=60, max_value=604_800, default=86_400, help_text="How long signed addresses shall hold."
    )
