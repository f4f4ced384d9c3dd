"""What a client asks first: who is logged in, and what this studio can do."""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.serializers import SessionUserSerializer
from projects.pagination import KeysetPagination
from vision.training.architectures import ARCHITECTURES, weights_here
from vision.video.writing import h264_encoder


class StudioLimitsSerializer(serializers.Serializer):
    """What one request may carry."""

    max_upload_bytes = serializers.IntegerField(help_text="Of one file.")
    max_files = serializers.IntegerField(help_text="Files in one request.")
    max_image_bytes = serializers.IntegerField()
    max_image_pixels = serializers.IntegerField(help_text="Width times height.")
    max_model_bytes = serializers.IntegerField()
    max_archive_entries = serializers.IntegerField(help_text="Files in an archive that is imported.")
    max_prediction_images = serializers.IntegerField(help_text="Images in one request of predictions.")
    max_open_uploads = serializers.IntegerField(help_text="Uploads in parts that are not finished.")
    max_page_size = serializers.IntegerField()
    trash_days = serializers.IntegerField(
        help_text="How long what is deleted stays in the trash; 0: it is gone at once."
    )


class StudioFeaturesSerializer(serializers.Serializer):
    """What is installed, or allowed."""

    weights = serializers.BooleanField(help_text="Pretrained weights are on this machine.")
    onnx = serializers.BooleanField(help_text="Models can be exported as ONNX.")
    video_encoder = serializers.BooleanField(help_text="Videos are written as H.264; without it as VP9.")
    keras_retinanet = serializers.BooleanField()
    model_uploads = serializers.BooleanField(help_text="Models made elsewhere can be uploaded.")


class StudioSessionSerializer(serializers.Serializer):
    user = SessionUserSerializer(allow_null=True, help_text="null: nobody is logged in.")
    csrf_token = serializers.CharField(help_text="Send it as `X-CSRFToken` with requests that change something.")
    registration_open = serializers.BooleanField()
    mail_works = serializers.BooleanField(help_text="Whether mails, as those of a password reset, are sent anywhere.")
    version = serializers.CharField()
    limits = StudioLimitsSerializer()
    features = StudioFeaturesSerializer()


def limits() -> dict[str, int]:
    return {
        "max_upload_bytes": settings.MAX_UPLOAD_BYTES,
        "max_files": settings.MAX_FILES_PER_UPLOAD,
        "max_image_bytes": settings.MAX_IMAGE_BYTES,
        "max_image_pixels": settings.MAX_IMAGE_PIXELS,
        "max_model_bytes": settings.MAX_MODEL_BYTES,
        "max_archive_entries": settings.MAX_ARCHIVE_ENTRIES,
        "max_prediction_images": settings.MAX_PREDICTION_IMAGES,
        "max_open_uploads": settings.MAX_OPEN_UPLOADS,
        "max_page_size": KeysetPagination.max_page_size,
        "trash_days": settings.TRASH_DAYS,
    }


def features() -> dict[str, bool]:
    return {
        "weights": any(any(weights_here(architecture)) for architecture in ARCHITECTURES.values()),
        "onnx": find_spec("tf2onnx") is not None,
        "video_encoder": h264_encoder() is not None,
        "keras_retinanet": find_spec("keras_retinanet") is not None,
        "model_uploads": settings.MODEL_UPLOADS,
    }


class SessionView(APIView):
    """Who is logged in, and what this studio can do. Answers everybody, and sets the CSRF cookie."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="auth_session", responses=StudioSessionSerializer)
    def get(self, request: Request) -> Response:
        user = request.user if request.user.is_authenticated else None
        answer = {
            "user": None if user is None else SessionUserSerializer(user).data,
            "csrf_token": get_token(request._request),
            "registration_open": settings.REGISTRATION_OPEN,
            "mail_works": not settings.EMAIL_BACKEND.endswith((".console.EmailBackend", ".dummy.EmailBackend")),
            "version": settings.VERSION,
            "limits": limits(),
            "features": features(),
        }
        return Response(answer, headers={"Cache-Control": "no-store"})
