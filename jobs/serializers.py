from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.error_codes import WORK
from jobs.models import Job, JobKind, Queue, Work
from jobs.naming import is_key, names_for
from jobs.queues import place_of
from jobs.shapes import JOB_RESULT, kind_of_result
from jobs.work import error_of
from storage.signing import sign_for


@extend_schema_field({"anyOf": [{"type": "string", "enum": list(WORK)}, {"type": "string"}]})
class WorkCodeField(serializers.CharField):
    """One of the codes that are known, for clients that translate them; or one of the engine's."""


class ErrorDetailSerializer(serializers.Serializer):
    code = WorkCodeField()
    detail = serializers.CharField()


class ProgressSerializer(serializers.Serializer):
    done = serializers.IntegerField(required=False)
    total = serializers.IntegerField(required=False)
    eta_seconds = serializers.FloatField(required=False, allow_null=True)


class WaitingSerializer(serializers.Serializer):
    queue = serializers.ChoiceField(Queue.choices)
    position = serializers.IntegerField(help_text="1: it is next.")
    ahead = serializers.IntegerField(help_text="How many pieces of work in this queue come first, as things stand.")
    running = serializers.IntegerField(help_text="How many pieces of work of this queue run now.")
    code = serializers.ChoiceField(
        ["queue", "own_work", "starting", "no_worker", "disk_full", "store_unavailable", "database_busy"]
    )
    detail = serializers.CharField(help_text="What it waits for, in a sentence.")


class WorkSerializer(serializers.ModelSerializer):
    """The part that jobs and trainings share."""

    error = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField(help_text="Where queued work stands, and what it waits for.")

    @extend_schema_field(WaitingSerializer(allow_null=True))
    def get_waiting(self, work: Work) -> dict | None:
        return place_of(work, self.context.setdefault("lines", {}))  # type: ignore[attr-defined]

    @extend_schema_field(ErrorDetailSerializer(allow_null=True))
    def get_error(self, work: Work) -> dict | None:
        return error_of(work) if work.has_ended else None  # while it waits, it is told what for


class NamedSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField(allow_null=True, help_text="null: it is not there any more.")


class JobSerializer(WorkSerializer):
    kind = serializers.ChoiceField(JobKind.choices, read_only=True)
    progress = ProgressSerializer(read_only=True)
    project_name = serializers.CharField(source="project.name")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    dataset = serializers.SerializerMethodField(help_text="The dataset that it is about, if it is.")
    model = serializers.SerializerMethodField(help_text="The model that it is about, if it is.")
    video = serializers.SerializerMethodField(help_text="The video that it is about, if it is.")
    result = serializers.SerializerMethodField()
    has_report = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "id", "project", "kind", "state", "waiting", "retry_of", "progress", "result", "error", "has_report",
            "created_at", "started_at", "finished_at", "project_name", "created_by", "dataset", "model",
            "video",
        ]  # fmt: skip
        read_only_fields = fields

    def _named(self, job: Job, parameter: str) -> dict | None:
        key = job.parameters.get(parameter)
        if not is_key(key):
            return None
        if "names" not in self.context:
            page = self.parent.instance if isinstance(self.parent, serializers.ListSerializer) else [job]
            self.context["names"] = names_for(page if isinstance(page, list) else [job])  # type: ignore[index]
        return {"id": key, "name": self.context["names"].get(parameter, {}).get(key)}

    @extend_schema_field(NamedSerializer(allow_null=True))
    def get_dataset(self, job: Job) -> dict | None:
        return self._named(job, "dataset")

    @extend_schema_field(NamedSerializer(allow_null=True))
    def get_model(self, job: Job) -> dict | None:
        return self._named(job, "model")

    @extend_schema_field(NamedSerializer(allow_null=True))
    def get_video(self, job: Job) -> dict | None:
        return self._named(job, "video")

    @extend_schema_field(JOB_RESULT)
    def get_result(self, job: Job) -> dict | None:
        if job.result is None:
            return None
        result = {"kind": kind_of_result(job.kind, job.result), **job.result}
        user = getattr(self.context.get("request"), "user", None)
        if user is None or not user.is_authenticated:
            return result  # of a job that has just been made, which has no files
        if job.output_blob_id is not None:
            result["download_url"] = sign_for(user, reverse("job-file", args=[job.pk]))
        files = [
            {
                "name": file.name,
                "size": file.blob.size,
                "content_type": file.blob.content_type,
                "url": sign_for(user, reverse("job-files", args=[job.pk, file.name])),
            }
            for file in sorted(job.files.all(), key=lambda file: file.name)
        ]
        return {**result, "files": files} if files else result

    def get_has_report(self, job: Job) -> bool:
        return job.report_blob_id is not None


class ReportQuerySerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(["created", "duplicate", "rejected", "remark"], required=False)
    code = serializers.CharField(max_length=50, required=False, help_text="Lines with this code, such as box_outside.")
    cursor = serializers.CharField(max_length=100, required=False)
    page_size = serializers.IntegerField(min_value=1, max_value=500, default=50)


class ReportLineSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(
        ["duplicate", "rejected", "remark"], help_text="remark: something was changed or left out."
    )
    filename = serializers.CharField(help_text="The image, or the annotation file when it is about no image.")
    code = serializers.CharField()
    detail = serializers.CharField()
    source = serializers.CharField(help_text="The annotation file.")
    line = serializers.IntegerField(help_text="In the annotation file, or the annotation's number, from 1; 0: none.")
    image = serializers.UUIDField(allow_null=True)


class ReportPageSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    results = ReportLineSerializer(many=True)
