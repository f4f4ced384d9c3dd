"""One stream a user, with everything that changes in their projects."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.views import APIView

from accounts.known import ALWAYS, refuse_unknown
from common.requests import AuthenticatedRequest
from mlstudio.live_serializers import STUDIO_EVENT
from projects.events import EventStreamRenderer, StreamsEvents, user_event_stream
from projects.selectors import projects_of


class EventsQuerySerializer(serializers.Serializer):
    project = serializers.UUIDField(required=False, help_text="Only what happens in this one.")
    after = serializers.CharField(
        max_length=50,
        required=False,
        allow_blank=True,
        default="",
        help_text="The id of the last message that was received, where no `Last-Event-ID` can be sent.",
    )
    seconds = serializers.IntegerField(
        min_value=0, max_value=86_400, required=False, help_text="How long the stream lasts; else until you go."
    )


class EventsView(StreamsEvents, APIView):
    """Everything that changes in your projects."""

    renderer_classes = [EventStreamRenderer]

    @extend_schema(
        operation_id="events",
        parameters=[EventsQuerySerializer],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                STUDIO_EVENT,
                description="Server-sent events without names; the `data` of each is one of these as JSON. Send the "
                "last `id` as `Last-Event-ID` to go on after it.",
            )
        },
    )
    def get(self, request: AuthenticatedRequest) -> StreamingHttpResponse:
        """Watch everything that changes in your projects.

        It begins with `ready`. After a pause it goes on after `Last-Event-ID`; `reset` says that too much was missed.
        """
        known = [*EventsQuerySerializer().fields, *ALWAYS]
        refuse_unknown(request.query_params, known, code="unknown_filter", what="filter")
        query = EventsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        project = query.validated_data.get("project")
        if project is not None and not projects_of(request.user).filter(pk=project).exists():
            raise NotFound()
        return user_event_stream(
            request, project=project, after=query.validated_data["after"], seconds=query.validated_data.get("seconds")
        )
