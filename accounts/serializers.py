from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.emails import is_taken
from accounts.known import KnownFieldsOnly
from accounts.limits import limits_of
from accounts.models import EmailChange, Login, Token, TokenScope
from accounts.names import OneLineName, mixes_scripts
from accounts.preference_shapes import PreferencesField
from accounts.preferences import preferences_of
from accounts.services import looks_taken


class PasswordField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=128, trim_whitespace=False, write_only=True, style={"input_type": "password"}, **kwargs
        )


class UserSerializer(serializers.ModelSerializer):
    email = serializers.EmailField(read_only=True)
    pending_email = serializers.SerializerMethodField(help_text="An address that waits for its confirmation.")

    class Meta:
        model = User
        fields = ["id", "username", "email", "pending_email", "first_name", "last_name", "date_joined", "is_staff"]
        read_only_fields = ["id", "username", "date_joined", "is_staff"]

    @extend_schema_field({"type": ["string", "null"]})
    def get_pending_email(self, user: User) -> str | None:
        change = EmailChange.objects.filter(user=user.pk).first()
        return None if change is None else change.email


class ProfileChangeSerializer(KnownFieldsOnly, serializers.ModelSerializer):
    """Another mail address is used once it is confirmed: a mail with a link goes to it."""

    email = serializers.EmailField(required=False, max_length=254)
    current_password = PasswordField(required=False, help_text="Needed for another mail address.")
    preferences = PreferencesField(
        required=False, help_text="Changes by name; null removes one. Entries of `keys` change one by one."
    )

    class Meta:
        model = User
        fields = ["email", "first_name", "last_name", "current_password", "preferences"]

    def validate(self, attrs: dict) -> dict:
        password = attrs.pop("current_password", None)
        assert self.instance is not None
        if attrs.get("email", self.instance.email) == self.instance.email:
            attrs.pop("email", None)
        elif password is None or not self.instance.check_password(password):
            raise serializers.ValidationError(
                {"current_password": "Another mail address needs your current password."}, code="wrong_password"
            )
        return attrs


class LimitSerializer(serializers.Serializer):
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="null: no limit.")
    in_trash = serializers.IntegerField(
        required=False, help_text="What of `used` lies in the trash, and is free again once that is emptied."
    )


class SessionUserSerializer(UserSerializer):
    """The user, with what their clients keep."""

    preferences = serializers.SerializerMethodField(help_text="What clients keep here: theme, language, keys.")

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "preferences"]

    @extend_schema_field(PreferencesField())
    def get_preferences(self, user: User) -> dict:
        return preferences_of(user)


class MeSerializer(SessionUserSerializer):
    """The profile, for its user alone."""

    limits = serializers.SerializerMethodField(help_text="What you have, and may have, of what all users share.")

    class Meta(SessionUserSerializer.Meta):
        fields = [*SessionUserSerializer.Meta.fields, "limits"]

    @extend_schema_field(serializers.DictField(child=LimitSerializer()))
    def get_limits(self, user: User) -> dict:
        return limits_of(user)


def checked_password(password: str, user: User) -> str:
    """The password, when it keeps the rules. Raises a validation error with one code a broken rule."""
    try:
        validate_password(password, user)
    except DjangoValidationError as error:
        raise serializers.ValidationError(serializers.as_serializer_error(error)["non_field_errors"]) from error
    return password


def session_field() -> serializers.BooleanField:
    return serializers.BooleanField(
        default=False,
        help_text="Begin a browser session (a cookie) and make no token; unsafe requests then need the CSRF token.",
    )


