from django.urls import include, path
from rest_framework.routers import DefaultRouter

from mlstudio.staff import views
from mlstudio.staff.people_views import StudioUserViewSet

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("users", StudioUserViewSet, basename="studio-user")

urlpatterns = [
    path("backups/", views.BackupsView.as_view(), name="system-backups"),
    path("backups/drill/", views.RestoreDrillView.as_view(), name="system-restore-drill"),
    path("store/", views.StoreView.as_view(), name="system-store"),
    path("weights/", views.WeightsView.as_view(), name="system-weights"),
    path("weights/<str:name>/files/", views.WeightsFilesView.as_view(), name="system-weights-files"),
    path("settings/", views.SettingsView.as_view(), name="system-settings"),
    path("", include(router.urls)),
]
