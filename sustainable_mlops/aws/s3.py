"""S3 addresses, `s3://bucket/key`. Standard library only, for the rules' sake."""

import re
from typing import NamedTuple
from urllib.parse import unquote

from sustainable_mlops.errors import UserError

SCHEME = "s3://"
#: What stands before a bucket's name in an address or an ARN.
_BEFORE = r"(?:s3://|arn:[a-z-]+:s3:::)"
_NAMED = re.compile(_BEFORE + r"([^/]+)")
_ANYWHERE = re.compile(_BEFORE + r"([a-z0-9][a-z0-9.-]+)")
#: The bucket before S3's own name, or first in the path.
_OVER_HTTPS = re.compile(
    r"https://(?:(?P<host>[^/]+?)\.)?s3(?:-fips|-accelerate)?(?:[.-]dualstack)?(?:[.-][a-z0-9-]+)?"
    r"\.(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu)/(?P<path>.*)"
)


class S3Uri(NamedTuple):
    """An address `s3://bucket/key`; `key` may be a prefix or empty."""

    bucket: str
    key: str

    @classmethod
    def read(cls, text: str) -> "S3Uri | None":
        """The address that `text` is; None for any other text."""
        bucket, _, key = text.removeprefix(SCHEME).partition("/")
        return cls(bucket, key) if is_s3(text) and bucket else None

    @classmethod
    def of_url(cls, text: str) -> "S3Uri | None":
        """As `read`, and the https address of what lies in S3 too, as SageMaker takes both."""
        over_https = _OVER_HTTPS.fullmatch(text)
        if over_https is None:
            return cls.read(text)
        host, path = over_https["host"], unquote(over_https["path"])
        return cls(host, path) if host else cls.read(SCHEME + path)

    @classmethod
    def parse(cls, text: str, field: str = "address") -> "S3Uri":
        """The address that `text` is. Raises UserError naming the `field` that it stands in."""
        found = cls.read(text)
        if found is None:
            raise UserError(f"{field}: {text!r} is not an S3 address; write s3://bucket/prefix")
        return found

    def __truediv__(self, name: str) -> "S3Uri":
        return S3Uri(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


def is_s3(text: str) -> bool:
    """Whether `text` is meant as an S3 address."""
    return text.startswith(SCHEME)


def bucket_of(text: str) -> str | None:
    """The bucket of an address or an ARN in S3; None for any other text."""
    match = _NAMED.match(text)
    return match[1] if match else None


def buckets_in(text: str) -> list[str]:
    """The buckets of all addresses and ARNs that stand in `text`, such as a policy document."""
    return _ANYWHERE.findall(text)
