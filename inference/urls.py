from django.urls import include, path
from rest_framework.routers import DefaultRouter

from inference import views
from inference.views import improving, suspects

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("models", views.ModelViewSet)
router.register("evaluations", improving.EvaluationViewSet)
router.register("suggestions", improving.SuggestionViewSet)
router.register("suspects", suspects.SuspectViewSet)

urlpatterns = [
    path("videos/<uuid:video_id>/frames/", improving.FramesView.as_view({"post": "frames"}), name="video-frames"),
    path("predictions/", improving.BatchView.as_view({"post": "predictions"}), name="predictions"),
    path("", include(router.urls)),
]
