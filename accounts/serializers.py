from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from accounts.limits import limits_of
from accounts.models import Token

User = get_user_model()


def unique_address() -> UniqueValidator:
    return UniqueValidator(User.objects.all(), lookup="iexact", message="This address is taken.")


class UserSerializer(serializers.ModelSerializer):
    email = serializers.EmailField(required=False, max_length=254, validators=[unique_address()])

    class Meta:
        model = User
        fields = ["id", "username", "email", "first_name", "last_name", "date_joined"]
        read_only_fields = ["id", "username", "date_joined"]


class LimitSerializer(serializers.Serializer):
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="null: no limit.")


class MeSerializer(UserSerializer):
    """The profile, for its user alone."""

    limits = serializers.SerializerMethodField(help_text="What you have, and may have, of what all users share.")

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "limits"]

    @extend_schema_field(serializers.DictField(child=LimitSerializer()))
    def get_limits(self, user) -> dict:
        return limits_of(user)


def checked_password(password: str, user) -> str:
    """The password, when it keeps the rules. Raises a validation error with one code a broken rule."""
    try:
        validate_password(password, user)
    except DjangoValidationError as error:
        raise serializers.ValidationError(serializers.as_serializer_error(error)["non_field_errors"]) from error
    return password


class PasswordField(serializers.CharField):
    def __init__(self, **kwargs) -> None:
        super().__init__(
            max_length=128, trim_whitespace=False, write_only=True, style={"input_type": "password"}, **kwargs
        )


class RegistrationSerializer(serializers.ModelSerializer):
    email = serializers.EmailField(max_length=254, validators=[unique_address()])
    password = PasswordField()

    class Meta:
        model = User
        fields = ["username", "email", "password"]

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
    session = serializers.BooleanField(
        default=False, help_text="Start a browser session (cookie) as well; unsafe requests then need the CSRF token."
    )


class LoginAnswerSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="Send it as `Authorization: Token …`. It is shown only here.")
    expires_at = serializers.DateTimeField(allow_null=True)
    user = UserSerializer()


class PasswordChangeSerializer(serializers.Serializer):
    current_password = PasswordField()
    new_password = PasswordField()

    def validate_current_password(self, value: str) -> str:
        if not self.context["request"].user.check_password(value):
            raise serializers.ValidationError("This is not your current password.", code="wrong_password")
        return value

    def validate_new_password(self, value: str) -> str:
        return checked_password(value, self.context["request"].user)


class PasswordResetSerializer(serializers.Serializer):
    email = serializers.EmailField()


class PasswordResetConfirmSerializer(serializers.Serializer):
    uid = serializers.CharField(max_length=100)
    token = serializers.CharField(max_length=100)
    new_password = PasswordField()


class TokenSerializer(serializers.ModelSerializer):
    created_at = serializers.DateTimeField(source="created", read_only=True)
    expires_at = serializers.DateTimeField(source="expiry", read_only=True, allow_null=True)

    class Meta:
        model = Token
        fields = ["id", "name", "created_at", "expires_at"]


class TokenRequestSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=100)
    expires_in_days = serializers.IntegerField(
        min_value=1, max_value=3650, allow_null=True, default=365, help_text="null: never expires."
    )


class NewTokenSerializer(TokenSerializer):
    token = serializers.SerializerMethodField()

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]

    @extend_schema_field(serializers.CharField(help_text="Shown only in this answer."))
    def get_token(self, instance: Token) -> str:
        return self.context["token"]