class RegistrationSerializer(serializers.ModelSerializer):
    email = serializers.EmailField(max_length=254)
    password = PasswordField()
    session = session_field()
    invitation = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="The secret of an invitation link: you become a member of its project, also where registration is "
        "closed.",
    )

    class Meta:
        model = User
        fields = ["username", "email", "password", "session", "invitation"]

    def validate_username(self, value: str) -> str:
        value = User.normalize_username(value)
        if mixes_scripts(value):
            raise serializers.ValidationError(
                "The name mixes letters of different alphabets, which can be taken for another name.",
                code="mixed_scripts",
            )
        if looks_taken(value):
            raise serializers.ValidationError("This name is taken, or looks like one that is.", code="unique")
        return value

    def validate_email(self, value: str) -> str:
        if is_taken(value):
            raise serializers.ValidationError("This address is taken.", code="unique")
        return value

    def validate(self, attrs: dict) -> dict:
        user = User(username=attrs["username"], email=attrs["email"])
        try:
            checked_password(attrs["password"], user)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"password": error.detail}) from error
        return attrs


class LoginSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    password = PasswordField()
    session = session_field()


class LoginAnswerSerializer(serializers.Serializer):
    token = serializers.CharField(
        allow_null=True,
        help_text="Send it as `Authorization: Token …`. It is shown only here; null: a session was begun instead.",
    )
    expires_at = serializers.DateTimeField(allow_null=True)
    user = UserSerializer()


class LoginSessionSerializer(serializers.ModelSerializer):
    """One of your logins."""

    kind = serializers.SerializerMethodField(help_text="`token`: of a program; `session`: of a browser.")
    expires_at = serializers.DateTimeField(read_only=True, allow_null=True)
    is_current = serializers.SerializerMethodField(help_text="Whether this request came by it.")

    class Meta:
        model = Login
        fields = ["id", "kind", "user_agent", "created_at", "last_used_at", "expires_at", "is_current"]

    @extend_schema_field(serializers.ChoiceField(["token", "session"]))
    def get_kind(self, login: Login) -> str:
        return "token" if login.token_id is not None else "session"

    def get_is_current(self, login: Login) -> bool:
        return self.context["view"].is_current(login)


class PasswordChangeSerializer(serializers.Serializer):
    current_password = PasswordField()
    new_password = PasswordField()

    def validate_current_password(self, value: str) -> str:
        if not self.context["request"].user.check_password(value):
            raise serializers.ValidationError("This is not your current password.", code="wrong_password")
        return value

    def validate_new_password(self, value: str) -> str:
        return checked_password(value, self.context["request"].user)


class EmailConfirmSerializer(serializers.Serializer):
    token = serializers.CharField(max_length=100)


class PasswordResetSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254)


class PasswordResetConfirmSerializer(serializers.Serializer):
    uid = serializers.CharField(max_length=100)
    token = serializers.CharField(max_length=100)
    new_password = PasswordField()


class TokenSerializer(serializers.ModelSerializer):
    created_at = serializers.DateTimeField(source="created", read_only=True)
    expires_at = serializers.DateTimeField(source="expiry", read_only=True, allow_null=True)

    class Meta:
        model = Token
        fields = ["id", "name", "scope", "project", "created_at", "expires_at"]


class TokenRequestSerializer(KnownFieldsOnly, OneLineName, serializers.Serializer):
    name = serializers.CharField(max_length=100)
    expires_in_days = serializers.IntegerField(
        min_value=1, max_value=3650, allow_null=True, default=365, help_text="null: never expires."
    )
    scope = serializers.ChoiceField(
        TokenScope.choices,
        default=TokenScope.ALL,
        help_text="`read`: it may read, and change nothing. `predict`: it may ask published models for predictions, as "
        "the Prediction-Key of a program written for Azure Custom Vision, and nothing else.",
    )
    project = serializers.UUIDField(
        allow_null=True, default=None, help_text="Of a token for predictions: the only project that it is for."
    )


class NewTokenSerializer(TokenSerializer):
    token = serializers.SerializerMethodField()

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]

    @extend_schema_field(serializers.CharField(help_text="Shown only in this answer."))
    def get_token(self, instance: Token) -> str:
        return self.context["token"]
