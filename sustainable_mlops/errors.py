"""The one kind of error a person is meant to read."""


class UserError(Exception):
    """Bad input or a missing tool: one line that says what, where and what to do. Commands exit 2 on it."""
