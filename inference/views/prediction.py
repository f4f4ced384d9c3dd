"""Asking a model about images."""

from __future__ import annotations

import uuid
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from common.words import counted
from datasets.selectors import images_of
from inference.serving import prediction as predicting
from inference.serving import serializers
from inference.views.of_model import OfModel
from projects.models import Role, Task
from projects.parsers import JSONParser
from storage import services as storage
from storage.filenames import clean_filename
from storage.models import Blob
from storage.receiving import FileBody, open_form_in_memory
from storage.uploads import memory_first
from vision.imaging.preprocessing import ImageError


class ModelPredictView(OfModel):
    """A model on a few images, at once."""

    serializer_class = serializers.PredictionRequestSerializer
    parser_classes = [MultiPartParser, JSONParser]
    change_role = Role.VIEWER
    repeatable = ("predict",)
    file_bodies = {"predict": FileBody(open_form_in_memory)}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        if not hasattr(request, "_files"):
            request.upload_handlers = memory_first(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        parameters=[serializers.OverlaySerializer],
        request={
            "multipart/form-data": serializers.PredictionRequestSerializer,
            "application/json": serializers.PredictionRequestSerializer,
        },
        responses={
            (200, "application/json"): serializers.PredictionAnswerSerializer,
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
        },
    )
    def predict(self, request: AuthenticatedRequest, pk: uuid.UUID) -> HttpResponse:
        """Ask the model about images: uploaded `files`, or ids of `images` in your datasets."""
        watch = predicting.Stopwatch()
        model = self.get_object()
        query = serializers.OverlaySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        sources = self._sources(request)
        overlay = query.validated_data.get("overlay")
        if overlay is not None and (model.task != Task.DETECTION or len(sources) != 1):
            raise ValidationError({"overlay": ["Boxes are drawn by detectors, on one image a request."]})
        options = predicting.PredictionOptions(
            threshold=query.validated_data.get("threshold"),
            limit=query.validated_data.get("max"),
            iou=query.validated_data.get("iou"),
        )
        predict = predicting.make_predictor(model, predicting.with_own_threshold(model, options))
        predictions, rejected = [], []
        for source, name in sources:
            with storage.pinned(source) if isinstance(source, Blob) else nullcontext(source) as file:
                try:
                    prediction = predict(file, name)
                except ImageError as error:
                    rejected.append({"filename": name, "code": error.code, "detail": str(error)})
                    continue
                if overlay is not None:
                    content = predicting.draw_prediction(model, file, prediction, overlay)
                    return HttpResponse(content, content_type=f"image/{overlay}")
            predictions.append(vars(prediction))
        return Response(
            {
                "predictions": predictions,
                "rejected": rejected,
                "model": {"id": str(model.pk), "name": model.name, "version": model.version},
                "timing_ms": watch.milliseconds,
            }
        )

    def _sources(self, request: AuthenticatedRequest) -> list[tuple]:
        data = serializers.PredictionRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        files, ids = data.validated_data["files"], data.validated_data["images"]
        if not files and not ids:
            detail = "Send files (curl -F files=@photo.jpg), or the ids of images; the studio fetches no addresses."
            raise ValidationError({"files": [detail]}, code="required")
        if len(files) + len(ids) > settings.MAX_PREDICTION_IMAGES:
            raise ValidationError({"files": [f"At most {counted(settings.MAX_PREDICTION_IMAGES, 'image')} a request."]})
        sources = [(upload, clean_filename(upload.name)) for upload in files]
        images = images_of(request.user).prefetch_related(None).in_bulk(ids)
        if set(ids) - set(images):
            raise NotFound()
        # Opened when their turn comes: what was not used for a while may be dropped from the cache meanwhile.
        return sources + [(images[pk].blob, images[pk].filename) for pk in ids]
