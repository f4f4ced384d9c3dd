from __future__ import annotations

from pathlib import Path

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from jobs.serializers import ErrorDetailSerializer
from jobs.work import error_of
from mlstudio.models import MaintenanceKind, MaintenanceRun
from projects.models import Task
from storage.models import BlobState
from vision.training.pretrained import PRETRAINED, PretrainedWeights


class KeptBackupSerializer(serializers.Serializer):
    """A finished backup."""

    name = serializers.CharField(help_text="Of its folder.")
    taken_at = serializers.DateTimeField()
    files = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="With files that it shares with an earlier one, where they are links.")


class MaintenanceResultSerializer(serializers.Serializer):
    """Of a backup: its name and size. Of a trial restore: what was found in it."""

    backup = serializers.CharField()
    files = serializers.IntegerField()
    bytes = serializers.IntegerField(required=False)
    taken_at = serializers.DateTimeField(required=False)
    database = serializers.CharField(required=False, help_text="`ok`, or the first thing that is wrong with it.")
    counts = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="Rows of the restored database, by kind."
    )
    missing = serializers.IntegerField(required=False, help_text="Files that the database knows and the backup lacks.")
    looked_at = serializers.IntegerField(required=False, help_text="Files that were restored and compared.")
    damaged = serializers.IntegerField(required=False)
    seconds = serializers.FloatField(required=False)


class MaintenanceProgressSerializer(serializers.Serializer):
    done = serializers.IntegerField()
    total = serializers.IntegerField()


class MaintenanceRunSerializer(serializers.ModelSerializer):
    """A backup or a trial restore that waits, runs or has ended."""

    kind = serializers.ChoiceField(MaintenanceKind.choices, read_only=True)
    created_by = serializers.CharField(
        source="created_by.username", default=None, allow_null=True, read_only=True, help_text="null: the schedule."
    )
    progress = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    result: serializers.Serializer = MaintenanceResultSerializer(allow_null=True, read_only=True)

    class Meta:
        model = MaintenanceRun
        fields = [
            "id",
            "kind",
            "state",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
            "progress",
            "error",
            "result",
        ]
        read_only_fields = fields

    @extend_schema_field(MaintenanceProgressSerializer(allow_null=True))
    def get_progress(self, run: MaintenanceRun) -> dict | None:
        total = run.progress.get("total")
        return {"done": run.progress.get("done", 0), "total": total} if total else None

    @extend_schema_field(ErrorDetailSerializer(allow_null=True))
    def get_error(self, run: MaintenanceRun) -> dict | None:
        return error_of(run) if run.has_ended else None


class BackupsSerializer(serializers.Serializer):
    """The backups that the studio keeps by itself."""

    why_none = serializers.CharField(allow_blank=True, help_text="Why it keeps none; empty where it does.")
    folder = serializers.CharField(allow_null=True)
    every_hours = serializers.IntegerField(help_text="0: only when somebody asks for one.")
    keeps = serializers.IntegerField(help_text="How many stay.")
    free_bytes = serializers.IntegerField(allow_null=True, help_text="On the disk of the folder.")
    next_at = serializers.DateTimeField(allow_null=True, help_text="When the schedule takes the next one.")
    backups = KeptBackupSerializer(many=True, help_text="Finished ones, the newest first.")
    runs = MaintenanceRunSerializer(many=True, help_text="The last twenty, the newest first.")
    last_drill = MaintenanceRunSerializer(allow_null=True, help_text="The last trial restore that has ended.")


class StoredFilesSerializer(serializers.Serializer):
    state = serializers.ChoiceField(BlobState.choices)
    backend = serializers.CharField(allow_blank=True, help_text="The store that has them; empty: none yet.")
    files = serializers.IntegerField()
    bytes = serializers.IntegerField()


class WaitingFilesSerializer(serializers.Serializer):
    files = serializers.IntegerField()
    bytes = serializers.IntegerField()
    oldest = serializers.DateTimeField(allow_null=True)


