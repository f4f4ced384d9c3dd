"""What can keep pretrained weights from being brought or added."""

from __future__ import annotations

from common.errors import StudioError


class WeightsProblem(StudioError):
    """Weights could not be brought or added; the code is for programs, the sentence says what to do."""


class WeightsBusy(WeightsProblem):
    status = 409
    code = "still_running"
    detail = "Weights are brought already. Wait until that has ended."
