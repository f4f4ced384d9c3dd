"""The settings of a training, with their bounds: what requests are checked by, and what forms are drawn from."""

from __future__ import annotations

from rest_framework import serializers

from accounts.numbers import Number
from inference.models import Resize
from vision.training.architectures import ARCHITECTURES
from vision.training.configuration import AUGMENTATIONS, FLIPS
from vision.training.presets import NAMES


class ConfigurationFields(serializers.Serializer):
    """What a user may set; every field has a good default."""

    preset = serializers.ChoiceField(
        NAMES,
        required=False,
        help_text="How much is done where it is left open, see `trainings/options/`. Default: balanced.",
    )
    minutes = Number(
        min_value=0,
        max_value=100_000,
        required=False,
        help_text="How long the whole training is to take: epochs, and where they are left open the size of the input "
        "and whether a backbone is trained too, are chosen for it on this machine. 0: as long as it takes. Default: as "
        "the preset says.",
    )
    max_minutes = Number(
        min_value=1,
        max_value=100_000,
        required=False,
        help_text="A budget of time that changes nothing else: fewer epochs where they would take longer.",
    )
    architecture = serializers.ChoiceField(
        [architecture.name for architecture in ARCHITECTURES.values() if architecture.is_offered],
        required=False,
        help_text="Which network is trained.",
    )
    network = serializers.DictField(
        required=False, help_text="For architecture=custom: a Keras network as `model.to_json()` gives it."
    )
    resize = serializers.ChoiceField(
        Resize.choices,
        required=False,
        help_text="For classifiers: how an image becomes the size of the input. Default: stretched.",
    )
    weights = serializers.ChoiceField(
        ["auto", "coco", "imagenet", "none"],
        required=False,
        help_text="What it starts from. auto: the best that is on this machine.",
    )
    image_size = serializers.IntegerField(
        min_value=32,
        max_value=1536,
        required=False,
        help_text="Side of the input in pixels; of detectors the longer side, a multiple of 32.",
    )
    batch_size = serializers.IntegerField(
        min_value=1,
        max_value=1024,
        required=False,
        help_text="Images a step. Fewer need less memory.",
    )
    epochs = serializers.IntegerField(
        min_value=1,
        max_value=1000,
        required=False,
        help_text="How often all training images are seen. With a pretrained backbone: by its new head, which is "
        "solved at once where this, learning_rate and dropout are left open.",
    )
    fine_tune = serializers.BooleanField(
        required=False,
        help_text="For classifiers: whether a pretrained backbone is trained too, after the head.",
    )
    frozen_epochs = serializers.IntegerField(
        min_value=0, max_value=999, required=False, help_text="For detectors: epochs at the start of the heads alone."
    )
    fine_tune_epochs = serializers.IntegerField(
        min_value=1,
        max_value=1000,
        required=False,
        help_text="For classifiers: epochs of the whole network after those of the head.",
    )
    learning_rate = Number(
        min_value=1e-7,
        max_value=1,
        required=False,
        help_text="Peak of the schedule: warm-up, then cosine.",
    )
    fine_tune_learning_rate = Number(
        min_value=1e-7,
        max_value=1,
        required=False,
        help_text="For classifiers: the same while the whole network is trained.",
    )
    weight_decay = Number(
        min_value=0,
        max_value=1,
        required=False,
        help_text="How strongly large weights are pulled towards 0.",
    )
    dropout = Number(
        min_value=0,
        max_value=0.9,
        required=False,
        help_text="For classifiers: share of the features that each step leaves out.",
    )
    label_smoothing = Number(
        min_value=0,
        max_value=0.5,
        required=False,
        help_text="For classifiers: how far targets are moved from 0 and 1.",
    )
    augmentation = serializers.ChoiceField(
        AUGMENTATIONS,
        required=False,
        help_text="Strength of the random changes to training images.",
    )
    flip = serializers.ChoiceField(
        FLIPS,
        required=False,
        help_text="Mirror training images at random; none where left and right differ, as in text.",
    )
    rotation = Number(
        min_value=0,
        max_value=0.5,
        required=False,
        help_text="For classifiers: up to this share of a full turn.",
    )
    zoom = Number(
        min_value=0,
        max_value=0.9,
        required=False,
        help_text="For classifiers: up to this share.",
    )
    contrast = Number(
        min_value=0,
        max_value=0.9,
        required=False,
        help_text="For classifiers: up to this share.",
    )
    class_weights = serializers.ChoiceField(
        ["auto", "none", "balanced"],
        required=False,
        help_text="For classifiers: balanced counts rare labels more; auto does so where they are uneven.",
    )
    early_stopping = serializers.IntegerField(
        min_value=0,
        max_value=1000,
        required=False,
        help_text="Judged epochs without improvement before it ends; 0: never.",
    )
    anchor_sizes = serializers.ListField(
        child=Number(min_value=0.5, max_value=16),
        min_length=1,
        max_length=5,
        required=False,
        help_text="For detectors: sides of the anchors as multiples of a cell; default: fitted to the boxes.",
    )
    anchor_ratios = serializers.ListField(
        child=Number(min_value=0.1, max_value=10),
        min_length=1,
        max_length=5,
        required=False,
        help_text="For detectors: height over width of the anchors; default: fitted to the boxes.",
    )
    mixed_precision = serializers.ChoiceField(
        ["auto", "on", "off"],
        required=False,
        help_text="float16 arithmetic, which is faster on a GPU.",
    )
    seed = serializers.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        help_text="The same seed gives the same training.",
    )
