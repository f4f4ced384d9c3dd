from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.models import Queue
from mlstudio.system import describe


class PackageSerializer(serializers.Serializer):
    name = serializers.CharField()
    version = serializers.CharField(allow_null=True, help_text="null: it is not installed.")


class VersionsSerializer(serializers.Serializer):
    studio = serializers.CharField()
    python = serializers.CharField()
    system = serializers.CharField()
    database = serializers.CharField()
    packages = PackageSerializer(many=True)


class DiskSerializer(serializers.Serializer):
    """The disk with the data."""

    total_bytes = serializers.IntegerField()
    used_bytes = serializers.IntegerField(help_text="By everything on it.")
    free_bytes = serializers.IntegerField()
    least_free_bytes = serializers.IntegerField(help_text="With less, uploads are refused and work waits.")
    cache_bytes = serializers.IntegerField(help_text="What the local cache of files holds.")


class MemorySerializer(serializers.Serializer):
    total_bytes = serializers.IntegerField()
    available_bytes = serializers.IntegerField()
    cores = serializers.IntegerField()
    load = serializers.FloatField(help_text="Of the last minute.")


class GpuSerializer(serializers.Serializer):
    name = serializers.CharField()
    total_bytes = serializers.IntegerField(allow_null=True)
    used_bytes = serializers.IntegerField(allow_null=True)
    utilization_percent = serializers.IntegerField(allow_null=True)


class StoreSerializer(serializers.Serializer):
    backend = serializers.CharField()
    state = serializers.CharField(help_text="`ok`, or what is wrong with it.")
    files_to_replicate = serializers.IntegerField()
    files_failing = serializers.IntegerField(help_text="Of these, such that the store refused at least once.")


class QueueStateSerializer(serializers.Serializer):
    queue = serializers.ChoiceField([*Queue.values, "webhooks"])
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    slots = serializers.IntegerField(help_text="How many pieces a worker process does at once.")
    oldest_at = serializers.DateTimeField(allow_null=True, help_text="Since when the oldest that waits does so.")


class WorkerSerializer(serializers.Serializer):
    name = serializers.CharField()
    queues = serializers.ListField(child=serializers.CharField())


class ProjectUsageSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    created_by = serializers.CharField(allow_null=True)
    is_being_removed = serializers.BooleanField()
    is_in_trash = serializers.BooleanField(help_text="Deleted, or what was deleted of a project with the same name.")
    image_count = serializers.IntegerField()
    bytes = serializers.IntegerField()
    images_bytes = serializers.IntegerField()
    videos_bytes = serializers.IntegerField()
    models_bytes = serializers.IntegerField()
    jobs_bytes = serializers.IntegerField(help_text="Archives and results of jobs.")


class UsageSerializer(serializers.Serializer):
    counted_at = serializers.DateTimeField(help_text="It is counted again after five minutes.")
    projects = ProjectUsageSerializer(many=True, help_text="The hundred largest, the largest first.")


class BackupStateSerializer(serializers.Serializer):
    """Whether the studio keeps backups by itself, and how old the newest is; `system/backups/` has the rest."""

    is_on = serializers.BooleanField()
    newest_at = serializers.DateTimeField(allow_null=True)
    is_late = serializers.BooleanField(help_text="The schedule wanted one two turns ago, or the last one failed.")


class SystemSerializer(serializers.Serializer):
    versions = VersionsSerializer()
    disk = DiskSerializer()
    memory = MemorySerializer()
    gpus = GpuSerializer(many=True)
    broker = serializers.CharField(help_text="`ok`, or what is wrong with it.")
    store = StoreSerializer()
    queues = QueueStateSerializer(many=True)
    workers = WorkerSerializer(many=True, help_text="The processes that answered within a second.")
    usage = UsageSerializer()
    backup = BackupStateSerializer()


class SystemView(APIView):
    """How the machine and the studio on it are doing, for the staff."""

    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="system", responses=SystemSerializer)
    def get(self, request: Request) -> Response:
        """Disk by project, memory, graphics cards, queues, workers and versions. For the staff."""
        return Response(SystemSerializer(describe()).data)
