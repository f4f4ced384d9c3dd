"""What can be chosen before a training: presets, each with what it means for this project, and settings with bounds."""

from __future__ import annotations

import re
from dataclasses import fields

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.numbers import Number
from datasets.models import Snapshot
from datasets.snapshots import DEFAULT_FRACTIONS
from jobs.shapes import Described
from projects.models import Project, Task
from training.settings_fields import ConfigurationFields
from training.shapes import ConfigurationSerializer
from vision.detection.configuration import DetectionConfiguration
from vision.training.architectures import ARCHITECTURES
from vision.training.configuration import Configuration
from vision.training.errors import EngineError
from vision.training.presets import DEFAULT_PRESET, NAMES, PRESETS, Preset

# Chosen elsewhere in forms, or no value of a form.
APART = ("preset", "minutes", "max_minutes", "network")
# Choices that trainings of classifiers refuse.
OF_DETECTORS = {"weights": ("coco",)}
KINDS: dict[type[serializers.Field], str] = {
    serializers.IntegerField: "integer",
    Number: "number",
    serializers.BooleanField: "boolean",
    serializers.ChoiceField: "choice",
    serializers.ListField: "numbers",
}


class TrainingSettingSerializer(serializers.Serializer):
    """One setting, as its field of `trainings/` has it."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(sorted(KINDS.values()))
    choices = serializers.ListField(child=serializers.CharField(), help_text="Of kind=choice.")
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    help = serializers.CharField()


@extend_schema_serializer(component_name="TrainingPreset")
class PresetSerializer(serializers.Serializer):
    name = serializers.ChoiceField(NAMES)
    title = serializers.CharField()
    description = serializers.CharField()
    is_default = serializers.BooleanField()
    configuration = Described(
        ConfigurationSerializer(),
        help_text="The settings that it would give a training of this project as things are now.",
    )


class TrainingOptionsSerializer(serializers.Serializer):
    presets = PresetSerializer(many=True)
    settings = TrainingSettingSerializer(many=True, help_text="Those of the project's task.")


def options_of(project: Project) -> dict:
    """The presets and settings of trainings of this project."""
    return {
        "presets": [_preset(preset, project) for preset in PRESETS.values()],
        "settings": settings_of(project.task),
    }


def settings_of(task: str) -> list[dict]:
    """The settings that trainings of a task have, in the order in which requests document them."""
    known = {field.name for field in fields(_kind_of(task))}
    fields_of = ConfigurationFields().fields
    return [_setting(name, field, task) for name, field in fields_of.items() if name in known - set(APART)]


def _kind_of(task: str) -> type[Configuration] | type[DetectionConfiguration]:
    return DetectionConfiguration if Task(task).has_boxes else Configuration


def _setting(name: str, field: serializers.Field, task: str) -> dict:
    values = field.child if isinstance(field, serializers.ListField) else field
    return {
        "name": name,
        "kind": KINDS[type(field)],
        "choices": _choices(name, field, task) if isinstance(field, serializers.ChoiceField) else [],
        "minimum": getattr(values, "min_value", None),
        "maximum": getattr(values, "max_value", None),
        "help": _help(field),
    }


def _choices(name: str, field: serializers.ChoiceField, task: str) -> list[str]:
    """Of networks those that a project of this task can train, on this machine, without more than a form can say."""
    if name != "architecture":
        others = () if Task(task).has_boxes else OF_DETECTORS.get(name, ())
        return [choice for choice in field.choices if choice not in others]
    known = [ARCHITECTURES[choice] for choice in field.choices if choice in ARCHITECTURES]
    return [
        network.name for network in known if network.is_for(task) and network.is_installed and network.name != "custom"
    ]


def _help(field: serializers.Field) -> str:
    """Without the words that say for which task: only the settings of one are shown."""
    text = re.sub(r"^For (classifiers|detectors): ", "", str(field.help_text or ""))
    return text[:1].upper() + text[1:]


def _preset(preset: Preset, project: Project) -> dict:
    wanted = {"architecture": preset.architecture(project.task), "preset": preset.name}
    try:
        configuration = _resolved(project, wanted).to_dict()
    except EngineError:  # what is missing is answered when such a training is asked for
        configuration = wanted
    return {
        "name": preset.name,
        "title": preset.title,
        "description": preset.description,
        "is_default": preset.name == DEFAULT_PRESET,
        "configuration": configuration,
    }


def _resolved(project: Project, wanted: dict) -> Configuration | DetectionConfiguration:
    if project.kind.has_boxes:
        return DetectionConfiguration.from_dict(wanted).resolved(_train_images(project))
    return Configuration.from_dict(wanted).resolved()


def _train_images(project: Project) -> int:
    """Of the newest snapshot, or what a first one would have."""
    newest = Snapshot.objects.filter(project=project).order_by("-id").only("counts").first()
    if newest is not None:
        return newest.counts["splits"].get("train", 0)
    return round(project.image_count * DEFAULT_FRACTIONS["train"])
