"""Uploads, imports and exports, as the API takes and gives them."""

from __future__ import annotations

import codecs
from collections.abc import Sized
from typing import Any

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from datasets.imports import MAX_LABELS
from datasets.models import Split
from datasets.serializers import ImageSerializer
from storage.sources import Source, SourceRefused, parse_source
from vision.formats import FORMATS, WRITERS
from vision.formats.boxes import clean_label


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
    strip_location = serializers.BooleanField(default=False, help_text="Remove where the image was taken.")

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
    by_features = serializers.BooleanField(
        default=False,
        help_text="Also crops, mirrored copies and other light, by the images' features as far as they are ready.",
    )
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
        for name, target in value.items():
            cleaned[name] = None if target is None else clean_label(target)
            if target is not None and cleaned[name] is None:
                raise serializers.ValidationError(f"{target[:40]!r} is no name for a label: use 1 to 100 characters.")
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
        help_text="folder, csv, label_studio or datumaro for classification; csv_one_hot, label_studio or datumaro "
        "for multilabel; all but folder and csv_one_hot for detection.",
    )
