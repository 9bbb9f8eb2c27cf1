"""The estimate against AWS's totals: months, sources, ratios, missing months, and the calibration that follows."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.account.reconcile import EstimateSources, compare_emissions, estimate_emissions, list_months
from sustainable_mlops.account.reconcile.estimates import EmissionsKey
from sustainable_mlops.account.reconcile.months import ReportMonth
from sustainable_mlops.account.reconcile.reports import EmissionsReport, ReportedEmissions, read_export
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.commands import main
from sustainable_mlops.footprint import FleetActivity, estimate, read_calibration
from sustainable_mlops.footprint.calibration import CarbonRatio, apply_calibration, render_calibration
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.review.command import main as review
from tests.cases import check_cases
from tests.footprint.plans import CONFIGURATION, ENDPOINT, configuration, endpoint, variant
from tests.plan.plan_builder import build_change, build_document, build_plan
from tests.provider import SANDBOX_LOGS
from tests.runs.records import make_estimate, make_record
from tests.sandbox.support import IMAGE, make_role, wait_until
from tests.sandbox.test_data_exports import BUCKET, build_export, make_bucket

REGION, ACCOUNT, SERVICE = "eu-north-1", "123456789012", "AmazonSageMaker"
KEY = EmissionsKey(ACCOUNT, REGION, SERVICE)
#: This factor and instance type raise the emissions of a short job far above the resolution of a report, one gram.
JOB_FACTOR, INSTANCE_TYPE, FACTOR = 1e6, "ml.m5.24xlarge", 1.3
Run = Callable[..., tuple[int, str, str]]


def keep(address: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return a resource that the plan does not change."""
    return build_change(address, values, before=values)


