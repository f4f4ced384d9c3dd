from django.urls import include, path
from rest_framework.routers import DefaultRouter

from inference.views import (
    comparison,
    evaluation,
    exports,
    feature_map,
    labeling,
    live_model,
    models,
    prediction,
    registry,
    suspects,
    videos,
)

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("models", models.ModelViewSet)
router.register("evaluations", evaluation.EvaluationViewSet)
router.register("suggestions", labeling.SuggestionViewSet, basename="suggestion")
router.register("suspects", suspects.SuspectViewSet, basename="suspect")

of_model = [
    path("predict/", prediction.ModelPredictView.as_view({"post": "predict"}), name="model-predict"),
    path("stage/", registry.ModelStageView.as_view({"post": "stage"}), name="model-stage"),
    path("stages/", registry.ModelStagesView.as_view({"get": "stages"}), name="model-stages"),
    path("lineage/", registry.ModelLineageView.as_view({"get": "lineage"}), name="model-lineage"),
    path("exports/", exports.ModelExportsView.as_view({"get": "exports", "post": "exports"}), name="model-exports"),
    path("publish/", exports.ModelPublishView.as_view({"post": "publish"}), name="model-publish"),
    path("suggestions/", labeling.ModelSuggestionsView.as_view({"post": "suggestions"}), name="model-suggestions"),
    path("suspects/", suspects.ModelSuspectsView.as_view({"post": "suspects"}), name="model-suspects"),
    path(
        "explanations/", evaluation.ModelExplanationsView.as_view({"post": "explanations"}), name="model-explanations"
    ),
    path(
        "evaluations/",
        evaluation.ModelEvaluationsView.as_view({"get": "evaluations", "post": "evaluations"}),
        name="model-evaluations",
    ),
]

urlpatterns = [
    path(
        "projects/<uuid:project_id>/live-model/",
        live_model.LiveModelView.as_view({"get": "live_model"}),
        name="live-model",
    ),
    path(
        "projects/<uuid:project_id>/live-model/guesses/",
        live_model.LiveModelView.as_view({"get": "guesses"}),
        name="live-model-guesses",
    ),
    path(
        "projects/<uuid:project_id>/live-model/next/",
        live_model.LiveModelView.as_view({"get": "next_images"}),
        name="live-model-next",
    ),
    path(
        "images/<uuid:pk>/box-guesses/",
        live_model.BoxGuessesView.as_view({"get": "box_guesses"}),
        name="image-box-guesses",
    ),
    path(
        "projects/<uuid:project_id>/map/",
        feature_map.FeatureMapView.as_view({"get": "status", "post": "make"}),
        name="feature-map",
    ),
    path(
        "projects/<uuid:project_id>/map/points/",
        feature_map.MapPointsView.as_view({"get": "points"}),
        name="feature-map-points",
    ),
    path(
        "datasets/<uuid:pk>/suspects/",
        suspects.DatasetSuspectsView.as_view({"post": "suspects"}),
        name="dataset-suspects",
    ),
    path("images/<uuid:pk>/similar/", live_model.SimilarImagesView.as_view({"get": "similar"}), name="image-similar"),
    path("videos/<uuid:video_id>/frames/", videos.FramesView.as_view({"post": "frames"}), name="video-frames"),
    path("predictions/", videos.BatchView.as_view({"post": "predictions"}), name="predictions"),
    path(
        "models/compare/",
        comparison.ModelCompareView.as_view({"get": "compare", "post": "compare"}),
        name="model-compare",
    ),
    path("models/<uuid:pk>/", include(of_model)),
    path("", include(router.urls)),
]
