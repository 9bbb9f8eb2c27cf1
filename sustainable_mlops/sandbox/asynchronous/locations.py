"""Where an asynchronous request's input is in S3, and where its answer or its failure goes."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.sandbox.parts.resources import Fields

#: S3's host names: with the bucket before them, or at the beginning of the path.
_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?")


def address(text: str) -> S3Uri | None:
    """The address in S3 that an `s3://` or `https://` URI names; None for any other."""
    if not text.startswith("https://"):
        return S3Uri.read(text)
    parts = urlsplit(text)
    host = _HOST.fullmatch(parts.hostname or "")
    if host is None:
        return None
    path = unquote(parts.path).lstrip("/")
    bucket, _, key = (host["bucket"], "", path) if host["bucket"] else path.partition("/")
    return S3Uri(bucket, key) if bucket else None


def of_answer(output: Fields, asked: Fields, inference_id: str) -> tuple[str | None, str | None]:
    """Where the answer goes, and where a failure does, by the endpoint's OutputConfig and the request.

    AWS documents the name that follows from the inference id, and the extension for answers; that of a failure is as
    seen there, and the extension is assumed to count for it too.
    """
    name = PurePosixPath(asked.get("Filename") or f"{inference_id}.out")
    extension = asked.get("S3OutputPathExtension", "").strip("/")
    failed = f"{name.stem}-error{name.suffix}"
    return _under(output.get("S3OutputPath"), extension, str(name)), _under(
        output.get("S3FailurePath"), extension, failed
    )


def _under(path: str | None, *names: str) -> str | None:
    return "/".join([path.rstrip("/"), *filter(None, names)]) if path else None
