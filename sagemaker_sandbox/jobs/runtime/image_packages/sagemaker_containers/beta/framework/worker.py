"""Responses of inference functions."""

from typing import Any

from flask import Response as FlaskResponse


class Response(FlaskResponse):
    """HTTP response with the content type `accept` or `mimetype`."""

    def __init__(
        self, response: Any = None, accept: str | None = None, status: int = 200, mimetype: str | None = None
    ) -> None:
        super().__init__(response, status=status, content_type=accept or mimetype)
