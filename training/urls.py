from django.urls import include, path
from rest_framework.routers import DefaultRouter

from training import keeping_views, views

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("trainings", views.TrainingViewSet)
router.register("searches", views.SearchViewSet)

urlpatterns = [
    path("architectures/", views.ArchitecturesView.as_view(), name="architectures"),
    path(
        "projects/<uuid:project_id>/live-model/keep/",
        keeping_views.KeepLiveModelView.as_view({"post": "keep"}),
        name="live-model-keep",
    ),
    path("activity/", views.ActivityView.as_view(), name="activity"),
    path("", include(router.urls)),
]
