"""What is said with a model that was made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.names import OneLineName
from inference.models import Resize
from inference.registry.model_import_texts import UploadProblem, parse_anchor_config, parse_labels
from inference.registry.model_imports import FORMATS, SCALINGS, format_of
from projects.models import Project, Task
from storage.errors import FileTooLarge
from storage.filenames import clean_filename

Parsed = TypeVar("Parsed")


class TextField(serializers.CharField):
    """A text, or a file of it (`curl -F labels=@labels.txt`)."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, UploadedFile):
            assert self.max_length is not None
            try:
                data = data.read(self.max_length + 1).decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise serializers.ValidationError("The file must be text in UTF-8.") from error
        return super().to_internal_value(data)


class ModelUploadSerializer(KnownFieldsOnly, OneLineName, serializers.Serializer):
    """A model that was made elsewhere."""

    project = serializers.PrimaryKeyRelatedField(queryset=Project.objects.none())
    file = serializers.FileField(
        required=False,
        help_text="A classifier as .keras, .h5, .tflite, .onnx or a zip of a SavedModel; a detector of keras-retinanet "
        "as .h5.",
    )
    upload = serializers.UUIDField(
        required=False, help_text="Instead of a file: a finished upload of yours (`uploads/`), which can be resumed."
    )
    labels = TextField(
        max_length=2_000_000,
        trim_whitespace=False,
        help_text='In the order of the outputs: one a line, a JSON list, {"label": index}, or classes.csv.',
    )
    name = serializers.CharField(max_length=100, required=False, default="")
    input_width = serializers.IntegerField(
        min_value=16,
        max_value=1536,
        required=False,
        allow_null=True,
        default=None,
        help_text="Of the network's input, where the file leaves it open. Detectors: a multiple of 32, default 512.",
    )
    input_height = serializers.IntegerField(min_value=16, max_value=1536, required=False, allow_null=True, default=None)
    channels = serializers.ChoiceField(
        ["rgb", "bgr"], default="rgb", help_text="The order of colours that the network was trained on."
    )
    scaling = serializers.ChoiceField(
        list(SCALINGS),
        default="0_255",
        help_text="What the network was trained on: pixels 0 to 255 (or it scales them itself), 0 to 1, -1 to 1, with "
        "ImageNet's mean and deviation (imagenet), or less ImageNet's mean, blue first (caffe).",
    )
    resize = serializers.ChoiceField(
        Resize.choices,
        default=Resize.STRETCH,
        help_text="How an image becomes the size of the input: stretched, or whole with a grey rest (letterbox).",
    )
    anchors = TextField(
        max_length=10_000,
        required=False,
        default="",
        allow_blank=True,
        help_text="The text of the configuration file it was trained with; default: the package's own anchors.",
    )

    def get_fields(self) -> dict:
        fields = super().get_fields()
        if "projects" in self.context:
            fields["project"].queryset = self.context["projects"]  # type: ignore[attr-defined]
        return fields

    def validate_labels(self, value: str) -> list[str]:
        return self._parsed(parse_labels, value)

    def validate_anchors(self, value: str) -> dict | None:
        return self._parsed(parse_anchor_config, value)

    def _parsed(self, parse: Callable[[str], Parsed], value: str) -> Parsed:
        try:
            return parse(value)
        except UploadProblem as problem:
            raise serializers.ValidationError(str(problem)) from problem

    def validate_file(self, file: UploadedFile) -> UploadedFile:
        if (file.size or 0) > settings.MAX_MODEL_BYTES:
            raise FileTooLarge(f"A model file may have at most {settings.MAX_MODEL_BYTES:,} bytes.")
        if format_of(file.name or "") is None:
            raise serializers.ValidationError(
                f"What kind of model is {file.name!r}? Its name must end in one of {', '.join(FORMATS)}."
            )
        return file

    def _with_file(self, attrs: dict) -> None:
        """What was uploaded in parts takes the place of the file."""
        upload = attrs.pop("upload", None)
        if ("file" in attrs) == (upload is not None):
            raise serializers.ValidationError({"file": "Send a file, or name an upload, one of them."}, code="required")
        if upload is not None:
            attrs["file"] = self.validate_file(self.context["taking"].take(upload))

    def validate(self, attrs: dict) -> dict:
        self._with_file(attrs)
        attrs["filename"], attrs["format"] = clean_filename(attrs["file"].name), format_of(attrs["file"].name)
        task = attrs["project"].kind
        if task is Task.MULTILABEL:
            raise serializers.ValidationError(
                {"project": ["Models from elsewhere are read in classification and detection projects only."]}
            )
        if task.has_boxes:
            return self._as_detector(attrs)
        if attrs["anchors"] is not None:
            raise serializers.ValidationError({"anchors": ["Only detectors have anchors; leave them out."]})
        if (attrs["input_width"] is None) != (attrs["input_height"] is None):
            raise serializers.ValidationError({"input_height": ["Give both sides of the input, or none."]})
        return attrs

    def _as_detector(self, attrs: dict) -> dict:
        if attrs["format"] != "h5":
            raise serializers.ValidationError(
                {
                    "file": [
                        "In a detection project this is the .h5 file of keras-retinanet: a snapshot of a training or "
                        "a converted model."
                    ]
                }
            )
        attrs["format"] = "keras_retinanet"
        for side in ("input_width", "input_height"):
            attrs[side] = attrs[side] or 512
            if attrs[side] % 32 or attrs[side] < 64:
                raise serializers.ValidationError({side: ["Must be a multiple of 32, at least 64."]})
        return attrs
