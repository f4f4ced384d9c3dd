from __future__ import annotations

import json

from django.db.models import F
from django.http import HttpResponse
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.generics import get_object_or_404
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.throttles import CountedThrottle, UserThrottle
from projects import invitation_serializers, serializers, services, webhooks, work
from projects.changes.fields import change_fields
from projects.changes.views import MakesChanges
from projects.events import ALL_TOLD, EVENT_STREAM, EventStreamRenderer, StreamsEvents, event_stream
from projects.invitations import add_or_invite, candidates_for
from projects.job_video import JobVideo
from projects.jobs import delete_job, retry_job
from projects.models import ENDED, Job, Membership, Project, Role, Webhook, WorkState
from projects.permissions import MemberLinkPermission, ProjectPermission, require_role
from projects.report_lines import decode_cursor, encode_cursor, read_page
from projects.retries import check_retry
from projects.selectors import jobs_of, projects_of
from projects.serializers import is_forced
from projects.uses import uses_of
from storage import services as storage
from storage.downloads import blob_response
from storage.signing import signed_for


class ProjectFilter(filters.FilterSet):
    name = filters.CharFilter(lookup_expr="icontains")

    class Meta:
        model = Project
        fields = ["name", "task"]


class ProjectViewSet(MakesChanges, viewsets.ModelViewSet):
    """Projects you are a member of."""

    queryset = Project.objects.none()
    serializer_class = serializers.ProjectSerializer
    permission_classes = [ProjectPermission]
    filterset_class = ProjectFilter
    ordering_fields = ("name",)
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @property
    def change_role(self) -> Role:
        return Role.OWNER if self.request.method == "DELETE" else Role.EDITOR

    def get_queryset(self):
        return projects_of(self.request.user).annotate(my_role=F("memberships__role"))

    def perform_create(self, serializer) -> None:
        project = services.create_project(user=self.request.user, **serializer.validated_data)
        with self.changing(project, "create_project", project=project.name):
            services.note_new_project(project)
        serializer.instance = projects_of(self.request.user).annotate(my_role=F("memberships__role")).get(pk=project.pk)

    def perform_update(self, serializer) -> None:
        project = serializer.instance
        with self.changing(project, "change_project", project=project.name):
            change_fields("project_fields", project, serializer.validated_data)

    @extend_schema(
        parameters=[serializers.DeletionSerializer], responses={204: OpenApiResponse(description="Deleted.")}
    )
    def destroy(self, request, pk=None):
        """Delete a project with everything in it; it stays in the trash of its owners for a while.

        While work, a model in production or devices need it, that is refused with a list (409 `project_in_use`), unless
        `force` is set."""
        project, force = self.get_object(), is_forced(request)
        with self.changing(project, "delete_project", project=project.name):
            services.delete_project(project=project, force=force)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=serializers.UsesSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def uses(self, request, pk=None):
        """What needs the project, and what is deleted with it."""
        project = self.get_object()
        return Response(
            serializers.UsesSerializer({"uses": uses_of(project), "along": services.content_of(project)}).data
        )


class InProject:
    """A view below `projects/{project_id}/`: the project is one the user may see."""

    permission_classes = [ProjectPermission]
    change_role = Role.EDITOR

    def initial(self, request, *args, **kwargs) -> None:
        super().initial(request, *args, **kwargs)
        self.project = get_object_or_404(projects_of(request.user), pk=kwargs["project_id"])
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            require_role(self.project, request.user, self.change_role)


class InvitationThrottle(UserThrottle):
    scope = "invitation"


