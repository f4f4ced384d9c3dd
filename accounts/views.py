from __future__ import annotations

from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts import emails, logins, serializers, services, throttles
from accounts.models import Login, Token, TokenKind
from accounts.preferences import change_preferences
from common.requests import AuthenticatedRequest

NOTHING = OpenApiResponse(description="Done.")


def _validated(serializer_class: type[Serializer], request: Request) -> dict:
    serializer = serializer_class(data=request.data, context={"request": request})
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def begin_login(request: Request, user: User, *, session: bool) -> dict:
    """A session for browsers, which never see a token; a token for programs."""
    if session:
        login(request._request, user)
        secret, expires_at = None, request._request.session.get_expiry_date()
    else:
        token, secret = services.issue_login_token(user=user, user_agent=logins.user_agent_of(request._request))
        expires_at = token.expiry
    return {"token": secret, "expires_at": expires_at, "user": serializers.UserSerializer(user).data}


class RegisterView(APIView):
    """Make an account. The answer logs you in."""

    permission_classes = [AllowAny]
    authentication_classes: list = []
    throttle_classes = [throttles.RegistrationThrottle]

    @extend_schema(request=serializers.RegistrationSerializer, responses={201: serializers.LoginAnswerSerializer})
    def post(self, request: Request) -> Response:
        services.require_registration(invitation=throttles.text_of(request, "invitation"))
        data = _validated(serializers.RegistrationSerializer, request)
        session = data.pop("session")
        user = services.register(**data)
        return Response(begin_login(request, user, session=session), status=status.HTTP_201_CREATED)


class LoginView(throttles.ForgivesSuccess, APIView):
    """Log in with a user name and a password: by a token, or in a browser by a session."""

    permission_classes = [AllowAny]
    authentication_classes: list = []
    throttle_classes = throttles.LOGIN

    @extend_schema(request=serializers.LoginSerializer, responses=serializers.LoginAnswerSerializer)
    def post(self, request: Request) -> Response:
        data = _validated(serializers.LoginSerializer, request)
        user = services.log_in(request=request._request, username=data["username"], password=data["password"])
        return Response(begin_login(request, user, session=data["session"]))


