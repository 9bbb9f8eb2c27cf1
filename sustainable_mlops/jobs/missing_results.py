"""Missing results of a completed job: a metric without a value, no model, or an empty output."""

import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.record import RunRecord

#: Size up to which an archive may have no file. The compressed tar of an empty folder has about 100 bytes.
_MAX_EMPTY_ARCHIVE = 1024
_NO_MODEL = "no model was saved: the script wrote no file to $SM_MODEL_DIR (/opt/ml/model)"


def list_warnings(record: RunRecord, request: Mapping[str, Any], s3: Client) -> list[str]:
    """Return a line for each missing result of a job that `request` started; none if the job did not complete."""
    if record.status != "Completed":
        return []
    warnings: list[str] = []
    try:
        with aws.translate_aws_errors("reading the results"):
            for warning in _find_missing_results(record, request, s3):
                warnings.append(warning)  # noqa: PERF402 - keep the warnings before an error
    except UserError as error:
        warnings.append(f"not all results were checked: {error}")
    return warnings


def _find_missing_results(record: RunRecord, request: Mapping[str, Any], s3: Client) -> Iterator[str]:
    kind = KINDS[record.kind]
    for name, pattern in kind.list_metric_patterns(request).items():
        if name not in record.metrics:
            yield (
                f"metric {name} has no value: no line of the log matches its pattern {pattern}; correct metrics in "
                "the job file, or print such a line"
            )
    if kind.saves_model and (warning := _check_model(record.model, s3)):
        yield warning
    for name, address in record.outputs.items():
        if not _has_content(address, s3):
            yield f"output {name} is empty: there is no file with content at {address}"


def _check_model(address: str | None, s3: Client) -> str | None:
    """Return a warning if the model has no object, or if its archive is empty or damaged. Reads small archives only."""
    size = aws.read_object_size(s3, address) if address is not None else None
    if address is not None and size is None:
        return (
            f"the model {address} {aws.ABSENT_OBJECT}; write the model to $SM_MODEL_DIR (/opt/ml/model) in the script"
        )
    if address is None or not size:
        return _NO_MODEL
    if size > _MAX_EMPTY_ARCHIVE:
        return None
    bucket, key = S3Uri.parse(address)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            return _NO_MODEL if all(member.isdir() for member in archive.getmembers()) else None
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        return f"the model archive cannot be read: {address}: {error}"


def _has_content(address: str, s3: Client) -> bool:
    bucket, prefix = S3Uri.parse(address)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return any(item["Size"] for page in pages for item in page.get("Contents", []))
