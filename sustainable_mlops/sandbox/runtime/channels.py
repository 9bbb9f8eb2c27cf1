"""InputDataConfig: downloads each channel's data to input/data/<channel>."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.sandbox.runtime.s3 import S3, failure, inside


def check(channel: Mapping[str, Any]) -> None:
    """Raise UserError for a channel that cannot be had here."""
    field = f"InputDataConfig channel {channel['ChannelName']}"
    source = channel.get("DataSource", {}).get("S3DataSource")
    if source is None:
        raise UserError(f"{field}: the sandbox reads data from S3 only; give DataSource.S3DataSource")
    if source["S3DataType"] != "S3Prefix":
        raise UserError(f"{field}: the sandbox cannot read S3DataType {source['S3DataType']}; use S3Prefix")
    S3Uri.parse(source["S3Uri"], f"{field}: S3Uri")


def download(s3: S3, channel: Mapping[str, Any], folder: Path) -> None:
    """Download all objects under the channel's prefix. FastFile mode, which streams them, is served the same way.

    Raises UserError in SageMaker's words where there are none.
    """
    field = f"InputDataConfig channel {channel['ChannelName']}"
    prefix = S3Uri.parse(channel["DataSource"]["S3DataSource"]["S3Uri"], f"{field}: S3Uri")
    folder.mkdir(parents=True)
    found = False
    with failure("Data download", f"{prefix} of channel {channel['ChannelName']}"):
        for key in s3.keys(prefix):
            s3.download(S3Uri(prefix.bucket, key), inside(folder, _name(key, prefix.key)))
            found = True
    if not found:
        raise UserError(
            f"Data download failed:NoSuchKey (404): No S3 objects found under S3 URL {str(prefix)!r} "
            f"given in {field}; put the data there or correct S3Uri"
        )


def _name(key: str, prefix: str) -> str:
    """A file's name in the channel: relative to the prefix where that is a folder, else to the folder it is in."""
    rest = key[len(prefix) :]
    if not prefix or prefix.endswith("/") or rest.startswith("/"):
        return rest.lstrip("/")
    return key[prefix.rfind("/") + 1 :]
