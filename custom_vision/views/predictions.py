"""Predictions: by published names, and quick tests of any iteration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from custom_vision.errors import Refused
from custom_vision.fetching import FetchFailed, one_fetched
from custom_vision.iterations import iteration_asked_for
from custom_vision.predictions import predict
from custom_vision.publications import find_published
from custom_vision.receiving import ONE_IMAGE, received
from custom_vision.views.base import OfPrediction, OfTraining
from custom_vision.wire import fields_of, text_of
from custom_vision.workspace import is_detection
from projects.models import Role
from storage.cache import Incoming
from storage.uploads import StoredUpload
from training.models import TrainingRun


def only(files: list[StoredUpload]) -> StoredUpload:
    """Raises `BadRequestImageStream`."""
    if len(files) != 1:
        raise Refused("BadRequestImageStream", "Send one image, as bytes or as a form.")
    return files[0]


@contextmanager
def image_at(request: HttpRequest) -> Iterator[Incoming]:
    """The file whose address a request names. Raises `BadRequestImageUrl`."""
    try:
        with one_fetched(text_of(fields_of(request), "url") or "") as incoming:
            yield incoming
    except FetchFailed as error:
        raise Refused("BadRequestImageUrl", f"{error}") from error


class Published(OfPrediction):
    """`kind` is what the address asks for."""

    kind = "classify"

    def published(self, name: str) -> TrainingRun:
        """Raises `Refused`: nothing has this name, or the project is of the other kind."""
        if is_detection(self.project) != (self.kind == "detect"):
            other = "detect" if self.kind == "classify" else "classify"
            raise Refused("BadRequestUnsupportedDomain", f"This project answers {other}, not {self.kind}.")
        return find_published(self.project, name)


class ClassifyImage(Published):
    file_bodies = {"post": ONE_IMAGE}
    is_stored = True

    def post(self, request: Request, name: str) -> Response:
        run = self.published(name)
        with received(request, ONE_IMAGE) as files:
            return Response(predict(run, only(files).incoming.path))


class ClassifyImageWithoutStore(ClassifyImage):
    is_stored = False


class DetectImage(ClassifyImage):
    kind = "detect"


class DetectImageWithoutStore(DetectImage):
    is_stored = False


class ClassifyUrl(Published):
    is_stored = True

    def post(self, request: Request, name: str) -> Response:
        run = self.published(name)
        with image_at(request._request) as incoming:
            return Response(predict(run, incoming.path))


class ClassifyUrlWithoutStore(ClassifyUrl):
    is_stored = False


class DetectUrl(ClassifyUrl):
    kind = "detect"


class DetectUrlWithoutStore(DetectUrl):
    is_stored = False


class QuickTestUrl(OfTraining):
    change_role = Role.VIEWER

    def post(self, request: Request) -> Response:
        run = iteration_asked_for(self.project, self.query.id("iterationId"))
        with image_at(request._request) as incoming:
            return Response(predict(run, incoming.path))


class QuickTestImage(OfTraining):
    """An image and an iteration that need not be published."""

    change_role = Role.VIEWER
    file_bodies = {"post": ONE_IMAGE}

    def post(self, request: Request) -> Response:
        run = iteration_asked_for(self.project, self.query.id("iterationId"))
        with received(request, ONE_IMAGE) as files:
            return Response(predict(run, only(files).incoming.path))
