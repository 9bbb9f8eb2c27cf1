"""Tables of every command: plain and at most 120 columns wide in a pipe, a file or a log."""

import ast
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from clone.promotion import display as promotion_display
from clone.promotion.overview import PinnedModel
from clone.promotion.package import PackageAddress, RegisteredPackage
from envs.promotion_target import PromotionTarget
from sustainable_mlops.account.adopt import AdoptedObject, AdoptionReport, ExcludedObject, ImportedResource
from sustainable_mlops.account.adopt import display as adoption_display
from sustainable_mlops.account.idle import IdleFinding, IdleReport
from sustainable_mlops.account.idle import display as idle_display
from sustainable_mlops.account.idle.finding import IdleKind
from sustainable_mlops.account.reconcile import display as reconcile_display
from sustainable_mlops.account.reconcile.comparison import MonthComparison, Reconciliation
from sustainable_mlops.account.reconcile.estimates import EmissionsKey
from sustainable_mlops.account.reconcile.months import ReportMonth
from sustainable_mlops.account.reconcile.reports import ReportedEmissions
from sustainable_mlops.advice import ServingRequirements, make_advice
from sustainable_mlops.advice import display as advice_display
from sustainable_mlops.advice.comparison import compare_endpoints
from sustainable_mlops.advice.comparison import display as comparison_display
from sustainable_mlops.advice.recommendation import display as recommendation_display
from sustainable_mlops.advice.recommendation.ranking import ExpectedLoad, RankedEndpoint
from sustainable_mlops.base.program import PLAIN_WIDTH, create_console
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.footprint import FleetActivity, FootprintFigure, estimate
from sustainable_mlops.jobs import display as job_display
from sustainable_mlops.jobs.estimate import RunAlternative, RunEstimate
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.footprint import rename_figures
from sustainable_mlops.jobs.pipelines import display as pipeline_display
from sustainable_mlops.jobs.pipelines.record import PipelineRecord, PipelineStepRecord
from sustainable_mlops.jobs.record import RunRecord, TuningTrial
from sustainable_mlops.plan import load
from sustainable_mlops.practices import display as practices_display
from sustainable_mlops.practices import load_practices
from sustainable_mlops.practices.answers import answer_questions
from sustainable_mlops.runs import display as runs_display
from sustainable_mlops.runs.difference import Difference, DifferenceRow
from sustainable_mlops.runs.interval_coverage import measure_coverage
from tests.cases import check_cases

#: Packages with tables for users. The reviewer has formats and tests of its own; the tables of algorithms are data.
PACKAGES = ("sustainable_mlops", "sagemaker_sandbox", "clone")
EXCLUDED = ("sustainable_mlops/review/", "sagemaker_sandbox/jobs/algorithms/")
#: `tests/sandbox/test_process.py` checks the table of `sandbox status` with a real sandbox.
CHECKED_ELSEWHERE = {"sagemaker_sandbox/command.py"}
PLAN = ROOT / "tests" / "plan" / "fixtures" / "change.json"
LONG = "a-name-of-sixty-three-characters-which-sagemaker-permits-for-it"
TEXT = "an explanation with many words, " * 12
_FRAMES = re.compile("[\u2502-\u257f\u2580-\u259f]")


class TableConsole(Console):
    """A console that collects the tables instead of printing them."""

    def __init__(self) -> None:
        super().__init__(width=PLAIN_WIDTH)
        self.tables: list[Any] = []

    def print(self, *objects: Any, **_options: Any) -> None:
        self.tables += [one for one in objects if not isinstance(one, str | Text)]


