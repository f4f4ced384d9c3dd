"""Shapes of the live model, of its guesses, and of images that are like one."""

from __future__ import annotations

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.numbers import Number
from datasets.gallery.serializers import GridImageSerializer
from datasets.models import Dataset, Image, Label
from inference.live_model.guess_pages import MOST_GUESSES, ORDERS
from jobs.shapes import perhaps
from projects.pagination import MAX_CURSOR
from projects.scoped import Scoped, related

MOST_SIMILAR = 100


class LiveLabelSerializer(serializers.Serializer):
    label = serializers.UUIDField()  # type: ignore[assignment] # a field of this name, as annotations have it
    images = serializers.IntegerField(help_text="Labelled images that it has learned this label from.")
    guesses = serializers.IntegerField(help_text="Images that nobody has labelled of which it guesses this one.")
    held_out = serializers.IntegerField(help_text="Images with this label that it was tried on and had not seen.")
    right = serializers.IntegerField(help_text="How many of these it gave the label: one with few needs more images.")


class CurvePointSerializer(serializers.Serializer):
    images = serializers.IntegerField(help_text="Labelled images.")
    accuracy = serializers.FloatField()
    deviation = serializers.FloatField(help_text="Standard deviation of the accuracy.")


class LearningCurveSerializer(serializers.Serializer):
    """How good it gets with more labels, measured on parts of those that are there."""

    measured = CurvePointSerializer(many=True)
    expected = CurvePointSerializer(many=True, help_text="With 50, 100 and 200 more labelled images.")


class LiveBoxLabelSerializer(serializers.Serializer):
    label = serializers.UUIDField()  # type: ignore[assignment] # a field of this name, as annotations have it
    boxes = serializers.IntegerField(help_text="Confirmed boxes that it has learned this label from.")


class LiveBoxesSerializer(serializers.Serializer):
    """What it has learned of boxes: it says what those show that a detector suggests."""

    version = serializers.IntegerField(help_text="Counts up whenever it has learned.")
    boxes = serializers.IntegerField(help_text="Confirmed boxes that it has learned from.")
    suggestions = serializers.IntegerField(help_text="Suggested boxes of which it says what they show.")
    held_out = serializers.IntegerField(help_text="Boxes and places without one that it was tried on, unseen.")
    accuracy = perhaps(serializers.FloatField, help_text="Share of `held_out` that it got right.")
    labels = LiveBoxLabelSerializer(many=True)


class LiveModelSerializer(serializers.Serializer):
    """A classifier that learns while you label: fitted within seconds of every change, on all labels of the project."""

    code = serializers.CharField(
        allow_blank=True,
        help_text="Why there are no guesses: no_embedder, no_images, embedding, too_few_labels, too_few_images, "
        "fitting or not_for_detection; empty where there are some.",
    )
    detail = serializers.CharField(allow_blank=True)
    images = serializers.IntegerField(help_text="Of the project.")
    embedded = serializers.IntegerField(help_text="Images that can be compared; the others follow in the background.")
    embedder = serializers.CharField(allow_null=True, help_text="The network that compares images.")
    version = serializers.IntegerField(help_text="Counts up whenever it has learned; 0: not yet.")
    fitted_at = serializers.DateTimeField(allow_null=True)
    seconds = perhaps(serializers.FloatField, help_text="How long the last fit with all guesses took.")
    labelled = serializers.IntegerField(help_text="Labelled images that it has learned from.")
    guesses = serializers.IntegerField(help_text="Images that nobody has labelled and of which it guesses something.")
    empty = serializers.IntegerField(help_text="Of these: it sees none of the labels, in a multilabel project.")
    held_out = serializers.IntegerField(help_text="Labelled images that it was tried on without having seen them.")
    accuracy = perhaps(
        serializers.FloatField,
        help_text="Share of `held_out` that it got right, with all their labels; null where too few say anything.",
    )
    labels = LiveLabelSerializer(many=True)
    learning_curve = LearningCurveSerializer(
        allow_null=True, help_text="null: fewer than 60 labelled images, or not measured yet."
    )
    boxes = LiveBoxesSerializer(
        allow_null=True, help_text="Of a project for detection; null before people have marked some boxes."
    )