class LogoutView(APIView):
    """End this login: the token that was sent, or the session."""

    @extend_schema(request=None, responses={204: NOTHING})
    def post(self, request: Request) -> Response:
        if isinstance(request.auth, Token):
            request.auth.delete()
        else:
            logins.forget_session(request._request)
            logout(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutAllView(APIView):
    """End every login of yours, on every machine. Personal tokens stay."""

    @extend_schema(request=None, responses={204: NOTHING})
    def post(self, request: AuthenticatedRequest) -> Response:
        services.log_out_everywhere(user=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordResetView(APIView):
    """Ask for a mail with a reset link. The answer is the same whether the address is known or not."""

    permission_classes = [AllowAny]
    authentication_classes: list = []
    throttle_classes = [throttles.PasswordResetThrottle, throttles.PasswordResetMailThrottle]

    @extend_schema(request=serializers.PasswordResetSerializer, responses={202: NOTHING})
    def post(self, request: Request) -> Response:
        services.send_password_reset(**_validated(serializers.PasswordResetSerializer, request))
        return Response(status=status.HTTP_202_ACCEPTED)


class PasswordResetConfirmView(throttles.ForgivesSuccess, APIView):
    """Set a new password with what the mail's link holds.

    Logins, sessions and personal tokens end; a mail lists the tokens.
    """

    permission_classes = [AllowAny]
    authentication_classes: list = []
    throttle_classes = [throttles.ResetConfirmThrottle, throttles.ResetConfirmAccountThrottle]

    @extend_schema(request=serializers.PasswordResetConfirmSerializer, responses={204: NOTHING})
    def post(self, request: Request) -> Response:
        data = _validated(serializers.PasswordResetConfirmSerializer, request)
        user = services.user_of_reset_link(uid=data["uid"], token=data["token"])
        password = serializers.checked_password(data["new_password"], user)
        services.reset_password(user=user, new_password=password)
        return Response(status=status.HTTP_204_NO_CONTENT)


class EmailConfirmView(APIView):
    """Use a new mail address, with what the mail to it holds."""

    permission_classes = [AllowAny]
    authentication_classes: list = []
    throttle_classes = [throttles.EmailConfirmThrottle]

    @extend_schema(request=serializers.EmailConfirmSerializer, responses={204: NOTHING})
    def post(self, request: Request) -> Response:
        emails.confirm_change(**_validated(serializers.EmailConfirmSerializer, request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(throttles.ForgivesSuccess, APIView):
    """Your profile."""

    throttle_classes = [throttles.OwnPasswordThrottle]

    def get_throttles(self) -> list[BaseThrottle]:
        """Another address is a guess of the password, which a success takes back, and a mail to somebody."""
        if self.request.method != "PATCH" or not throttles.field_of(self.request, "email"):
            return []
        return [throttles.EmailChangeThrottle(), *super().get_throttles()]

    @extend_schema(responses=serializers.MeSerializer)
    def get(self, request: AuthenticatedRequest) -> Response:
        """Who you are, and what you may have of what all users share."""
        return Response(serializers.MeSerializer(request.user).data)

    @extend_schema(request=serializers.ProfileChangeSerializer(partial=True), responses=serializers.MeSerializer)
    def patch(self, request: AuthenticatedRequest) -> Response:
        """Change your profile. Another mail address needs your password, and is used once it is confirmed by mail."""
        serializer = serializers.ProfileChangeSerializer(request.user, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        email = serializer.validated_data.pop("email", None)
        changes = serializer.validated_data.pop("preferences", None)
        if changes is not None:
            change_preferences(user=request.user, changes=changes)
        serializer.save()
        if email is not None:
            emails.request_change(user=request.user, email=email)
        return Response(serializers.MeSerializer(request.user).data)

    @extend_schema(responses={204: NOTHING}, description="Delete your account and the projects that only you have.")
    def delete(self, request: AuthenticatedRequest) -> Response:
        services.delete_account(user=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordView(throttles.ForgivesSuccess, APIView):
    """Change your password. Other logins end, this one stays."""

    throttle_classes = [throttles.OwnPasswordThrottle]

    @extend_schema(request=serializers.PasswordChangeSerializer, responses={204: NOTHING})
    def post(self, request: AuthenticatedRequest) -> Response:
        data = _validated(serializers.PasswordChangeSerializer, request)
        token = request.auth if isinstance(request.auth, Token) else None
        key = None if token is not None else request._request.session.session_key
        services.change_password(
            user=request.user, new_password=data["new_password"], keep_token=token, keep_session=key
        )
        if token is None:
            logins.keep_session(request._request, request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokenViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """Personal tokens for scripts."""

    queryset = Token.objects.none()
    serializer_class = serializers.TokenSerializer
    lookup_field = "id"
    lookup_value_converter = "uuid"

    def get_throttles(self) -> list[BaseThrottle]:
        return [throttles.NewTokenThrottle()] if self.action == "create" else []

    def get_queryset(self) -> QuerySet:
        return Token.objects.filter(user=self.request.user, kind=TokenKind.PERSONAL)

    @extend_schema(request=serializers.TokenRequestSerializer, responses={201: serializers.NewTokenSerializer})
    def create(self, request: AuthenticatedRequest) -> Response:
        data = _validated(serializers.TokenRequestSerializer, request)
        token, secret = services.issue_personal_token(user=request.user, **data)
        answer = serializers.NewTokenSerializer(token, context={"token": secret})
        return Response(answer.data, status=status.HTTP_201_CREATED)


class LoginViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """Your logins, on every machine; personal tokens are in `tokens/`."""

    request: AuthenticatedRequest

    queryset = Login.objects.none()
    serializer_class = serializers.LoginSessionSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet:
        return logins.logins_of(self.request.user)

    def is_current(self, login: Login) -> bool:
        if isinstance(self.request.auth, Token):
            return login.token_id == self.request.auth.pk
        key = self.request._request.session.session_key
        return key is not None and login.session_key == key

    def perform_destroy(self, instance: Login) -> None:
        """End one: what came by it is let in no more."""
        logins.end_login(instance)
