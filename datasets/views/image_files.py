"""Small and shown versions of an image, for pages: by cookie, token or signed address."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from datasets import renditions, thumbnails
from datasets.models import Image
from datasets.selectors import shown_images
from datasets.views.of_image import OfImage
from projects.permissions import SignedReadPermission
from storage.downloads import blob_response, file_response
from storage.errors import is_disk_full
from storage.models import Blob
from storage.signing import is_signed
from vision.imaging.preprocessing import ImageError

IMMUTABLE = "private, max-age=31536000, immutable"
ANSWERS = {(status, kind): OpenApiTypes.BINARY for status in (200, 206) for kind in ("image/jpeg", "image/webp")}
VERSION = OpenApiParameter(
    "v", OpenApiTypes.STR, description="The first 8 digits of the image's sha256: the answer never changes then."
)
FORMAT = OpenApiParameter(
    "format", OpenApiTypes.STR, enum=thumbnails.FORMATS, description="Left out: WebP for clients that accept it."
)


class Shown(Protocol):
    @property
    def blob(self) -> Blob: ...
    @property
    def filename(self) -> str: ...


class AnswersImages(GenericAPIView):
    """For views that answer a small or shown version of an image."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), JSONRenderer.media_type  # of errors; `format` and Accept are those of the image

    def answer_image(
        self, image: Shown, kind: str, name: str, size: int, ensure: Callable[[Blob, int, str], Path]
    ) -> HttpResponseBase:
        try:
            path = ensure(image.blob, size, kind)
        except ImageError as error:
            raise NotFound(f"This image cannot be shown: {error}") from error
        except OSError as error:
            if not is_disk_full(error):
                raise
            # Who looks at images goes on; it only takes longer.
            return HttpResponse(thumbnails.render_figure(image.blob, size, kind), content_type=f"image/{kind}")
        sha256 = image.blob.sha256
        response = file_response(
            self.request, path, f"{sha256}-{name}-{kind}", f"image/{kind}", f"{image.filename}-{name}.{path.suffix[1:]}"
        )
        if self.request.query_params.get("v") == sha256[:8]:
            response["Cache-Control"] = IMMUTABLE
        if "format" not in self.request.query_params:
            patch_vary_headers(response, ["Accept"])
        return response

    def one_of(self, name: str, sizes: tuple[int, ...], default: int = 0) -> int:
        text = self.request.query_params.get(name, str(default or sizes[0]))
        if text not in [str(size) for size in sizes]:
            raise ValidationError({name: [f"Must be one of {', '.join(map(str, sizes))}."]})
        return int(text)

    def image_kind(self) -> str:
        text = self.request.query_params.get("format")
        if text is None:
            accepted = thumbnails.accepts_webp(self.request.headers.get("Accept", ""))
            return thumbnails.WEBP if accepted else thumbnails.JPEG
        if text not in thumbnails.FORMATS:
            raise ValidationError({"format": [f"Must be one of {', '.join(thumbnails.FORMATS)}."]})
        return text


class OfImageFiles(OfImage):
    permission_classes = [SignedReadPermission]
    serializer_class = None

    def get_queryset(self) -> QuerySet[Image]:
        images = shown_images() if is_signed(self.request) else super().get_queryset()
        # A gallery asks for sixty of them at once.
        return images.select_related("blob").prefetch_related(None)


class ImageFileView(OfImageFiles):
    """The file of an image."""

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY, (206, "image/*"): OpenApiTypes.BINARY})
    def file(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """The original bytes. Supports `ETag`, `If-None-Match` and `Range`; takes signed URLs."""
        image = self.get_object()
        return blob_response(request, image.blob, image.filename)


class ImageThumbnailView(AnswersImages, OfImageFiles):
    """A small version of an image."""

    @extend_schema(
        parameters=[
            OpenApiParameter("size", OpenApiTypes.INT, enum=thumbnails.SIZES, default=thumbnails.SIZES[0]),
            VERSION,
            FORMAT,
        ],
        responses=ANSWERS,
    )
    def thumbnail(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """A small JPEG or WebP of the upright image. Takes signed URLs."""
        image = self.get_object()
        size = self.one_of("size", thumbnails.SIZES)
        kind = self.image_kind()
        return self.answer_image(image, kind, f"{size}", size, thumbnails.ensure_thumbnail)


class ImageRenditionView(AnswersImages, OfImageFiles):
    """An image as browsers show it."""

    @extend_schema(
        parameters=[
            OpenApiParameter("max", OpenApiTypes.INT, enum=renditions.SIZES, default=renditions.SIZES[1]),
            VERSION,
            FORMAT,
        ],
        responses=ANSWERS,
    )
    def rendition(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """The upright image as every browser shows it, at most `max` pixels wide and high: of HEIC, TIFF, 16 bits and
        what is very large, too. Takes signed URLs."""
        image = self.get_object()
        size = self.one_of("max", renditions.SIZES, renditions.SIZES[1])
        kind = self.image_kind()
        return self.answer_image(image, kind, f"{size}-full", size, renditions.ensure_rendition)
