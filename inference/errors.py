from common.errors import StudioError


class ModelNotServable(StudioError):
    status = 409
    code = "model_not_servable"
    detail = "This model has no LiteRT file, so it cannot predict here."


class ModelFileBroken(StudioError):
    status = 503
    code = "model_file_broken"
    detail = "The model's file is damaged."


class ModelUploadsOff(StudioError):
    status = 403
    code = "model_uploads_off"
    detail = "This studio takes no models from elsewhere (MLSTUDIO_MODEL_UPLOADS). Train one here."


class NotEvaluated(StudioError):
    status = 409
    code = "not_evaluated"
    detail = "Not all of these models were measured on the same images: POST here, or evaluate each of them."


class NothingToCompare(StudioError):
    status = 409
    code = "nothing_to_compare"
    detail = "There is no image on which all of these models were measured: their labels have too little in common."
