from django.urls import include, path
from rest_framework.routers import DefaultRouter

from edge.views import device_api, management

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("device-groups", management.DeviceGroupViewSet, basename="device-group")
router.register("devices", management.DeviceViewSet)
router.register("enrolment-codes", management.EnrolmentCodeViewSet, basename="enrolment-code")
router.register("deployments", management.DeploymentViewSet)

urlpatterns = [path("", include(router.urls))]

# Under /edge/v1/
device_urlpatterns = [
    path("enrol/", device_api.EnrolView.as_view(), name="edge-enrol"),
    path("manifest/", device_api.ManifestView.as_view(), name="edge-manifest"),
    path("keys/", device_api.KeysView.as_view(), name="edge-keys"),
    path("files/<str:sha256>/", device_api.FileView.as_view(), name="edge-file"),
    path("heartbeat/", device_api.HeartbeatView.as_view(), name="edge-heartbeat"),
    path("images/", device_api.ImagesView.as_view(), name="edge-images"),
]
