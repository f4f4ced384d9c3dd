from __future__ import annotations

from rest_framework import serializers

from projects.changes.models import Change

ACTIONS = (
    "annotate", "review", "label", "unlabel", "remove_label", "set_labels", "set_empty", "confirm", "reject", "move",
    "split", "group", "rename_image", "create_label", "change_label", "reorder_labels", "delete_label", "merge_labels",
    "change_dataset", "delete", "upload", "import", "add_video", "cut_frames", "create_dataset", "create_project",
    "change_project", "change_video", "change_snapshot", "change_model", "change_visibility", "delete_video",
    "delete_dataset", "delete_model", "delete_project", "undo", "restore",
)  # fmt: skip


class DifferingSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(["image", "label", "dataset", "video", "snapshot", "model", "project"])
    id = serializers.CharField()
    name = serializers.CharField()
    reason = serializers.CharField(help_text="Why it cannot be put back, where more is known than that it was changed.")


class ChangeDetailsSerializer(serializers.Serializer):
    """What the change was about; which of these there are depends on the action."""

    image = serializers.UUIDField(required=False)
    filename = serializers.CharField(required=False)
    label = serializers.CharField(required=False)
    into = serializers.CharField(required=False)
    dataset = serializers.CharField(required=False)
    model = serializers.CharField(required=False)
    project = serializers.CharField(required=False)
    split = serializers.CharField(required=False, allow_null=True)
    group = serializers.CharField(required=False)
    action = serializers.ChoiceField(ACTIONS, required=False, help_text="Of an undo: of what was taken back.")

    left = DifferingSerializer(
        many=True,
        required=False,
        help_text="Of images that were restored: the first that stayed in the trash, and why.",
    )

    def to_representation(self, instance: dict) -> dict:
        return {name: value for name, value in super().to_representation(instance).items() if name in instance}


class ChangeRecordSerializer(serializers.ModelSerializer):
    action = serializers.ChoiceField(ACTIONS)
    changed_by = serializers.CharField(source="changed_by.username", default=None, allow_null=True)
    details = ChangeDetailsSerializer()
    rows = serializers.IntegerField(help_text="How many images or labels it changed.")
    undone_by = serializers.UUIDField(
        source="undone_by.pk", default=None, allow_null=True, help_text="The change that took it back."
    )

    class Meta:
        model = Change
        fields = ["id", "project", "action", "details", "rows", "changed_by", "changed_at", "undo_of", "undone_by"]


class UndoConflictItemSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class UndoConflictSerializer(serializers.Serializer):
    """The shape of every error, and with `changed_since` the first rows that were changed again."""

    type = serializers.ChoiceField(["validation_error", "client_error", "server_error"])
    errors = UndoConflictItemSerializer(many=True)
    changed = DifferingSerializer(many=True, required=False)
