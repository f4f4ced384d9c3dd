from django.urls import include, path
from rest_framework.routers import DefaultRouter

from storage import views

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("uploads", views.UploadViewSet)

urlpatterns = [path("", include(router.urls))]
