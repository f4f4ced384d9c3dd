"""How work ends, or does not."""

from common.errors import Conflict, StudioError


class WorkHasEnded(Conflict):
    code = "already_ended"
    detail = "This has ended already and cannot be cancelled."


class WorkFailed(StudioError):
    """Ends a piece of work with a code and a sentence its user can act on."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail, code=code)


class WorkMustWait(StudioError):
    """What the work needs is away for the moment: it goes back to its queue and is tried again later, as often as it
    takes. Code and sentence say what it waits for."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail, code=code)


class LeaseLost(Exception):
    """Another process has taken this work over: stop without writing anything."""


class WorkCancelled(Exception):
    """The user wants it to end."""


class WorkInterrupted(Exception):
    """This process shuts down: release the work, another one goes on."""
