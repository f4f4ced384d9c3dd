from __future__ import annotations

import codecs
from collections.abc import Sized
from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.names import OneLineName
from accounts.numbers import Number
from datasets.imports import MAX_LABELS
from datasets.models import Annotation, AnnotationChange, Dataset, Image, Label, Origin, Snapshot, Split, Video
from datasets.shapes import SnapshotCountsSerializer
from datasets.snapshots import DEFAULT_FRACTIONS
from datasets.thumbnails import SIZES
from jobs.shapes import Described
from projects.models import Project
from storage.filenames import clean_filename
from storage.models import BlobState
from storage.signing import sign_path
from storage.sources import Source, SourceRefused, parse_source
from vision.formats import FORMATS, WRITERS
from vision.formats.boxes import clean_label


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
                "help_text": "Which images that look alike share a split: strict (nearly the same ones), exact (the "
                "same picture saved again), off (none). Groups that you named and videos stay together always."
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
        child=serializers.FloatField(), read_only=True, help_text="Seconds of the pictures of the strip, side by side."
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


class UploadSerializer(serializers.Serializer):
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), min_length=1, required=False)
    uploads = serializers.ListField(
        child=serializers.UUIDField(),
        min_length=1,
        max_length=1000,
        required=False,
        help_text="Ids of finished uploads of yours (`uploads/`); they are gone when this succeeds.",
    )
    label = serializers.CharField(required=False, max_length=100, help_text="Name or id of a label of the project.")
    split = serializers.ChoiceField(Split.choices, required=False)
    group = serializers.CharField(required=False, max_length=100, help_text="Images of a group share a split.")
    strip_location = serializers.BooleanField(default=False, help_text="Remove where the picture was taken.")

    def validate(self, attrs: dict) -> dict:
        if "files" not in attrs and "uploads" not in attrs:
            raise serializers.ValidationError({"files": "Send files, or name uploads."}, code="required")
        if len(set(attrs.get("uploads", ()))) != len(attrs.get("uploads", ())):
            raise serializers.ValidationError({"uploads": "Name each upload once."}, code="unique")
        return attrs


class RejectedSerializer(serializers.Serializer):
    filename = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class DuplicateSerializer(RejectedSerializer):
    id = serializers.UUIDField(help_text="The image that was there first.")


class UploadAnswerSerializer(serializers.Serializer):
    created = ImageSerializer(many=True)
    duplicates = DuplicateSerializer(many=True)
    rejected = RejectedSerializer(many=True)
    remarks = RejectedSerializer(many=True, help_text="What is odd about files that were taken.")


class DuplicatesRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    whole_project = serializers.BooleanField(default=False, help_text="Look in all datasets of the project.")
    max_bits = serializers.IntegerField(
        min_value=0,
        max_value=32,
        default=None,
        allow_null=True,
        help_text="How different near-duplicates may be, in bits of 256; left out: as the dataset's splits see them.",
    )


def _require_few(labels: Sized) -> None:
    if len(labels) > MAX_LABELS:
        raise serializers.ValidationError(f"Name at most {MAX_LABELS:,} labels, received {len(labels):,}.")


