"""Error responses of Application Auto Scaling."""

from sagemaker_sandbox.base.errors import ApiError


class ObjectNotFoundError(ApiError):
    """The target, policy or scheduled action does not exist."""

    code = "ObjectNotFoundException"


class NoSuchArnError(ApiError):
    """A tag operation names an ARN that is not the ARN of a target."""

    code = "ResourceNotFoundException"


class LimitExceededError(ApiError):
    """A quota is exceeded."""

    code = "LimitExceededException"


class InvalidNextTokenError(ApiError):
    """The pagination token is invalid."""

    code = "InvalidNextTokenException"

    def __init__(self) -> None:
        super().__init__("The next token supplied is invalid.")


class TooManyTagsError(ApiError):
    """The limit of fifty tags of a target is exceeded."""

    code = "TooManyTagsException"
