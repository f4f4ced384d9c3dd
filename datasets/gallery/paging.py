"""Pages of images: by cursor, or from any place by `offset`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from datasets.gallery.orderings import NAMES, Ordering, ordering_named
from datasets.gallery.windows import keys_at
from projects.pagination import KeysetPagination

if TYPE_CHECKING:
    from rest_framework.views import APIView

MOST = 2**31 - 1
SEED: dict[str, Any] = {
    "name": "seed",
    "in": "query",
    "schema": {"type": "integer", "minimum": 0, "maximum": MOST, "default": 0},
    "description": "With ordering=random: which of the orders.",
}
OFFSET = {
    "name": "offset",
    "in": "query",
    "schema": {"type": "integer", "minimum": 0, "maximum": MOST},
    "description": "Instead of a cursor: the page begins at this place, counted from 0.",
}
COUNTED = {"type": ["integer", "null"], "description": "With offset; null in pages by cursor."}


def number_of(request: Request, name: str) -> int | None:
    """A parameter that is a number from 0 to `MOST`."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MOST):
        raise ValidationError({name: [f"Must be a number from 0 to {MOST}."]})
    return int(text)


def ordering_of(request: Request, default: str = "-id") -> Ordering:
    text = request.query_params.get("ordering") or default
    ordering = ordering_named(text, number_of(request, "seed") or 0)
    if ordering is None:
        raise ValidationError({"ordering": [f"Must be one of {', '.join(sorted(NAMES))}, with - for descending."]})
    return ordering


class ImagePagination(KeysetPagination):
    start: int | None = None
    total: int | None = None

    def paginate_queryset(self, queryset: QuerySet, request: Request, view: APIView | None = None) -> list:  # type: ignore[override]
        ordering = ordering_of(request)
        offset = number_of(request, "offset")
        if offset is None:
            return super().paginate_queryset(ordering.prepared(queryset), request, view)
        if "cursor" in request.query_params:
            raise ValidationError({"offset": ["Send a cursor or an offset, one of them."]})
        self.request = request
        size = self._page_size(request)
        keys, self.total = keys_at(view.selection(), ordering, offset=offset, size=size)  # type: ignore[union-attr]
        self.start = offset
        self._next = self._from(offset + size) if offset + len(keys) < self.total else None
        self._previous = self._from(max(offset - size, 0)) if offset else None
        return view.rows_of(keys)  # type: ignore[union-attr]

    def _ordering(self, request: Request, view: APIView | None) -> str:
        ordering = ordering_of(request)
        return f"{'-' if ordering.is_descending else ''}{ordering.field}"

    def _from(self, offset: int) -> str:
        url = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return replace_query_param(url, "offset", offset)

    def get_paginated_response(self, data: Any) -> Response:
        page = {"next": self._next, "previous": self._previous, "start": self.start, "total": self.total}
        return Response({**page, "results": data})

    def get_paginated_response_schema(self, schema: dict) -> dict:
        page = super().get_paginated_response_schema(schema)
        page["required"] = ["next", "previous", "start", "total", "results"]
        page["properties"] = {**page["properties"], "start": COUNTED, "total": COUNTED}
        return page

    def get_schema_operation_parameters(self, view: APIView) -> list[dict]:
        parameters = super().get_schema_operation_parameters(view)
        choices = [f"{sign}{name}" for name in sorted(NAMES) for sign in ("", "-")]
        for parameter in parameters:
            if parameter["name"] == "ordering":
                parameter["schema"]["enum"] = choices
        return [*parameters, OFFSET, SEED]