class GuessQuerySerializer(Scoped):
    label = related(  # type: ignore[assignment]
        Label, required=False, help_text="Only guesses of this label."
    )
    is_empty = serializers.BooleanField(
        default=False, help_text="true: only images of a multilabel project on which it sees none of the labels."
    )
    dataset = related(Dataset, required=False, help_text="Only images of this dataset.")
    image = related(Image, required=False, help_text="Only the guess of this image.")
    order = serializers.ChoiceField(
        ORDERS,
        default=ORDERS[0],
        help_text="most_confident: to confirm many at once; least_confident: whose labels teach it most.",
    )
    min_confidence = Number(min_value=0, max_value=1, default=0.0)
    max_confidence = Number(min_value=0, max_value=1, default=1.0)
    limit = serializers.IntegerField(min_value=1, max_value=MOST_GUESSES, default=60)
    cursor = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_CURSOR,
        help_text="From `next`: guesses that leave the list meanwhile hide no others.",
    )
    offset = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=10_000_000,
        help_text="Instead of a cursor: the page begins at this place, counted from 0, of the guesses as they are now.",
    )

    def validate(self, data: dict) -> dict:
        if "cursor" in data and "offset" in data:
            raise serializers.ValidationError({"offset": ["Send a cursor or an offset, one of them."]})
        return data


class NextImagesQuerySerializer(Scoped):
    dataset = related(Dataset, required=False, help_text="Only images of this dataset.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST_GUESSES, default=50)


class GuessedLabelSerializer(serializers.Serializer):
    label = serializers.UUIDField()  # type: ignore[assignment] # a field of this name, as annotations have it
    confidence = serializers.FloatField(help_text="0 to 1: that the image has this label.")


class GuessSerializer(serializers.Serializer):
    image = GridImageSerializer()
    label = serializers.UUIDField(  # type: ignore[assignment] # a field of this name, as annotations have it
        help_text="The most likely one. Where images have several labels it may be too unlikely to be among `labels`."
    )
    labels = GuessedLabelSerializer(
        many=True,
        help_text="What it guesses of the image: its label, or in a multilabel project all labels above their "
        "thresholds, the most likely first; empty: none of them.",
    )
    confidence = serializers.FloatField(
        help_text="0 to 1: that `labels` are right, all of them and no other. Calibrated on labelled images that it "
        "was not fitted on: of many guesses with 0.9 about nine of ten are right. In a multilabel project this "
        "is of all its labels."
    )


class GuessPageSerializer(serializers.Serializer):
    version = serializers.IntegerField(
        help_text="Of the live model that made them. Another one than on the page before: it has learned, and its "
        "confidences are others."
    )
    count = serializers.IntegerField(help_text="Guesses that these filters leave, at the last fit.")
    next = serializers.URLField(allow_null=True, help_text="The next page; null behind the last one.")
    results = GuessSerializer(many=True)


class BoxGuessSerializer(serializers.Serializer):
    annotation = serializers.UUIDField(help_text="The suggestion.")
    label = serializers.UUIDField(  # type: ignore[assignment] # a field of this name, as annotations have it
        help_text="What the box shows most likely; another one than the suggestion's where people taught it so."
    )
    confidence = serializers.FloatField(
        help_text="0 to 1: that the box shows a thing of this label. Calibrated on boxes that it was not fitted on."
    )


class SimilarQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=MOST_SIMILAR, default=24)
    same_dataset = serializers.BooleanField(default=False, help_text="Only images of the same dataset.")


class SimilarImageSerializer(serializers.Serializer):
    image = GridImageSerializer()
    similarity = serializers.FloatField(help_text="Cosine of the features of both, -1 to 1; 1 is the same.")
