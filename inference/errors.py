from rest_framework.exceptions import APIException


class ModelNotServable(APIException):
    status_code = 409
    default_code = "model_not_servable"
    default_detail = "This model has no LiteRT file, so it cannot predict here."


class ModelFileBroken(APIException):
    status_code = 503
    default_code = "model_file_broken"
    default_detail = "The model's file is damaged."


class ModelInUse(APIException):
    status_code = 409
    default_code = "model_in_use"
    default_detail = "Something needs this model."
