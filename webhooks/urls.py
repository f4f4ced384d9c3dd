from rest_framework.routers import DefaultRouter

from webhooks.views import WebhookViewSet

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("webhooks", WebhookViewSet)

urlpatterns = router.urls
