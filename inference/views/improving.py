"""What makes a model better, over HTTP: frames, batches, suggestions, suspects, comparisons, explanations."""

from __future__ import annotations

from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from datasets.selectors import datasets_of, images_of, snapshots_of, videos_of
from inference import improving_serializers as shapes
from inference.batches import start_predictions
from inference.comparisons import check_models, common_snapshot, compare, start_comparison
from inference.explanations import start_explanation
from inference.frames import start_frames
from inference.models import Evaluation, Model, Suggestion
from inference.outcomes import PICTURES, images_behind, label_curves, picture_of, threshold_table
from inference.pictures import picture_response
from inference.selectors import models_of
from inference.serializers import EvaluationSerializer
from inference.shown_images import with_images
from inference.teaching import start_suggestions, start_suspects
from inference.views.exports import accepted
from jobs.serializers import JobSerializer
from projects.models import Role
from projects.parsers import JSONParser
from projects.permissions import ProjectPermission, require_member, require_role
from projects.selectors import is_live, project_ids_of


def valid(shape, data, **scope) -> dict:
    """The request's data, with related objects out of what the user may see."""
    request = shape(data=data, context={"scope": scope})
    request.is_valid(raise_exception=True)
    return dict(request.validated_data)


class FramesView(viewsets.GenericViewSet):
    """Frames of a video as images."""

    queryset = Model.objects.none()
    serializer_class = shapes.FramesRequestSerializer

    @extend_schema(request=shapes.FramesRequestSerializer, responses={202: JobSerializer})
    def frames(self, request, video_id):
        """Make images of frames, in the background: every so many frames or seconds, or the first of each scene.

        With a model, what it finds on them becomes annotations to confirm. Each image keeps its `frame_index` and
        `frame_time`, and the frames of one video stay on one side of a split.
        """
        video = get_object_or_404(videos_of(request.user), pk=video_id)
        require_role(video.project, request.user, Role.EDITOR)
        wishes = valid(shapes.FramesRequestSerializer, request.data, model=models_of(request.user))
        model = wishes["model"]
        if model is not None and model.task != video.project.task:
            raise ValidationError(
                {"model": [f"It is for {model.task}, the project for {video.project.task}."]}, code="model_does_not_fit"
            )
        return accepted(start_frames(video=video, user=request.user, **wishes))


class BatchView(viewsets.GenericViewSet):
    """A model on many images or a video."""

    queryset = Model.objects.none()
    serializer_class = shapes.BatchRequestSerializer

    @extend_schema(request=shapes.BatchRequestSerializer, responses={202: JobSerializer})
    def predictions(self, request):
        """Predict a dataset, what of it passes a filter, or a video, in the background.

        The job's files: `predictions.json`, `predictions.csv`; of a video also `timeline.json`, `annotated.mp4`
        (H.264 where the server has an encoder, else VP9) and, with tracking, `tracks.json`.
        """
        user = request.user
        wishes = valid(
            shapes.BatchRequestSerializer, request.data, model=models_of(user), dataset=datasets_of(user),
            video=videos_of(user),
        )  # fmt: skip
        source = wishes["dataset"] or wishes["video"]
        if wishes["suggest"]:
            require_role(source.project, user, Role.EDITOR)
        return accepted(start_predictions(user=user, **wishes))