class ImportSerializer(KnownFieldsOnly, serializers.Serializer):
    file = serializers.FileField(
        required=False,
        allow_empty_file=True,
        help_text="A zip, a tar (also gz, bz2, xz, zst), or an annotation file alone for images that are here.",
    )
    upload = serializers.UUIDField(
        required=False, help_text="Instead of a file: a finished upload of yours (`uploads/`), which can be resumed."
    )
    source = serializers.CharField(
        required=False,
        max_length=1100,
        help_text="Instead of a file: s3://bucket/prefix, s3://bucket/file.zip or fastdfs://group1/M00/….",
    )
    job = serializers.UUIDField(
        required=False, help_text="Instead of a file: an earlier import or dry run, whose archive is read again."
    )
    format = serializers.ChoiceField(["auto", *FORMATS], default="auto")
    dry_run = serializers.BooleanField(
        default=False, help_text="Only say what the import would do: formats, labels, splits, duplicates, remarks."
    )
    label_map = serializers.JSONField(
        required=False,
        help_text='The project\'s names of labels: {"Bolt": "bolt", "junk": null}; null leaves them out.',
    )
    skip = serializers.JSONField(required=False, help_text='Labels whose annotations are left out: ["junk"].')
    name_encoding = serializers.CharField(
        required=False, max_length=40, help_text="Of file names in the archive that say none, such as gbk or shift_jis."
    )
    strip_location = serializers.BooleanField(default=False, help_text="Remove where the images were taken.")
    link = serializers.BooleanField(
        default=False, help_text="For s3://bucket/prefix: the images stay there and are only cached here."
    )

    def validate_source(self, value: str) -> Source:
        try:
            return parse_source(value)
        except SourceRefused as refused:
            raise serializers.ValidationError(str(refused), code=refused.code) from refused

    def validate_label_map(self, value: Any) -> dict[str, str | None]:
        if not isinstance(value, dict) or not all(name is None or isinstance(name, str) for name in value.values()):
            raise serializers.ValidationError('Send an object such as {"Bolt": "bolt", "junk": null}.')
        _require_few(value)
        cleaned = {}
        for name, wanted in value.items():
            cleaned[name] = None if wanted is None else clean_label(wanted)
            if wanted is not None and cleaned[name] is None:
                raise serializers.ValidationError(f"{wanted[:40]!r} is no name for a label: use 1 to 100 characters.")
        return cleaned

    def validate_skip(self, value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise serializers.ValidationError('Send a list of labels such as ["junk"].')
        _require_few(value)
        return value

    def validate_name_encoding(self, value: str) -> str:
        try:
            return codecs.lookup(value).name if b"a\x80\xff".decode(value, errors="replace") else ""
        except (LookupError, ValueError) as error:
            raise serializers.ValidationError(f"{value!r} is no encoding of texts that is known.") from error

    def validate(self, attrs: dict) -> dict:
        if sum(name in attrs for name in ("file", "upload", "source", "job")) != 1:
            detail = "Send a file, or name an upload, a source or an earlier job, one of them."
            raise serializers.ValidationError({"file": detail}, code="required")
        if attrs["link"] and not ("source" in attrs and attrs["source"].is_folder):
            raise serializers.ValidationError({"link": "Only the images of a prefix s3://bucket/prefix can be linked."})
        if attrs["link"] and attrs["strip_location"]:
            raise serializers.ValidationError({"strip_location": "Images that stay where they are are not changed."})
        return attrs


class ExportSerializer(KnownFieldsOnly, serializers.Serializer):
    format = serializers.ChoiceField(
        list(WRITERS),
        help_text="folder, csv, label_studio or datumaro for classification; all but folder for detection.",
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


class FractionField(Number):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0.0, max_value=1.0, **kwargs)


class SnapshotRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    train = FractionField(default=DEFAULT_FRACTIONS["train"])
    validation = FractionField(default=DEFAULT_FRACTIONS["validation"])
    test = FractionField(default=DEFAULT_FRACTIONS["test"])
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=42)

    def validate(self, attrs: dict) -> dict:
        total = attrs["train"] + attrs["validation"] + attrs["test"]
        if abs(total - 1) > 1e-6:
            raise serializers.ValidationError({"train": f"The three fractions must sum to 1, not {total:g}."})
        return attrs


class SnapshotSerializer(serializers.ModelSerializer):
    dataset_name = serializers.CharField(source="name_of_dataset", read_only=True)
    has_images = serializers.BooleanField(
        read_only=True, help_text="False once its dataset was deleted: it is kept as a record only."
    )
    fractions = serializers.DictField(child=serializers.FloatField())
    counts = Described(SnapshotCountsSerializer())
    class_names = serializers.ListField(child=serializers.CharField())
    project_name = serializers.CharField(source="project.name", read_only=True)
    title = serializers.CharField(read_only=True, help_text="Its name, or its dataset and number.")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = Snapshot
        fields = [
            "id", "project", "dataset", "dataset_name", "has_images", "number", "digest", "fractions", "seed",
            "class_names", "counts", "created_at", "name", "notes", "title", "project_name", "created_by",
        ]  # fmt: skip


class SnapshotChangeSerializer(KnownFieldsOnly, OneLineName, serializers.ModelSerializer):
    """What can be said about a snapshot; what is in it never changes."""

    class Meta:
        model = Snapshot
        fields = ["name", "notes"]


class LabelStatisticsSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    images = serializers.IntegerField()
    annotations = serializers.IntegerField()
    by_split = serializers.DictField(child=serializers.IntegerField())


class SizeSerializer(serializers.Serializer):
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    images = serializers.IntegerField()


class StatisticsSerializer(serializers.Serializer):
    images = serializers.IntegerField()
    annotated = serializers.IntegerField()
    unannotated = serializers.IntegerField()
    labels = LabelStatisticsSerializer(many=True)
    splits = serializers.DictField(child=serializers.IntegerField())
    formats = serializers.DictField(child=serializers.IntegerField())
    sizes = SizeSerializer(many=True)
