from rest_framework.exceptions import APIException


class CannotTrain(APIException):
    """The data or the configuration cannot give a model; the code and the sentence come from the engine."""

    status_code = 400
    default_code = "cannot_train"