class Improves:
    """The part of the models' view that makes them better."""

    @extend_schema(request=shapes.SuggestionsRequestSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def suggestions(self, request, pk=None):
        """Look at the unlabelled images of a dataset: predictions to confirm, and the order of what teaches most.

        The order is at `suggestions/?model=&dataset=`: unsure images first, look-alikes apart.
        """
        model = self.get_object()
        wishes = valid(
            shapes.SuggestionsRequestSerializer, request.data, dataset=datasets_of(request.user),
            other_model=models_of(request.user),
        )  # fmt: skip
        require_role(wishes["dataset"].project, request.user, Role.EDITOR)
        return accepted(start_suggestions(model=model, user=request.user, **wishes))

    @extend_schema(request=shapes.SuspectsRequestSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def suspects(self, request, pk=None):
        """Look for wrong labels in a dataset. They are listed at `suspects/?model=&dataset=`, the worst first."""
        model = self.get_object()
        wishes = valid(shapes.SuspectsRequestSerializer, request.data, dataset=datasets_of(request.user))
        require_role(wishes["dataset"].project, request.user, Role.EDITOR)
        return accepted(start_suspects(model=model, user=request.user, **wishes))

    @extend_schema(
        request={
            "application/json": shapes.ExplanationRequestSerializer,
            "multipart/form-data": shapes.ExplanationRequestSerializer,
        },
        responses={202: JobSerializer},
    )
    @action(
        detail=True, methods=["post"], parser_classes=[JSONParser, MultiPartParser], pagination_class=None,
        filterset_class=None,
    )  # fmt: skip
    def explanations(self, request, pk=None):
        """Show where the model looks: what its score loses when a part of the picture is covered.

        The job's `explanation.png` has it in colours, its result in numbers.
        """
        model = self.get_object()
        wishes = valid(shapes.ExplanationRequestSerializer, request.data, image=images_of(request.user))
        file = wishes.pop("file", None)
        project = wishes["image"].project if "image" in wishes else model.project
        require_member(project, request.user)
        incoming = None if file is None else file.incoming
        return accepted(start_explanation(model=model, project=project, user=request.user, incoming=incoming, **wishes))

    @extend_schema(methods=["GET"], parameters=[shapes.CompareQuerySerializer], responses=shapes.ComparisonSerializer)
    @extend_schema(methods=["POST"], request=shapes.CompareRequestSerializer, responses={202: JobSerializer})
    @action(detail=False, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def compare(self, request):
        """Models side by side on the same images, with a test of whether the difference means anything.

        Classifiers: McNemar's exact test; detectors: a paired bootstrap of AP50 over the images. GET answers at once
        when all of them were measured on the snapshot; POST measures those that were not, in the background.
        """
        user = request.user
        if request.method == "GET":
            wishes = valid(shapes.CompareQuerySerializer, request.query_params, snapshot=snapshots_of(user))
            models = self._named(wishes["ids"])
            check_models(models)
            snapshot = wishes["snapshot"] or common_snapshot(models, wishes["split"], snapshots_of(user))
            answer = compare(models=models, snapshot=snapshot, split=wishes["split"])
            answer["differences"] = with_images(answer["differences"], snapshot)
            return Response(answer)
        wishes = valid(shapes.CompareRequestSerializer, request.data, snapshot=snapshots_of(user))
        models = self._named(list(dict.fromkeys(wishes["ids"])))
        require_role(wishes["snapshot"].project, user, Role.EDITOR)
        job = start_comparison(
            models=models, project=wishes["snapshot"].project, user=user, snapshot=wishes["snapshot"],
            split=wishes["split"],
        )  # fmt: skip
        return accepted(job)

    def _named(self, ids: list) -> list[Model]:
        found = {str(model.pk): model for model in models_of(self.request.user).filter(pk__in=ids)}
        missing = [str(pk) for pk in ids if str(pk) not in found]
        if missing:
            raise ValidationError({"ids": [f"There is no model {missing[0]}."]}, code="does_not_exist")
        for model in found.values():
            require_member(model.project, self.request.user)
        return [found[str(pk)] for pk in ids]


class EvaluationViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """How good a model is on a split of a snapshot."""

    queryset = Evaluation.objects.none()
    serializer_class = EvaluationSerializer
    permission_classes = [ProjectPermission]
    lookup_value_converter = "uuid"

    def get_queryset(self):
        mine = Evaluation.objects.filter(model__project__in=project_ids_of(self.request.user))
        return mine.select_related("model__project", "outcomes", "snapshot__dataset")

    @extend_schema(parameters=[shapes.OutcomeQuerySerializer], responses=shapes.OutcomePageSerializer)
    @action(detail=True, pagination_class=None)
    def images(self, request, pk=None):
        """The images behind a figure: of a cell of the confusion matrix with `label` and `predicted`, of a bin of the
        calibration with `min_score` and `max_score`…"""
        evaluation = self.get_object()
        wishes = valid(shapes.OutcomeQuerySerializer, request.query_params)
        # Of a deleted snapshot there is nothing to hide.
        hidden = evaluation.snapshot_id and not snapshots_of(request.user).filter(pk=evaluation.snapshot_id).exists()
        count, rows = images_behind(evaluation, wishes, is_seen=not hidden)
        end = wishes["offset"] + wishes["page_size"]
        following = None
        if end < count:
            query = request.query_params.copy()
            query["offset"] = str(end)
            following = f"{request.build_absolute_uri(request.path)}?{query.urlencode()}"
        answer = {"count": count, "next": following, "results": rows}
        return Response(shapes.OutcomePageSerializer(answer).data)

    @extend_schema(parameters=[shapes.ThresholdQuerySerializer], responses=shapes.ThresholdTableSerializer)
    @action(detail=True, pagination_class=None)
    def thresholds(self, request, pk=None):
        """What each lowest score would cost, of one label or of all: right, wrong, and left to a person."""
        evaluation = self.get_object()
        wishes = valid(shapes.ThresholdQuerySerializer, request.query_params)
        return Response(shapes.ThresholdTableSerializer(threshold_table(evaluation, wishes)).data)

    @extend_schema(parameters=[shapes.CurveQuerySerializer], responses=shapes.LabelChartsSerializer)
    @action(detail=True, pagination_class=None)
    def curves(self, request, pk=None):
        """Precision and recall, ROC and calibration of one label; the images behind a point come with `score_of` and
        `min_score` for classifiers, with `predicted` and `threshold` for detectors."""
        evaluation = self.get_object()
        wishes = valid(shapes.CurveQuerySerializer, request.query_params)
        return Response(shapes.LabelChartsSerializer(label_curves(evaluation, wishes)).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH, enum=PICTURES),
            shapes.PictureQuerySerializer,
        ],
        responses={(200, "image/svg+xml"): OpenApiTypes.STR, (200, "image/png"): OpenApiTypes.BINARY},
    )
    @action(detail=True, url_path="pictures/<str:name>", pagination_class=None)
    def pictures(self, request, pk=None, name=None):
        """The figures as a picture: confusion matrix, precision and recall, ROC, calibration."""
        evaluation = self.get_object()
        kind = valid(shapes.PictureQuerySerializer, request.query_params)["kind"]
        return picture_response(picture_of(evaluation, name, kind), kind)


class SuggestionFilter(filters.FilterSet):
    project = filters.UUIDFilter(field_name="dataset__project_id")
    reviewed = filters.BooleanFilter(method="with_reviewed", label="Also those that were looked at.")

    class Meta:
        model = Suggestion
        fields = ["dataset", "model"]

    def with_reviewed(self, queryset, name, value):
        return queryset.filter(image__reviewed=value)


class SuggestionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """Images that teach a model most, in this order. They are made with `models/{id}/suggestions/`."""

    queryset = Suggestion.objects.none()
    serializer_class = shapes.SuggestionSerializer
    filterset_class = SuggestionFilter
    default_ordering = "rank"
    ordering_fields = ("rank", "uncertainty", "disagreement")

    def get_queryset(self):
        live = is_live("image__dataset__project__") & is_live("model__project__")
        rows = Suggestion.objects.filter(live, dataset__project__in=project_ids_of(self.request.user))
        if "reviewed" not in self.request.query_params:
            rows = rows.filter(image__reviewed=False)
        return rows.select_related("image__blob").prefetch_related("image__annotations__label")