class MemberViewSet(
    InProject, mixins.ListModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """Who may see and change a project. Only owners change it; everyone may leave."""

    queryset = Membership.objects.none()
    serializer_class = serializers.MemberSerializer
    lookup_value_converter = "uuid"
    change_role = Role.OWNER
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_queryset(self):
        return Membership.objects.filter(project_id=self.kwargs["project_id"]).select_related("user", "project")

    def get_throttles(self):
        return [InvitationThrottle()] if self.action == "create" else []

    @extend_schema(
        request=serializers.NewMemberSerializer,
        responses={201: serializers.MemberSerializer, 202: invitation_serializers.PendingMemberSerializer},
    )
    def create(self, request, project_id):
        """Add a member. Who shares a project with you is one at once (201); all others are invited (202).

        An invitation says the same whether there is such a user or not.
        """
        data = serializers.NewMemberSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = add_or_invite(project=self.project, user=request.user, **data.validated_data)
        if isinstance(made, Membership):
            return Response(serializers.MemberSerializer(made).data, status=status.HTTP_201_CREATED)
        return Response(invitation_serializers.PendingMemberSerializer(made).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        parameters=[invitation_serializers.CandidateQuerySerializer],
        responses=invitation_serializers.CandidateSerializer(many=True),
    )
    @action(detail=False, pagination_class=None)
    def candidates(self, request, project_id):
        """People to add: those who share a project with you, and nobody else. Who else exists is not told."""
        query = invitation_serializers.CandidateQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        found = candidates_for(self.project, request.user, query.validated_data["q"])
        return Response(invitation_serializers.CandidateSerializer(found, many=True).data)

    def perform_update(self, serializer) -> None:
        services.change_role(membership=serializer.instance, role=serializer.validated_data.get("role", Role.EDITOR))

    def perform_destroy(self, instance: Membership) -> None:
        services.remove_member(membership=instance)


class LeaveView(InProject, viewsets.GenericViewSet):
    """Leave a project."""

    queryset = Membership.objects.none()
    change_role = Role.VIEWER
    serializer_class = None

    @extend_schema(request=None, responses={204: OpenApiResponse(description="You have left.")})
    def leave(self, request, project_id):
        services.remove_member(membership=Membership.objects.get(project=self.project, user=request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)


class JobFilter(filters.FilterSet):
    video = filters.UUIDFilter(method="of_video", label="Work on this video.")

    def of_video(self, queryset, name, value):
        return queryset.alias(of_video=JobVideo()).filter(of_video=str(value))

    class Meta:
        model = Job
        fields = ["project", "kind", "state"]


class JobViewSet(
    StreamsEvents, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """Background work: imports, exports and estimates."""

    queryset = Job.objects.none()
    serializer_class = serializers.JobSerializer
    permission_classes = [ProjectPermission]
    filterset_class = JobFilter
    lookup_value_converter = "uuid"

    def get_queryset(self):
        by_link = signed_for(self.request) if self.action in ("file", "files") else None
        return jobs_of(by_link or self.request.user)

    def perform_destroy(self, instance: Job) -> None:
        """Delete an ended job with its files."""
        delete_job(job=instance)

    @extend_schema(request=None, responses=serializers.JobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request, pk=None):
        """Cancel a job: at once when it waits, within seconds when it runs."""
        job = self.get_object()
        work.request_cancel(job)
        return Response(self.get_serializer(job).data)

    @extend_schema(request=None, responses={202: serializers.JobSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request, pk=None):
        """Do again what failed or was cancelled: a new job with the same settings."""
        job = self.get_object()
        check_retry(job, request.user)
        job = retry_job(job=job, user=request.user)
        location = reverse("job-detail", args=[job.pk])
        return Response(self.get_serializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def log(self, request, pk=None):
        """What the job said while it worked, a line each, with times."""
        return HttpResponse(work.log_of(self.get_object()), content_type="text/plain; charset=utf-8")

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        }
    )
    @action(
        detail=True, url_path="files/<str:name>", permission_classes=[MemberLinkPermission], pagination_class=None,
        filterset_class=None,
    )  # fmt: skip
    def files(self, request, pk=None, name=None):
        """One of the files that the job made, as `result.files` lists them. Supports `Range`, takes signed URLs."""
        file = get_object_or_404(self.get_object().files.select_related("blob"), name=name)
        return blob_response(request, file.blob, file.name)

    @extend_schema(responses={(200, "text/event-stream"): EVENT_STREAM, 204: ALL_TOLD})
    @action(detail=True, renderer_classes=[EventStreamRenderer], pagination_class=None, filterset_class=None)
    def events(self, request, pk=None):
        """Watch a job live, from its beginning or after `Last-Event-ID`."""
        return event_stream(request, self.get_object(), jobs_of)

    @extend_schema(responses={(200, "application/x-ndjson"): serializers.ReportLineSerializer})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def report(self, request, pk=None):
        """One JSON line for every file that was not taken as it is, with the reason.

        Where all were, it is one line with the `outcome` `summary` and the counts.
        """
        job = self.get_object()
        if job.report_blob is None:
            if job.state != WorkState.SUCCEEDED or "created" not in (job.result or {}):
                raise NotFound(_why_no_report(job))
            line = json.dumps({"outcome": "summary", **job.result}, ensure_ascii=False)
            return HttpResponse(f"{line}\n", content_type="application/x-ndjson")
        return blob_response(request, job.report_blob, f"{job.kind}-{job.pk}.jsonl")

    @extend_schema(parameters=[serializers.ReportQuerySerializer], responses=serializers.ReportPageSerializer)
    @action(detail=True, url_path="report/lines", pagination_class=None, filterset_class=None)
    def report_lines(self, request, pk=None):
        """The report page by page: what was not taken as it is, with its code, the annotation file and the line in it.

        A page may have fewer lines than asked for, or none, while `next` says that there are more.
        """
        job = self.get_object()
        query = serializers.ReportQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        if job.report_blob is None:
            if job.state not in ENDED:
                raise NotFound(_why_no_report(job))
            return Response({"next": None, "results": []})
        wanted = {name: query.validated_data[name] for name in ("outcome", "code") if name in query.validated_data}
        start = decode_cursor(query.validated_data.get("cursor"))
        with storage.opened(job.report_blob) as file:
            page = read_page(file, start, query.validated_data["page_size"], wanted)
        url = None
        if page.next is not None:
            url = replace_query_param(request.build_absolute_uri(), "cursor", encode_cursor(page.next))
        return Response({"next": url, "results": page.lines})

    @extend_schema(
        responses={(200, "application/zip"): OpenApiTypes.BINARY, (206, "application/zip"): OpenApiTypes.BINARY}
    )
    @action(detail=True, permission_classes=[MemberLinkPermission], pagination_class=None, filterset_class=None)
    def file(self, request, pk=None):
        """What the job made, for example an exported dataset. Supports `ETag` and `Range`; takes your signed URLs."""
        job = self.get_object()
        if job.output_blob is None:
            raise NotFound("This job has no file (yet).")
        return blob_response(request, job.output_blob, job.output_name)


class WebhookFilter(filters.FilterSet):
    class Meta:
        model = Webhook
        fields = ["project"]


class WebhookTestThrottle(UserThrottle):
    """Messages on demand knock at somebody's door."""

    scope = "webhook_test"


class WebhookTestProjectThrottle(CountedThrottle):
    scope = "webhook_test"

    def get_cache_key(self, request, view):
        project = Webhook.objects.filter(pk=view.kwargs["pk"]).values_list("project_id", flat=True).first()
        return None if project is None else self.key_of("project", str(project))


class WebhookViewSet(viewsets.ModelViewSet):
    """Addresses that are told when a training, an evaluation, a deployment or a job has ended. Owners manage them.

    Messages are signed as standardwebhooks.com describes, and sent again for a day and a half until they arrive.
    """

    queryset = Webhook.objects.none()
    serializer_class = serializers.WebhookSerializer
    permission_classes = [ProjectPermission]
    filterset_class = WebhookFilter
    lookup_value_converter = "uuid"
    change_role = Role.OWNER
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_throttles(self):
        return [WebhookTestThrottle(), WebhookTestProjectThrottle()] if self.action in ("test", "again") else []

    def get_queryset(self):
        mine = Membership.objects.filter(user=self.request.user, role=Role.OWNER).values("project_id")
        return Webhook.objects.filter(project__in=mine).select_related("project")

    def get_serializer_context(self) -> dict:
        user = getattr(self.request, "user", None)
        visible = projects_of(user) if user is not None and user.is_authenticated else Project.objects.none()
        return {**super().get_serializer_context(), "visible_projects": visible}

    @extend_schema(request=serializers.WebhookSerializer, responses={201: serializers.NewWebhookSerializer})
    def create(self, request):
        """Add an address. Its secret, with which it verifies what it gets, is shown this once."""
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        wishes = data.validated_data
        require_role(wishes["project"], request.user, Role.OWNER)
        webhook = webhooks.add_webhook(
            project=wishes["project"], user=request.user, url=wishes["url"], events=wishes["events"]
        )
        return Response(serializers.NewWebhookSerializer(webhook).data, status=status.HTTP_201_CREATED)

    def perform_update(self, serializer) -> None:
        if "url" in serializer.validated_data:
            webhooks.check_url(serializer.validated_data["url"])
        serializer.save()

    @extend_schema(request=None, responses={202: serializers.DeliverySerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def test(self, request, pk=None):
        """Send a message that says nothing; `deliveries/` tells whether it arrived."""
        delivery = webhooks.send_ping(webhook=self.get_object())
        return Response(serializers.DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=serializers.DeliverySerializer(many=True))
    @action(detail=True, filterset_class=None)
    def deliveries(self, request, pk=None):
        """What was sent to the address, the latest first."""
        page = self.paginate_queryset(self.get_object().deliveries.all())
        return self.get_paginated_response(serializers.DeliverySerializer(page, many=True).data)

    @extend_schema(request=None, responses={202: serializers.DeliverySerializer})
    @action(
        detail=True, methods=["post"], url_path="deliveries/<uuid:delivery>/again", filterset_class=None,
        pagination_class=None,
    )  # fmt: skip
    def again(self, request, pk=None, delivery=None):
        """Send a message again, now, whether it has arrived or not. It counts with the test messages of a user."""
        found = get_object_or_404(self.get_object().deliveries.all(), pk=delivery)
        return Response(
            serializers.DeliverySerializer(webhooks.send_again(delivery=found)).data, status=status.HTTP_202_ACCEPTED
        )


def _why_no_report(job: Job) -> str:
    if job.state not in ENDED:
        return f"This job is {job.state}; its report is there when it has ended."
    return "This job has no report: only imports that came to an end have one."
