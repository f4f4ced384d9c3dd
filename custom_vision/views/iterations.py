"""Trainings: started, watched, named, published and measured."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from custom_vision import exports, iterations, performance, publications, training
from custom_vision.image_performance import ImagePerformances
from custom_vision.image_rows import MOST_TAGS
from custom_vision.views.base import OfTraining
from custom_vision.wire import fields_of, text_of
from training.models import TrainingRun


class Train(OfTraining):
    def post(self, request: AuthenticatedRequest) -> Response:
        asked = training.Request.read(self.query, fields_of(request._request))
        run = training.train(project=self.project, user=request.user, asked=asked)
        return Response(iterations.iteration_json(iterations.find_iteration(self.project, str(run.pk))))


class Iterations(OfTraining):
    def get(self, request: Request) -> Response:
        return Response([iterations.iteration_json(run) for run in iterations.iterations_of(self.project)])


class OfIteration(OfTraining):
    """A view below an iteration."""

    @property
    def run(self) -> TrainingRun:
        return iterations.find_iteration(self.project, self.kwargs["iteration"])


class OneIteration(OfIteration):
    def get(self, request: Request, iteration: str) -> Response:
        return Response(iterations.iteration_json(self.run))

    def patch(self, request: Request, iteration: str) -> Response:
        run = self.run
        iterations.rename_iteration(run=run, name=text_of(fields_of(request._request), "name"))
        return Response(iterations.iteration_json(run))

    def delete(self, request: Request, iteration: str) -> Response:
        run = self.run
        with self.changing(self.project, "delete_model", model=run.name):
            iterations.delete_iteration(run=run)
        return Response(status=204)


class Publish(OfIteration):
    def post(self, request: Request, iteration: str) -> Response:
        name, resource = self.query.text("publishName"), self.query.text("predictionId")
        publications.publish(run=self.run, name=name, resource=resource, overwrite=self.query.flag("overwrite"))
        return Response(True)

    def delete(self, request: Request, iteration: str) -> Response:
        publications.unpublish(run=self.run)
        return Response(status=204)


class Performance(OfIteration):
    def get(self, request: Request, iteration: str) -> Response:
        threshold = self.query.number("threshold", performance.THRESHOLD)
        overlap = self.query.number("overlapThreshold", performance.OVERLAP)
        return Response(performance.performance_json(self.run, threshold, overlap))


class ImagePerformance(OfIteration):
    def get(self, request: Request, iteration: str) -> Response:
        tags, is_oldest = self.query.ids("tagIds", MOST_TAGS), (self.query.text("orderBy") or "").lower() == "oldest"
        performances = ImagePerformances(self.run, tags, is_oldest_first=is_oldest)
        return Response(performances.rows(request._request, self.query.page()))


class ImagePerformanceCount(OfIteration):
    def get(self, request: Request, iteration: str) -> Response:
        return Response(len(ImagePerformances(self.run, self.query.ids("tagIds", MOST_TAGS)).images))


class Exports(OfIteration):
    def get(self, request: Request, iteration: str) -> Response:
        return Response(exports.list_exports(request._request, self.run))

    def post(self, request: AuthenticatedRequest, iteration: str) -> Response:
        run, platform, flavor = self.run, self.query.text("platform"), self.query.text("flavor")
        made = exports.export(run=run, user=request.user, platform=platform, flavor=flavor)
        return Response(exports.export_json(request._request, run, made, exports.EXPORTING))