def make_record(**fields: Any) -> RunRecord:
    figures = rename_figures(estimate(FleetActivity("ml.g5.xlarge", "eu-north-1")).figures)
    values: dict[str, Any] = {
        "run_key": "k" * 64,
        "workload": "w",
        "environment": "dev",
        "region": "eu-north-1",
        "job_name": LONG,
        "status": "Completed",
        "launched_at": datetime(2026, 1, 1, tzinfo=UTC),
        "spot": False,
        "image": "",
        "instance_type": "ml.g5.xlarge",
        "instance_count": 1,
        "data": {},
        "metrics": {"validation:area_under_the_curve_of_the_model": 0.123456789},
        "figures": figures,
        "trials": [
            TuningTrial(
                job_name=f"{LONG}-{number}",
                status="Completed",
                hyperparameters={f"hyperparameter_number_{index}": "0.123456789" for index in range(6)},
                objective=0.5,
                training_seconds=123456,
                billable_seconds=123456,
            )
            for number in range(3)
        ],
    }
    return RunRecord(**values | fields)


def make_estimate() -> RunEstimate:
    figure = RunFigure(value=1, low=0.5, high=2, unit="s", basis="assumed", source=TEXT)
    alternative = RunAlternative(title=TEXT, drawbacks=TEXT, saved_co2e=figure, saved_cost=None)
    return RunEstimate(
        duration=figure,
        load=figure,
        figures=make_record().figures,
        unknown=[TEXT],
        assumptions=[],
        cleanest=alternative,
        cheapest=None,
        others=[alternative],
    )


def make_pipeline() -> PipelineRecord:
    step = PipelineStepRecord(name=LONG, type="Fail", status="Failed", reason=TEXT, job=make_record())
    return PipelineRecord(
        workload="w",
        environment="dev",
        region="eu-north-1",
        pipeline="p",
        execution_arn="arn",
        status="Failed",
        launched_at=datetime(2026, 1, 1, tzinfo=UTC),
        steps=[step],
        figures={},
    )


def show_advice(console: Console) -> None:
    for latency in ("minutes", 1.0):
        advice_display.print_advice(
            make_advice(ServingRequirements("eu-north-1", 1e11, latency=latency, accelerator="any")), console
        )


def show_comparison(console: Console) -> None:
    requirements = ServingRequirements("us-east-1", 1)
    comparison_display.print_comparison(compare_endpoints(requirements, (10, 1e3, 1e5, 1e7)), console)


def show_recommendations(console: Console) -> None:
    per_thousand = estimate(FleetActivity("ml.g5.xlarge", "eu-north-1"))
    one = RankedEndpoint(
        f"{LONG}, asynchronous", "async_endpoint", {"max_instances": 10}, 10**9, 10**6, per_thousand, 1
    )
    expected = ExpectedLoad("eu-north-1", 1e9, 3.0, 200, 5)
    recommendation_display.print_recommendations([one], {}, expected, console)


def show_runs(console: Console) -> None:
    record = make_record()
    (metric,) = record.metrics
    console.print(runs_display.make_runs_table([record], metric))
    console.print(runs_display.make_charts([record], metric))
    row = DifferenceRow(name=LONG, a=TEXT, b=TEXT, change=TEXT)
    console.print(runs_display.make_difference_tables(record, record, Difference(inputs=(row,), outcomes=(row,))))
    console.print(runs_display.make_coverage_table(measure_coverage([record])))


def show_jobs(console: Console) -> None:
    console.print(job_display.format_estimate(make_estimate()))
    console.print(job_display.format_trials(make_record()))


def show_pipeline(console: Console) -> None:
    console.print(pipeline_display.format_summary(make_pipeline()))


def show_reconciliation(console: Console) -> None:
    key, total = EmissionsKey("1" * 12, "ap-southeast-7", "AmazonDynamoDBAccelerator"), make_record().figures["co2e"]
    figure = FootprintFigure(total.value * 1e5, total.value * 1e6, total.value * 1e7, "C", "", "kgCO2e")
    row = MonthComparison(key, ReportMonth(2026, 1), figure, ReportedEmissions(123456.789, 98765.4321, "v3.0.0"))
    reconcile_display.print_reconciliation(Reconciliation(TEXT, (row,), (), (), (), ()), console)


