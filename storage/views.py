"""Uploads in parts over HTTP: tus 1.0 with creation, expiration, checksum and termination."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import StudioError
from common.requests import AuthenticatedRequest
from storage import resumable
from storage.models import Upload
from storage.receiving import FileBody
from storage.serializers import ResumableUploadSerializer

VERSION = "1.0.0"
PART = "application/offset+octet-stream"


class WrongTusVersion(StudioError):
    status = 412
    code = "tus_version"
    detail = "Send the header `Tus-Resumable: 1.0.0`: that is the version of the protocol spoken here."


class WrongChecksum(StudioError):
    status = 460
    code = "checksum_mismatch"
    detail = "The part is damaged: its checksum is another one. Nothing of it was kept; send it again."


class PartParser(BaseParser):
    """The body is read by the service, as it comes."""

    media_type = PART

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict:
        return {}


def header(name: str, kind: OpenApiTypes = OpenApiTypes.STR, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, **options)


def open_part(request: HttpRequest, user: User, keywords: Mapping[str, Any]) -> resumable.PartReceiver | None:
    """Takes a part as it comes; None when the view refuses the request for what its headers say."""
    offset = request.headers.get("Upload-Offset", "")
    upload = Upload.objects.filter(user=user.pk, pk=keywords["pk"]).first()
    if upload is None or request.headers.get("Tus-Resumable") != VERSION or not is_number(offset):
        return None
    checksum = request.headers.get("Upload-Checksum", "")
    return resumable.PartReceiver(upload=upload, offset=int(offset), checksum=checksum)


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


VERSION_HEADER = header("Tus-Resumable", required=True, enum=[VERSION])
PROBLEMS = {412: OpenApiResponse(description="The header Tus-Resumable is missing or names another version.")}


class UploadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Large files in parts that can be resumed: the tus protocol, which libraries for every language speak."""

    queryset = Upload.objects.none()
    serializer_class = ResumableUploadSerializer
    lookup_value_converter = "uuid"
    http_method_names = ["get", "head", "post", "patch", "delete", "options"]
    file_bodies = {"partial_update": FileBody(open_part, PART)}

    def get_queryset(self) -> QuerySet:
        return Upload.objects.filter(user=self.request.user.pk)

    def get_parsers(self) -> list[BaseParser]:
        return [PartParser()]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        response = Response(status=status.HTTP_204_NO_CONTENT)
        response["Tus-Version"] = VERSION
        response["Tus-Extension"] = "creation,expiration,checksum,termination"
        response["Tus-Max-Size"] = str(settings.MAX_UPLOAD_BYTES)
        response["Tus-Checksum-Algorithm"] = ",".join(resumable.CHECKSUMS)
        return response

    @extend_schema(
        parameters=[
            VERSION_HEADER,
            header("Upload-Length", OpenApiTypes.INT64, required=True, description="Bytes of the whole file."),
            header("Upload-Metadata", description="`filename` and its value in base64."),
        ],
        request=None,
        responses={201: ResumableUploadSerializer, **PROBLEMS},
    )
    def create(self, request: AuthenticatedRequest) -> Response:
        """Announce a file. `Location` is where its parts go, each with PATCH; what came of a broken part is kept."""
        self._check_version()
        length = self._number("Upload-Length")
        metadata = request.headers.get("Upload-Metadata", "")
        if len(metadata) > 4000:
            raise ValidationError({"Upload-Metadata": ["Must have at most 4,000 characters."]})
        upload = resumable.begin_upload(user=request.user, length=length, metadata=metadata)
        location = request.build_absolute_uri(reverse("upload-detail", args=[upload.pk]))
        return self._described(
            Response(ResumableUploadSerializer(upload).data, status.HTTP_201_CREATED, headers={"Location": location}),
            upload,
        )

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """How much has come; HEAD answers with `Upload-Offset`, where the next part begins."""
        upload = self.get_object()
        return self._described(Response(ResumableUploadSerializer(upload).data), upload)

    @extend_schema(
        parameters=[
            VERSION_HEADER,
            header("Upload-Offset", OpenApiTypes.INT64, required=True, description="Bytes that were received before."),
            header("Upload-Checksum", description="Of this part: `sha256` and its value in base64."),
        ],
        request={PART: OpenApiTypes.BINARY},
        responses={
            204: OpenApiResponse(description="The part is safe; `Upload-Offset` is where the next one begins."),
            460: OpenApiResponse(description="The part is damaged; nothing of it was kept."),
            **PROBLEMS,
        },
    )
    def partial_update(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Send the next part. It is kept for certain once this is answered."""
        upload = self.get_object()
        self._check_version()
        if request.content_type != PART:
            raise UnsupportedMediaType(request.content_type, f"A part is sent as {PART}.")
        offset = self._number("Upload-Offset")
        received = getattr(request._request, "received_part", None)
        try:
            if received is not None:
                upload = received.finish()
            else:
                upload = resumable.append_part(
                    upload=upload,
                    offset=offset,
                    part=request._request,  # type: ignore[arg-type] # it reads like a file
                    checksum=request.headers.get("Upload-Checksum", ""),
                )
        except resumable.ChecksumMismatch as mismatch:
            raise WrongChecksum() from mismatch
        return self._described(Response(status=status.HTTP_204_NO_CONTENT), upload)

    @extend_schema(responses={204: OpenApiResponse(description="Its parts are deleted.")})
    def destroy(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Give it up."""
        resumable.delete_upload(upload=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _check_version(self) -> None:
        if self.request.headers.get("Tus-Resumable") != VERSION:
            raise WrongTusVersion()

    def _number(self, name: str) -> int:
        text = self.request.headers.get(name, "")
        if not is_number(text):
            raise ValidationError({name: ["Must be a number of bytes."]}, code="invalid")
        return int(text)

    @staticmethod
    def _described(response: Response, upload: Upload) -> Response:
        response["Upload-Offset"] = str(upload.received)
        response["Upload-Length"] = str(upload.length)
        response["Upload-Expires"] = http_date(upload.expires_at.timestamp())
        if upload.metadata:
            response["Upload-Metadata"] = upload.metadata
        return response
