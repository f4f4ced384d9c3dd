from django.urls import include, path
from rest_framework.routers import DefaultRouter

from datasets import views

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("projects/<uuid:project_id>/labels", views.LabelViewSet, basename="label")
router.register("datasets", views.DatasetViewSet)
router.register("images", views.ImageViewSet)
router.register("snapshots", views.SnapshotViewSet)

urlpatterns = [path("", include(router.urls))]
