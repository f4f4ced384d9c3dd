from django.urls import include, path
from rest_framework.routers import DefaultRouter

from inference import views
from inference.views import evaluation, labeling, suspects, videos

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("models", views.ModelViewSet)
router.register("evaluations", evaluation.EvaluationViewSet)
router.register("suggestions", labeling.SuggestionViewSet, basename="suggestion")
router.register("suspects", suspects.SuspectViewSet, basename="suspect")

urlpatterns = [
    path("videos/<uuid:video_id>/frames/", videos.FramesView.as_view({"post": "frames"}), name="video-frames"),
    path("predictions/", videos.BatchView.as_view({"post": "predictions"}), name="predictions"),
    path("", include(router.urls)),
]
