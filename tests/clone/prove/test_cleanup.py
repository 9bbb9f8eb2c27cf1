"""Clean-up and verdicts of `smlops prove`, on fakes of AWS."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clone.prove import activity, cleanup, inventory, report, settings
from clone.prove import run as running
from clone.prove.checks import check_runner, data, endpoints, platform
from clone.prove.checks.registry import CHECKS
from clone.prove.context import ProofError, ProofRun
from clone.prove.evidence import Recorder
from clone.prove.proof import CheckResult, Proof
from clone.prove.run_limits import Interruption
from clone.prove.settings import ProofSettings
from clone.prove.stage import Prover
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import Terraform
from tests.cases import check_cases

BEGIN = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/"


def make_refusal(code: str, text: str, operation: str = "GetTable") -> ClientError:
    """Return an error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": text}}, operation)


class Pages:
    """Paginator of one operation: all in one page."""

    def __init__(self, operation: Any) -> None:
        self._operation = operation

    def paginate(self, **arguments: Any) -> list[Any]:
        return [self._operation(**arguments)]


class Fake:
    """Client whose operations are methods of the subclass; each listing has one page."""

    def can_paginate(self, operation: str) -> bool:
        return operation.startswith(("list", "describe"))

    def get_paginator(self, operation: str) -> Pages:
        return Pages(getattr(self, operation))