class StoreStatusSerializer(serializers.Serializer):
    """What `manage.py storage status` says."""

    backend = serializers.CharField()
    store = serializers.CharField(help_text="What the store says of itself, or why it does not answer.")
    answers = serializers.BooleanField()
    files = StoredFilesSerializer(many=True)
    cache_bytes = serializers.IntegerField()
    cache_limit_bytes = serializers.IntegerField(help_text="0: no limit.")
    waiting = WaitingFilesSerializer(help_text="Not in the store yet.")
    failing = serializers.IntegerField(help_text="Of these, such that the store refused at least once.")
    removals = serializers.IntegerField(help_text="Files that wait to be deleted.")
    last_problem = serializers.CharField(allow_blank=True)


class WeightsResultSerializer(serializers.Serializer):
    path = serializers.CharField(help_text="Where the weights are.")


class WeightsRunSerializer(MaintenanceRunSerializer):
    """A download of weights that waits, runs or has ended."""

    progress = serializers.SerializerMethodField(help_text="Bytes.")
    subject = serializers.CharField(read_only=True, help_text="Which weights.")
    result = WeightsResultSerializer(allow_null=True, read_only=True)

    class Meta(MaintenanceRunSerializer.Meta):
        fields = [*MaintenanceRunSerializer.Meta.fields, "subject"]
        read_only_fields = fields


class WeightsFilesSerializer(KnownFieldsOnly, serializers.Serializer):
    """A file, or all files of a preset."""

    files = serializers.ListField(
        child=serializers.FileField(), min_length=1, max_length=10, help_text="Those of a preset under their own names."
    )


class WeightsDownloadSerializer(serializers.Serializer):
    """Weights that can be brought from where they are published, or sent as files."""

    name = serializers.CharField()
    licence = serializers.CharField()
    address = serializers.URLField(source="source", help_text="Where they are published.")
    bytes = serializers.IntegerField(source="approximate_bytes", help_text="About.")
    files = serializers.SerializerMethodField(help_text="What they are called.")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_files(self, weights: PretrainedWeights) -> list[str]:
        return [Path(file.path).name for file in weights.files]


class WeightsFileSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(["coco", "imagenet"])
    name = serializers.CharField(help_text="What the file, or the folder, has to be called.")
    is_here = serializers.BooleanField()
    download = WeightsDownloadSerializer(allow_null=True, help_text="null: it has to be put here by hand.")


class ArchitectureWeightsSerializer(serializers.Serializer):
    architecture = serializers.CharField()
    title = serializers.CharField()
    task = serializers.ChoiceField(Task.choices)
    files = WeightsFileSerializer(many=True)


class WeightsSerializer(serializers.Serializer):
    """Pretrained weights: which are here, and where others are looked for."""

    folders = serializers.ListField(child=serializers.CharField(), help_text="Where files are looked for, in order.")
    architectures = ArchitectureWeightsSerializer(many=True)
    downloads = serializers.BooleanField(help_text="Whether the studio downloads some when it is asked to.")
    mirror = serializers.CharField(allow_blank=True, help_text="Where it downloads from, instead of their sources.")
    run = WeightsRunSerializer(allow_null=True, help_text="The download that runs, or the last one.")


class WeightsChoiceSerializer(KnownFieldsOnly, serializers.Serializer):
    """The answer to the question whether to download."""

    name = serializers.ChoiceField(list(PRETRAINED), help_text="The weights, as they are named by `download`.")


class SettingInForceSerializer(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.CharField(allow_blank=True, help_text="Empty for a secret.")
    is_set = serializers.BooleanField(help_text="In the environment or by an option of the start; else the default.")
    is_secret = serializers.BooleanField()


class SettingsInForceSerializer(serializers.Serializer):
    """The settings of the process that answers. Workers on other machines may have others."""

    settings = SettingInForceSerializer(many=True)
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text="A sentence for every variable that looks like a setting and is none."
    )
