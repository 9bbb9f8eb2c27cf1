"""State of Data Exports: the exports of each account and their executions, in a backend of moto's form."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.resources.resources import Fields

#: Region of all exports. Source: Data Exports API reference, "Welcome": the service has one endpoint.
REGION = "us-east-1"
SERVICE = "bcm-data-exports"


class ExportNotFoundError(ApiError):
    """An export that does not exist."""

    code = "ResourceNotFoundException"


@dataclass
class ExportExecution:
    """One refresh of an export. `definition` is the export's definition at that time."""

    id: str
    definition: Fields
    status: Fields


@dataclass
class DataExport:
    """An export: its definition as in requests, and its executions.

    `status` has the times of the last changes.
    """

    arn: str
    account: str
    definition: Fields
    status: Fields
    next_refresh: datetime
    tags: dict[str, str] = field(default_factory=dict)
    executions: list[ExportExecution] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the export."""
        return str(self.definition["Name"])


class DataExportsBackend(BaseBackend):  # type: ignore[misc]  # moto has no types here
    """Exports of one account by ARN."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.exports: dict[str, DataExport] = {}

    def build_arn(self, name: str) -> str:
        """Return the ARN of a new export."""
        return f"arn:aws:{SERVICE}:{REGION}:{self.account_id}:export/{name}-{uuid.uuid4()}"

    def get(self, arn: str) -> DataExport:
        """Return an export. Raises ExportNotFoundError."""
        if arn not in self.exports:
            raise ExportNotFoundError(f"Export {arn} does not exist.", ResourceId=arn, ResourceType="export")
        return self.exports[arn]


#: Backends by account. The second key is moto's name of a partition.
BACKENDS: Any = BackendDict(DataExportsBackend, SERVICE, use_boto3_regions=False, additional_regions=["aws"])


def get_account(account: str) -> DataExportsBackend:
    """Return the exports of an account."""
    backend: DataExportsBackend = BACKENDS[account]["aws"]
    return backend


def list_exports() -> Iterator[DataExport]:
    """Yield the exports of all accounts."""
    for _, _, backend in list(BACKENDS.iter_backends()):
        yield from list(backend.exports.values())