#: A plan of an applied environment with one endpoint of two instances.
CHANGES = (
    keep(ENDPOINT, endpoint(region=REGION)),
    keep(CONFIGURATION, configuration(variant("ml.m5.large", 2), region=REGION)),
)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Yield a sandbox of its own, because the test moves time and sets the factor, with the files of the commands."""
    SANDBOX_LOGS.append(tmp_path / "sandbox.log")
    (tmp_path / "plan.json").write_text(json.dumps(build_document(*CHANGES)))
    monkeypatch.chdir(tmp_path)
    with Sandbox.start(log=tmp_path / "sandbox.log") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def smlops(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `smlops reconcile`, and returns exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["smlops", "reconcile", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
        return (int(exit_info.value.code or 0), *capsys.readouterr())

    return run


@pytest.mark.slow
def test_reconcile_finds_the_factor_of_the_sandbox_and_names_missing_months(
    cloud: Sandbox, smlops: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = run_job(cloud)
    make_bucket(cloud, ACCOUNT)
    exports = cloud.client("bcm-data-exports")
    columns = [column["Name"] for column in exports.get_table(TableName="CARBON_EMISSIONS")["Schema"]]
    query = " ".join(["SELECT", ", ".join(columns), "FROM", "CARBON_EMISSIONS"])
    arn = exports.create_export(Export=build_export(query=query))["ExportArn"]
    factors = {"2026-01": 1.2, "2026-03": FACTOR, "2026-04": FACTOR}
    cloud.set_carbon_factor(JOB_FACTOR, factors)
    for month in factors:
        start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        end = (start + timedelta(days=31)).replace(day=1)
        cloud.add_instance_period("ml.m5.large", start, end, count=2)
    cloud.advance(timedelta(days=61).total_seconds())  # the month of the job is published, and the export delivered

    months = ["--from", "2026-01", "--to", "2026-04"]
    code, out, error = smlops("plan.json", *months, "--json", "--write-calibration", "calibration.yaml")
    assert code == 0, error
    result = json.loads(out)
    assert {row["month"]: row["ratio"] for row in result["rows"] if row["ratio"]} == pytest.approx(factors, rel=0.01)
    assert [(one["month"], one["reason"][:19]) for one in result["missing"]] == [("2026-02", "AWS reports nothing")]
    (ratio,) = result["ratios"]
    assert (ratio["low"], ratio["high"]) == pytest.approx((1.2, FACTOR), rel=0.01)
    assert ratio["largest"] == {"name": ENDPOINT, "share": 1.0}

    code, out, error = smlops("plan.json", *months, "--export", f"s3://{BUCKET}/reports/carbon", "--json")
    assert code == 0, error
    assert [row["ratio"] for row in json.loads(out)["rows"]] == [row["ratio"] for row in result["rows"]]
    assert {item["ExecutionStatus"]["StatusCode"] for item in exports.list_executions(ExportArn=arn)["Executions"]} == {
        "DELIVERY_SUCCESS"
    }

    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / f"{job.job_name}.json").write_text(job.to_json())
    of_job = [str(ReportMonth.from_moment(moment)) for moment in (job.started_at, job.ended_at)]
    code, out, error = smlops("--runs", str(tmp_path), "--from", of_job[0], "--to", of_job[1])
    assert code == 0, error
    assert f"The largest item, {job.job_name}, is 100 % of the estimate" in out
    text = next(line for line in out.splitlines() if line.startswith("Ratio: "))
    assert float(text.split()[1]) == pytest.approx(JOB_FACTOR, rel=0.01)

    plain = read_carbon(review(["plan.json", "--json"]), capsys)
    assert read_carbon(review(["plan.json", "--json", "--calibration", "calibration.yaml"]), capsys) == pytest.approx(
        plain * ratio["ratio"], rel=0.001
    )


def run_job(cloud: Sandbox) -> Any:
    """Run a processing job, and return its record."""
    sagemaker, name = cloud.client("sagemaker"), "report"
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=make_role(cloud),
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", "true"]},
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": INSTANCE_TYPE, "VolumeSizeInGB": 30}
        },
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    fields: dict[str, Any] = {
        "kind": "processing",
        "status": "InProgress",
        "instance_type": INSTANCE_TYPE,
        "spot": False,
    }
    record = make_record(job_name=name, figures={}, measured=None, **fields)

    def is_ended() -> bool:
        nonlocal record
        record = KINDS["processing"].refresh(record, sagemaker)
        return record.is_ended

    wait_until(is_ended)
    assert record.status == "Completed"
    return record


def read_carbon(_code: int, capsys: pytest.CaptureFixture[str]) -> float:
    """Return the carbon of the reviewed plan in kg a month."""
    document = json.loads(capsys.readouterr().out)
    return float(document["footprint"]["after"]["total"]["central"])


def build_report(**months: float) -> EmissionsReport:
    """Return a report with the kg of months, such as `m01=1.5`."""
    carbon = {
        (KEY, ReportMonth(2026, int(name[1:]))): ReportedEmissions(kg, 0.0, "v3.0.0") for name, kg in months.items()
    }
    return EmissionsReport("a table", carbon, {})


def estimate_months(*records: Any, plans: int = 1, months: tuple[int, ...] = (1, 2, 3)) -> Any:
    sources = EstimateSources([build_plan(*CHANGES)] * plans, None, list(records) or None, ACCOUNT)
    return estimate_emissions(sources, [ReportMonth(2026, number) for number in months])


def test_a_plan_counts_the_hours_of_each_month_and_a_run_the_share_of_its_time() -> None:
    hours = [744.0, 672.0, 744.0]
    result = estimate_months()
    kg = [result.sum_month(KEY, ReportMonth(2026, number)).get("total").central for number in (1, 2, 3)]
    month = estimate(FleetActivity("ml.m5.large", REGION)).figures["total"].central * 2
    assert kg == pytest.approx([month * one / 730 for one in hours])

    start = datetime(2026, 1, 31, 18, tzinfo=UTC)
    run: dict[str, Any] = {
        "started_at": start,
        "ended_at": start + timedelta(hours=8),
        "job_arn": f"arn:aws:sagemaker:{REGION}:1:job/a",
    }
    figures = {"co2e": make_estimate(2.0, "kgCO2e")}
    own = EmissionsKey("1", REGION, SERVICE)
    for calibration, total in ((None, 2.0), (4.0, 0.5)):
        record = make_record(**run, figures=figures, calibration=calibration)
        result = estimate_months(record, plans=0)
        assert [
            result.sum_month(own, ReportMonth(2026, number)).get("total").central for number in (1, 2)
        ] == pytest.approx([total * 0.75, total * 0.25])
        assert result.sum_month(own, ReportMonth(2026, 3)) is None


@check_cases(
    ("reported", "today", "reasons"),
    [
        ({"m01": 1.0, "m02": 1.0, "m03": 1.0}, date(2026, 5, 1), {}),
        ({"m01": 1.0, "m03": 1.0}, date(2026, 5, 1), {"2026-02": "AWS reports nothing for it"}),
        (
            {"m01": 1.0, "m02": 0.0},
            date(2026, 4, 20),
            {"2026-02": "AWS reports 0", "2026-03": "publishes it by 2026-04-21"},
        ),
        ({}, date(2026, 2, 1), {"2026-01": "by 2026-02-21", "2026-02": "by 2026-03-21", "2026-03": "by 2026-04-21"}),
    ],
)
def test_a_missing_month_has_a_reason(reported: dict[str, float], today: date, reasons: dict[str, str]) -> None:
    months = [ReportMonth(2026, number) for number in (1, 2, 3)]
    result = compare_emissions(estimate_months(), build_report(**reported), months, today)
    assert {str(one.month): True for one in result.missing} == dict.fromkeys(reasons, True)
    assert all(reasons[str(one.month)] in one.reason for one in result.missing), result.missing
    assert bool(result.build_calibration()) == any(reported.values())


def test_services_and_accounts_are_compared_separately() -> None:
    other = EmissionsKey(ACCOUNT, REGION, "AmazonEC2")
    report = build_report(m01=1.0)
    report = report._replace(carbon={**report.carbon, (other, ReportMonth(2026, 1)): ReportedEmissions(9.0, None, "v")})
    result = compare_emissions(estimate_months(months=(1,)), report, [ReportMonth(2026, 1)], date(2026, 5, 1))
    assert [(row.key, row.ratio is None) for row in result.rows] == [(KEY, False), (other, True)]
    assert [(one.service, one.months) for one in result.build_calibration()] == [(SERVICE, ("2026-01",))]


@check_cases(
    ("first", "last", "today", "months"),
    [
        (None, None, date(2026, 11, 20), "2026-07 2026-08 2026-09"),
        (None, None, date(2026, 11, 21), "2026-08 2026-09 2026-10"),
        (None, "2026-01", date(2026, 11, 21), "2025-11 2025-12 2026-01"),
        ("2025-12", "2026-01", date(2026, 11, 21), "2025-12 2026-01"),
    ],
)
def test_the_latest_published_months_are_compared_by_default(
    first: str | None, last: str | None, today: date, months: str
) -> None:
    assert " ".join(map(str, list_months(first, last, today))) == months


@check_cases(
    ("first", "last", "message"),
    [
        ("2026-1x", None, "--from: 2026-1x is not a month; write it as 2026-08"),
        ("2020-01", None, "--from: 2020-01 is too early"),
        ("2026-03", "2026-02", r"--from: 2026-03 is after 2026-02 \(--to\)"),
        (None, "2026-12", "--to: 2026-12 has not begun; pass 2026-11"),
    ],
)
def test_wrong_months_end_with_a_one_line_error(first: str | None, last: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        list_months(first, last, date(2026, 11, 21))


def write_export(folder: Path, version: str, *, start: Any, **columns: Any) -> None:
    """Write one row of an export in August 2026, as the method `version` reports it."""
    row = {
        "usage_period_start": start,
        "usage_account_id": ACCOUNT,
        "region_code": REGION,
        "product_code": SERVICE,
        "model_version": version,
    }
    table = pa.table(
        {name: value if isinstance(value, pa.Array) else [value] for name, value in (row | columns).items()}
    )
    pq.write_table(table, folder / f"{version}.parquet")


AUGUST = datetime(2026, 8, 1, tzinfo=UTC)
VALUE = {"total_lbm_emissions_value": 0.5, "total_lbm_emissions_unit": "MTCO2e"}


@pytest.mark.slow
@check_cases(
    "start",
    [
        pa.array([AUGUST], pa.timestamp("ms", "UTC")),
        pa.array([AUGUST], pa.timestamp("ms")),
        pa.array([AUGUST], pa.timestamp("ns")),
        pa.array([AUGUST.date()]),
        "2026-08-01 00:00:00",
        "2026-08-01 00:00:00Z",
    ],
    ids=lambda start: str(getattr(start, "type", start)),
)
def test_a_month_of_an_export_does_not_depend_on_the_local_zone(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Stockholm")
    time.tzset()
    try:
        write_export(tmp_path, "v3.0.0", start=start, **VALUE)
        assert [str(month) for _, month in read_export(str(tmp_path), None).carbon] == ["2026-08"]
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.slow
@check_cases(
    "older",
    [
        {},
        {"total_lbm_emissions_value": pa.array([None], pa.float64()), "total_lbm_emissions_unit": "MTCO2e"},
        {"total_lbm_emissions_value": pa.array([None], pa.float64()), "total_lbm_emissions_unit": pa.nulls(1)},
    ],
    ids=["no columns", "no value", "neither value nor unit"],
)
def test_rows_of_older_methods_without_a_value_are_ignored(older: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "v3.0.0.parquet").unlink(missing_ok=True)  # of the case before
    write_export(tmp_path, "v2.0.0", start=AUGUST, **older)
    if older:
        assert read_export(str(tmp_path), None).carbon == {}
    else:
        with pytest.raises(UserError, match="has no file with the column total_lbm_emissions_value; add the column"):
            read_export(str(tmp_path), None)
    write_export(tmp_path, "v3.0.0", start=AUGUST, **VALUE)
    (emissions,) = read_export(str(tmp_path), None).carbon.values()
    assert emissions == ReportedEmissions(500.0, None, "v3.0.0")


RATIO = CarbonRatio(SERVICE, REGION, ("2026-01", "2026-02"), 1.2, 1.3, 1.4)


def test_a_calibration_multiplies_the_carbon_of_its_service_and_region(tmp_path: Path) -> None:
    file = tmp_path / "calibration.yaml"
    file.write_text(render_calibration((RATIO,), "Written by a test."))
    assert read_calibration(file) == (RATIO,)
    own, other = FleetActivity("ml.m5.large", REGION), FleetActivity("m5.large", REGION)
    before, unchanged = estimate(own), estimate(other)
    with apply_calibration((RATIO,)):
        after = estimate(own)
        assert estimate(other) == unchanged
    assert estimate(own) == before
    factors = {
        name: after.figures[name].central / figure.central for name, figure in before.figures.items() if figure.central
    }
    carbon = dict.fromkeys(("operational", "embodied", "total"), 1.3)
    assert factors == pytest.approx({"energy": 1.0, "water": 1.0, "cost": 1.0} | carbon)
    assert any("calibration with AWS's totals" in text for text in after.assumptions)
    assert not any("calibration" in text for text in before.assumptions)


def test_the_comparison_is_printed_although_a_ratio_cannot_be_written(
    smlops: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(build_document(*CHANGES)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sustainable_mlops.account.reconcile.read_api", lambda *_: build_report(m01=1e9))
    months = ("--from", "2026-01", "--to", "2026-01", "--account", ACCOUNT)
    code, out, error = smlops("plan.json", *months, "--json", "--write-calibration", "calibration.yaml")
    assert code == 2
    assert [row["month"] for row in json.loads(out)["rows"]] == ["2026-01"]
    assert "pass the plans and records of the whole account" in error
    assert not Path("calibration.yaml").exists()


@check_cases("ratio", [0.0, 2000.0])
def test_a_ratio_that_cannot_be_read_is_not_written(ratio: float) -> None:
    message = (
        f"calibration of {SERVICE} in {REGION}: high: must be a number above 0 and at most 1000, not {ratio}; pass the "
        "plans and records of the whole account, or choose other months"
    )
    with pytest.raises(UserError, match=message):
        render_calibration((RATIO._replace(high=ratio),), "Written by a test.")


@check_cases(
    ("text", "replacement", "message"),
    [
        ("TOTAL_LBM", "TOTAL_MBM", "method: must be TOTAL_LBM_CARBON_EMISSIONS"),
        ("ratios:", "ratios: []\nothers:", "unknown key others; use one of method, ratios"),
        ("    high: 1.4\n", "", "ratios.0: high is missing"),
        ("low: 1.2", "low: none", "ratios.0.low: must be a number above 0"),
        ("ratio: 1.3", "ratio: 1.5", "ratios.0: low, ratio and high must be in ascending order"),
        ('["2026-01", "2026-02"]', "3", "ratios.0.months: must be a list of months"),
    ],
)
def test_a_wrong_calibration_file_ends_with_a_one_line_error(
    tmp_path: Path, text: str, replacement: str, message: str
) -> None:
    content, file = render_calibration((RATIO,), "Written by a test."), tmp_path / "calibration.yaml"
    assert text in content
    file.write_text(content.replace(text, replacement))
    with pytest.raises(UserError) as error:
        read_calibration(file)
    assert str(error.value).startswith(str(file))
    assert message in str(error.value)
