"""Shapes of frames, suggestions and searches for wrong labels."""

from __future__ import annotations

from rest_framework import serializers

from accounts.numbers import Number
from datasets.models import Dataset, Split
from datasets.serializers import ImageSerializer
from inference.models import LabelingCandidate, Model
from projects.scoped import Scoped, related
from vision.video.facts import Selection


class FramesRequestSerializer(Scoped):
    """Which frames become images. Give one of `every_frames`, `every_seconds` and `scenes`."""

    every_frames = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    every_seconds = Number(min_value=0.001, max_value=86_400, required=False)
    scenes = serializers.BooleanField(default=False, help_text="The first frame of each scene.")
    start_seconds = Number(min_value=0, max_value=1e7, default=0.0)
    end_seconds = Number(min_value=0, max_value=1e7, required=False, allow_null=True, default=None)
    skip_similar = serializers.BooleanField(
        default=False, help_text="Leave out frames that look like one that was taken from this video before."
    )
    format = serializers.ChoiceField(["jpeg", "png"], default="jpeg")
    split = serializers.ChoiceField(Split.choices, required=False, allow_null=True, default=None)
    group_seconds = Number(
        min_value=0.1,
        max_value=1e6,
        required=False,
        allow_null=True,
        default=None,
        help_text="Frames of so long a stretch stay on one side of a split; default: those of the whole video.",
    )
    model = related(
        Model,
        required=False,
        allow_null=True,
        default=None,
        help_text="Its predictions become annotations to confirm.",
    )
    min_uncertainty = Number(
        min_value=0,
        max_value=1,
        required=False,
        allow_null=True,
        default=None,
        help_text="Of the chosen frames only those of which the model is at least so unsure, from 0 (sure) to 1.",
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Only count the frames: the job's result has how many, and when they are."
    )

    def validate(self, attrs: dict) -> dict:
        rules = [name for name in ("every_frames", "every_seconds") if name in attrs]
        if len(rules) + attrs["scenes"] != 1:
            raise serializers.ValidationError(
                {"every_seconds": "Give one of every_frames, every_seconds and scenes."}, code="required"
            )
        if attrs["min_uncertainty"] is not None and attrs["model"] is None:
            raise serializers.ValidationError({"model": "Name the model whose doubt counts."}, code="required")
        if attrs["end_seconds"] is not None and attrs["end_seconds"] <= attrs["start_seconds"]:
            raise serializers.ValidationError({"end_seconds": "Must be after start_seconds."})
        names = ("every_frames", "every_seconds", "scenes", "start_seconds", "end_seconds")
        attrs["selection"] = Selection(**{name: attrs.pop(name) for name in names if name in attrs})
        return attrs


class SuggestionsRequestSerializer(Scoped):
    dataset = related(Dataset, help_text="Whose unlabelled images are looked at.")
    other_model = related(
        Model,
        required=False,
        allow_null=True,
        default=None,
        source="other",
        help_text="A second opinion: images on which the two disagree come first too.",
    )
    annotate = serializers.BooleanField(default=True, help_text="Keep the predictions as annotations to confirm.")


class SuspectsRequestSerializer(Scoped):
    dataset = related(Dataset, help_text="Whose labels are looked at.")


class SuggestionSerializer(serializers.ModelSerializer):
    image = ImageSerializer(read_only=True)

    class Meta:
        model = LabelingCandidate
        fields = ["id", "model", "dataset", "rank", "uncertainty", "disagreement", "image", "created_at"]
        read_only_fields = fields
