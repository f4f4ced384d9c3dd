from rest_framework.exceptions import APIException


class ModelNotServable(APIException):
    status_code = 409
    default_code = "model_not_servable"
    default_detail = "This model has no LiteRT file, so it cannot predict here."


class ModelFileBroken(APIException):
    status_code = 503
    default_code = "model_file_broken"
    default_detail = "The model's file is damaged."


class ModelUploadsOff(APIException):
    status_code = 403
    default_code = "model_uploads_off"
    default_detail = "This studio takes no models from elsewhere (MLSTUDIO_MODEL_UPLOADS). Train one here."


class NotEvaluated(APIException):
    status_code = 409
    default_code = "not_evaluated"
    default_detail = "Not all of these models were measured on the same images: POST here, or evaluate each of them."


class NothingToCompare(APIException):
    status_code = 409
    default_code = "nothing_to_compare"
    default_detail = (
        "There is no image on which all of these models were measured: their labels have too little in common."
    )
