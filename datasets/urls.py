from django.urls import include, path
from rest_framework.routers import DefaultRouter

from datasets.duplicate_groups.views import DuplicateGroupViewSet
from datasets.saved_filters.views import SavedFilterViewSet
from datasets.views.annotations import ReviewView
from datasets.views.datasets import DatasetViewSet
from datasets.views.images import ImageViewSet
from datasets.views.labels import LabelViewSet
from datasets.views.samples import SamplesView
from datasets.views.snapshots import SnapshotViewSet
from datasets.views.videos import VideoViewSet

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("projects/<uuid:project_id>/labels", LabelViewSet, basename="label")
router.register("projects/<uuid:project_id>/saved-filters", SavedFilterViewSet, basename="saved-filter")
router.register("datasets", DatasetViewSet)
router.register("images", ImageViewSet)
router.register("videos", VideoViewSet)
router.register("snapshots", SnapshotViewSet)
router.register("duplicate-groups", DuplicateGroupViewSet)

urlpatterns = [
    path("annotations/review/", ReviewView.as_view({"get": "counts", "post": "review"}), name="review"),
    path("projects/samples/", SamplesView.as_view({"post": "start"}), name="samples"),
    path("", include(router.urls)),
]
