"""Label issues as rows: written by a search, decided by a person, and which of them are still open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet

from datasets.locking import lock_datasets
from datasets.models import Annotation, Dataset, Image
from inference.models import LabelIssue, Model
from projects.models import TASKS_WITH_EMPTY_IMAGES, Project
from projects.selectors import is_live, project_ids_of

INSERT_CHUNK = 1000


@transaction.atomic
def replace_label_issues(*, model: Model | None, dataset: Dataset, rows: Sequence[LabelIssue]) -> None:
    """Keep what a search found, in its order. What somebody decided about the same issue stays decided.

    Args:
        model: None: a search by the features of the images alone.
    """
    lock_datasets([dataset.pk])  # of two searches at once the later one waits, and replaces what the first has found
    earlier = LabelIssue.objects.filter(model=model, dataset=dataset)
    kept = earlier.filter(decision=LabelIssue.Decision.KEPT).only(*IDENTIFYING_FIELDS, "decision", "decided_by")
    decided = {_identity(row): row for row in kept}
    earlier.delete()
    for rank, row in enumerate(rows, start=1):
        row.model, row.dataset, row.rank = model, dataset, rank
        before = decided.get(_identity(row))
        if before is not None:
            row.decision, row.decided_by_id = before.decision, before.decided_by_id
    still_there = set(Image.objects.filter(dataset=dataset).values_list("pk", flat=True))
    LabelIssue.objects.bulk_create((row for row in rows if row.image_id in still_there), batch_size=INSERT_CHUNK)


IDENTIFYING_FIELDS = ("image", "annotation", "kind", "label", "suggested", "box")


def _identity(row: LabelIssue) -> tuple:
    # A box that nobody drew has no annotation: it is the same one when it lies at the same place, to a pixel.
    box = tuple(round(edge) for edge in row.box) if row.box and row.annotation_id is None else None
    return row.image_id, row.annotation_id, row.kind, row.label, row.suggested, box


def open_label_issues(rows: QuerySet[LabelIssue]) -> QuerySet[LabelIssue]:
    """Those that nobody decided, and whose label is still the one in question."""
    marks = Annotation.objects.filter(image=OuterRef("image"), confirmed=True, label__name=OuterRef("label"))
    drawn = Exists(marks.filter(pk=OuterRef("annotation"))) | (Q(annotation=None) & Exists(marks))
    # Of a project of boxes the whole image is an outlier, whatever is drawn on it.
    has_none = ~Exists(Annotation.objects.filter(image=OuterRef("image"), confirmed=True))
    has_it = Annotation.objects.filter(image=OuterRef("image"), confirmed=True, label__name=OuterRef("suggested"))
    lacks = Q(kind=LabelIssue.Kind.MISSING) & (Q(image__reviewed=True) | ~has_none) & ~Exists(has_it)
    is_open = has_none | Q(dataset__project__task__in=TASKS_WITH_EMPTY_IMAGES)
    unlabelled = Q(kind=LabelIssue.Kind.OUTLIER, label="") & is_open
    return rows.filter(decision=None).filter(Q(kind=LabelIssue.Kind.NOT_DRAWN) | drawn | lacks | unlabelled)


def label_issues_of(user: User) -> QuerySet[LabelIssue]:
    """Of images and models that are there, in the projects of a user."""
    live = Q(model=None) | is_live("model__project__")
    rows = LabelIssue.objects.filter(live, dataset__project__in=project_ids_of(user))
    return rows.filter(image__dataset__project=F("dataset__project"))


def decide_label_issue(*, issue: LabelIssue, user: User, decision: str | None) -> LabelIssue:
    """Note what somebody decided; None takes it back. Annotations are changed where they are."""
    issue.decision, issue.decided_by = decision, None if decision is None else user
    issue.save(update_fields=["decision", "decided_by"])
    return issue


def searches_of(user: User, *, project: Project | None = None) -> list[dict]:
    """The searches whose suspects are kept, the newest first: of which dataset, by which model, and what is open.
    Outliers are counted by themselves."""
    rows = label_issues_of(user)
    if project is not None:
        rows = rows.filter(dataset__project=project)
    fields = ("model", "dataset", "model_name", "model_version", "dataset_name")
    named = rows.annotate(
        model_name=F("model__name"), model_version=F("model__version"), dataset_name=F("dataset__name")
    )
    of_labels = ~Q(kind=LabelIssue.Kind.OUTLIER)
    counted = named.values(*fields).annotate(searched_at=Max("created_at"), total=Count("pk", filter=of_labels))
    still: dict[tuple, Any] = {
        (row["model"], row["dataset"]): row
        for row in open_label_issues(rows)
        .values("model", "dataset")
        .annotate(
            open=Count("pk", filter=of_labels),
            issues=Count("pk", filter=of_labels & Q(is_issue=True)),
            outliers=Count("pk", filter=Q(kind=LabelIssue.Kind.OUTLIER, is_issue=True)),
        )
    }
    nothing = {"open": 0, "issues": 0, "outliers": 0}
    searches = [
        {**row, **{name: still.get((row["model"], row["dataset"]), nothing)[name] for name in nothing}}
        for row in counted.order_by("model", "dataset")
    ]
    for row in searches:
        # Who gives an image another label decides by that, and says no more about the doubt.
        row["decided"] = row["total"] - row["open"]
    return sorted(searches, key=lambda row: row["searched_at"], reverse=True)