def show_idle(console: Console) -> None:
    figures = estimate(FleetActivity("ml.g5.xlarge", "eu-north-1"))
    finding = IdleFinding(IdleKind.ENDPOINT, LONG, TEXT, TEXT, figures, sources=("Compute Optimizer",))
    report = IdleReport("eu-north-1", LONG, 7, datetime(2026, 1, 1, tzinfo=UTC), [finding, finding])
    idle_display.print_report(report, console)


def show_adoption(console: Console) -> None:
    resource = ImportedResource("aws_sagemaker_model_package_group", LONG, LONG, {})
    report = AdoptionReport(
        "1" * 12, "ap-southeast-7", [AdoptedObject("model package group", LONG, (resource,) * 1000)]
    )
    report.excluded_objects = [ExcludedObject("model package group", LONG, TEXT)]
    adoption_display.print_report(report, console, None)


def show_practices(console: Console) -> None:
    practices_display.print_practices([*load_practices().values()], console)
    practices_display.print_answers(answer_questions(load(PLAN)), console)


def show_promotions(console: Console) -> None:
    target = PromotionTarget(
        model="a_name_of_thirty_characters_xx",
        environment="a_long_name1",
        folder=ROOT,
        account_id="1" * 12,
        region="ap-southeast-7",
        partition="aws",
        assume_role_arn=None,
        groups={},
        endpoints=(),
        watched=(),
    )
    arn = f"arn:aws:sagemaker:ap-southeast-7:{'1' * 12}:model-package/{LONG}/123456"
    address = PackageAddress.parse(arn, "")
    fields = {
        "ModelApprovalStatus": "Approved",
        "ApprovalDescription": TEXT,
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "CustomerMetadataProperties": {"validation:area_under_the_curve_of_the_model": "0.123456", "co2e_kg": "123456"},
    }
    row = PinnedModel(target, address, RegisteredPackage(address, fields), (address, address), (TEXT,))
    promotion_display.print_overview([row, PinnedModel(target, address, problems=(TEXT,))], console)


#: Function that prints the tables of a file, with contents that are too wide for a line.
TABLES: dict[str, Callable[[Console], None]] = {
    "sustainable_mlops/advice/display.py": show_advice,
    "sustainable_mlops/advice/comparison/display.py": show_comparison,
    "sustainable_mlops/practices/display.py": show_practices,
    "sustainable_mlops/advice/recommendation/display.py": show_recommendations,
    "sustainable_mlops/account/reconcile/display.py": show_reconciliation,
    "sustainable_mlops/account/adopt/display.py": show_adoption,
    "sustainable_mlops/account/idle/display.py": show_idle,
    "clone/promotion/display.py": show_promotions,
    "sustainable_mlops/runs/display.py": show_runs,
    "sustainable_mlops/jobs/display.py": show_jobs,
    "sustainable_mlops/jobs/pipelines/display.py": show_pipeline,
}


def test_every_file_with_a_table_is_checked() -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "Table(" in (text := path.read_text(encoding="utf-8"))
        and any(_makes_table(node) for node in ast.walk(ast.parse(text)))
    }
    assert {one for one in files if not one.startswith(EXCLUDED)} == TABLES.keys() | CHECKED_ELSEWHERE


@check_cases("file", TABLES)
def test_tables_are_plain_and_at_most_120_columns_off_a_terminal(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        console, collector = create_console(stderr=False), TableConsole()
    TABLES[file](collector)
    tables = [table for one in collector.tables for table in _list_tables(one)]
    assert tables
    for table in tables:
        capsys.readouterr()
        console.print(table)
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= PLAIN_WIDTH, lines
        assert not [line for line in lines if _FRAMES.search(line)]
        assert "…" not in "".join(lines), "nothing is cut"


def _makes_table(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return isinstance(function, ast.Name) and function.id == "Table"


def _list_tables(renderable: Any) -> Iterator[Any]:
    """Yield the tables of a renderable; other parts of a group are lines of text."""
    if isinstance(renderable, Group):
        for one in renderable.renderables:
            yield from _list_tables(one)
    elif isinstance(renderable, Table | job_display.EstimateView):
        yield renderable
