from __future__ import annotations

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.names import OneLineName
from accounts.numbers import Number
from datasets.models import Annotation, AnnotationChange, Dataset, Image, Label, Origin, Video
from datasets.thumbnails import SIZES
from projects.models import Project
from storage.filenames import clean_filename
from storage.models import BlobState
from storage.signing import sign_path


class CleanFilename:
    """For serializers with a `filename`: no folders, no characters that nobody sees."""

    def validate_filename(self, value: str) -> str:
        return clean_filename(value)


class LabelSerializer(KnownFieldsOnly, OneLineName, serializers.ModelSerializer):
    class Meta:
        model = Label
        fields = ["id", "name", "color", "order", "description", "hotkey"]
        read_only_fields = ["order"]
        extra_kwargs = {
            "color": {"required": False},
            "hotkey": {"help_text": "One of 0-9 and a-z that no other label of the project has; null: none."},
        }


class LabelOrderSerializer(KnownFieldsOnly, serializers.Serializer):
    labels = serializers.ListField(child=serializers.UUIDField(), help_text="Every label of the project, in order.")


class LabelMergeSerializer(KnownFieldsOnly, serializers.Serializer):
    into = serializers.UUIDField(help_text="The label that stays.")


class LabelDeletionSerializer(KnownFieldsOnly, serializers.Serializer):
    images = serializers.ChoiceField(
        ["unlabel", "delete", "move"], required=False, help_text="What happens to the images that carry the label."
    )
    move_to = serializers.UUIDField(required=False, help_text="With images=move: the label they get.")

    def validate(self, attrs: dict) -> dict:
        if (attrs.get("images") == "move") != ("move_to" in attrs):
            raise serializers.ValidationError({"move_to": "images=move and move_to belong together."})
        return attrs


