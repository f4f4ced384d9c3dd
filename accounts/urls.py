from django.urls import include, path
from rest_framework.routers import DefaultRouter

from accounts import views

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("tokens", views.TokenViewSet)
router.register("users/me/logins", views.LoginViewSet)

urlpatterns = [
    path("auth/register/", views.RegisterView.as_view(), name="register"),
    path("auth/login/", views.LoginView.as_view(), name="login"),
    path("auth/logout/", views.LogoutView.as_view(), name="logout"),
    path("auth/logout-all/", views.LogoutAllView.as_view(), name="logout-all"),
    path("auth/password/reset/", views.PasswordResetView.as_view(), name="password-reset"),
    path("auth/password/reset/confirm/", views.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("auth/email/confirm/", views.EmailConfirmView.as_view(), name="email-confirm"),
    path("users/me/", views.MeView.as_view(), name="me"),
    path("users/me/password/", views.PasswordView.as_view(), name="me-password"),
    path("", include(router.urls)),
]
