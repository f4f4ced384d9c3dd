"""Lists are narrowed by what their filters name, and by nothing else."""

from __future__ import annotations

from django_filters.rest_framework import DjangoFilterBackend

from accounts.known import refuse_unknown

PAGING = ("cursor", "page_size", "ordering", "format")


class KnownFiltersBackend(DjangoFilterBackend):
    """Refuses a parameter of a list that is no filter: ignored, it would answer with everything."""

    def filter_queryset(self, request, queryset, view):
        if getattr(view, "action", None) == "list":
            self.refuse_unknown(request, queryset, view)
        return super().filter_queryset(request, queryset, view)

    def refuse_unknown(self, request, queryset, view) -> None:
        filterset = self.get_filterset_class(view, queryset)
        own = getattr(view, "list_parameters", ())
        known = [*(filterset.base_filters if filterset is not None else ()), *PAGING, *own]
        refuse_unknown(request.query_params, known, code="unknown_filter", what="filter")
