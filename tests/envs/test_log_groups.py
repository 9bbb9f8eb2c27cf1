"""Log groups that exist before the apply are adopted, and those that AWS recreates are deleted after destroy."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from clone import synth
from envs.settings import EnvironmentSettings
from sustainable_mlops.account import teardown
from sustainable_mlops.account.teardown import late_log_groups
from sustainable_mlops.account.teardown.late_log_groups import JobMarks, LateLogGroups, LogGroup
from sustainable_mlops.aws import AccountClients
from sustainable_mlops.base import log_groups
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT, Terraform, list_changes
from tests.envs.test_golden_path import ARTIFACTS, NAME, delete_packages, register_package, write_root_module
from tests.modules.examples import plan, terraform
from tests.sandbox.support import IMAGE, ROLE, create_tar, make_role, wait_until

JOBS, ENDPOINT = "/aws/sagemaker/TrainingJobs", f"/aws/sagemaker/Endpoints/{NAME}"
#: Settings without the parts that have no log groups.
SMALL: dict[str, Any] = {"feature_groups": {}, "pipelines": {}}
#: Writes a line after the file exists.
TRAIN = """
import os, time
while not os.path.exists({file!r}):
    time.sleep(0.1)
print("a late line")
"""


def start_training(sandbox: Any, waits_for: Path) -> None:
    """Start a job that writes its only line after the file exists."""
    make_role(sandbox)
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(Bucket="code", Key="s.tar.gz", Body=create_tar(train_py=TRAIN.format(file=str(waits_for))))
    sandbox.client("sagemaker").create_training_job(
        TrainingJobName="smlops-dev-late",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://code/s.tar.gz"},
        OutputDataConfig={"S3OutputPath": "s3://code/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def list_log_groups(sandbox: Any) -> list[str]:
    """Return the names of all log groups."""
    return [group["logGroupName"] for group in sandbox.client("logs").describe_log_groups()["logGroups"]]


@pytest.mark.release
@pytest.mark.apply
def test_existing_log_groups_are_adopted_and_destroyed_despite_late_events(
    tmp_path: Path, own: tuple[Any, dict[str, str]], environment: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, variables = own
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "repository" / "envs" / "dev"
    write_root_module(folder, environment(**SMALL).to_json())
    (folder / "settings.yaml").touch()
    for source_folder in synth.CALLED_FOLDERS:
        (tmp_path / "repository" / source_folder).symlink_to(ROOT / source_folder)
    for name in (JOBS, ENDPOINT):
        sandbox.client("logs").create_log_group(logGroupName=name)
    driver = terraform(folder, variables)
    wrapper = Terraform(folder, variables)

    with pytest.raises(UserError) as error:
        wrapper.apply()
    assert str(error.value) == (
        f"terraform apply in dev: these log groups already exist: {JOBS}; add them to existing_log_groups in "
        f"{folder}/settings.yaml, run `smlops synth dev`, then apply again to adopt them"
    )

    write_root_module(folder, environment(**SMALL, existing_log_groups=[JOBS, ENDPOINT]).to_json())
    wrapper.apply()
    assert list_changes(plan(driver)) == {}, "the endpoint's group is adopted with the first package"
    (folder / synth.PACKAGES).write_text(json.dumps({"model_packages": {"flight_delay": register_package(sandbox)}}))
    planned = plan(driver)
    address = 'module.serverless_endpoint["flight_delay"].aws_cloudwatch_log_group.this'
    (change,) = (one["change"] for one in planned["resource_changes"] if one["address"] == address)
    assert (change["importing"], change["actions"]) == ({"id": ENDPOINT}, ["update"])
    wrapper.apply()
    assert list_changes(plan(driver)) == {}
    assert {JOBS, ENDPOINT} < set(list_log_groups(sandbox))

    delete_packages(sandbox)
    signal = tmp_path / "signal"
    start_training(sandbox, signal)
    wait_until(
        lambda: (
            sandbox.client("sagemaker").describe_training_job(TrainingJobName="smlops-dev-late")["SecondaryStatus"]
            == "Training"
        )
    )

    def let_job_end(progress: str) -> None:
        if "late log lines" in progress and not signal.exists():
            assert list_log_groups(sandbox) == []
            signal.touch()
            wait_until(lambda: list_log_groups(sandbox) == [JOBS])

    teardown.destroy(wrapper, let_job_end, late_seconds=10)
    assert signal.exists()
    assert list_log_groups(sandbox) == []
    assert ARTIFACTS not in str(sandbox.inventory())

    with pytest.raises(UserError) as error:
        wrapper.apply()
    assert re.search(
        rf"this log group no longer exists: .*{JOBS}.*; remove it from existing_log_groups in \S+/settings.yaml",
        str(error.value),
    )


@pytest.mark.parametrize(
    ("existing", "message"),
    [
        (["/aws/sagemaker/TrainingJob"], f"no log group '/aws/sagemaker/TrainingJob'; did you mean '{JOBS}'?"),
        (["/aws/lambda/other"], "this environment has no log group '/aws/lambda/other'"),
        ([JOBS, JOBS], f"'{JOBS}' is listed twice"),
    ],
)
def test_only_log_groups_of_the_environment_can_be_adopted(
    dev: dict[str, Any], existing: list[str], message: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        EnvironmentSettings.model_validate({**dev, "existing_log_groups": existing})


def test_import_blocks_adopt_log_groups_in_root_modules_without_settings(tmp_path: Path) -> None:
    reason = (
        "creating CloudWatch Logs Log Group (/a): operation error CloudWatch Logs: CreateLogGroup, "
        "ResourceAlreadyExistsException: The specified log group already exists creating CloudWatch Logs Log Group "
        "(/b): operation error CloudWatch Logs: CreateLogGroup, AccessDeniedException: no"
    )
    remedy = "these log groups already exist: /a; adopt each with an `import` block, then apply again"
    assert log_groups.explain_error(reason, tmp_path) == remedy
    assert log_groups.explain_error("creating Topic: ResourceAlreadyExistsException", tmp_path) is None


def test_the_wait_for_recreated_log_groups_ends(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, monotonic=iter([0, 0, 5, 10, 12]).__next__)
    monkeypatch.setattr(late_log_groups, "time", clock)
    group = LogGroup.from_arn("arn:aws:logs:eu-north-1:123456789012:log-group:/never/there")
    account = AccountClients("eu-north-1", account_id="123456789012")
    late = LateLogGroups(account, JobMarks("smlops-dev", frozenset()), print, has_settings=True)
    assert late.delete([group], 12) == []
    assert waits == [5, 5, 2]