class FakeSageMaker(Fake):
    """SageMaker with one execution of the run, its job, and a job of somebody else.

    A stopped job ends at the next describe call.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.stopped: list[str] = []
        self.execution = "Executing"
        self.jobs = {"pipelines-a1-Measure": "InProgress", "of-somebody-else": "InProgress"}
        self.roles = {"pipelines-a1-Measure": f"{ROLE}{run}-data", "of-somebody-else": f"{ROLE}other"}

    def list_model_package_groups(self, **_: Any) -> Any:
        return {"ModelPackageGroupSummaryList": []}

    def list_pipelines(self, **_: Any) -> Any:
        return {"PipelineSummaries": [{"PipelineName": f"{self.run}-orders"}]}

    def list_pipeline_executions(self, **arguments: str) -> Any:
        assert arguments["PipelineName"] == f"{self.run}-orders"
        now = self.execution
        self.execution = "Stopped" if now == "Stopping" else now
        return {"PipelineExecutionSummaries": [{"PipelineExecutionArn": "arn:x", "PipelineExecutionStatus": now}]}

    def describe_pipeline_execution(self, **_: Any) -> Any:
        return {"PipelineExecutionStatus": self.execution}

    def stop_pipeline_execution(self, **arguments: str) -> None:
        self.execution = "Stopping"
        self.stopped.append(arguments["PipelineExecutionArn"])

    def list_training_jobs(self, **_: Any) -> Any:
        return {"TrainingJobSummaries": []}

    def list_processing_jobs(self, **arguments: str) -> Any:
        names = [name for name, status in self.jobs.items() if status == arguments["StatusEquals"]]
        for name in names if arguments["StatusEquals"] == "Stopping" else ():
            self.jobs[name] = "Stopped"
        return {"ProcessingJobSummaries": [{"ProcessingJobName": name} for name in names]}

    def describe_processing_job(self, **arguments: str) -> Any:
        return {
            "ProcessingJobStatus": self.jobs[arguments["ProcessingJobName"]],
            "RoleArn": self.roles[arguments["ProcessingJobName"]],
        }

    def stop_processing_job(self, **arguments: str) -> None:
        self.jobs[arguments["ProcessingJobName"]] = "Stopping"
        self.stopped.append(arguments["ProcessingJobName"])


class FakeLogs(Fake):
    """CloudWatch Logs with groups: name, time of creation and tags."""

    def __init__(self, groups: dict[str, tuple[datetime, dict[str, str]]]) -> None:
        self.groups = groups

    def describe_log_groups(self, **_: Any) -> Any:
        return {
            "logGroups": [
                {"logGroupName": name, "arn": f"arn:{name}:*", "creationTime": int(created.timestamp() * 1000)}
                for name, (created, _) in self.groups.items()
            ]
        }

    def list_tags_for_resource(self, **arguments: str) -> Any:
        return {"tags": self.groups[arguments["resourceArn"].removeprefix("arn:")][1]}

    def delete_log_group(self, **arguments: str) -> None:
        del self.groups[arguments["logGroupName"]]


class FakeRecorder(Recorder):
    """Recorder with fakes for clients."""

    def __init__(self, **clients: Any) -> None:
        super().__init__("eu-north-1")
        self.fakes = clients

    def get_client(self, service: str, region: str = "") -> Any:
        del region
        return self.fakes[service]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProofRun:
    monkeypatch.setattr(settings, "RUNS", tmp_path)
    monkeypatch.setattr(cleanup, "_PAUSE", (0.0, 0.0))
    one = ProofRun(ProofSettings(account="123456789012", region="eu-north-1", begin=BEGIN.isoformat()))
    one.settings.save()
    return one


def test_clean_up_stops_what_runs_and_waits_before_it_destroys(run: ProofRun, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = FakeSageMaker(run.name)
    cleaning = cleanup.RunCleaner(run.settings, FakeRecorder(sagemaker=sagemaker), lambda _: None)
    at_destroy: list[tuple[str, str]] = []
    monkeypatch.setattr(cleanup, "list_roots", lambda _: [Path("pipeline")])
    monkeypatch.setattr(
        cleaning,
        "_destroy",
        lambda _: at_destroy.append((sagemaker.execution, sagemaker.jobs["pipelines-a1-Measure"])),
    )
    monkeypatch.setattr(cleaning, "delete_remaining", list)
    cleaning.run()
    assert sagemaker.stopped == ["arn:x", "pipelines-a1-Measure"]
    assert at_destroy == [("Stopped", "Stopped")]
    assert sagemaker.jobs["of-somebody-else"] == "InProgress"


def test_errors_of_listings_name_the_resources(run: ProofRun) -> None:
    class RefusedRecorder:
        @staticmethod
        def get_client(*_: Any) -> Any:
            raise make_refusal("AccessDeniedException", "no", "List")

    recorder: Any = RefusedRecorder()
    found, problems = inventory.find_resources(recorder, run.settings)
    nouns = {problem.partition(":")[0] for problem in problems}
    assert found == set()
    assert {"executions and jobs", "budgets", "identity providers", "queue"} <= nouns
    assert not [noun for noun in nouns if "_" in noun]


def test_a_job_of_the_run_is_found_by_its_role_and_stopped_before_anything_is_deleted() -> None:
    recorder = FakeRecorder(sagemaker=FakeSageMaker("prove-abc123"))
    jobs = {inventory.FoundResource(*one) for one in activity.find_activities(recorder, "prove-abc123")}
    ordered = inventory.sort_resources({inventory.FoundResource("pipeline", "prove-abc123-orders"), *jobs})
    assert [str(one) for one in ordered] == [
        "active pipeline execution arn:x",
        "active processing job pipelines-a1-Measure",
        "pipeline prove-abc123-orders",
    ]


def test_a_pipeline_that_runs_is_tried_again() -> None:
    assert cleanup._is_transient("Pipeline arn:x cannot be deleted while an execution of it is running.")


def test_clean_up_deletes_the_log_groups_of_the_runs_own_time_that_nothing_else_manages(run: ProofRun) -> None:
    prefix = "/aws/sagemaker/"
    logs = FakeLogs(
        {
            f"{prefix}TrainingJobs": (BEGIN + timedelta(minutes=10), {}),
            f"{prefix}ProcessingJobs": (BEGIN + timedelta(minutes=10), {"managed-by": "terraform"}),
            f"{prefix}TransformJobs": (BEGIN + timedelta(hours=3), {}),
            f"{prefix}LabelingJobs": (BEGIN - timedelta(hours=1), {}),
        }
    )
    run.settings.save_log_groups([], BEGIN)
    run.settings.save_end(BEGIN + timedelta(hours=1))
    cleanup.RunCleaner(run.settings, FakeRecorder(logs=logs), lambda _: None)._delete_job_logs()
    assert set(logs.groups) == {f"{prefix}{kind}Jobs" for kind in ("Processing", "Transform", "Labeling")}


def test_a_part_of_a_run_deletes_only_the_log_groups_of_its_own_time(
    run: ProofRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Log groups of somebody else, from before the run ended early, and from between its parts."""
    name = "/aws/sagemaker/TrainingJobs"
    logs = FakeLogs({})
    monkeypatch.setattr(Ended, "prove", lambda _: None)
    monkeypatch.setattr(running, "Schedule", Ended)
    monkeypatch.setattr(running, "verify_account", lambda _: None)
    monkeypatch.setattr(cleanup, "RunCleaner", LogCleaner)
    monkeypatch.setattr(Recorder, "get_client", lambda *_: logs)
    run.settings.save_log_groups([], BEGIN)
    for file in run.settings.folder.iterdir():  # it was killed ten minutes after its begin
        os.utime(file, times=((BEGIN + timedelta(minutes=10)).timestamp(),) * 2)
    logs.groups[name] = (BEGIN + timedelta(minutes=20), {})
    running.prove_modules(run.settings, resume=True)
    assert set(logs.groups) == {name}


