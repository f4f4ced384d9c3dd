"""Frames of a video as images, and a model on many images or a video."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from datasets.selectors import datasets_of, videos_of
from inference.labeling.serializers import FramesRequestSerializer
from inference.labeling.video_frames import start_frames
from inference.models import Model
from inference.selectors import models_of
from inference.serving.batches import start_predictions
from inference.serving.serializers import BatchRequestSerializer
from jobs.serializers import JobSerializer
from projects.answers import accepted
from projects.models import Role
from projects.permissions import require_role
from projects.scoped import valid


class FramesView(viewsets.GenericViewSet):
    """Frames of a video as images."""

    queryset = Model.objects.none()
    serializer_class = FramesRequestSerializer

    @extend_schema(request=FramesRequestSerializer, responses={202: JobSerializer})
    def frames(self, request: AuthenticatedRequest, video_id: uuid.UUID) -> Response:
        """Make images of frames, in the background: every so many frames or seconds, or the first of each scene.

        With a model, what it finds on them becomes annotations to confirm. Each image keeps its `frame_index` and
        `frame_time`, and the frames of one video stay on one side of a split.
        """
        video = get_object_or_404(videos_of(request.user), pk=video_id)
        require_role(video.project, request.user, Role.EDITOR)
        data = valid(FramesRequestSerializer, request.data, model=models_of(request.user))
        model = data["model"]
        if model is not None and model.task != video.project.task:
            raise ValidationError(
                {"model": [f"It is for {model.task}, the project for {video.project.task}."]}, code="model_does_not_fit"
            )
        return accepted(start_frames(video=video, user=request.user, **data))


class BatchView(viewsets.GenericViewSet):
    """A model on many images or a video."""

    queryset = Model.objects.none()
    serializer_class = BatchRequestSerializer

    @extend_schema(request=BatchRequestSerializer, responses={202: JobSerializer})
    def predictions(self, request: AuthenticatedRequest) -> Response:
        """Predict a dataset, what of it passes a filter, or a video, in the background.

        The job's files: `predictions.json`, `predictions.csv`; of a video also `timeline.json`, `annotated.mp4`
        (H.264 where the server has an encoder, else VP9) and, with tracking, `tracks.json`.
        """
        user = request.user
        data = valid(
            BatchRequestSerializer,
            request.data,
            model=models_of(user),
            dataset=datasets_of(user),
            video=videos_of(user),
        )
        source = data["dataset"] or data["video"]
        if data["suggest"]:
            require_role(source.project, user, Role.EDITOR)
        return accepted(start_predictions(user=user, **data))
