"""Errors of the toolkit."""


class ClientError(Exception):
    """Error that the caller can correct."""


class UnsupportedFormatError(Exception):
    """Content type without an encoder."""

    def __init__(self, content_type: str) -> None:
        super().__init__(f"Content type {content_type} is not supported by this framework.")
