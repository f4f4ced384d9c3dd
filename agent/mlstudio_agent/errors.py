"""What can go wrong on a device, each with a sentence for the people who read the log."""

from __future__ import annotations


class AgentError(Exception):
    """Something its operator can act on."""


class NotEnrolled(AgentError):
    """The device has no identity yet."""


class StudioUnreachable(AgentError):
    """The studio does not answer now; the device goes on with what it has."""


class Refused(AgentError):
    """The studio said no: the key was revoked, the code is used up."""


class NotTrusted(AgentError):
    """A manifest or a file is not what a trusted key signed."""


class DownloadFailed(AgentError):
    """No source gave the file; what came is kept, the next attempt goes on from there."""


class ModelFailed(AgentError):
    """A model did not stand its self-test."""


class NoModel(AgentError):
    """The device has nothing to run yet."""
