from rest_framework.exceptions import APIException


class Conflict(APIException):
    status_code = 409
    default_code = "conflict"
    default_detail = "The request does not fit the present state."


class WorkHasEnded(Conflict):
    default_code = "already_ended"
    default_detail = "This has ended already and cannot be cancelled."


class WorkFailed(Exception):
    """Ends a piece of work with a code and a sentence its user can act on."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class WorkMustWait(Exception):
    """What the work needs is away for the moment: it goes back to its queue and is tried again later, as often as it
    takes. Code and sentence say what it waits for."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class LeaseLost(Exception):
    """Another process has taken this work over: stop without writing anything."""


class WorkCancelled(Exception):
    """The user wants it to end."""


class WorkInterrupted(Exception):
    """This process shuts down: release the work, another one goes on."""
