"""Cursor pagination by key: a page costs the same at row 1,000,000 as at row 1.

`WHERE (field, id) > (last field, last id) ORDER BY field, id LIMIT n`; the cursor carries the last row's values.
DRF's own cursor pages through equal values by offset and gives up after 1,000 of them.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.db.models import Model, Q, QuerySet
from django.utils.encoding import force_str
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from rest_framework.views import APIView

MAX_CURSOR = 4000
# What the database makes of a value that somebody wrote into a cursor.
UNUSABLE = (DjangoValidationError, ValueError, TypeError, OverflowError, DataError)


class KeysetPagination(BasePagination):
    """`?cursor=&page_size=&ordering=`. A view lists the fields it may be ordered by in `ordering_fields`."""

    page_size = 50
    max_page_size = 500
    default_ordering = "-id"

    def paginate_queryset(self, queryset: QuerySet, request: Request, view: APIView | None = None) -> list:  # type: ignore[override]
        self.request = request
        size = self._page_size(request)
        ordering = self._ordering(request, view)
        cursor = decode_cursor(request.query_params.get("cursor"))
        backwards = bool(cursor and cursor["back"])
        field = ordering.lstrip("-")
        descending = ordering.startswith("-") != backwards
        if cursor:
            queryset = self._after(queryset, field, cursor, descending)
        sign = "-" if descending else ""
        order = [f"{sign}id"] if field == "id" else [f"{sign}{field}", f"{sign}id"]
        try:
            rows = list(queryset.order_by(*order)[: size + 1])
        except UNUSABLE as error:
            raise NotFound("Invalid cursor.") from error
        more = len(rows) > size
        rows = rows[:size]
        if backwards:
            rows.reverse()
        has_next, has_previous = (bool(cursor), more) if backwards else (more, bool(cursor))
        self._next = self._link(rows[-1], field, back=False) if rows and has_next else None
        self._previous = self._link(rows[0], field, back=True) if rows and has_previous else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(OrderedDict(next=self._next, previous=self._previous, results=data))

    def _page_size(self, request: Request) -> int:
        text = request.query_params.get("page_size")
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdigit() and len(text) < 10) or not 1 <= int(text) <= self.max_page_size:
            raise ValidationError({"page_size": [f"Must be a number from 1 to {self.max_page_size}."]})
        return int(text)

    def _ordering(self, request: Request, view: APIView | None) -> str:
        default = getattr(view, "default_ordering", self.default_ordering)
        text = request.query_params.get("ordering") or default
        allowed = {"id", *getattr(view, "ordering_fields", ())}
        if text.removeprefix("-") not in allowed:
            raise ValidationError(
                {"ordering": [f"Must be one of {', '.join(sorted(allowed))}, with - for descending."]}
            )
        return text

    @staticmethod
    def _after(queryset: QuerySet, field: str, cursor: dict, descending: bool) -> QuerySet:
        compare = "lt" if descending else "gt"
        try:
            if field == "id":
                return queryset.filter(**{f"id__{compare}": cursor["id"]})
            value = cursor["value"]
            # The first condition lets the index start at the right place; the second skips within equal values.
            return queryset.filter(**{f"{field}__{compare}e": value}).filter(
                Q(**{f"{field}__{compare}": value}) | Q(**{field: value, f"id__{compare}": cursor["id"]})
            )
        except UNUSABLE as error:
            raise NotFound("Invalid cursor.") from error

    def _link(self, row: Model, field: str, back: bool) -> str:
        value = None if field == "id" else getattr(row, field)
        if value is not None and not isinstance(value, (str, int, float)):
            value = value.isoformat() if hasattr(value, "isoformat") else str(value)
        cursor = encode_cursor(str(row.pk), value, back=back)
        return replace_query_param(force_str(self.request.build_absolute_uri()), "cursor", cursor)

    def get_paginated_response_schema(self, schema: dict) -> dict:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict]:
        fields = sorted({"id", *getattr(view, "ordering_fields", ())})
        choices = [f"{sign}{name}" for name in fields for sign in ("", "-")]
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "From `next`, `previous`."},
            {"name": "page_size", "in": "query", "schema": size},
            {
                "name": "ordering",
                "in": "query",
                "schema": {"type": "string", "enum": choices, "default": getattr(view, "default_ordering", "-id")},
            },
        ]


def encode_cursor(key: str, value: Any, *, back: bool = False) -> str:
    """A place in a list: behind the row with this id and this value of the field that orders it."""
    text = json.dumps({"id": key, "value": value, "back": back}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str | None) -> dict | None:
    """`id`, `value` and `back` of what `encode_cursor` wrote; None of none.

    Raises:
        NotFound: it is no cursor.
    """
    if not text:
        return None
    if len(text) > MAX_CURSOR:
        raise NotFound("Invalid cursor.")
    try:
        cursor = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return {"id": str(cursor["id"]), "value": cursor["value"], "back": bool(cursor["back"])}
    except (ValueError, binascii.Error, KeyError, TypeError, RecursionError) as error:
        raise NotFound("Invalid cursor.") from error