class DatasetSerializer(KnownFieldsOnly, OneLineName, serializers.ModelSerializer):
    class Meta:
        model = Dataset
        fields = [
            "id",
            "project",
            "name",
            "description",
            "near_duplicates",
            "image_count",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["image_count"]
        extra_kwargs = {
            "near_duplicates": {
                "help_text": "Which images that look alike share a split: strict (nearly the same ones), "
                "features (also crops, mirrored copies and other light, once images were compared), exact (the "
                "same image saved again), off (none). Groups that you named and videos stay together always."
            }
        }

    def get_fields(self) -> dict:
        fields = super().get_fields()
        fields["project"] = serializers.PrimaryKeyRelatedField(
            queryset=self.context["visible_projects"] if "visible_projects" in self.context else Project.objects.none(),
            read_only=False,
        )
        return fields

    def validate_project(self, value: Project) -> Project:
        if self.instance is not None and self.instance.project_id != value.pk:
            raise serializers.ValidationError("A dataset stays in its project.")
        return value


class AnnotationSerializer(serializers.ModelSerializer):
    label = serializers.CharField(source="label.name")
    label_id = serializers.UUIDField(source="label.pk")
    box = serializers.ListField(child=serializers.FloatField(), allow_null=True, min_length=4, max_length=4)

    class Meta:
        model = Annotation
        fields = ["id", "label", "label_id", "box", "origin", "score", "confirmed", "created_at"]
        read_only_fields = fields


class ImageSerializer(KnownFieldsOnly, CleanFilename, serializers.ModelSerializer):
    annotations = AnnotationSerializer(many=True, read_only=True)
    sha256 = serializers.CharField(source="blob.sha256", read_only=True)
    stored = serializers.ChoiceField(
        BlobState.choices,
        source="blob.state",
        read_only=True,
        help_text="Where the file is: cache, store, or both.",
    )
    file_url = serializers.SerializerMethodField(help_text="Signed, expires: for `<img>` tags.")
    thumbnail_url = serializers.SerializerMethodField(help_text="Signed, expires: for `<img>` tags.")

    class Meta:
        model = Image
        fields = [
            "id", "dataset", "filename", "source", "width", "height", "format", "size", "sha256", "stored", "split",
            "group", "video", "frame_index", "frame_time", "revision", "reviewed", "annotations", "file_url",
            "thumbnail_url", "created_at",
        ]  # fmt: skip
        read_only_fields = [
            "dataset",
            "source",
            "width",
            "height",
            "format",
            "size",
            "video",
            "frame_index",
            "frame_time",
            "revision",
            "reviewed",
            "created_at",
        ]

    @extend_schema_field(OpenApiTypes.STR)
    def get_file_url(self, image: Image) -> str:
        return sign_path(reverse("image-file", args=[image.pk]))

    @extend_schema_field(OpenApiTypes.STR)
    def get_thumbnail_url(self, image: Image) -> str:
        return sign_path(reverse("image-thumbnail", args=[image.pk]), size=SIZES[0])


class VideoSerializer(KnownFieldsOnly, CleanFilename, serializers.ModelSerializer):
    sha256 = serializers.CharField(source="blob.sha256", read_only=True)
    stored = serializers.ChoiceField(BlobState.choices, source="blob.state", read_only=True)
    frame_images = serializers.SerializerMethodField(help_text="How many frames were made images.")
    strip_times = serializers.ListField(
        child=serializers.FloatField(), read_only=True, help_text="Seconds of the images of the strip, side by side."
    )
    file_url = serializers.SerializerMethodField(help_text="Signed, expires: for `<video>` tags.")
    strip_url = serializers.SerializerMethodField(help_text="Signed, expires; null until the video was read through.")

    class Meta:
        model = Video
        fields = [
            "id", "dataset", "filename", "container", "codec", "size", "sha256", "stored", "width", "height",
            "rotation", "fps", "frame_count", "duration", "is_surveyed", "is_variable_rate", "note", "frame_images",
            "strip_times", "file_url", "strip_url", "created_at",
        ]  # fmt: skip
        read_only_fields = [field for field in fields if field != "filename"]

    def get_frame_images(self, video: Video) -> int:
        counted = getattr(video, "counted_frames", None)
        return video.frames.count() if counted is None else counted

    @extend_schema_field(OpenApiTypes.STR)
    def get_file_url(self, video: Video) -> str:
        return sign_path(reverse("video-file", args=[video.pk]))

    @extend_schema_field({"type": ["string", "null"]})
    def get_strip_url(self, video: Video) -> str | None:
        return None if video.strip_blob_id is None else sign_path(reverse("video-strip", args=[video.pk]))


class NewVideoSerializer(KnownFieldsOnly, CleanFilename, serializers.Serializer):
    """The file itself, or the id of an upload in parts that is complete."""

    file = serializers.FileField(required=False, allow_empty_file=True)
    upload = serializers.UUIDField(required=False, help_text="Id of a finished upload of yours (`uploads/`).")
    filename = serializers.CharField(required=False, max_length=255, help_text="With upload: another name.")

    def validate(self, attrs: dict) -> dict:
        if ("file" in attrs) == ("upload" in attrs):
            raise serializers.ValidationError({"file": "Send a file, or name an upload, one of them."}, code="required")
        return attrs


class FrameQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    index = serializers.IntegerField(min_value=0, max_value=1_000_000_000, required=False)
    time = Number(min_value=0, max_value=1e7, required=False, help_text="Seconds; instead of an index.")
    max = serializers.ChoiceField(
        [640, 1280, 1920], default=1280, source="max_side", help_text="At most so many pixels wide and high."
    )

    def validate(self, attrs: dict) -> dict:
        if ("index" in attrs) == ("time" in attrs):
            raise serializers.ValidationError({"time": "Give an index or a time, one of them."}, code="required")
        return attrs


class VideoDeletionSerializer(KnownFieldsOnly, serializers.Serializer):
    frames = serializers.ChoiceField(
        ["keep", "delete"], required=False, help_text="What happens to the images that were cut from it."
    )
    force = serializers.BooleanField(
        default=False, help_text="Cancel the work that needs it, and delete it all the same."
    )


class RecordedAnnotationSerializer(serializers.Serializer):
    """An annotation as it was. Of changes before this was kept, id and origin are null."""

    id = serializers.UUIDField(default=None, allow_null=True)
    label = serializers.CharField(help_text="What the label was called then.")
    box = serializers.ListField(child=serializers.FloatField(), allow_null=True, min_length=4, max_length=4)
    origin = serializers.ChoiceField(Origin.choices, default=None, allow_null=True)
    score = serializers.FloatField(default=None, allow_null=True)
    confirmed = serializers.BooleanField(default=True)


class ChangeSerializer(serializers.ModelSerializer):
    changed_by = serializers.CharField(source="changed_by.username", default=None, allow_null=True)
    before = RecordedAnnotationSerializer(many=True)
    after = RecordedAnnotationSerializer(many=True)

    class Meta:
        model = AnnotationChange
        fields = ["revision", "changed_by", "changed_at", "before", "after"]
