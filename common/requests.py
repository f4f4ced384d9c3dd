"""What views know of requests."""

from __future__ import annotations

from django.contrib.auth.models import User
from rest_framework.request import Request


class AuthenticatedRequest(Request):
    """For annotations, of views that only users reach: `user` is never anonymous there."""

    user: User
