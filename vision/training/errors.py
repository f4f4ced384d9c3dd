"""What can end a training, each with a code and a sentence its user can act on."""

from __future__ import annotations


class EngineError(Exception):
    """Base of the engine's errors. `code` is stable and goes to the API."""

    code = "training_failed"


class ConfigurationError(EngineError):
    code = "invalid_configuration"


class DataError(EngineError):
    """The data cannot be trained on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class WeightsError(EngineError):
    code = "weights_not_available"


class OutOfMemoryError(EngineError):
    code = "out_of_memory"


class DiskFullError(EngineError):
    code = "disk_full"


class ExportError(EngineError):
    code = "export_disagrees"


class DivergedError(EngineError):
    code = "training_diverged"

    @classmethod
    def at(cls, loss: float, epoch: int) -> DivergedError:
        """The loss is no number after an epoch, counted from 1."""
        return cls(
            f"The loss became {loss} in epoch {epoch}: the training diverged. Start it again with a smaller "
            "learning_rate."
        )


class Cancelled(EngineError):
    """The user asked for the end."""

    code = "cancelled"


class Interrupted(EngineError):
    """The machine asks for a pause (shutdown); the last checkpoint is written, another process goes on."""

    code = "interrupted"


class UploadError(EngineError):
    """The file or network cannot be used; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
