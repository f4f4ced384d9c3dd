"""What is read by a signed address, without a key."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from custom_vision import exports
from custom_vision.errors import Refused, missing
from custom_vision.iterations import find_iteration
from custom_vision.models import StoredPrediction
from custom_vision.views.base import OneForm
from custom_vision.wire import id_or_none
from projects.models import Project
from projects.selectors import is_live
from storage.downloads import blob_response
from storage.signing import is_signed

CHUNK_BYTES = 1 << 20


class Signed(APIView):
    """Of a project that is neither deleted nor in the trash."""

    schema = None
    authentication_classes: list = []
    permission_classes = [AllowAny]
    content_negotiation_class = OneForm
    parser_classes: list = []

    def found(self, request: Request, project: str) -> Project:
        if not is_signed(request._request):
            raise Refused("Unauthorized", "This link has ended or is not complete: ask for a new one.", 401)
        pk = id_or_none(project)
        row = None if pk is None else Project.objects.filter(is_live(), pk=pk).first()
        if row is None:
            raise missing("Project")
        return row


class ExportFile(Signed):
    def get(self, request: Request, project: str, iteration: str, name: str) -> HttpResponseBase:
        run = find_iteration(self.found(request, project), iteration)
        file = tempfile.TemporaryFile(dir=exports.temporary_folder())  # noqa: SIM115 - closed when it was sent
        try:
            exports.write_zip(run, name, file)
        except BaseException:
            file.close()
            raise
        return _download(request._request, file, f"{run.name or 'model'} {name}.zip")


def _download(request: HttpRequest, file: IO[bytes], filename: str) -> HttpResponseBase:
    size = file.seek(0, 2)
    chunks = _as_async(file) if isinstance(request, ASGIRequest) else _chunks(file)
    response = StreamingHttpResponse(chunks, content_type="application/zip")
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = str(content_disposition_header(True, filename))
    return response


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


async def _as_async(file: IO[bytes]) -> AsyncIterator[bytes]:
    for chunk in _chunks(file):
        yield chunk


class PredictionImage(Signed):
    def get(self, request: Request, project: str, prediction: str) -> HttpResponseBase:
        rows, pk = StoredPrediction.objects.filter(project=self.found(request, project)), id_or_none(prediction)
        row = None if pk is None else rows.select_related("blob").filter(pk=pk).first()
        if row is None:
            raise missing("Image")
        return blob_response(request._request, row.blob, "image")
