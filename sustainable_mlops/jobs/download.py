"""Download of a job's outputs."""

import os
from pathlib import Path

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError


def prepare_folder(folder: Path) -> None:
    """Create the folder of a download. Raises UserError if it is not writable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--download: {folder} cannot be created: {error.strerror}; pass another folder") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"--download: {folder} is not writable; pass another folder")


def download_files(address: str, folder: Path, s3: Client) -> list[Path]:
    """Download every object under the address to `folder` under its relative name; return the files.

    Raises UserError.
    """
    bucket, prefix = S3Uri.parse(address)
    paths: list[Path] = []
    with aws.translate_aws_errors(f"downloading {address}"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                if item["Key"].endswith("/"):
                    continue  # an empty object that stands for a folder
                path = folder / item["Key"].removeprefix(prefix).lstrip("/")
                if not path.resolve().is_relative_to(folder.resolve()):
                    raise UserError(
                        f"--download: the object {item['Key']} would be written outside {folder}, because its key "
                        "contains `..`; rename the object"
                    )
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    s3.download_file(bucket, item["Key"], str(path))
                except OSError as error:
                    raise UserError(
                        f"--download: {path} cannot be written: {error.strerror or error}; run the same command again, "
                        "or with another folder: it does not repeat the job"
                    ) from None
                paths.append(path)
    return paths
