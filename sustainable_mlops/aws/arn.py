"""ARNs: their parts. Standard library only, because the rules use this module.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from typing import NamedTuple


class Arn(NamedTuple):
    """Parts of `arn:partition:service:region:account:resource`. The Region and the account may be empty."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse_or_none(cls, text: str) -> "Arn | None":
        """Parse an ARN; return None for any other text."""
        start, *parts = text.split(":", len(cls._fields))
        return cls(*parts) if start == "arn" and len(parts) == len(cls._fields) else None

    @classmethod
    def parse(cls, text: str) -> "Arn":
        """Parse an ARN. Raises ValueError for any other text."""
        arn = cls.parse_or_none(text)
        if arn is None:
            raise ValueError(f"{text!r} is not an ARN")
        return arn

    @property
    def name(self) -> str:
        """Last part of the resource's path, such as `churn` of `endpoint/churn`."""
        return self.resource.rpartition("/")[2]

    def __str__(self) -> str:
        return ":".join(("arn", *self))
