from common.errors import StudioError


class CannotTrain(StudioError):
    """The data or the configuration cannot give a model; the code and the sentence come from the engine."""

    status = 400
    code = "cannot_train"


class NoLiveModel(StudioError):
    """There is no live model to keep; the sentence says what it waits for."""

    status = 409
    code = "no_live_model"
