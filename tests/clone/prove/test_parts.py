"""The parts of `smlops prove` by themselves: caps, signals, HCL, costs and the report."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clone.prove import cleanup, command, costs, hcl, report, settings
from clone.prove import run as running
from clone.prove.checks import check_runner, permissions
from clone.prove.checks.registry import CHECKS
from clone.prove.context import ProofError, ProofRun, say
from clone.prove.evidence import Request, parse_requests
from clone.prove.proof import CheckResult, ModuleResult, Proof
from clone.prove.run_limits import Interruption, RunLimits
from clone.prove.schedule import Schedule
from clone.prove.settings import ProofSettings
from clone.prove.stages import environment
from modules.network.services import SERVICES_BY_PURPOSE
from sustainable_mlops.base.terraform import ROOT

pytestmark = pytest.mark.slow

#: Points of the modules that no document decides, each with the checks that answer it.
POINTS = {
    "EventBridge publishes to an encrypted topic through a role": {"event-target-role", "approval-dead-letter"},
    "SageMaker accepts a new role in the first apply": {"new-role-pipeline"},
    "tags on keys count late": {"new-key-tag"},
    "RegisterModel without permission to read the image": {"register-model-image"},
    "the role of the optimizers needs the names of tables": {"optimizer-table-name"},
    "DescribeModel of a model that somebody deleted": {"missing-model"},
    "Glue's trust with aws:SourceAccount": {"optimizer-trust-source-account"},
    "endpoint policies of each service": {"vpc-endpoint-policies"},
    "Std:JsonGet in RegisterModel": {"register-model-jsonget"},
    "PipelineVersionAlias in the target of a schedule": {"scheduler-pipeline-version-alias"},
    "compaction optimizers and an empty plan": {"compaction-empty-plan"},
    "a space that a person has run": {"space-update"},
    "approvals": {"approval-event-once"},
    "endpoints": {
        "async-scale-from-zero",
        "async-scale-in-during-request",
        "deployment-config-alone",
        "failed-first-creation",
        "serverless-concurrency-quota",
        "target-tracking-late-metrics",
    },
    "storage and its key": {"checkpoint-encryption"},
    "feature groups": {
        "feature-store-kms-via-service",
        "feature-store-trust-source-account",
        "lake-formation-grants",
    },
    "observability": {"existing-log-groups", "idle-stop-deregisters"},
}
#: Result of a module that passed.
PASSED = ModuleResult("footprint", 9.0, True, True, True, None, True, True, 20.0)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProofRun:
    monkeypatch.setattr(settings, "RUNS", tmp_path)
    proof_run = ProofRun(ProofSettings(account="123456789012", region="eu-north-1"))
    proof_run.settings.folder.mkdir()
    return proof_run


def test_every_point_has_its_checks() -> None:
    assert set().union(*POINTS.values()) == set(CHECKS)


def test_every_check_asks_a_question_and_names_its_documentation() -> None:
    for one in CHECKS.values():
        assert one.question.endswith("?"), one.name
        assert len(one.documentation) > 20, one.name
        assert one.module in settings.MODULES


def test_the_page_lists_every_check_with_its_question() -> None:
    page = (ROOT / "docs" / "prove.md").read_text()
    for one in CHECKS.values():
        mark = " (`--with`)" if one.extra_cost else ""
        assert f"| {one.name}{mark} | {one.module} | {one.question} |" in page, one.name


def test_every_file_of_checks_registers_its_checks_by_itself() -> None:
    folder = ROOT / "clone" / "prove" / "checks"
    files = {file.stem for file in folder.glob("*.py") if "@register_check(" in file.read_text()}
    assert {one.decide.__module__.rpartition(".")[2] for one in CHECKS.values()} == files


def test_the_checks_of_access_run_after_its_change_the_only_moment_of_the_base() -> None:
    assert {one.moment for one in CHECKS.values() if one.module == "access"} == {"changed"}


def test_the_check_of_endpoint_policies_asks_for_every_service_of_the_module() -> None:
    assert set(permissions.ENDPOINT_SERVICES) == {name for names in SERVICES_BY_PURPOSE.values() for name in names}


def test_names_of_runs_fit_into_every_name() -> None:
    names = {settings.create_name() for _ in range(50)}
    assert len(names) == 50
    run = ProofRun(ProofSettings(account="123456789012", region="eu-north-1", name=names.pop()))
    assert all(len(run.get_endpoint_name(kind)) <= 24 for kind in ("serverless", "async", "realtime"))


def test_a_first_signal_interrupts_and_a_second_one_only_says_so() -> None:
    messages: list[str] = []
    limits = RunLimits(60, 5, lambda: 0.0, messages.append)
    before = signal.getsignal(signal.SIGINT)
    with limits.watch():
        with pytest.raises(Interruption) as interrupted:
            signal.raise_signal(signal.SIGINT)
        assert (interrupted.value.reason, interrupted.value.exit_code) == ("Ctrl-C", 130)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert len(messages) == 2
    assert "cleanup is in progress" in messages[0]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("minutes", "spent", "reason"),
    [(0.0, 0.0, "the run reached the cap of 0 minutes"), (60.0, 5.1, "the run reached the cap of 5 USD")],
)
def test_a_cap_interrupts_what_is_under_way_once(minutes: float, spent: float, reason: str) -> None:
    limits = RunLimits(minutes, 5, lambda: spent, print)
    with limits.watch():
        with pytest.raises(Interruption, match=reason) as interrupted:
            time.sleep(10)
        time.sleep(1.5)  # the cleanup is not interrupted
    assert interrupted.value.exit_code == 1


def test_hcl_takes_strings_literally_and_expressions_as_they_are() -> None:
    value = {"text": '${not} %{this} "quoted"', "list": [1, True, None], "expression": hcl.Raw("module.storage.x")}
    assert hcl.render_literal(value) == (
        '{"text" = "$${not} %%{this} \\"quoted\\"", "list" = [1, true, null], "expression" = module.storage.x}'
    )


def test_spending_follows_the_time_that_instances_run(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    spending = costs.RunSpending("eu-north-1")
    spending.start_instances("realtime", "ml.c6g.large", 2)
    now[0] = 1800.0
    spending.stop_instances("realtime")
    now[0] = 3600.0
    hour = costs.get_hourly_usd("ml.c6g.large", "eu-north-1")
    assert spending.get_spending() == pytest.approx(hour + costs.SMALL_THINGS_USD)
    assert 0.05 < hour < 0.5


def test_the_estimate_of_everything_is_below_five_dollars_in_every_region_that_offers_the_types() -> None:
    for region in ("eu-north-1", "us-east-1", "ap-southeast-2"):
        total = sum(running.estimate_costs(ProofSettings(account="123456789012", region=region)).values())
        assert 0.3 < total < 5, region


def test_request_ids_are_found_in_errors_of_terraform() -> None:
    error = "creating: operation error SageMaker: CreateEndpoint, StatusCode: 400, RequestID: 1f2e-33ab-9c, api error"
    assert parse_requests(error) == [Request("terraform", "1f2e-33ab-9c", 400)]


def test_a_wait_that_does_not_come_true_says_what_it_waited_for(run: ProofRun) -> None:
    with pytest.raises(ProofError, match=r"a record: did not happen within 0.01 minutes"):
        run.wait("a record", lambda: None, 0.01)


def test_the_report_masks_the_account_and_says_what_failed(run: ProofRun) -> None:
    check_runner.record_not_tried(run)
    run.proof.modules["storage"] = ModuleResult(
        "storage", 61.2, True, False, seconds=75.0, error="arn:aws:s3:::prove-data-123456789012-eu-north-1 | refused"
    )
    run.proof.left = ["bucket prove-data-123456789012-eu-north-1"]
    text = report.write_report(run, {"requests": 0.25}, 99).read_text()
    assert "123456789012" not in text
    assert "| account | xxxxxxxx9012 |" in text
    assert "| storage | 61 s | yes | **no** | - | - | - | - | 75 s |" in text
    assert "<details open><summary>storage: failed</summary>" in text
    assert "99 min assumed on AWS" in text
    assert text.count("<details") == text.count("</details>")
    assert r"**failed**: arn:aws:s3:::prove-data-xxxxxxxx9012-eu-north-1 \| refused" in text
    assert "| left in the account | bucket prove-data-xxxxxxxx9012-eu-north-1 |" in text
    assert "| async-scale-from-zero | not tried | Does the endpoint scale to zero, and start" in text
    assert "`--with async-scale-from-zero` runs it" in text


def test_a_proof_fails_with_any_step_that_failed_anything_left_and_any_no() -> None:
    assert not Proof(modules={"storage": ModuleResult("storage", 1.0, True, True)}).has_failed
    assert Proof(modules={"storage": ModuleResult("storage", 1.0, True, True, nothing_left=False)}).has_failed
    assert Proof(left=["bucket x"]).has_failed
    assert Proof(interruption="Ctrl-C").has_failed


def test_clean_up_destroys_what_has_a_state_the_youngest_first_and_the_base_last(tmp_path: Path) -> None:
    full = '{"resources": [{"instances": [{"attributes": {"statements": [{"resources": []}]}}]}]}'
    texts = {"base": full, "pipeline": full, "empty": '{"resources": []}', "realtime_endpoint": full, "broken": "{"}
    for age, (name, text) in enumerate(texts.items()):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "terraform.tfstate"
        file.write_text(text)
        os.utime(file, (age, age))
    assert [root.name for root in cleanup.list_roots(tmp_path)] == ["broken", "realtime_endpoint", "pipeline", "base"]


def test_lines_with_brackets_are_said_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    say('destroyed aws_s3_bucket.this["data"] [/aws/sagemaker] [bold]')
    assert capsys.readouterr().err == 'destroyed aws_s3_bucket.this["data"] [/aws/sagemaker] [bold]\n'


def test_a_module_comes_with_those_that_it_needs() -> None:
    assert command.select_modules(["studio"]) == ("storage", "access", "network", "studio")
    assert command.select_modules([]) == settings.MODULES
    assert [stage.module for stage in running.STAGES] == [
        name for name in settings.MODULES if name not in settings.BASE
    ]


def test_requests_of_another_module_are_no_evidence_of_a_check(run: ProofRun) -> None:
    def record(operation: str) -> None:
        metadata = {"RequestId": f"id-{operation}", "HTTPStatusCode": 200}
        run.recorder._record("sagemaker", SimpleNamespace(name=operation), {"ResponseMetadata": metadata})

    with run.recorder.collect() as requests:
        other = threading.Thread(target=record, args=("DescribeDomain",))
        other.start()
        other.join()
        record("DescribeEndpoint")
    assert [one.operation for one in requests] == ["sagemaker:DescribeEndpoint"]


def test_a_module_that_another_one_still_needs_is_repeated(run: ProofRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "clean_run", lambda _: None)
    run.settings.save_result("footprint", {"module": vars(PASSED), "checks": []})
    run.settings.save_result("network", {"module": vars(PASSED), "checks": []})
    run.settings.save_result("studio", {"module": vars(ModuleResult("studio", 9.0, error="refused")), "checks": []})
    assert running.restore_results(run) == ["footprint"]
    run.settings.save_result("studio", {"module": vars(PASSED), "checks": []})
    assert running.restore_results(run) == ["footprint", "network", "studio"]
    undecided = CheckResult("new-key-tag", "Is it?", "A page", "undecided").to_dict()
    run.settings.save_result("footprint", {"module": vars(PASSED), "checks": [undecided]})
    assert running.restore_results(run) == ["network", "studio"]


def test_a_run_that_continues_tells_of_earlier_results_if_resources_are_left(
    run: ProofRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "clean_run", lambda one: one.proof.left.append("bucket x"))
    run.settings.save_result("footprint", {"module": vars(PASSED), "checks": []})
    run.settings.save_result("studio", {"module": vars(ModuleResult("studio", 9.0, error="refused")), "checks": []})
    with pytest.raises(ProofError, match="left bucket x"):
        running.restore_results(run)
    assert set(run.proof.modules) == {"footprint", "studio"}


def test_a_run_that_continues_generates_its_environment_again(run: ProofRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "clean_run", lambda _: None)
    stale = run.settings.folder / "environment-files" / "changed" / "main.tf"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    running.restore_results(run)
    assert not stale.exists()


def test_two_stages_synthesize_the_environment_once(run: ProofRun, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[str] = []
    both = threading.Barrier(2)

    def synthesize(command: list[str], **_: Any) -> Any:
        starts.append(command[-1])
        with suppress(threading.BrokenBarrierError):
            both.wait(1)  # a second synthesis at the same time would pass the barrier
        (Path(command[-1]) / "main.tf").write_text("")
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(environment, "subprocess", SimpleNamespace(run=synthesize))
    with ThreadPoolExecutor(2) as pool:
        for result in [pool.submit(environment.write_environment_files, run) for _ in range(2)]:
            result.result()
    assert len(starts) == 1


def test_a_run_that_was_killed_continues_with_its_cost_and_duration(
    run: ProofRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.spending.start_instances("pipeline", "ml.c6g.large", 1)
    schedule = Schedule(run, ())
    release = threading.Event()
    saved: list[ProofRun] = []
    save = run.save_progress

    def save_and_read() -> None:
        now = time.monotonic()
        with monkeypatch.context() as later:
            later.setattr(time, "monotonic", lambda: now + 7200)
            save()
        saved.append(ProofRun(run.settings))  # as a new process reads it
        release.set()

    monkeypatch.setattr(run, "save_progress", save_and_read)
    monkeypatch.setattr(schedule, "_run_base", release.wait)
    schedule.prove()
    assert saved[0].get_seconds() >= 7200
    assert saved[0].spending.get_spending() > costs.SMALL_THINGS_USD + 0.1


def test_no_spending_is_lost_if_two_modules_end_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    spending = costs.RunSpending("eu-north-1")

    def compute(*_: float) -> float:
        both.wait(60)
        return 1.0

    for name in ("pipeline", "studio"):
        spending.start_instances(name, "ml.c6g.large", 1)
    monkeypatch.setattr(costs, "_compute_accrued_usd", compute)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(spending.stop_instances, ("pipeline", "studio")))
    assert spending.get_spending() == pytest.approx(costs.SMALL_THINGS_USD + 2)
