"""Errors of built-in algorithms that the caller can correct."""


class ClientError(Exception):
    """Invalid hyperparameters or data. A training job fails with this message, an invocation with `status_code`."""

    def __init__(self, message: str, status_code: int = 400) -> None:
        super().__init__(message)
        self.status_code = status_code
