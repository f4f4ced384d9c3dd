from django.urls import include, path
from rest_framework.routers import DefaultRouter

from datasets.duplicate_groups.views import DuplicateGroupViewSet
from datasets.saved_filters.views import SavedFilterViewSet
from datasets.views import annotations, bulk, datasets, gallery, image_files, images, labels, samples, snapshots, videos

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("projects/<uuid:project_id>/labels", labels.LabelViewSet, basename="label")
router.register("projects/<uuid:project_id>/saved-filters", SavedFilterViewSet, basename="saved-filter")
router.register("datasets", datasets.DatasetViewSet)
router.register("images", images.ImageViewSet)
router.register("videos", videos.VideoViewSet)
router.register("snapshots", snapshots.SnapshotViewSet)
router.register("duplicate-groups", DuplicateGroupViewSet)

of_image = [
    path(
        "annotations/",
        annotations.ImageAnnotationsView.as_view({"get": "annotations", "put": "annotations", "patch": "annotations"}),
        name="image-annotations",
    ),
    path("history/", annotations.ImageHistoryView.as_view({"get": "history"}), name="image-history"),
    path("neighbours/", gallery.ImageNeighboursView.as_view({"get": "neighbours"}), name="image-neighbours"),
    path("file/", image_files.ImageFileView.as_view({"get": "file"}), name="image-file"),
    path("thumbnail/", image_files.ImageThumbnailView.as_view({"get": "thumbnail"}), name="image-thumbnail"),
    path("rendition/", image_files.ImageRenditionView.as_view({"get": "rendition"}), name="image-rendition"),
]

urlpatterns = [
    path("annotations/review/", annotations.ReviewView.as_view({"get": "counts", "post": "review"}), name="review"),
    path("projects/samples/", samples.SamplesView.as_view({"post": "start"}), name="samples"),
    path("images/bulk/", bulk.ImageBulkView.as_view({"post": "bulk"}), name="image-bulk"),
    path("images/facets/", gallery.ImageFacetsView.as_view({"get": "facets"}), name="image-facets"),
    path("images/<uuid:pk>/", include(of_image)),
    path(
        "snapshots/<uuid:pk>/images/<int:row>/thumbnail/",
        snapshots.SnapshotThumbnailView.as_view({"get": "thumbnail"}),
        name="snapshot-thumbnail",
    ),
    path("", include(router.urls)),
]
