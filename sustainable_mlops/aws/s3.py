"""S3 addresses, `s3://bucket/key`. Standard library only, because the rules use this module."""

from typing import NamedTuple
from urllib.parse import unquote

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.lazy_pattern import LazyPattern

SCHEME = "s3://"
#: Pattern before the bucket's name in an address or an ARN.
_BEFORE = r"(?:s3://|arn:[a-z-]+:s3:::)"
_BUCKET = LazyPattern(_BEFORE + r"([^/]+)")
_ANYWHERE = LazyPattern(_BEFORE + r"([a-z0-9][a-z0-9.-]+)")
#: Pattern of an https address, with the bucket in the host name or in the path.
_OVER_HTTPS = LazyPattern(
    r"https://(?:(?P<host>[^/]+?)\.)?s3(?:-fips|-accelerate)?(?:[.-]dualstack)?(?:[.-][a-z0-9-]+)?"
    r"\.(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu)/(?P<path>.*)"
)


class S3Uri(NamedTuple):
    """Address `s3://bucket/key`; `key` can be a prefix or empty."""

    bucket: str
    key: str

    @classmethod
    def parse_or_none(cls, text: str) -> "S3Uri | None":
        """Parse an address; return None for any other text."""
        bucket, _, key = text.removeprefix(SCHEME).partition("/")
        return cls(bucket, key) if is_s3(text) and bucket else None

    @classmethod
    def parse_url(cls, text: str) -> "S3Uri | None":
        """Parse an s3:// or https:// address of S3, as SageMaker accepts both; return None for any other text."""
        over_https = _OVER_HTTPS.fullmatch(text)
        if over_https is None:
            return cls.parse_or_none(text)
        host, path = over_https["host"], unquote(over_https["path"])
        return cls(host, path) if host else cls.parse_or_none(SCHEME + path)

    @classmethod
    def parse(cls, text: str, field: str = "address") -> "S3Uri":
        """Parse an address. Raises UserError with the name of the `field` for any other text."""
        address = cls.parse_or_none(text)
        if address is None:
            raise UserError(f"{field}: {text!r} is not an S3 address; write s3://bucket/prefix")
        return address

    def __truediv__(self, name: str) -> "S3Uri":
        return S3Uri(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


def is_s3(text: str) -> bool:
    """Return whether `text` starts like an S3 address."""
    return text.startswith(SCHEME)


def find_bucket(text: str) -> str | None:
    """Return the bucket of an S3 address or ARN; None for any other text."""
    match = _BUCKET.match(text)
    return match[1] if match else None


def find_buckets(text: str) -> list[str]:
    """Return the buckets of all S3 addresses and ARNs in `text`, such as a policy document."""
    return _ANYWHERE.findall(text) if "s3:" in text else []
