"""What devices call: enrol, ask what to run, fetch it, report, send images."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from accounts.throttles import CountedThrottle
from edge import devices, serializers
from edge.authentication import DeviceAuthentication, IsDevice
from edge.feedback import receive_image
from edge.keys import signers
from edge.manifest import manifest_of, poll_seconds_of
from edge.models import Device
from storage.downloads import blob_response
from storage.receiving import FileBody, open_form
from vision.imaging.preprocessing import ImageError


class EnrolmentThrottle(CountedThrottle, AnonRateThrottle):
    scope = "enrolment"


class EnrolView(APIView):
    """Enrol a device with a code. The answer has the device's key, which is shown this once."""

    permission_classes = [AllowAny]
    authentication_classes: list = []
    throttle_classes = [EnrolmentThrottle]

    @extend_schema(request=serializers.EnrolmentSerializer, responses={201: serializers.EnrolmentAnswerSerializer})
    def post(self, request: Request) -> Response:
        data = serializers.EnrolmentSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        device, key = devices.enrol(**data.validated_data)
        keys = [{"key_id": signer.key_id, "public_key": signer.public_key} for signer in signers()]
        answer = {"device": device.pk, "key": key, "keys": keys, "poll_seconds": poll_seconds_of(device)}
        return Response(serializers.EnrolmentAnswerSerializer(answer).data, status=status.HTTP_201_CREATED)


class DeviceRequest(Request):
    """For annotations: `auth` is the device that asks."""

    auth: Device


class DeviceView(APIView):
    authentication_classes = [DeviceAuthentication]
    permission_classes = [IsDevice]


class ManifestView(DeviceView):
    """What to run and where to get it, signed. Supports `ETag` and `If-None-Match`."""

    @extend_schema(
        responses={200: serializers.ManifestSerializer, 304: OpenApiResponse(description="Nothing has changed.")}
    )
    def get(self, request: DeviceRequest) -> HttpResponse:
        manifest = manifest_of(request.auth)
        devices.presence.note(request.auth)
        etag = f'"{manifest.etag}"'
        if request.headers.get("If-None-Match") == etag:
            response: HttpResponse = HttpResponse(status=status.HTTP_304_NOT_MODIFIED)
        else:
            response = Response(manifest.envelope(base_url(request)))
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        return response


class KeysView(DeviceView):
    """The keys that manifests are signed with now."""

    @extend_schema(responses=serializers.PublicKeySerializer(many=True))
    def get(self, request: DeviceRequest) -> Response:
        return Response([{"key_id": signer.key_id, "public_key": signer.public_key} for signer in signers()])


class FileView(DeviceView):
    """A file that the device is to run, or was to run before. Supports `ETag` and `Range`."""

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        }
    )
    def get(self, request: DeviceRequest, sha256: str) -> HttpResponseBase:
        for deployment in (request.auth.target, request.auth.previous_target):
            if deployment is not None and deployment.file.sha256 == sha256:
                return blob_response(request, deployment.file, deployment.info["filename"])
        raise NotFound("No deployment gives this device such a file.")


class HeartbeatView(DeviceView):
    """Say how the device is: version, what it runs, predictions and errors since the last time."""

    @extend_schema(request=serializers.HeartbeatSerializer, responses=serializers.HeartbeatAnswerSerializer)
    def post(self, request: DeviceRequest) -> Response:
        data = serializers.HeartbeatSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        devices.record_heartbeat(device=request.auth, **data.validated_data)
        answer = {"poll_seconds": poll_seconds_of(request.auth)}
        return Response(serializers.HeartbeatAnswerSerializer(answer).data)


class ImagesView(DeviceView):
    """Send an image that the device was unsure of: it becomes an unconfirmed suggestion in the dataset."""

    parser_classes = [MultiPartParser]
    file_bodies = {"post": FileBody(open_form, limit="MAX_IMAGE_BYTES")}

    @extend_schema(
        request={"multipart/form-data": serializers.FeedbackSerializer},
        responses={201: serializers.FeedbackAnswerSerializer, 200: serializers.FeedbackAnswerSerializer},
    )
    def post(self, request: DeviceRequest) -> Response:
        data = serializers.FeedbackSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        upload, prediction = data.validated_data["file"], data.validated_data["prediction"]
        try:
            kind, image = receive_image(
                device=request.auth, incoming=upload.incoming, filename=upload.name, **prediction
            )
        except ImageError as error:
            raise ValidationError({"file": [str(error)]}, code=error.code) from error
        code = status.HTTP_201_CREATED if kind == "created" else status.HTTP_200_OK
        return Response({"status": kind, "image": str(image.pk)}, status=code)


def base_url(request: Request) -> str:
    """Where devices reach the studio: as configured, else as they came."""
    return settings.EDGE_URL or f"{request.scheme}://{request.get_host()}"
