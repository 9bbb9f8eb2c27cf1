"""Delivery of exports to S3: one Parquet or CSV file for each month, and a manifest."""

import csv
import gzip
import io
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from sagemaker_sandbox.base.clock import TICK
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.base.request_gate import RequestGate
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.carbon.ledger import MODEL_VERSION, LedgerRow
from sagemaker_sandbox.services.carbon.months import find_next_publication
from sagemaker_sandbox.services.carbon.operations import DECIMALS, EMISSIONS
from sagemaker_sandbox.services.dataexports import exports
from sagemaker_sandbox.services.dataexports.destinations import build_folder, check_destination
from sagemaker_sandbox.services.dataexports.exports import DataExport, ExportExecution
from sagemaker_sandbox.services.dataexports.queries import SelectedColumn, parse_query
from sustainable_mlops.catalogue import regions

Row = dict[str, Any]

#: Partitions as in exports of real accounts. The user guide, "Carbon emissions", names the first `model_version`.
_PARTITION = "carbon_model_version={version}/usage_period={month}"


class ExportDeliveries:
    """Task of the clock that refreshes exports after a change and with each publication of emissions."""

    def __init__(self, context: SandboxContext, gate: RequestGate, list_rows: Callable[[str], list[LedgerRow]]) -> None:
        self._context = context
        self._gate = gate
        self._list_rows = list_rows
        context.clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """Return the moment of the first refresh."""
        moments = [max(export.next_refresh, after + TICK) for export in exports.list_exports()]
        return min(moments, default=None)

    def run_due(self, moment: datetime) -> None:
        """Refresh the exports that are due."""
        for export in exports.list_exports():
            if export.next_refresh <= moment:
                self._refresh(export, moment)

    def _refresh(self, export: DataExport, moment: datetime) -> None:
        """Deliver an export, and record the execution. S3's requests pass the gate, so this thread must not hold it."""
        execution_id, definition = str(uuid.uuid4()), export.definition
        try:
            check_destination(export.account, export.arn, definition)
            self._write(export.account, definition, execution_id, moment)
            status, reason = "DELIVERY_SUCCESS", None
        except (ApiError, ClientError):
            status, reason = "DELIVERY_FAILURE", "INSUFFICIENT_PERMISSION"
        reason_member = {"StatusReason": reason} if reason else {}
        times = {"CreatedAt": moment, "CompletedAt": moment, "LastUpdatedAt": moment}
        execution = ExportExecution(execution_id, definition, {"StatusCode": status} | reason_member | times)
        healthy = {"StatusCode": "HEALTHY", "LastRefreshedAt": moment}
        known_times = {name: export.status[name] for name in export.status if name.endswith("At")}
        with self._gate.enter_shared():
            export.executions.append(execution)
            export.status = known_times | ({"StatusCode": "UNHEALTHY"} | reason_member if reason else healthy)
            export.next_refresh = find_next_publication(moment)

    def _write(self, account: str, definition: Fields, execution_id: str, moment: datetime) -> None:
        """Write the files of each month. Raises ClientError."""
        destination = definition["DestinationConfigurations"]["S3Destination"]
        output, columns = (
            destination["S3OutputConfigurations"],
            parse_query(definition["DataQuery"]["QueryStatement"]).columns,
        )
        s3 = self._context.client("s3", destination["S3Region"], account)
        for month, rows in _group_by_month(self._list_rows(account)):
            partition = _PARTITION.format(version=MODEL_VERSION, month=month)
            folder = build_folder(definition)
            versions = [] if output["Overwrite"] == "OVERWRITE_REPORT" else [execution_id]
            data_folder = "/".join([folder, "data", partition, *versions])
            suffix = ".snappy.parquet" if output["Format"] == "PARQUET" else ".csv.gz"
            key = f"{data_folder}/{definition['Name']}-00001{suffix}"
            values = [_build_row(row, columns, moment) for row in rows]
            body = (_build_parquet if output["Format"] == "PARQUET" else _build_csv)(columns, values)
            s3.put_object(Bucket=destination["S3Bucket"], Key=key, Body=body)
            manifest = {
                "executionId": execution_id,
                "dataFiles": [f"s3://{destination['S3Bucket']}/{key}"],
                "columns": [column.name for column in columns],
            }
            name = f"{definition['Name']}-Manifest.json"
            manifest_key = "/".join([folder, "metadata", partition, *versions, name])
            s3.put_object(Bucket=destination["S3Bucket"], Key=manifest_key, Body=json.dumps(manifest).encode())


def _group_by_month(rows: Iterable[LedgerRow]) -> Iterator[tuple[str, list[LedgerRow]]]:
    months: dict[str, list[LedgerRow]] = {}
    for row in rows:
        months.setdefault(str(row.month), []).append(row)
    yield from months.items()


def _build_row(row: LedgerRow, columns: Iterable[SelectedColumn], moment: datetime) -> Row:
    """Return the values of the selected columns."""
    region = regions.find(row.region)
    values: Row = {
        "last_refresh_timestamp": moment,
        "location": row.region if region is None else region.location,
        "model_version": MODEL_VERSION,
        "payer_account_id": row.account,
        "product_code": row.service,
        "region_code": row.region,
        "usage_account_id": row.account,
        "usage_period_start": row.month.start,
        "usage_period_end": row.month.end,
    }
    for name, compute_value in EMISSIONS.items():
        subject = name.lower().removesuffix("_carbon_emissions")
        values[f"{subject}_emissions_value"] = round(compute_value(row), DECIMALS)
        values[f"{subject}_emissions_unit"] = "MTCO2e"
    return {selected.name: values[selected.column.name] for selected in columns}


def _build_parquet(columns: Iterable[SelectedColumn], rows: list[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"string": pa.string(), "double": pa.float64(), "timestamp": pa.timestamp("ms", tz="UTC")}
    schema = pa.schema([(selected.name, types[selected.column.type]) for selected in columns])
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), buffer, compression="snappy")
    return buffer.getvalue()


def _build_csv(columns: Iterable[SelectedColumn], rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, [selected.name for selected in columns])
    writer.writeheader()
    writer.writerows(
        {name: f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value for name, value in row.items()}
        for row in rows
    )
    return gzip.compress(text.getvalue().encode())
