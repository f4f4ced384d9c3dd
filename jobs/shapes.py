"""What JSON columns hold, said for the schema. The rows are answered as they are: a shape checks nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from common.renamed_fields import under_both_names

Integer, Number, Text, Yes = (
    serializers.IntegerField,
    serializers.FloatField,
    serializers.CharField,
    serializers.BooleanField,
)
Key = serializers.UUIDField


class Described(serializers.Field):
    """A value that is answered as it is.

    Args:
        shape: a serializer, which describes it in the schema.
        names: deprecated name → name, for the fields of an object that are answered under both.
    """

    def __init__(self, shape: Any, *, names: dict[str, str] | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("read_only", True)
        super().__init__(**kwargs)
        self._names = names or {}
        extend_schema_field(shape)(self)  # type: ignore[type-var]

    def to_representation(self, value: Any) -> Any:
        return under_both_names(value, self._names) if self._names else value


def optional(field: type[serializers.Field], **options: Any) -> serializers.Field:
    """Rows that were written by earlier versions lack it, or not every row has it."""
    return field(required=False, **options)


def perhaps(field: type[serializers.Field], **options: Any) -> serializers.Field:
    """Not everywhere, or null."""
    return field(required=False, allow_null=True, **options)


def several(child: serializers.Field, **options: Any) -> serializers.ListField:
    return serializers.ListField(child=child, required=False, **options)


def by_name(child: serializers.Field, **options: Any) -> serializers.DictField:
    """An object with names of the user's own, such as labels."""
    return serializers.DictField(child=child, required=False, **options)


def constant(value: str) -> serializers.Field:
    """A text that is always the same: what tells the members of a union apart."""
    field = type("ConstantField", (serializers.CharField,), {})
    return extend_schema_field({"type": "string", "const": value})(field)()


def one_of(name: str, members: Callable[[], dict[str, Any]], by: str, **options: Any) -> PolymorphicProxySerializer:
    """A union whose members differ in the field `by`."""
    return PolymorphicProxySerializer(name, members, resource_type_field_name=by, many=False, **options)


class RemarkSerializer(serializers.Serializer):
    code = Text()
    detail = Text()


# Results of jobs


class JobFileSerializer(serializers.Serializer):
    name = Text()
    size = Integer()
    content_type = Text()
    url = Text(help_text="Signed for you, for a while.")


class ResultSerializer(serializers.Serializer):
    """What every result may have."""

    download_url = optional(Text, help_text="Of a job with one file: signed for you, for a while.")
    files = optional(JobFileSerializer, many=True)


# Kind of result → its shape; the room above all others fills it. Kinds are those of jobs, and `import_dry_run`.
RESULTS: dict[str, type[serializers.Serializer]] = {}
JOB_RESULT = one_of("JobResult", lambda: RESULTS, "kind", allow_null=True)


def kind_of_result(kind: str, result: dict) -> str:
    return "import_dry_run" if kind == "import" and result.get("dry_run") else kind
