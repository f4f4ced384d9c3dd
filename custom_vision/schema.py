"""The 60 operations as an OpenAPI document of its own: their form is Microsoft's, and stands in no other schema.

Written from `operations.txt` and `models.txt` beside this file.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

HERE = Path(__file__).resolve().parent
BASES = {"training": "/customvision/v3.4-preview/training", "prediction": "/customvision/v3.1/prediction"}
# Mark behind a name → its schema.
KINDS: dict[str, dict[str, Any]] = {
    "": {"type": "string"},
    "#": {"type": "integer"},
    "~": {"type": "number"},
    "?": {"type": "boolean"},
    "@": {"type": "string", "format": "date-time"},
    "!": {"type": "string", "format": "uuid"},
    "%": {"type": "object", "additionalProperties": {"type": "string"}},
}
FIELD = re.compile(r"^(?P<name>\w+)(?::(?P<model>\w+))?(?P<mark>[#~?@!%]?)(?P<list>(?:\[\])?)$")
FORM = {"type": "object", "properties": {"imageData": {"type": "string", "format": "binary"}}}


@dataclass(frozen=True)
class Operation:
    """One line of the table.

    Attributes:
        address: below the base of its service, with `{names}` in it.
        query: fields, as `models.txt` has them.
        body: the name of a model; "" for none, `image` for bytes.
        answer: statuses, and the model of those with a body.
    """

    name: str
    method: str
    service: str
    address: str
    query: tuple[str, ...]
    body: str
    statuses: tuple[str, ...]
    answer: str

    @property
    def path(self) -> str:
        return f"{BASES[self.service]}/{self.address}"


@functools.cache
def operations() -> tuple[Operation, ...]:
    service, rows = "", []
    for line in _lines("operations.txt"):
        if line.startswith("["):
            service = line.strip("[]")
            continue
        name, method, address, query, body, answer = (part.strip() for part in line.split("|"))
        statuses, _, model = answer.partition(" ")
        rows.append(
            Operation(name, method, service, address, tuple(query.split()), body, tuple(statuses.split("/")), model)
        )
    return tuple(rows)


@functools.cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    keys = {
        name: {"type": "apiKey", "in": "header", "name": name}
        for name in ("Training-Key", "Prediction-Key", "Ocp-Apim-Subscription-Key")
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ML Studio for programs written for Azure Custom Vision",
            "version": settings.VERSION,
            "description": "Every version from v3.0 is served, in any case of letters; a key is a personal token.",
        },
        "paths": paths,
        "components": {"schemas": _models(), "securitySchemes": keys},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", operation.address)
    parameters = [{"name": name, "in": "path", "required": True, "schema": KINDS[""]} for name in names]
    for text in operation.query:
        name, shape = _field(text)
        is_list = shape.get("type") == "array"
        styles = {"style": "form", "explode": False} if is_list else {}
        parameters.append({"name": name, "in": "query", "schema": shape, **styles})
    written: dict[str, Any] = {"operationId": operation.name, "parameters": parameters, "responses": {}}
    for status in operation.statuses:
        written["responses"][status] = _response(operation.answer if status in ("200", "207") else "")
    written["responses"]["default"] = _response("CustomVisionError")
    if operation.body == "image":
        binary = {"schema": {"type": "string", "format": "binary"}}
        written["requestBody"] = {
            "content": {"multipart/form-data": {"schema": FORM}, "application/octet-stream": binary}
        }
    elif operation.body:
        written["requestBody"] = {"content": {"application/json": {"schema": _shape(operation.body)}}}
    key = "Training-Key" if operation.service == "training" else "Prediction-Key"
    return {**written, "security": [{key: []}, {"Ocp-Apim-Subscription-Key": []}]}


def _response(answer: str) -> dict[str, Any]:
    described = {"description": answer or "No content"}
    if not answer:
        return described
    if answer == "file":
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        return {**described, "content": content}
    return {**described, "content": {"application/json": {"schema": _shape(answer)}}}


def _models() -> dict[str, Any]:
    models = {}
    for line in _lines("models.txt"):
        name, _, fields = line.partition(":")
        models[name.strip()] = {"type": "object", "properties": dict(map(_field, fields.split()))}
    return models


def _field(text: str) -> tuple[str, dict[str, Any]]:
    match = FIELD.match(text)
    assert match is not None, text
    shape = {"$ref": f"#/components/schemas/{match['model']}"} if match["model"] else KINDS[match["mark"]]
    return match["name"], {"type": "array", "items": shape} if match["list"] else shape


def _shape(text: str) -> dict[str, Any]:
    """Of `Model`, `Model[]`, or of a mark for what has no model."""
    name = text.removesuffix("[]")
    shape = KINDS.get(name) or {"$ref": f"#/components/schemas/{name}"}
    return {"type": "array", "items": shape} if text.endswith("[]") else shape


def _lines(name: str) -> list[str]:
    return [line for line in (HERE / name).read_text().splitlines() if line.strip() and not line.startswith("//")]
