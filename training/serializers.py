from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts.known import refuse_unknown
from accounts.names import OneLineName
from accounts.numbers import Number
from datasets.models import Dataset, Snapshot
from inference.models import Model
from inference.registry.naming import name_of_base
from jobs.models import JobKind, WorkState
from jobs.serializers import ErrorDetailSerializer, ProgressSerializer, WaitingSerializer, WorkSerializer
from jobs.shapes import Described
from projects.models import Project, Task
from projects.scoped import Scoped, related
from training.models import Search, TrainingRun
from training.searches import SEARCHABLE
from training.settings_fields import ConfigurationFields
from training.shapes import ChosenSettingsSerializer, ConfigurationSerializer, SpaceField

INITIAL_WEIGHTS = ["coco", "imagenet", "scratch"]


@extend_schema_serializer(deprecate_fields=["starts_from"])
class ArchitectureSerializer(serializers.Serializer):
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    task = serializers.ChoiceField(choices=Task.choices)
    parameters = serializers.IntegerField()
    default_image_size = serializers.IntegerField()
    image_sizes = serializers.ListField(child=serializers.IntegerField())
    weights_file = serializers.CharField(allow_null=True, help_text="What the file with ImageNet weights is called.")
    coco_weights = serializers.CharField(allow_null=True, help_text="What the file of a detector of COCO is called.")
    weights_available = serializers.BooleanField(help_text="Whether it is on this machine.")
    initial_weights = serializers.ChoiceField(
        INITIAL_WEIGHTS, help_text="What a training with `weights=auto` starts from on this machine."
    )
    starts_from = serializers.ChoiceField(
        INITIAL_WEIGHTS,
        help_text="Deprecated: the same as `initial_weights`.",
        source="initial_weights",
    )
    is_exportable = serializers.BooleanField()
    is_installed = serializers.BooleanField(help_text="Whether the packages that it needs are on this server.")
    is_default = serializers.BooleanField()


class SeesItsOwn(serializers.Serializer):
    """Names only what the context's `visible` has for its user, by field."""

    def get_fields(self) -> dict:
        fields = super().get_fields()
        for name, queryset in self.context.get("visible", {}).items():
            fields[name].queryset = queryset  # type: ignore[attr-defined]
        return fields


class OptionsQuerySerializer(SeesItsOwn):
    project = serializers.PrimaryKeyRelatedField(queryset=Project.objects.none())


class TrainingRequestSerializer(OneLineName, ConfigurationFields, SeesItsOwn):
    project = serializers.PrimaryKeyRelatedField(queryset=Project.objects.none())
    snapshot = serializers.PrimaryKeyRelatedField(
        queryset=Snapshot.objects.none(), required=False, help_text="What to train on."
    )
    dataset = serializers.PrimaryKeyRelatedField(
        queryset=Dataset.objects.none(), required=False, help_text="Instead: freeze this dataset as it is now."
    )
    base_model = serializers.PrimaryKeyRelatedField(
        queryset=Model.objects.none(),
        required=False,
        help_text="A model of the same task to start from: of a project of yours, or a public one.",
    )
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            refuse_unknown(data, self.fields, code="unknown", what="setting")
        return super().to_internal_value(data)

    def validate(self, attrs: dict) -> dict:
        project, snapshot, dataset = attrs["project"], attrs.get("snapshot"), attrs.get("dataset")
        if snapshot and dataset:
            raise serializers.ValidationError({"dataset": "Name a snapshot or a dataset, not both."})
        if snapshot and snapshot.project_id != project.pk:
            raise serializers.ValidationError({"snapshot": "Must be a snapshot of the project."})
        if dataset and dataset.project_id != project.pk:
            raise serializers.ValidationError({"dataset": "Must be a dataset of the project."})
        return attrs

    @property
    def service_arguments(self) -> dict:
        """The validated data as keyword arguments of `start_training`."""
        own = {
            key: self.validated_data[key]
            for key in ("project", "snapshot", "dataset", "base_model", "name")
            if key in self.validated_data
        }
        settings = {key: value for key, value in self.validated_data.items() if key not in own}
        return own | {"configuration": settings}


class KeepLiveModelSerializer(OneLineName, Scoped):
    dataset = related(
        Dataset, required=False, help_text="Whose labels it is made of; without it that with the most labelled images."
    )
    name = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="Of the model; without it what it comes from."
    )


