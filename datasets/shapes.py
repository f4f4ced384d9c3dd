"""What snapshots count, and what jobs on datasets answer, for the schema."""

from __future__ import annotations

from rest_framework import serializers

from jobs.shapes import (
    Integer,
    Key,
    Number,
    RemarkSerializer,
    ResultSerializer,
    Text,
    Yes,
    by_name,
    constant,
    optional,
    perhaps,
    several,
)


class NearDuplicatesSerializer(serializers.Serializer):
    """How near-duplicates were kept on one side of the split."""

    mode = optional(Text)
    limit_bits = perhaps(Integer, help_text="Images that differ in fewer bits are in one split; null: no such promise.")
    largest_group = optional(Integer)
    parted_images = optional(Integer)


class SnapshotCountsSerializer(serializers.Serializer):
    images = Integer()
    empty_images = optional(Integer, help_text="Looked at, and nothing is on them.")
    splits = serializers.DictField(child=Integer(), help_text="Images of each split.")
    labels = serializers.DictField(child=serializers.DictField(child=Integer()), help_text="Label → split → images.")
    annotations = by_name(serializers.DictField(child=Integer()), help_text="Label → split → annotations.")
    groups = optional(Integer, help_text="Of more than one image, which stay on one side.")
    near_duplicates = optional(NearDuplicatesSerializer)
    remarks = optional(RemarkSerializer, many=True)


class ChangedMarkSerializer(serializers.Serializer):
    """An annotation as it was, or became."""

    label = Text()
    box = perhaps(serializers.ListField, child=Number(), help_text="x_min, y_min, x_max, y_max; null: the whole image.")
    confirmed = optional(Yes, help_text="False: it was a suggestion.")


class RejectSerializer(serializers.Serializer):
    filename = optional(Text)
    code = optional(Text)
    detail = optional(Text)


class ImportResultSerializer(ResultSerializer):
    kind = constant("import")
    format = optional(Text)
    files = optional(Integer, help_text="Images that the archive names.")
    created = optional(Integer)
    duplicates = optional(Integer)
    labelled = optional(Integer, help_text="Images that got annotations.")
    annotated = optional(Integer, help_text="The same, under its name of earlier versions.")
    duplicates_labelled = optional(Integer)
    rejected = optional(Integer)
    rejected_by_code = by_name(Integer())
    boxes = optional(Integer)
    to_review = optional(Integer)
    unread = several(Text())
    remarks_by_code = by_name(Integer())
    rejects = optional(RejectSerializer, many=True, help_text="The first hundred; the report has all.")
    note = optional(Text)
    change = optional(Key, help_text="`changes/{id}/undo/` takes the import back.")


class FoundLabelSerializer(serializers.Serializer):
    name = Text()
    images = Integer()
    annotations = Integer()
    label = Text(allow_null=True, help_text="The project's label of this name.")
    similar = serializers.ListField(child=Text(), help_text="Labels of the project that may be meant.")


class FoundDuplicatesSerializer(serializers.Serializer):
    in_archive = Integer()
    in_dataset = Integer()


class DryRunResultSerializer(ResultSerializer):
    """What an import would do."""

    kind = constant("import_dry_run")
    dry_run = Yes()
    format = optional(Text)
    files = optional(Integer)
    images = optional(Integer)
    labelled = optional(Integer)
    to_review = optional(Integer)
    boxes = optional(Integer)
    labels = optional(FoundLabelSerializer, many=True)
    splits = by_name(Integer())
    duplicates = optional(FoundDuplicatesSerializer)
    rejected = optional(Integer)
    rejected_by_code = by_name(Integer())
    remarks_by_code = by_name(Integer())
    rejects = optional(RejectSerializer, many=True)
    unread = several(Text())


class DuplicateImageSerializer(serializers.Serializer):
    id = Key()
    dataset = Key()
    filename = Text()
    split = Text(allow_null=True)
    labels = serializers.ListField(child=Text())


class DuplicateGroupSerializer(serializers.Serializer):
    is_exact = Yes()
    is_leak = Yes(help_text="It is in train and in validation or test.")
    has_label_conflict = Yes()
    by_features = Yes(help_text="Hashes alone did not join it.")
    images = DuplicateImageSerializer(many=True)


class DuplicatesResultSerializer(ResultSerializer):
    kind = constant("duplicates")
    images = optional(Integer)
    groups = optional(Integer)
    leaks = optional(Integer)
    label_conflicts = optional(Integer)
    limit_bits = perhaps(Integer)
    remarks = optional(RemarkSerializer, many=True)
    first_groups = optional(DuplicateGroupSerializer, many=True, help_text="At most 200; the file has all.")


class ExportResultSerializer(ResultSerializer):
    kind = constant("export")
    format = optional(Text)
    size = optional(Integer)
    sha256 = optional(Text)
    images = optional(Integer)
    annotations = optional(Integer)


class SnapshotFactsSerializer(ResultSerializer):
    snapshot = optional(Key)
    number = optional(Integer)
    images = optional(Integer)
    splits = by_name(Integer())
    remarks = optional(RemarkSerializer, many=True)


class SnapshotResultSerializer(SnapshotFactsSerializer):
    kind = constant("snapshot")


class LabelRemovalResultSerializer(ResultSerializer):
    kind = constant("label_removal")
    label = optional(Key)
    name = optional(Text)
    move_to = perhaps(Key)
    images = optional(Integer)
    change = optional(Key, help_text="`changes/{id}/undo/` takes it back.")


class ImagesBulkResultSerializer(ResultSerializer):
    kind = constant("images_bulk")
    action = optional(Text)
    changed = optional(Integer)
    unchanged = optional(Integer)
    change = perhaps(Key)


class SamplesResultSerializer(ResultSerializer):
    kind = constant("samples")
    dataset = optional(Key)
    images = optional(Integer)
    labelled = optional(Integer, help_text="Images that were given their label or boxes; the others wait for a person.")


class VideoProxyResultSerializer(ResultSerializer):
    """Its file `proxy.mp4` has the frames of the video at an even rate of `fps`."""

    kind = constant("video_proxy")
    video = optional(Key)
    frames = optional(Integer)
    fps = optional(Number)
    codec = optional(Text)


class VideoSurveyResultSerializer(ResultSerializer):
    kind = constant("video_survey")
    video = optional(Key)
    frames = optional(Integer)
    duration = optional(Number)
    note = optional(Text)
