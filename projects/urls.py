from django.urls import include, path
from rest_framework.routers import DefaultRouter

from projects import views
from projects.changes.views import ChangeViewSet
from projects.invitation_views import (
    InvitationLinkViewSet,
    InvitationViewSet,
    JoinPreviewView,
    JoinView,
    PendingMemberViewSet,
)
from projects.job_views import JobViewSet
from projects.trash.views import TrashViewSet

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.include_format_suffixes = False
router.register("projects", views.ProjectViewSet)
router.register("projects/<uuid:project_id>/members", views.MemberViewSet, basename="member")
router.register("projects/<uuid:project_id>/invitations", PendingMemberViewSet, basename="pending-member")
router.register("projects/<uuid:project_id>/invitation-links", InvitationLinkViewSet)
router.register("invitations", InvitationViewSet)
router.register("changes", ChangeViewSet)
router.register("trash", TrashViewSet, basename="trash")
router.register("jobs", JobViewSet)

urlpatterns = [
    path("join/", JoinView.as_view(), name="join"),
    path("join/preview/", JoinPreviewView.as_view(), name="join-preview"),
    path("projects/<uuid:project_id>/leave/", views.LeaveView.as_view({"post": "leave"}), name="leave-project"),
    path("", include(router.urls)),
]