class EstimateSerializer(serializers.Serializer):
    seconds = serializers.FloatField()
    memory_bytes = serializers.IntegerField()
    disk_bytes = serializers.IntegerField()
    pixels = serializers.CharField()
    seconds_by_phase = serializers.DictField(child=serializers.FloatField())
    warnings = serializers.ListField(child=serializers.CharField())
    epochs = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="Settings of epochs that `minutes` or `max_minutes` has made smaller.",
    )


class EpochSerializer(serializers.Serializer):
    phase = serializers.CharField()
    epoch = serializers.IntegerField()
    loss = serializers.FloatField()
    val_loss = serializers.FloatField()
    accuracy = serializers.FloatField(required=False, help_text="Of a classifier.")
    val_accuracy = serializers.FloatField(required=False, help_text="Of a classifier.")
    val_average_precision = serializers.FloatField(
        required=False, help_text="Of a multilabel classifier: the mean over its labels, what chooses the epoch."
    )
    val_balanced_accuracy = serializers.FloatField(
        required=False, help_text="Of a classifier whose labels are uneven: what chooses the epoch."
    )
    val_ap = serializers.FloatField(required=False, help_text="Of a detector, in some epochs.")
    val_ap50 = serializers.FloatField(required=False, help_text="Of a detector, in some epochs.")
    learning_rate = serializers.FloatField()
    seconds = serializers.FloatField()
    images_per_second = serializers.FloatField()


class ActualSerializer(serializers.Serializer):
    seconds = serializers.FloatField()
    memory_bytes = serializers.IntegerField()


class TrainingProgressSerializer(ProgressSerializer):
    phase = serializers.CharField(required=False)
    memory_bytes = serializers.IntegerField(required=False, help_text="What the training process has now.")
    gpu = serializers.CharField(required=False, allow_null=True, help_text="null: it trains on the processor.")
    gpu_memory_bytes = serializers.IntegerField(required=False, help_text="Of the first GPU, in use by the training.")


class TrainingSummarySerializer(WorkSerializer):
    """A training in a list: without its history."""

    progress = TrainingProgressSerializer(read_only=True)
    configuration = Described(ConfigurationSerializer())
    project_name = serializers.CharField(source="project.name")
    dataset = serializers.UUIDField(source="snapshot.dataset_id", allow_null=True, help_text="Of its snapshot.")
    dataset_name = serializers.CharField(source="snapshot.name_of_dataset")
    snapshot_name = serializers.CharField(source="snapshot.title", help_text="Or its dataset and number.")
    base_model_name = serializers.SerializerMethodField(help_text="null also where others may not see it.")
    model_name = serializers.SerializerMethodField(help_text="null: it has made none yet, or it was deleted.")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = TrainingRun
        fields = [
            "id", "project", "snapshot", "base_model", "search", "name", "state", "waiting", "configuration",
            "progress", "error", "attempts", "score", "model", "created_at", "started_at", "finished_at",
            "project_name", "dataset", "dataset_name", "snapshot_name", "base_model_name", "model_name", "created_by",
        ]  # fmt: skip
        read_only_fields = fields

    def get_base_model_name(self, run: TrainingRun) -> str | None:
        return name_of_base(run)

    def get_model_name(self, run: TrainingRun) -> str | None:
        return None if run.model is None else str(run.model)


@extend_schema_serializer(component_name="Training")
class TrainingSerializer(TrainingSummarySerializer):
    estimate = EstimateSerializer(read_only=True, allow_null=True, help_text="What was estimated before the start.")
    actual = ActualSerializer(read_only=True, allow_null=True, help_text="What it took.")
    history = EpochSerializer(many=True, read_only=True)

    class Meta(TrainingSummarySerializer.Meta):
        fields = [*TrainingSummarySerializer.Meta.fields, "estimate", "actual", "history"]
        read_only_fields = fields


