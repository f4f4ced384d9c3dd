"""Predictions: by published names, and quick tests of any iteration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from custom_vision import suggestions
from custom_vision.errors import Refused
from custom_vision.fetching import FetchFailed, one_fetched
from custom_vision.iterations import iteration_asked_for
from custom_vision.predictions import predict
from custom_vision.publications import find_published
from custom_vision.receiving import ONE_IMAGE, received
from custom_vision.stored_predictions import MOST_DELETED, delete_predictions, query_predictions, store
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
    """`kind` is what the address asks for, `is_stored` whether the image and the answer are kept for a while."""

    kind = "classify"
    is_stored = True

    def answer(self, run: TrainingRun, incoming: Incoming) -> dict:
        answer = predict(run, incoming.path)
        if self.is_stored:
            application = self.query.text("application") or ""
            store(run=run, answer=answer, incoming=incoming, application=application)
        return answer

    def published(self, name: str) -> TrainingRun:
        """Raises `Refused`: nothing has this name, or the project is of the other kind."""
        if is_detection(self.project) != (self.kind == "detect"):
            other = "detect" if self.kind == "classify" else "classify"
            raise Refused("BadRequestUnsupportedDomain", f"This project answers {other}, not {self.kind}.")
        return find_published(self.project, name)


class ClassifyImage(Published):
    file_bodies = {"post": ONE_IMAGE}

    def post(self, request: Request, name: str) -> Response:
        run = self.published(name)
        with received(request, ONE_IMAGE) as files:
            return Response(self.answer(run, only(files).incoming))


class ClassifyImageWithoutStore(ClassifyImage):
    is_stored = False


class DetectImage(ClassifyImage):
    kind = "detect"


class DetectImageWithoutStore(DetectImage):
    is_stored = False


class ClassifyUrl(Published):
    def post(self, request: Request, name: str) -> Response:
        run = self.published(name)
        with image_at(request._request) as incoming:
            return Response(self.answer(run, incoming))


class ClassifyUrlWithoutStore(ClassifyUrl):
    is_stored = False


class DetectUrl(ClassifyUrl):
    kind = "detect"


class DetectUrlWithoutStore(DetectUrl):
    is_stored = False


class QuickTest(OfTraining):
    """An iteration that need not be published, by default the newest one."""

    change_role = Role.VIEWER

    def answer(self, incoming: Incoming) -> dict:
        run = iteration_asked_for(self.project, self.query.id("iterationId"))
        answer = predict(run, incoming.path)
        if self.query.flag("store", default=True):
            store(run=run, answer=answer, incoming=incoming, application="")
        return answer


class QuickTestUrl(QuickTest):
    def post(self, request: Request) -> Response:
        with image_at(request._request) as incoming:
            return Response(self.answer(incoming))


class QuickTestImage(QuickTest):
    file_bodies = {"post": ONE_IMAGE}

    def post(self, request: Request) -> Response:
        with received(request, ONE_IMAGE) as files:
            return Response(self.answer(only(files).incoming))


class StoredPredictions(OfTraining):
    def delete(self, request: Request) -> Response:
        ids = self.query.ids("ids", MOST_DELETED)
        delete_predictions(project=self.project, ids=ids)
        return Response(status=204)


class QueryPredictions(OfTraining):
    change_role = Role.VIEWER

    def post(self, request: Request) -> Response:
        return Response(query_predictions(request._request, self.project, fields_of(request._request)))


class Suggest(OfTraining):
    change_role = Role.VIEWER

    def post(self, request: Request) -> Response:
        run = iteration_asked_for(self.project, self.query.id("iterationId"))
        ids = self.query.ids("imageIds", suggestions.MOST_IMAGES)
        return Response(suggestions.suggest(self.project, run, ids))


class Suggested(OfTraining):
    change_role = Role.VIEWER

    def post(self, request: Request) -> Response:
        run, raw = iteration_asked_for(self.project, self.query.id("iterationId")), request._request
        return Response(suggestions.query_suggested(raw, self.project, run, fields_of(raw)))


class SuggestedCount(OfTraining):
    change_role = Role.VIEWER

    def post(self, request: Request) -> Response:
        return Response(suggestions.count_suggested(self.project, fields_of(request._request)))
