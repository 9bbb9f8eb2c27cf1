"""Inputs from S3: objects under a prefix or in a manifest, all of them or the shard of one instance."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sagemaker_sandbox.jobs.runtime.s3 import S3, resolve_inside, translate_s3_errors
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError


@dataclass(frozen=True)
class S3Input:
    """Objects in S3 to download as files. `field` is the request field for error messages."""

    field: str
    address: S3Uri
    is_manifest: bool = False
    is_sharded: bool = False

    @classmethod
    def from_source(cls, source: Mapping[str, Any], field: str, mode: str = "File") -> "S3Input":
        """Build an input from an S3DataSource or S3Input; raise UserError if the sandbox does not support it.

        FastFile, which streams objects on access, is emulated by a download.
        """
        kind = source["S3DataType"]
        if mode == "Pipe":
            raise UserError(f"{field}: input mode Pipe does not run in the sandbox; use File or FastFile")
        if kind not in ("S3Prefix", "ManifestFile"):
            raise UserError(f"{field}: the sandbox cannot read S3DataType {kind}; use S3Prefix or ManifestFile")
        return cls(
            field,
            S3Uri.parse(source["S3Uri"], f"{field}: S3Uri"),
            is_manifest=kind == "ManifestFile",
            is_sharded=source.get("S3DataDistributionType") == "ShardedByS3Key",
        )

    def list_objects(self, s3: S3, instance: int = 0, instances: int = 1) -> list[tuple[S3Uri, str]]:
        """Return addresses and file names of the objects for one instance, by key.

        ShardedByS3Key assigns the keys to the instances in turn. Raises UserError with the message of SageMaker if
        there are no objects.
        """
        with translate_s3_errors("Data download", f"{self.address} of {self.field}"):
            objects = list(self._read_manifest(s3) if self.is_manifest else self._list_prefix(s3))
        if not objects:
            raise UserError(
                f"Data download failed:NoSuchKey (404): No S3 objects found under S3 URL {str(self.address)!r} "
                f"given in {self.field}; put the data there or correct S3Uri"
            )
        return objects[instance::instances] if self.is_sharded else objects

    def download(self, s3: S3, folder: Path, instance: int = 0, instances: int = 1) -> None:
        """Download the objects of one instance to `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for address, name in self.list_objects(s3, instance, instances):
            with translate_s3_errors("Data download", f"{address} of {self.field}"):
                s3.download(address, resolve_inside(folder, name))

    def _list_prefix(self, s3: S3) -> Iterator[tuple[S3Uri, str]]:
        for key in s3.list_keys(self.address):
            if not key.endswith("/"):  # skip folder markers of the console
                yield S3Uri(self.address.bucket, key), _get_file_name(key, self.address.key)

    def _read_manifest(self, s3: S3) -> Iterator[tuple[S3Uri, str]]:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "manifest"
            s3.download(self.address, file)
            try:
                first, *names = json.loads(file.read_bytes())
                prefix = S3Uri.parse(first["prefix"], f"{self.field}: prefix of the manifest")
                if not all(isinstance(name, str) for name in names):
                    raise TypeError
            except (ValueError, TypeError, KeyError):
                raise UserError(
                    f'{self.field}: manifest {self.address} is not a JSON list of {{"prefix": "s3://…"}} and names of '
                    "objects under it"
                ) from None
        for name in sorted(names):
            yield S3Uri(prefix.bucket, prefix.key + name), name


def _get_file_name(key: str, prefix: str) -> str:
    """Return the file name: relative to the prefix if that is a folder, else relative to its parent folder."""
    tail = key[len(prefix) :]
    if not prefix or prefix.endswith("/") or tail.startswith("/"):
        return tail.lstrip("/")
    return key[prefix.rfind("/") + 1 :]
