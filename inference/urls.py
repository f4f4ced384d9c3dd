from django.urls import include, path
from rest_framework.routers import DefaultRouter

from inference import views

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("models", views.ModelViewSet)

urlpatterns = [path("", include(router.urls))]
