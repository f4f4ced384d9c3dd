"""The OpenAPI schema: what views declare, and the errors that every view may answer with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from projects.error_codes import ANSWERS

# What each operation was seen to answer, beside what any may (`tests.operation_codes` writes it).
OPERATION_CODES = json.loads(Path(__file__).with_name("operation_codes.json").read_text())

KINDS = ("validation_error", "client_error", "server_error")


@extend_schema_field({"anyOf": [{"type": "string", "enum": list(ANSWERS)}, {"type": "string"}]})
class CodeField(serializers.CharField):
    """One of the codes that are known, for clients that translate them; or another one of a library."""


class ErrorItemSerializer(serializers.Serializer):
    code = CodeField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class ErrorSerializer(serializers.Serializer):
    """The one shape of every error."""

    type = serializers.ChoiceField(KINDS)
    errors = ErrorItemSerializer(many=True)


SUMMARIES = {
    "list": "List",
    "retrieve": "Read one",
    "create": "Make one",
    "update": "Replace",
    "partial_update": "Change",
    "destroy": "Delete",
}


class StudioSchema(AutoSchema):
    def get_summary(self) -> str:
        """The first sentence of what the action says of itself, for the headings of the documentation."""
        action = getattr(self.view, "action", None)
        method = getattr(self.view, action or self.method.lower(), None)
        own = (method.__doc__ or "").strip() if method and method.__module__.split(".")[0] != "rest_framework" else ""
        text = own or SUMMARIES.get(action or "") or (self.view.__doc__ or "").strip() or self.get_operation_id()
        return text.partition("\n")[0].partition(". ")[0].rstrip(".")

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is not None and (codes := OPERATION_CODES.get(f"{method} {path}")):
            operation["x-error-codes"] = codes
        return operation

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict:
        bodies = super()._get_response_bodies(direction)
        for code in self._error_codes():
            if str(code) not in bodies:
                bodies[str(code)] = self._get_response_for_code(ErrorSerializer, str(code), ["application/json"])
        return bodies

    def _error_codes(self) -> list[int]:
        codes = [400, 403, 404, 406, 429, 503]
        if getattr(self.view, "authentication_classes", []) or "login" in self.path:
            codes.append(401)
        if self.method in ("POST", "PUT", "PATCH"):
            codes += [408, 409, 413, 415, 422, 507]
        if self.method == "DELETE":
            codes.append(409)
        if self._is_download():
            codes.append(416)
        return sorted(codes)

    def _makes_changes(self) -> bool:
        own = getattr(self.view, "without_changes", ())
        return getattr(self.view, "makes_changes", False) and getattr(self.view, "action", None) not in own

    def _is_download(self) -> bool:
        return getattr(self.view, "action", None) in ("file", "thumbnail", "rendition", "files", "report", "strip")

    def get_override_parameters(self) -> list:
        parameters = list(super().get_override_parameters())
        if self.method in ("POST", "PUT", "PATCH"):
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    OpenApiTypes.STR,
                    OpenApiParameter.HEADER,
                    description="Repeat a request with the same key and it is done once.",
                )
            )
        if self.method in ("POST", "PUT", "PATCH", "DELETE") and self._makes_changes():
            parameters.append(
                OpenApiParameter(
                    "X-Change",
                    OpenApiTypes.UUID,
                    OpenApiParameter.HEADER,
                    response=["200", "201", "204"],
                    description="The change that this was: `changes/{id}/undo/` takes it back. Absent: none.",
                )
            )
        return parameters


def write_streams(result: dict, **kwargs: Any) -> dict:
    """A stream of events is described by its events, whose `data` is JSON text: the shape of that is its content."""
    for operations in result["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                stream = response.get("content", {}).get("text/event-stream", {})
                if "$ref" in stream.get("schema", {}):
                    stream["schema"] = _event(stream["schema"])
    return result


def _event(content: dict) -> dict:
    return {
        "type": "object",
        "required": ["data"],
        "properties": {
            "id": {"type": "string"},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": content},
        },
    }
