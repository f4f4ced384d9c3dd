from common.errors import StudioError


class CannotTrain(StudioError):
    """The data or the configuration cannot give a model; the code and the sentence come from the engine."""

    status = 400
    code = "cannot_train"
