"""The shapes of writing and reviewing annotations."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.numbers import Number
from datasets.annotating import MOST
from datasets.serializers import AnnotationSerializer

LABEL = "Name or id of a label of the project."
BOX = "x_min, y_min, x_max, y_max in pixels of the upright image."


def _box(**options: Any) -> serializers.ListField:
    return serializers.ListField(child=Number(), min_length=4, max_length=4, help_text=BOX, **options)


class AnnotationRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    """As it is to be. An annotation may be sent back as it was read."""

    id = serializers.UUIDField(
        required=False,
        help_text="Of an annotation of the image; one that nobody has becomes that of a new one. Left out: the one "
        "that says the same, else a new one.",
    )
    label = serializers.CharField(max_length=100, help_text=LABEL)
    box = _box(allow_null=True, default=None)
    confirmed = serializers.BooleanField(
        required=False, help_text="Left out: what is there unchanged stays as it is, anything else is confirmed."
    )
    label_id = serializers.UUIDField(read_only=True)
    origin = serializers.CharField(read_only=True)
    score = serializers.FloatField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class AnnotationChangeSerializer(KnownFieldsOnly, serializers.Serializer):
    """What is left out stays. With another label or box it is yours from then on, and confirmed."""

    id = serializers.UUIDField()
    label = serializers.CharField(required=False, max_length=100, help_text=LABEL)
    box = _box(required=False)
    confirmed = serializers.BooleanField(required=False)

    def validate(self, attrs: dict) -> dict:
        if len(attrs) < 2:
            detail = "Give another label or box, or say whether it is confirmed."
            raise serializers.ValidationError({"label": detail}, code="required")
        return attrs


class AnnotationsPatchSerializer(KnownFieldsOnly, serializers.Serializer):
    add = AnnotationRequestSerializer(many=True, required=False, default=list, max_length=MOST)  # type: ignore[call-arg]
    change = AnnotationChangeSerializer(many=True, required=False, default=list, max_length=MOST)  # type: ignore[call-arg]
    remove = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        default=list,
        max_length=MOST,
        help_text="What is gone already is no error.",
    )
    revision = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="The revision you saw; 409 if passed."
    )


class AnnotationsAnswerSerializer(serializers.Serializer):
    revision = serializers.IntegerField()
    annotations = AnnotationSerializer(many=True)


class CurrentAnnotationsSerializer(AnnotationsAnswerSerializer):
    changed_by = serializers.CharField(allow_null=True, help_text="Who changed them last; null: nobody who is known.")
    changed_at = serializers.DateTimeField(allow_null=True)


class ConflictItemSerializer(serializers.Serializer):
    code = serializers.ChoiceField(
        [
            "revision_conflict",
            "annotation_deleted",
            "label_deleted",
            "changed_meanwhile",
            "idempotency_in_progress",
            "idempotency_already_done",
        ]
    )
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class AnnotationsConflictSerializer(serializers.Serializer):
    """The shape of every error, and with `revision_conflict` and `annotation_deleted` what is there now."""

    type = serializers.ChoiceField(["validation_error", "client_error", "server_error"])
    errors = ConflictItemSerializer(many=True)
    current = CurrentAnnotationsSerializer(required=False)


class CorrectionSerializer(KnownFieldsOnly, serializers.Serializer):
    id = serializers.UUIDField()
    label = serializers.CharField(required=False, max_length=100, help_text=LABEL)
    box = _box(required=False)

    def validate(self, attrs: dict) -> dict:
        if "label" not in attrs and "box" not in attrs:
            raise serializers.ValidationError({"label": "Give another label, another box, or both."}, code="required")
        return attrs


class SuggestionsFilterSerializer(KnownFieldsOnly, serializers.Serializer):
    """Suggestions that wait for a look, of one project."""

    project = serializers.UUIDField(required=False)
    dataset = serializers.UUIDField(required=False)
    label = serializers.CharField(required=False, max_length=100, help_text=LABEL)
    min_score = Number(required=False, min_value=0, max_value=1)
    max_score = Number(required=False, min_value=0, max_value=1)

    def validate(self, attrs: dict) -> dict:
        if "project" not in attrs and "dataset" not in attrs:
            raise serializers.ValidationError({"project": "Name a project, or a dataset."}, code="required")
        return attrs


class ReviewSerializer(KnownFieldsOnly, serializers.Serializer):
    """Decisions about annotations of one project: at most 10,000 of each kind by their ids, or one about all
    suggestions that a filter leaves."""

    confirm = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=MOST)
    reject = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=MOST)
    correct = serializers.ListField(child=CorrectionSerializer(), required=False, default=list, max_length=MOST)
    filter = SuggestionsFilterSerializer(required=False, help_text="Instead of ids, with a decision.")
    decision = serializers.ChoiceField(["confirm", "reject"], required=False)

    def validate(self, attrs: dict) -> dict:
        by_id = any(attrs[name] for name in ("confirm", "reject", "correct"))
        if ("filter" in attrs) != ("decision" in attrs):
            raise serializers.ValidationError({"decision": "filter and decision belong together."}, code="required")
        if by_id == ("filter" in attrs):
            detail = "Name at least one annotation, or send a filter, one of them."
            raise serializers.ValidationError({"confirm": detail}, code="required")
        return attrs


class ReviewAnswerSerializer(serializers.Serializer):
    confirmed = serializers.IntegerField()
    corrected = serializers.IntegerField()
    rejected = serializers.IntegerField()
    left = serializers.IntegerField(
        required=False,
        help_text="With a filter: suggestions that it still leaves, for one request decides about 10,000.",
    )


class SuggestedLabelSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    count = serializers.IntegerField()


class ScoreCountSerializer(serializers.Serializer):
    at_least = serializers.FloatField(help_text="The lower end of a tenth.")
    count = serializers.IntegerField()


class SuggestionCountsSerializer(serializers.Serializer):
    """Suggestions that wait for a look."""

    total = serializers.IntegerField()
    images = serializers.IntegerField()
    labels = SuggestedLabelSerializer(many=True, help_text="Labels that there are suggestions of.")
    scores = ScoreCountSerializer(many=True, help_text="Ten, from 0 upwards; without those that have no score.")