class SearchRequestSerializer(TrainingRequestSerializer):
    """A search for better settings. What is set here is shared by all trainings; `space` is what varies."""

    space = SpaceField(
        required=False,
        help_text="Setting → a list of choices, or {min, max, log}. Default: learning rate, augmentation, for "
        "classifiers also dropout and label smoothing.",
    )
    max_runs = serializers.IntegerField(min_value=3, max_value=100, default=7, help_text="Trainings altogether.")
    # Of the whole search there is `max_minutes`; each of its trainings has the epochs of its round.
    minutes = None  # type: ignore[assignment]
    max_minutes = Number(
        min_value=1,
        max_value=100_000,
        required=False,
        allow_null=True,
        default=None,
        help_text="When they are over, the best of what was trained is kept.",
    )

    OWN = ("space", "max_runs", "max_minutes")

    def validate_space(self, value: dict) -> dict:
        if not value:
            raise serializers.ValidationError("Name at least one setting, or leave it out.")
        checked = {}
        for name, choices in value.items():
            if name not in SEARCHABLE:
                raise serializers.ValidationError(
                    {name: [f"Cannot be searched; these can: {', '.join(SEARCHABLE)}."]}, code="unknown"
                )
            checked[name] = self._choices(name, choices)
        return checked

    def _choices(self, name: str, choices: Any) -> list | dict:
        field = self.fields[name]
        if isinstance(choices, list) and choices:
            return [field.run_validation(choice) for choice in choices]
        if isinstance(choices, dict) and isinstance(field, serializers.FloatField) and {"min", "max"} <= set(choices):
            low, high = field.run_validation(choices["min"]), field.run_validation(choices["max"])
            is_log = serializers.BooleanField().run_validation(choices.get("log", False))
            if low < high and (low > 0 or not is_log):
                return {"min": low, "max": high, "log": is_log}
        raise serializers.ValidationError({name: ["Give a list of choices or, for numbers, {min, max, log}."]})

    @property
    def service_arguments(self) -> dict:
        own = super().service_arguments
        settings = own["configuration"]
        seed = settings.get("seed", 42)
        return {**own, **{name: settings.pop(name) for name in self.OWN if name in settings}, "seed": seed}


class SearchRunSerializer(serializers.ModelSerializer):
    settings = Described(ChosenSettingsSerializer(), source="chosen", allow_null=True)
    epochs = serializers.SerializerMethodField()

    class Meta:
        model = TrainingRun
        fields = ["id", "rung", "settings", "epochs", "state", "score", "model"]
        read_only_fields = fields

    def get_epochs(self, run: TrainingRun) -> int | None:
        return run.configuration.get("epochs")


class SearchSerializer(serializers.ModelSerializer):
    runs = serializers.SerializerMethodField(help_text="Its trainings, the best first, by validation score.")
    space = SpaceField(read_only=True)
    configuration = Described(ChosenSettingsSerializer(), help_text="What all its trainings share.")
    sizes = serializers.ListField(child=serializers.IntegerField(), help_text="Trainings of each round.")
    project_name = serializers.CharField(source="project.name", read_only=True)
    dataset_name = serializers.CharField(source="snapshot.name_of_dataset", read_only=True)
    base_model_name = serializers.SerializerMethodField(help_text="null also where others may not see it.")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True, read_only=True)
    model = serializers.SerializerMethodField(help_text="The model that was kept.")

    class Meta:
        model = Search
        fields = [
            "id", "project", "snapshot", "base_model", "name", "configuration", "space", "sizes", "rung", "max_runs",
            "max_minutes", "seed", "state", "note", "best", "model", "runs", "created_at", "finished_at",
            "project_name", "dataset_name", "base_model_name", "created_by",
        ]  # fmt: skip
        read_only_fields = fields

    def get_base_model_name(self, search: Search) -> str | None:
        return name_of_base(search)

    @extend_schema_field(SearchRunSerializer(many=True))
    def get_runs(self, search: Search) -> list[dict]:
        runs = sorted(search.runs.all(), key=lambda run: (-(run.rung or 0), -(run.score or -1.0), str(run.pk)))
        return SearchRunSerializer(runs, many=True).data  # type: ignore[return-value]

    @extend_schema_field({"type": ["string", "null"], "format": "uuid"})
    def get_model(self, search: Search) -> str | None:
        return None if search.best is None or search.best.model_id is None else str(search.best.model_id)


class ActivitySerializer(serializers.Serializer):
    """A job or a training: what is at work, what waits, what ended lately."""

    id = serializers.UUIDField()
    type = serializers.ChoiceField(["job", "training"])
    kind = serializers.ChoiceField([*JobKind.values, "training"])
    dry_run = serializers.BooleanField(help_text="An import that says what it would do, and changes nothing.")
    project = serializers.UUIDField()
    project_name = serializers.CharField()
    state = serializers.ChoiceField(WorkState.choices)
    waiting = WaitingSerializer(allow_null=True)
    progress = TrainingProgressSerializer()
    error = ErrorDetailSerializer(allow_null=True)
    started_by = serializers.CharField(allow_null=True)
    url = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class ActivityQuerySerializer(serializers.Serializer):
    project = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(["active", "ended", "all"], default="active")
    page_size = serializers.IntegerField(min_value=1, max_value=200, default=50)
