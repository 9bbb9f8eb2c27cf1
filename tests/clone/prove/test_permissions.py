"""The checks of single permissions, on a sandbox that enforces IAM: both answers, and the requests behind them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clone.prove import settings
from clone.prove.checks import check_runner
from clone.prove.checks.registry import CHECKS
from clone.prove.checks.temporary_role import TemporaryRole
from clone.prove.context import ProofError, ProofRun
from clone.prove.proof import CheckResult
from clone.prove.settings import TAG, ProofSettings
from sagemaker_sandbox import Sandbox
from tests.provider import SANDBOX_LOGS

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    SANDBOX_LOGS.append(tmp_path_factory.mktemp("permissions") / "sandbox.log")
    with Sandbox.start(log=SANDBOX_LOGS[-1], enforce_iam=True) as sandbox:
        yield sandbox


def wait_for_five_polls(_: ProofRun, purpose: str, poll: Callable[[], Any], minutes: float = 30) -> Any:
    for _number in range(5):
        if answer := poll():
            return answer
    raise ProofError(f"{purpose}: did not happen within {minutes:g} minutes")


@pytest.fixture
def run(enforcing: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProofRun:
    """Return a run with a tagged key, whose waits end after five polls: the sandbox's IAM has no delay."""
    for variable, value in enforcing.environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(settings, "RUNS", tmp_path)
    monkeypatch.setattr(ProofRun, "wait", wait_for_five_polls)
    one = ProofRun(ProofSettings(account=ACCOUNT, region="eu-north-1"))
    tags = [{"TagKey": TAG, "TagValue": one.name}]
    key = enforcing.client("kms").create_key(Tags=tags)["KeyMetadata"]["Arn"]
    one.base = {"kms_key_arn": key, "buckets": {"artifacts": {"name": "artifacts"}}}
    check_runner.record_not_tried(one)
    return one


def decide(run: ProofRun, name: str, **stage: Any) -> CheckResult:
    """Return the result of a check, after which no role of the run is left."""
    namespace: Any = SimpleNamespace(run=run, module=CHECKS[name].module, **stage)
    check_runner.run_check(namespace, CHECKS[name])
    roles = run.get_client("iam").list_roles()["Roles"]
    assert [one["RoleName"] for one in roles if run.name in one["RoleName"]] == []
    return run.proof.checks[name]


def list_operations(result: CheckResult) -> list[tuple[str, bool]]:
    return [(one.operation, one.status < 400) for one in result.requests]


def omit(client: Any, operation: str, argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client omit an argument of an operation."""
    call = getattr(client, operation)
    monkeypatch.setattr(
        client, operation, lambda **arguments: call(**{key: arguments[key] for key in arguments if key != argument})
    )


def test_a_tag_that_counts_is_a_yes_with_the_request_of_the_role(run: ProofRun) -> None:
    result = decide(run, "new-key-tag")
    assert result.verdict == "yes", result.text
    assert ("kms:GenerateDataKey", True) in list_operations(result)


def test_a_tag_that_never_counts_is_a_no(run: ProofRun, monkeypatch: pytest.MonkeyPatch) -> None:
    omit(run.get_client("kms"), "create_key", "Tags", monkeypatch)
    result = decide(run, "new-key-tag")
    assert result.verdict == "no", result.text
    assert "did not count" in result.text


def test_a_missing_model_that_aws_names_is_a_yes(run: ProofRun) -> None:
    result = decide(run, "missing-model")
    assert result.verdict == "yes", result.text
    assert ("sagemaker:DescribeModel", False) in list_operations(result)


def test_a_missing_model_whose_description_iam_denies_is_a_no(run: ProofRun, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = TemporaryRole.replace_policy

    def require_tag(role: TemporaryRole, statement: dict[str, Any]) -> None:
        replace(role, {**statement, "Condition": {"StringEquals": statement["Condition"]["StringEqualsIfExists"]}})

    monkeypatch.setattr(TemporaryRole, "replace_policy", require_tag)
    result = decide(run, "missing-model")
    assert result.verdict == "no", result.text
    assert "sagemaker:DescribeModel" in result.text


def make_error(code: str, text: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}}, operation)


def refuse(errors: list[ClientError], call: Callable[..., Any] = lambda **_: {}) -> Callable[..., Any]:
    """Return a call that fails with these errors first, one each time."""

    def attempt(**arguments: Any) -> Any:
        if errors:
            raise errors.pop(0)
        return call(**arguments)

    return attempt


IMAGE_REFUSED = make_error("ValidationException", "no permission to read the image from ECR", "CreateModelPackage")


class Registry:
    """Client of a role that may list packages, and whose registrations fail with these errors first."""

    def __init__(self, errors: list[ClientError]) -> None:
        self.create_model_package = refuse(errors)

    def list_model_packages(self, **_: Any) -> None:
        """Allow the request."""


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ([IMAGE_REFUSED, IMAGE_REFUSED], "yes"),
        ([IMAGE_REFUSED] * 10, "no"),
        ([IMAGE_REFUSED, make_error("ThrottlingException", "Rate exceeded", "CreateModelPackage")], "undecided"),
    ],
)
def test_a_registration_is_repeated_until_iam_knows_the_permission_to_read_the_image(
    run: ProofRun, monkeypatch: pytest.MonkeyPatch, errors: list[ClientError], verdict: str
) -> None:
    client = Registry([*errors])
    monkeypatch.setattr(TemporaryRole, "get_client", lambda *_: client)
    result = decide(run, "register-model-image", package_group="orders")
    assert result.verdict == verdict, result.text


NEW_ROLE = make_error("ValidationException", "Could not assume the role", "CreatePipeline")


@pytest.mark.parametrize(
    ("errors", "verdict", "text"),
    [
        ([], "yes", "first error: none"),
        ([NEW_ROLE], "yes", "Could not assume the role"),
        ([NEW_ROLE] * 10, "no", "Could not assume the role"),
        ([make_error("ValidationException", "the definition has no steps", "CreatePipeline")], "undecided", "no steps"),
        ([make_error("ResourceLimitExceeded", "too many pipelines", "CreatePipeline")], "undecided", "too many"),
    ],
)
def test_only_errors_about_a_new_role_of_a_pipeline_are_tried_again(
    run: ProofRun, monkeypatch: pytest.MonkeyPatch, errors: list[ClientError], verdict: str, text: str
) -> None:
    client = run.get_client("sagemaker")
    monkeypatch.setattr(client, "create_pipeline", refuse([*errors], client.create_pipeline))
    result = decide(run, "new-role-pipeline")
    assert result.verdict == verdict, result.text
    assert text in result.text
