"""What jobs are given and what they answer: a frozen dataclass for each kind, which the job's row keeps as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from jobs.models import JobKind, Queue

# Kind of job, as its row says it → what such a job is given.
PARAMETERS: dict[str, type[JobParameters]] = {}


@dataclass(frozen=True)
class JobParameters:
    """What a job is given. A subclass belongs to a kind: `class Export(JobParameters, kind=JobKind.EXPORT)`.

    Values are what JSON can hold; ids are texts. Fields that came later have a default, for jobs that wait while the
    studio is upgraded.
    """

    kind: ClassVar[JobKind]
    queue: ClassVar[Queue] = Queue.QUICK

    def __init_subclass__(cls, kind: JobKind | None = None, queue: Queue = Queue.QUICK, **options: Any) -> None:
        """Give a kind of job its parameters.

        Args:
            kind: none for what several kinds have in common.
            queue: where such jobs wait, unless `enqueue_job` names another one.
        """
        super().__init_subclass__(**options)
        cls.queue = queue
        if kind is not None:
            cls.kind = kind
            PARAMETERS[kind] = cls

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Raises `TypeError`: a value is missing. Values of other versions are left out."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})


@dataclass(frozen=True)
class JobResult:
    """What a job answers, as JSON has it. A field with None as its default is left out while it is None."""

    def to_dict(self) -> dict[str, Any]:
        optional = {field.name for field in fields(self) if field.default is None}
        return {name: value for name, value in asdict(self).items() if value is not None or name not in optional}
