"""Emissions that AWS reports: the API of its service Sustainability, or a data export in S3 or in a folder."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops import aws
from sustainable_mlops.account.reconcile.estimates import EmissionsKey
from sustainable_mlops.account.reconcile.months import ReportMonth
from sustainable_mlops.aws import Client, S3Uri
from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint.calibration import LOCATION_BASED

#: Type of emissions with AWS's energy purchases. Source: EmissionsType of AWS's service Sustainability.
MARKET_BASED = "TOTAL_MBM_CARBON_EMISSIONS"
_WATER = "TOTAL_WATER_WITHDRAWALS"
_UNIT = "MTCO2e"
_KG_PER_TONNE = 1000.0
_DIMENSIONS = ("USAGE_ACCOUNT_ID", "REGION", "SERVICE")
#: Columns of an export that are read. Source: AWS Data Exports user guide, "Carbon emissions columns".
_COLUMNS = (
    "usage_period_start",
    "usage_account_id",
    "region_code",
    "product_code",
    "total_lbm_emissions_unit",
)
#: Column without a value in the rows of AWS's older methods, which an export keeps for some time.
_VALUE_COLUMN = "total_lbm_emissions_value"
_OPTIONAL_COLUMNS = ("total_mbm_emissions_value", "model_version", "last_refresh_timestamp")


class ReportedEmissions(NamedTuple):
    """Reported carbon of one month, account, Region and service, in kg. `market_based` is None if it is not read."""

    location_based: float
    market_based: float | None
    model_version: str


class EmissionsReport(NamedTuple):
    """Reported carbon by key and month, and water in cubic metres by key and calendar year."""

    source: str
    carbon: Mapping[tuple[EmissionsKey, ReportMonth], ReportedEmissions]
    water: Mapping[tuple[EmissionsKey, int], float]


def read_api(client: Client, months: Sequence[ReportMonth]) -> EmissionsReport:
    """Return the report of the API. Raises UserError if AWS refuses."""
    period = {"Start": months[0].start, "End": months[-1].end}
    carbon = {}
    with aws.translate_aws_errors("sustainability:GetEstimatedCarbonEmissions"):
        pages = client.get_paginator("get_estimated_carbon_emissions").paginate(
            TimePeriod=period,
            GroupBy=list(_DIMENSIONS),
            EmissionsTypes=[LOCATION_BASED, MARKET_BASED],
            Granularity="MONTHLY",
        )
        for result in [result for page in pages for result in page["Results"]]:
            values = {name: _parse_value(value, _UNIT) for name, value in result["EmissionsValues"].items()}
            market_based = values.get(MARKET_BASED)
            carbon[_parse_key(result), ReportMonth.from_moment(result["TimePeriod"]["Start"])] = ReportedEmissions(
                values[LOCATION_BASED] * _KG_PER_TONNE,
                None if market_based is None else market_based * _KG_PER_TONNE,
                result["ModelVersion"],
            )
    return EmissionsReport("the API of AWS Sustainability", carbon, _read_water(client, months))


def _read_water(client: Client, months: Sequence[ReportMonth]) -> dict[tuple[EmissionsKey, int], float]:
    """Return the water of the calendar years that begin in the months."""
    years = [month.year for month in months if month.number == 1]
    if not years:
        return {}
    period = {"Start": ReportMonth(years[0], 1).start, "End": ReportMonth(years[-1] + 1, 1).start}
    with aws.translate_aws_errors("sustainability:GetEstimatedWaterAllocation"):
        pages = client.get_paginator("get_estimated_water_allocation").paginate(
            TimePeriod=period, GroupBy=list(_DIMENSIONS), AllocationTypes=[_WATER]
        )
        results = [result for page in pages for result in page["Results"]]
    return {
        (_parse_key(result), result["TimePeriod"]["Start"].year): _parse_value(result["AllocationValues"][_WATER], "m3")
        for result in results
    }


def _parse_key(result: Mapping[str, Any]) -> EmissionsKey:
    values = result["DimensionsValues"]
    return EmissionsKey(*(str(values.get(name, "")) for name in _DIMENSIONS))


def _parse_value(value: Mapping[str, Any], unit: str) -> float:
    if value["Unit"] != unit:
        raise UserError(
            f"AWS reports a value in {value['Unit']}; this version of smlops reads {unit} only; update smlops"
        )
    return float(value["Value"])


def read_export(address: str, s3: Client | None) -> EmissionsReport:
    """Return the report in the Parquet files of an export: `s3://BUCKET/PREFIX/NAME`, or a folder with a copy of it.

    `s3` is needed for an address in S3. If a month has several versions, the newest method and refresh counts. Raises
    UserError if no file is found, or a file is no carbon export.
    """
    rows: dict[tuple[EmissionsKey, ReportMonth], tuple[tuple[str, str], ReportedEmissions]] = {}
    files, has_column = 0, False
    for name, content in _read_files(address, s3):
        files += 1
        file_rows = _read_rows(name, content)
        has_column = has_column or file_rows is not None
        for row in file_rows or ():
            key = EmissionsKey(
                str(row["usage_account_id"]), str(row["region_code"] or ""), str(row["product_code"] or "")
            )
            version = str(row.get("model_version") or "")
            order = (_build_sort_text(version), str(row.get("last_refresh_timestamp") or ""))
            period = (key, ReportMonth.from_moment(_parse_time(row["usage_period_start"], name)))
            if period not in rows or order >= rows[period][0]:
                rows[period] = (order, _build_emissions(row, version, name))
    if not files:
        raise UserError(
            f"--export: {address} has no Parquet file; pass the folder of the export (bucket, prefix and name), and "
            "wait a day after its creation"
        )
    if not has_column:
        raise UserError(
            f"--export: {address} has no file with the column {_VALUE_COLUMN}; add the column to the query of the "
            "export of CARBON_EMISSIONS"
        )
    return EmissionsReport(f"the data export {address}", {period: value for period, (_, value) in rows.items()}, {})


def _read_files(address: str, s3: Client | None) -> Iterator[tuple[str, bytes]]:
    if not is_s3(address):
        folder = Path(address)
        if folder.is_file():
            raise UserError(f"--export: {address}: is a file; pass its folder: {folder.absolute().parent}")
        if not folder.is_dir():
            raise UserError(f"--export: {address}: no such folder; pass a folder, or s3://BUCKET/PREFIX/NAME")
        for path in sorted(folder.rglob("*.parquet")):
            yield str(path), path.read_bytes()
        return
    assert s3 is not None
    bucket, prefix = S3Uri.parse(address)
    with aws.translate_aws_errors(f"reading {address}"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix.rstrip('/')}/"):
            for item in page.get("Contents", []):
                if item["Key"].endswith(".parquet"):
                    body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
                    yield str(S3Uri(bucket, item["Key"])), body


def _read_rows(name: str, content: bytes) -> Iterable[Mapping[str, Any]] | None:
    """Return the rows with a location-based value; None for a file of an older version, without the column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
    except pa.ArrowInvalid as error:
        raise UserError(f"{name}: is not a Parquet file: {error}; export it again") from None
    if _VALUE_COLUMN not in table.column_names:
        return None
    if missing := [column for column in _COLUMNS if column not in table.column_names]:
        raise UserError(f"{name}: has no column {missing[0]}; add it to the query of the export of CARBON_EMISSIONS")
    columns = [column for column in (_VALUE_COLUMN, *_COLUMNS, *_OPTIONAL_COLUMNS) if column in table.column_names]
    return [row for row in table.select(columns).to_pylist() if row[_VALUE_COLUMN] is not None]


def _build_emissions(row: Mapping[str, Any], version: str, name: str) -> ReportedEmissions:
    if row["total_lbm_emissions_unit"] != _UNIT:
        raise UserError(
            f"{name}: total_lbm_emissions_unit is {row['total_lbm_emissions_unit']}, not {_UNIT}; report this error"
        )
    market_based = row.get("total_mbm_emissions_value")
    return ReportedEmissions(
        float(row[_VALUE_COLUMN]) * _KG_PER_TONNE,
        None if market_based is None else float(market_based) * _KG_PER_TONNE,
        version,
    )


def _parse_time(value: Any, name: str) -> datetime:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise UserError(f"{name}: usage_period_start {value!r} is not a time; export the file again") from None


def _build_sort_text(version: str) -> str:
    """Return a version such as `v3.10.0` as text that sorts by its numbers."""
    return ".".join(part.rjust(6, "0") for part in version.removeprefix("v").split("."))
