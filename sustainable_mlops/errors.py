"""The one kind of error a person is meant to read."""


class UserError(Exception):
    """Bad input or a missing tool: one line that says what, where and what to do. Commands exit 2 on it.

    `remedy` are shell commands that put it right, one after the other; a command prints them after the line.
    """

    def __init__(self, message: str, *remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy
