"""Images: added, listed, tagged and deleted."""

from __future__ import annotations

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from custom_vision import image_rows, image_tags
from custom_vision.fetching import fetched
from custom_vision.frozen import images_of_ids, listing
from custom_vision.image_batches import batch_of_files, batch_of_uploads, batch_of_urls
from custom_vision.images import create_images
from custom_vision.metadata import update_metadata
from custom_vision.receiving import BATCH, IMAGES, received
from custom_vision.stored_predictions import forget_used, images_of_predictions
from custom_vision.summaries import summary
from custom_vision.views.base import OfTraining
from custom_vision.wire import body_of, fields_of
from custom_vision.workspace import DATASET
from datasets.removal import delete_images
from storage.downloads import blob_response


class Images(OfTraining):
    """Those of every kind; as bytes, with tags in the address."""

    file_bodies = {"post": IMAGES}

    def get(self, request: Request) -> Response:
        rows = listing(self.project, self.query, image_rows.ALL)
        return Response(rows.rows(request._request, self.query.page()))

    def post(self, request: AuthenticatedRequest) -> Response:
        with received(request, IMAGES) as files:
            images = batch_of_uploads(files, self.query.ids("tagIds", image_rows.MOST_TAGS))
            with self.changing(self.project, "upload", dataset=DATASET):
                statuses = create_images(project=self.project, user=request.user, images=images)
        return summary(request._request, self.project, images, statuses)

    def delete(self, request: Request) -> Response:
        images = image_tags.images_to_delete(self.project, self.query)
        with self.changing(self.project, "delete", dataset=DATASET):
            delete_images(images=images)
        return Response(status=204)


class ImagesFromFiles(OfTraining):
    """A batch of files in JSON."""

    file_bodies = {"post": BATCH}

    def post(self, request: AuthenticatedRequest) -> Response:
        with received(request, BATCH) as batch:
            images = batch_of_files(batch)
            with self.changing(self.project, "upload", dataset=DATASET):
                statuses = create_images(project=self.project, user=request.user, images=images)
        return summary(request._request, self.project, images, statuses, batch.data)


class ImagesFromUrls(OfTraining):
    """A batch of addresses, which the studio fetches."""

    def post(self, request: AuthenticatedRequest) -> Response:
        data = fields_of(request._request)
        images = batch_of_urls(data)
        with fetched(images), self.changing(self.project, "upload", dataset=DATASET):
            statuses = create_images(project=self.project, user=request.user, images=images)
        return summary(request._request, self.project, images, statuses, data)


class ImagesFromPredictions(OfTraining):
    """A batch of kept predictions, whose images are added."""

    def post(self, request: AuthenticatedRequest) -> Response:
        data = fields_of(request._request)
        with (
            images_of_predictions(self.project, data) as images,
            self.changing(self.project, "upload", dataset=DATASET),
        ):
            statuses = create_images(project=self.project, user=request.user, images=images)
        forget_used(self.project, images)
        return summary(request._request, self.project, images, statuses, data)


class Metadata(OfTraining):
    def post(self, request: Request) -> Response:
        ids, data = self.query.ids("imageIds", image_rows.MOST_IMAGES), body_of(request._request)
        status, answer = update_metadata(project=self.project, ids=ids, data=data)
        return Response(answer, status=status)


class ImagesById(OfTraining):
    def get(self, request: Request) -> Response:
        ids = self.query.ids("imageIds", image_rows.MOST_IMAGES)
        return Response(images_of_ids(request._request, self.project, self.query, ids))


class ListedImages(OfTraining):
    """`status` is what is listed where the address says so."""

    status = image_rows.ALL

    def get(self, request: Request) -> Response:
        rows = listing(self.project, self.query, self.status)
        return Response(rows.rows(request._request, self.query.page()))


class TaggedImages(ListedImages):
    status = image_rows.TAGGED


class UntaggedImages(ListedImages):
    status = image_rows.UNTAGGED


class ImageCount(OfTraining):
    status = image_rows.ALL

    def get(self, request: Request) -> Response:
        return Response(listing(self.project, self.query, self.status).count())


class TaggedCount(ImageCount):
    status = image_rows.TAGGED


class UntaggedCount(ImageCount):
    status = image_rows.UNTAGGED


class ImageTags(OfTraining):
    def post(self, request: AuthenticatedRequest) -> Response:
        rows = fields_of(request._request).get("tags")
        with self.changing(self.project, "annotate"):
            return Response(image_tags.add_tags(project=self.project, user=request.user, rows=rows))

    def delete(self, request: AuthenticatedRequest) -> Response:
        images, tags = (
            self.query.ids("imageIds", image_tags.MOST_IMAGES),
            self.query.ids("tagIds", image_rows.MOST_TAGS),
        )
        with self.changing(self.project, "annotate"):
            image_tags.remove_tags(project=self.project, user=request.user, images=images, tags=tags)
        return Response(status=204)


class Artifacts(OfTraining):
    def get(self, request: Request) -> HttpResponseBase:
        image = image_rows.image_of_artifact(self.project, self.query.text("path"))
        return blob_response(request._request, image.blob, image.filename)
