"""What needs a row that somebody wants to delete. Apps above register how to find their part of the answer."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import models

from common.words import counted
from jobs import work
from jobs.errors import WorkHasEnded
from jobs.models import ENDED, Job, Work
from projects.errors import InUse
from projects.models import Project

MOST_LISTED = 20


@dataclass(frozen=True)
class Use:
    """One thing that needs the row. `detail` is a sentence with its remedy; `cancel` ends it, if it is work.

    `is_final`: nothing but that remedy helps, not even `force`.
    """

    kind: str
    id: str
    name: str
    detail: str
    cancel: Callable[[], Any] | None = None
    is_final: bool = False


Finder = Callable[[Any], Iterable[Use]]
_FINDERS: dict[type[models.Model], list[Finder]] = defaultdict(list)


def finds_uses_of(model: type[models.Model]) -> Callable[[Finder], Finder]:
    """Register a function that says what needs a row of this model."""

    def register(finder: Finder) -> Finder:
        _FINDERS[model].append(finder)
        return finder

    return register


def uses_of(row: models.Model) -> list[Use]:
    return [use for finder in _FINDERS[type(row)] for use in finder(row)]


def require_unused(row: models.Model, *, force: bool | None = False, along: str = "") -> None:
    """Refuse to delete what something needs; with `force` cancel the work that does.

    Args:
        force: None where nobody can ask for it.
        along: what is deleted with the row, as "318 images and 2 videos".

    Raises:
        InUse: with a sentence for each use.
    """
    uses = uses_of(row)
    blocking = [use for use in uses if use.is_final] if force else uses
    if blocking:
        raise InUse(_sentences(row, blocking, force, along), code=f"{row._meta.model_name}_in_use")
    for use in uses:
        if use.cancel is not None:
            use.cancel()


def _sentences(row: models.Model, uses: list[Use], force: bool | None, along: str) -> list[str]:
    kind = row._meta.model_name
    first = f"The {kind} '{row}' is in use, so it was not deleted."
    if force is None:
        first += f" Delete the {kind} first."
    elif not force and not any(use.is_final for use in uses):
        what = f"it with {along}" if along else "it"
        first += f" End what uses it, or delete it by force, which cancels that work and deletes {what}."
    sentences = [first, *(use.detail for use in uses[:MOST_LISTED])]
    if len(uses) > MOST_LISTED:
        sentences.append(f"{counted(len(uses) - MOST_LISTED, 'more use is', 'more uses are')} not listed.")
    return sentences


def in_words(counts: dict[str, int]) -> str:
    """`{"images": 318, "videos": 1}` as "318 images and 1 video"; what is zero is left out."""
    parts = [counted(count, name.removesuffix("s"), name) for name, count in counts.items() if count]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


# Work


def work_in_use(rows: Iterable[Work], kind: str, name: Callable[[Any], str]) -> Iterable[Use]:
    """A use for each piece of work that has not ended."""
    for row in rows:
        what = name(row)
        detail = f"The {kind} '{what}' is {row.state}: cancel it first ({row.pk})."
        yield Use(kind, str(row.pk), what, detail, cancel=partial(_cancel, row))


def _cancel(row: Work) -> None:
    with suppress(WorkHasEnded):
        work.request_cancel(row)


def unfinished_jobs(project: Project) -> models.QuerySet[Job]:
    return Job.objects.filter(project=project).exclude(state__in=ENDED).order_by("id")


def is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def ids_in(job: Job) -> set[str]:
    """Every text in a job's parameters that may be the id of something."""
    values = [value for value in job.parameters.values() if isinstance(value, str | list)]
    texts = {value for value in values if isinstance(value, str)}
    return texts | {text for value in values if isinstance(value, list) for text in value if isinstance(text, str)}


@finds_uses_of(Project)
def _jobs_of_project(project: Project) -> Iterable[Use]:
    return work_in_use(unfinished_jobs(project), "job", lambda job: job.kind)
