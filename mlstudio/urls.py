from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from accounts import admin_login, pages
from custom_vision import urls as custom_vision
from custom_vision.views.base import CustomVisionSchema, UnknownAddress
from edge.urls import device_urlpatterns
from mlstudio import frontend, health, job_results, views
from mlstudio.live_view import EventsView
from mlstudio.search_view import SearchView
from mlstudio.session import SessionView
from mlstudio.system_view import SystemView

job_results.register()  # for the schema

api: list[URLPattern | URLResolver] = [
    path("", views.RootView.as_view(), name="root"),
    path("events/", EventsView.as_view(), name="events"),
    path("search/", SearchView.as_view(), name="search"),
    path("system/", SystemView.as_view(), name="system"),
    path("system/", include("mlstudio.staff.urls")),
    path("auth/session/", SessionView.as_view(), name="session"),
    path("", include("accounts.urls")),
    path("", include("storage.urls")),
    path("", include("projects.urls")),
    path("", include("webhooks.urls")),
    path("", include("datasets.urls")),
    path("", include("inference.urls")),
    path("", include("training.urls")),
    path("", include("edge.urls")),
    path("", include("custom_vision.api_urls")),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("edge/v1/", include(device_urlpatterns)),
    re_path(custom_vision.TRAINING, include(custom_vision.training)),
    re_path(custom_vision.PREDICTION, include(custom_vision.prediction)),
    re_path(custom_vision.ELSEWHERE, UnknownAddress.as_view()),
    path("reset/<str:uid>/<str:token>", frontend.or_else(pages.PasswordResetPage.as_view())),
    path("password-reset/", pages.PasswordResetPage.as_view(), name="password-reset-page"),
    path("email-confirm/", pages.EmailConfirmPage.as_view(), name="email-confirm-page"),
    path("api/schema/", views.SchemaView.as_view(), name="schema"),
    path("api/schema/custom-vision/", CustomVisionSchema.as_view(), name="custom-vision-schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("admin/login/", admin_login.login),
    path("admin/password_change/", admin_login.password_change),
    path("admin/", admin.site.urls),
    path("healthz/", health.healthz),
    path("readyz/", health.readyz),
    path("metrics", health.metrics),
    # Every other address is one of the pages, which the browser tells apart.
    re_path(frontend.ADDRESSES, frontend.page, name="page"),
]

handler400 = "mlstudio.errors.bad_request"
handler403 = "mlstudio.errors.permission_denied"
handler404 = "mlstudio.errors.not_found"
handler500 = "mlstudio.errors.server_error"
