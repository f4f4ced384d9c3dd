"""Lists are narrowed by what their filters name, and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from accounts.known import refuse_unknown

if TYPE_CHECKING:
    from rest_framework.views import APIView

PAGING = ("cursor", "page_size", "ordering", "format")


class KnownFiltersBackend(DjangoFilterBackend):
    """Refuses a parameter of a list that is no filter: ignored, it would answer with everything."""

    def filter_queryset(self, request: Request, queryset: QuerySet, view: APIView) -> QuerySet:
        if getattr(view, "action", None) == "list":
            self.refuse_unknown(request, queryset, view)
        return super().filter_queryset(request, queryset, view)

    def refuse_unknown(self, request: Request, queryset: QuerySet, view: APIView) -> None:
        filterset = self.get_filterset_class(view, queryset)
        own = getattr(view, "list_parameters", ())
        known = [*(filterset.base_filters if filterset is not None else ()), *PAGING, *own]
        refuse_unknown(request.query_params, known, code="unknown_filter", what="filter")
