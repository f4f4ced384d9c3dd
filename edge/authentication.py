"""Who is asking: a device with its key, `Authorization: Device …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions
from rest_framework.authentication import get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from edge.keys import hash_of
from edge.models import Device
from edge.selectors import device_with_key

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema
    from rest_framework.views import APIView

PREFIX = b"device"


class DeviceAuthentication(authentication.BaseAuthentication):
    """Gives the device as `request.auth`; `request.user` stays anonymous, so that a device is nobody elsewhere."""

    def authenticate(self, request: Request) -> Any:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != PREFIX:
            return None
        if len(parts) != 2:
            raise exceptions.AuthenticationFailed("The Authorization header must be 'Device <key>'.")
        device = device_with_key(hash_of(parts[1].decode("latin-1")))
        if device is None:
            raise exceptions.AuthenticationFailed("This device's key is unknown, replaced or revoked.")
        request._request.is_still_valid = lambda: device_with_key(hash_of(parts[1].decode("latin-1"))) is not None  # type: ignore[attr-defined]
        return None, device

    def authenticate_header(self, request: Request) -> str:
        return "Device"


class IsDevice(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Device)


class DeviceScheme(OpenApiAuthenticationExtension):
    target_class = "edge.authentication.DeviceAuthentication"
    name = "device"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Device <key>`, from the enrolment of a device.",
        }
