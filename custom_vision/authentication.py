"""Keys of Custom Vision are personal tokens of the studio; only the header differs."""

from __future__ import annotations

from django.contrib.auth.models import User
from rest_framework.request import Request

from accounts.authentication import TokenAuthentication
from accounts.models import Token, TokenScope

EITHER = "Ocp-Apim-Subscription-Key"


class TrainingKey(TokenAuthentication):
    """`Training-Key`, the header of the gateway, or `Authorization`. A key for predictions is refused.

    Never a part of the address: addresses stand in logs.
    """

    headers: tuple[str, ...] = ("Training-Key", EITHER)

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        for name in self.headers:
            if key := request.headers.get(name, "").strip():
                return self.admit(request, key.encode("utf-8", "replace"))
        return super().authenticate(request)


class PredictionKey(TrainingKey):
    """`Prediction-Key`, or what trains: old programs have one field for both keys."""

    headers = ("Prediction-Key", EITHER, "Training-Key")
    scopes = (TokenScope.ALL, TokenScope.PREDICT)
