from common.errors import StudioError


class RegistrationClosed(StudioError):
    status = 403
    code = "registration_closed"
    detail = (
        "Registration is by invitation on this server. Ask the owner of a project for a link, or the operator for an "
        "account."
    )


class InvalidInvitation(StudioError):
    status = 400
    code = "invalid_invitation"
    detail = (
        "The invitation is wrong, has expired, was used, or who made it is no owner of the project any more. Ask an "
        "owner for another one."
    )


class WrongCredentials(StudioError):
    status = 401
    code = "wrong_credentials"
    detail = "The username or the password is wrong."


class ReadingToken(StudioError):
    status = 403
    code = "token_reads_only"
    detail = "This token reads only: make one that may change things with tokens/, or log in."


class PredictingToken(StudioError):
    status = 403
    code = "token_predicts_only"
    detail = "This token is for predictions only: make one that may do more with tokens/, or log in."


class InvalidEmailLink(StudioError):
    status = 400
    code = "invalid_email_link"
    detail = "The link is wrong, has expired or was used. Change the address again to get a new one."


class InvalidResetLink(StudioError):
    status = 400
    code = "invalid_reset_link"
    detail = "The reset link is wrong or has expired. Ask for a new one."