class LogCleaner(cleanup.RunCleaner):
    """Cleanup of log groups alone."""

    def run(self) -> None:
        self.settings.save_end()
        self._delete_job_logs()


def test_packages_are_deleted_once_before_the_root_modules(run: ProofRun, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaning = cleanup.RunCleaner(run.settings, FakeRecorder(sagemaker=FakeSageMaker(run.name)), lambda _: None)
    calls: list[str] = []

    def destroy(*_: Any, **__: Any) -> FakeChanges:
        calls.append("destroy")
        return FakeChanges()

    monkeypatch.setattr(cleanup, "list_roots", lambda _: [Path("pipeline"), Path("base")])
    monkeypatch.setattr(Terraform, "apply", destroy)
    monkeypatch.setattr(cleaning, "_stop_activity", lambda: None)
    monkeypatch.setattr(cleaning, "_delete_model_packages", lambda: calls.append("packages"))
    monkeypatch.setattr(cleaning, "delete_remaining", list)
    cleaning.run()
    assert calls == ["packages", "destroy", "destroy"]


class FakeChanges:
    """Result of an apply."""

    changes_done = 0


def test_an_interruption_ends_the_wait_for_resources_of_a_module(
    run: ProofRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that is still being created stays for the cleanup of the whole run."""
    endpoint = inventory.FoundResource("endpoint", run.name)
    polls: list[int] = []

    def find(*_: Any) -> Any:
        polls.append(len(polls))
        assert len(polls) < 5, "the loop ignores the interruption"
        run.limits._interruption = Interruption("Ctrl-C", 130)
        return {endpoint}, []

    def refuse(*_: Any) -> None:
        raise make_refusal("ValidationException", "Cannot update in-progress endpoint", "DeleteEndpoint")

    class ModuleStage:
        key = module = "realtime_endpoint"

        def __init__(self) -> None:
            self.run = run

        def destroy(self, _: Any) -> None:
            """Destroy nothing."""

    monkeypatch.setattr(inventory, "find_resources", find)
    monkeypatch.setattr(inventory, "delete_resource", refuse)
    stage: Any = ModuleStage()
    with ThreadPoolExecutor(1) as pool, pytest.raises(Interruption):
        pool.submit(Prover(stage).destroy, "prove").result()
    assert len(polls) == 1


def test_the_end_of_a_killed_run_is_the_last_change_of_its_files(run: ProofRun) -> None:
    last = BEGIN + timedelta(minutes=40)
    for minutes, file in enumerate(sorted(run.settings.folder.iterdir())):
        os.utime(file, times=((last - timedelta(minutes=minutes)).timestamp(),) * 2)
    run.settings.save_end()
    run.settings.save_end(BEGIN + timedelta(days=1))  # a later cleanup does not move it
    assert run.settings.load_end() == last


ANSWERS = [
    ("event-target-role", "operation error EventBridge: PutTargets, ValidationException: RoleArn is no role", "no"),
    (
        "event-target-role",
        "EventBridge: PutTargets, AccessDenied: x is not authorized to perform: iam:PassRole",
        "undecided",
    ),
    ("event-target-role", "creating SNS Topic: no such host", "undecided"),
    ("feature-store-kms-via-service", "CreateFailed: Invalid KMS key permissions", "no"),
    (
        "feature-store-kms-via-service",
        "User: arn:aws:sts::1:assumed-role/deployer/x is not authorized to perform: kms:CreateGrant",
        "undecided",
    ),
    ("feature-store-trust-source-account", "cannot assume the role, check its trust policy", "no"),
    (
        "feature-store-trust-source-account",
        "User: arn:aws:sts::1:assumed-role/deployer/x is not authorized to perform: sagemaker:CreateFeatureGroup",
        "undecided",
    ),
    ("deployment-config-alone", "SageMaker: UpdateEndpoint, ValidationException: the same configuration", "no"),
    ("deployment-config-alone", "UpdateEndpoint, ValidationException: Cannot update in-progress endpoint", "undecided"),
    ("async-scale-from-zero", "no instance: did not happen within 60 minutes", "no"),
    ("async-scale-from-zero", "the final status of prove-x-async: did not happen within 60 minutes", "undecided"),
    ("register-model-jsonget", "An error occurred (ThrottlingException) when calling UpdatePipeline", "undecided"),
    ("register-model-jsonget", "the execution is Failed: Register: JsonGet cannot be resolved", "no"),
]


@pytest.mark.parametrize(("name", "text", "verdict"), ANSWERS)
def test_only_the_refusal_that_a_check_expects_is_a_no(run: ProofRun, name: str, text: str, verdict: str) -> None:
    check_runner.record_not_tried(run)
    one = CHECKS[name]
    result = run.proof.checks[name]
    check_runner._record_error(result, one, UserError(text))
    assert (result.verdict, result.text) == (verdict, text)


def test_an_apply_that_fails_for_another_reason_leaves_its_questions_undecided(run: ProofRun) -> None:
    check_runner.record_not_tried(run)
    check_runner.record_failed_apply(run, "feature_store", UserError("no such host, RequestID: 1f2e-33ab-9c"))
    check_runner.record_failed_apply(
        run, "model_registry", UserError("PutTargets: ValidationException, RequestID: 1f2e-33ab")
    )
    checks = run.proof.checks
    assert checks["feature-store-kms-via-service"].verdict == "undecided"
    assert checks["event-target-role"].verdict == "no"
    assert [one.id for one in checks["event-target-role"].requests] == ["1f2e-33ab"]


def test_an_undecided_check_fails_the_proof() -> None:
    assert Proof(checks={"x": CheckResult("x", "?", "a page", "undecided")}).has_failed
    assert not Proof(checks={"x": CheckResult("x", "?", "a page")}).has_failed


class FakeTerraform:
    """Terraform whose applies fail with these errors, in this order; None for one that succeeds."""

    def __init__(self, stage: Any, *errors: str | None) -> None:
        self._stage, self._errors = stage, [*errors]
        #: Concurrency at each apply.
        self.applied: list[int | None] = []

    def apply(self, *_: Any) -> None:
        self.applied.append(self._stage.changes.get("max_concurrency"))
        if error := self._errors.pop(0):
            raise UserError(error)


class FakeStage:
    """Stage of `serverless_endpoint` without an account."""

    module = "serverless_endpoint"

    def __init__(self, *errors: str | None) -> None:
        self.changes: dict[str, Any] = {}
        self.terraform = FakeTerraform(self, *errors)

    def write(self) -> None:
        """Write nothing."""

    def wait_for_final_status(self) -> dict[str, str]:
        return {"EndpointStatus": "InService"}


@pytest.mark.parametrize("refused", [None, "ResourceLimitExceeded: the account-level service limit"])
def test_the_check_of_the_quota_restores_it(refused: str | None) -> None:
    stage: Any = FakeStage(refused, None)
    assert endpoints.serverless_concurrency_quota(stage).yes is (refused is None)
    assert stage.terraform.applied == [10, None]


def test_another_error_is_undecided_and_the_quota_is_restored() -> None:
    stage: Any = FakeStage("AccessDenied", None)
    with pytest.raises(UserError, match="AccessDenied"):
        endpoints.serverless_concurrency_quota(stage)
    assert stage.terraform.applied == [10, None]


@check_cases(
    ("error", "counts"),
    [
        (
            "waiting for SageMaker AI Endpoint (x) create: unexpected state 'Failed', wanted target 'InService'. last "
            "error: The primary container for production variant main did not pass the ping health check.",
            True,
        ),
        ("CreateEndpoint, ResourceLimitExceeded: the account-level service limit is 10", False),
        ("unexpected state 'Failed', last error: ResourceLimitExceeded for the model", False),
        ("CreateEndpoint: AccessDenied", False),
    ],
)
def test_only_a_model_that_does_not_start_is_a_failed_first_creation(error: str, counts: bool) -> None:
    assert endpoints._is_model_failure(error) is counts


def test_a_table_that_iam_refuses_says_nothing_of_lake_formation() -> None:
    class Glue:
        def __init__(self, error: ClientError) -> None:
            self._error = error

        def get_table(self, **_: Any) -> None:
            raise self._error

    class LakeFormation:
        def get_data_lake_settings(self) -> Any:
            return {"DataLakeSettings": {}}

    class Stage:
        def __init__(self, error: ClientError) -> None:
            self.group = {"OfflineStoreConfig": {"DataCatalogConfig": {"Database": "d", "TableName": "t"}}}
            self.run = FakeRecorder(glue=Glue(error), lakeformation=LakeFormation())

    by_iam: Any = Stage(make_refusal("AccessDeniedException", "x is not authorized to perform: glue:GetTable"))
    with pytest.raises(ClientError):
        data.lake_formation_grants(by_iam)
    by_grants: Any = Stage(make_refusal("AccessDeniedException", "Insufficient Lake Formation permission(s)"))
    assert not data.lake_formation_grants(by_grants).yes


def test_a_runbook_that_failed_is_the_reason_why_an_endpoint_is_still_there() -> None:
    class Ssm(Fake):
        def describe_automation_executions(self, **_: Any) -> Any:
            names = {"other-idle-stop": "theirs", "prove-abc123-idle-stop": "DeregisterScalableTarget: AccessDenied"}
            documents = [{"DocumentName": name, "FailureMessage": text} for name, text in names.items()]
            return {"AutomationExecutionMetadataList": documents}

    class FakeRun:
        name = "prove-abc123"

        def get_client(self, _: str) -> Any:
            return Ssm()

    class Stage:
        run = FakeRun()

    stage: Any = Stage()
    assert platform._find_failure(stage) == "DeregisterScalableTarget: AccessDenied"


@pytest.mark.parametrize(
    ("left", "interrupted", "code"),
    [(["bucket x"], 130, 1), ([], 130, 130), ([], 143, 143), ([], 129, 129), ([], 0, 0)],
)
def test_whatever_ended_a_run_the_code_is_1_where_something_is_left(
    run: ProofRun, left: list[str], interrupted: int, code: int
) -> None:
    run.proof.left = left
    assert running.choose_exit_code(run, interrupted) == code


class Ended:
    """Modules of a run whose proof ends with an error."""

    error: BaseException = KeyError("Endpoints")

    def __init__(self, run: ProofRun, *_: Any) -> None:
        self._run = run

    def prove(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (KeyError("Endpoints"), "KeyError: 'Endpoints'", 1),
        (OSError("No space left"), "OSError: No space left", 1),
        (ProofError("storage: refused"), "storage: refused", 1),
        (Interruption("SIGTERM", 143), "SIGTERM", 143),
    ],
)
def test_every_error_leads_to_clean_up_and_a_report(
    run: ProofRun, monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: str, code: int
) -> None:
    cleaned: list[str] = []
    monkeypatch.setattr(Ended, "error", error)
    monkeypatch.setattr(running, "Schedule", Ended)
    monkeypatch.setattr(running, "verify_account", lambda _: None)
    monkeypatch.setattr(cleanup, "list_job_log_groups", lambda _: set())
    monkeypatch.setattr(cleanup.RunCleaner, "run", lambda self: cleaned.append(self.settings.name))
    _, actual = running.prove_modules(run.settings)
    document = json.loads((run.settings.folder / "proof.json").read_text())
    assert cleaned == [run.name]
    assert (document["interruption"], document["result"], actual) == (reason, "failed", code)
    assert "sagemaker_featurestore" in " ".join(document["notes"])
    assert "AWS creates and owns them" in (run.settings.folder / "proof.md").read_text()


def test_a_tick_at_the_end_of_a_run_does_not_skip_the_clean_up(run: ProofRun, monkeypatch: pytest.MonkeyPatch) -> None:
    from clone.prove.run_limits import RunLimits

    disarm = RunLimits.disarm

    def interrupted(limits: RunLimits) -> None:
        disarm(limits)
        raise Interruption("the cap of 1 minutes is reached", 1)

    cleaned: list[str] = []
    monkeypatch.setattr(running, "Schedule", Ended)
    monkeypatch.setattr(Ended, "prove", lambda _: None)
    monkeypatch.setattr(running, "verify_account", lambda _: None)
    monkeypatch.setattr(cleanup, "list_job_log_groups", lambda _: set())
    monkeypatch.setattr(RunLimits, "disarm", interrupted)
    monkeypatch.setattr(cleanup.RunCleaner, "run", lambda self: cleaned.append(self.settings.name))
    proved, code = running.prove_modules(run.settings)
    assert (cleaned, code, proved.proof.interruption) == ([run.name], 1, "the cap of 1 minutes is reached")


def test_a_number_of_attempts_that_is_none_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "many")
    with pytest.raises(UserError, match="AWS_MAX_ATTEMPTS: must be a whole number"):
        Recorder("eu-north-1").get_client("sts")


@pytest.mark.parametrize("registry", ["registry.terraform.io", "registry.opentofu.org"])
def test_the_report_names_the_provider_of_both_engines(run: ProofRun, registry: str) -> None:
    folder = run.get_folder("base")
    folder.mkdir()
    (folder / ".terraform.lock.hcl").write_text(f'provider "{registry}/hashicorp/aws" {{\n  version = "6.47.1"\n}}\n')
    assert report.find_provider_version(run.settings.folder) == "6.47.1"


def test_without_an_approval_event_the_check_for_a_second_one_is_undecided() -> None:
    class Stage:
        def __init__(self) -> None:
            self.first_events: list[Any] = []

    stage: Any = Stage()
    with pytest.raises(ProofError, match="the approval sent no event"):
        data.approval_event_once(stage)


@pytest.mark.parametrize(("status", "verdict"), [("Blocked", False), ("Active", None)])
def test_an_offline_store_that_stays_empty_is_a_no_where_it_is_blocked(status: str, verdict: bool | None) -> None:
    class Stage:
        group: Any

        def __init__(self) -> None:
            self.group = {"OfflineStoreStatus": {"Status": status, "BlockedReason": "the role cannot be assumed"}}

        def wait_for_offline_objects(self) -> list[str]:
            raise ProofError("the record in the offline store: did not happen within 25 minutes")

    stage: Any = Stage()
    if verdict is None:
        with pytest.raises(ProofError, match="did not happen within"):
            data.feature_store_trust_source_account(stage)
    else:
        assert data.feature_store_trust_source_account(stage).yes is verdict


def test_the_dead_letter_queue_says_why_a_schedule_started_nothing() -> None:
    class Sqs:
        def receive_message(self, **_: Any) -> Any:
            texts = {"ERROR_CODE": "ValidationException", "ERROR_MESSAGE": "no such alias"}
            return {"Messages": [{"MessageAttributes": {name: {"StringValue": text} for name, text in texts.items()}}]}

    class Stage:
        def __init__(self) -> None:
            self.run = FakeRecorder(sqs=Sqs())
            self.published = {"dead_letter_queue_url": "https://queue"}

    stage: Any = Stage()
    assert data._read_dead_letter(stage) == "ValidationException: no such alias"
