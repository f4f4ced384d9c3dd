from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.requests import AuthenticatedRequest
from mlstudio.models import MaintenanceKind
from mlstudio.staff import running, selectors, serializers
from mlstudio.staff.weights_files import add_sent_files, open_weights_form
from storage.receiving import FileBody


class BackupsView(APIView):
    """The backups that the studio keeps by itself."""

    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="system_backups", responses=serializers.BackupsSerializer)
    def get(self, request: Request) -> Response:
        """Which backups there are, what runs, and what the last trial restore has found. For the staff."""
        return Response(serializers.BackupsSerializer(selectors.backups_and_runs()).data)

    @extend_schema(operation_id="system_backup", request=None, responses={202: serializers.MaintenanceRunSerializer})
    def post(self, request: AuthenticatedRequest) -> Response:
        """Take a backup now, in the background, into the folder of the setting. For the staff."""
        run = running.ask_for(kind=MaintenanceKind.BACKUP, user=request.user)
        return Response(serializers.MaintenanceRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class RestoreDrillView(APIView):
    """A trial restore of the newest backup."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="system_restore_drill", request=None, responses={202: serializers.MaintenanceRunSerializer}
    )
    def post(self, request: AuthenticatedRequest) -> Response:
        """Restore the newest backup into a temporary folder, look at it, and remove it again. For the staff."""
        run = running.ask_for(kind=MaintenanceKind.RESTORE_DRILL, user=request.user)
        return Response(serializers.MaintenanceRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class StoreView(APIView):
    """The files of the studio and their store."""

    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="system_store", responses=serializers.StoreStatusSerializer)
    def get(self, request: Request) -> Response:
        """How many files are where, what waits for the store, and how the store answers. For the staff."""
        return Response(serializers.StoreStatusSerializer(selectors.store_status()).data)


class WeightsView(APIView):
    """Pretrained weights."""

    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="system_weights", responses=serializers.WeightsSerializer)
    def get(self, request: Request) -> Response:
        """Which pretrained weights are here, and where to put others. For the staff."""
        return Response(serializers.WeightsSerializer(selectors.weights()).data)

    @extend_schema(
        operation_id="system_weights_download",
        request=serializers.WeightsChoiceSerializer,
        responses={202: serializers.WeightsRunSerializer},
    )
    def post(self, request: AuthenticatedRequest) -> Response:
        """Download weights from their source, or from the mirror, in the background. For the staff."""
        data = serializers.WeightsChoiceSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        run = running.ask_for_weights(name=data.validated_data["name"], user=request.user)
        return Response(serializers.WeightsRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class WeightsFilesView(APIView):
    """Files of pretrained weights that somebody has."""

    permission_classes = [IsAdminUser]
    parser_classes = [MultiPartParser]
    file_bodies = {"post": FileBody(open_weights_form, limit="MAX_MODEL_BYTES")}

    @extend_schema(
        operation_id="system_weights_add",
        request={"multipart/form-data": serializers.WeightsFilesSerializer},
        responses=serializers.WeightsResultSerializer,
    )
    def post(self, request: Request, name: str) -> Response:
        """Add the files of some weights, where the server reaches no source. They replace those that are here, when
        they are what their source publishes: 400 `weights_differ`, `weights_incomplete`. For the staff."""
        data = serializers.WeightsFilesSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        path = add_sent_files(name=name, uploads=data.validated_data["files"])
        return Response(serializers.WeightsResultSerializer({"path": str(path)}).data)


class SettingsView(APIView):
    """The settings in force."""

    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="system_settings", responses=serializers.SettingsInForceSerializer)
    def get(self, request: Request) -> Response:
        """Every setting with its value and whether somebody has set it; secrets are not shown. For the staff."""
        return Response(serializers.SettingsInForceSerializer(selectors.settings_in_force()).data)
