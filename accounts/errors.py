from rest_framework.exceptions import APIException


class RegistrationClosed(APIException):
    status_code = 403
    default_code = "registration_closed"
    default_detail = (
        "Registration is by invitation on this server. Ask the owner of a project for a link, or the operator for an "
        "account."
    )


class InvalidInvitation(APIException):
    status_code = 400
    default_code = "invalid_invitation"
    default_detail = (
        "The invitation is wrong, has expired, was used, or who made it is no owner of the project any more. Ask an "
        "owner for another one."
    )


class WrongCredentials(APIException):
    status_code = 401
    default_code = "wrong_credentials"
    default_detail = "The username or the password is wrong."


class ReadingToken(APIException):
    status_code = 403
    default_code = "token_reads_only"
    default_detail = "This token reads only: make one that may change things with tokens/, or log in."


class InvalidEmailLink(APIException):
    status_code = 400
    default_code = "invalid_email_link"
    default_detail = "The link is wrong, has expired or was used. Change the address again to get a new one."


class InvalidResetLink(APIException):
    status_code = 400
    default_code = "invalid_reset_link"
    default_detail = "The reset link is wrong or has expired. Ask for a new one."
