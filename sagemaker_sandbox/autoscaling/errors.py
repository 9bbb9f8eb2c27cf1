"""The ways Application Auto Scaling says no, with its own codes."""

from sagemaker_sandbox.errors import ApiError


class ObjectNotFoundError(ApiError):
    """The target, policy or scheduled action is not there."""

    code = "ObjectNotFoundException"


class NoSuchArnError(ApiError):
    """Tags are asked of an ARN that is no target's."""

    code = "ResourceNotFoundException"


class LimitExceededError(ApiError):
    """More than a quota allows."""

    code = "LimitExceededException"


class InvalidNextTokenError(ApiError):
    """A token that no answer has given."""

    code = "InvalidNextTokenException"

    def __init__(self) -> None:
        super().__init__("The next token supplied is invalid.")


class TooManyTagsError(ApiError):
    """A target has at most fifty."""

    code = "TooManyTagsException"
