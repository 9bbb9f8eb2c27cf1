"""The policy documents allow all calls of Terraform in apply, change and destroy on the sandbox."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clone import synth
from clone.deployer import environment as deployer
from clone.deployer.documents import DeployerPolicy
from sustainable_mlops.base.terraform import ROOT
from tests.clone.deployer.calls import get_action, list_refused, select_calls
from tests.envs.test_golden_path import ASYNC, REALTIME, delete_packages, register_package
from tests.modules.examples import terraform
from tests.modules.prerequisites import create_connection

UNCALLED = Path(__file__).with_name("uncalled.yaml")
#: Settings of dev with every kind of endpoint and every other optional resource type.
WHOLE: dict[str, Any] = {
    "notifications": {
        "subscribers": {
            "ml_team": {"protocol": "email", "endpoint": "ml-team@example.com", "topics": ["alarms", "approvals"]},
            "archive": {"protocol": "sqs", "endpoint": "arn:aws:sqs:eu-north-1:123456789012:ml-archive"},
        }
    },
    "observability": {"idle_stop": "delete"},
    "storage": {"storage_lens_export": True},
    "table_optimizers": {"orphan_file_deletion": {}, "retention": {"days": 9}},
}
OFF_HOURS = {"begin": "cron(0 20 ? * MON-FRI *)", "end": "cron(0 7 ? * MON-FRI *)", "timezone": "UTC"}
SCHEDULE = {"expression": "rate(7 days)", "parameters": {"InputKey": "raw/flight_delay/2026/"}}
READERS = {"reader_account_ids": ["210987654321"]}


def read_committed(phase: str) -> list[DeployerPolicy]:
    """Return the committed documents of dev whose names start with `phase`."""
    return [
        DeployerPolicy(file.stem, tuple(json.loads(file.read_text())["Statement"]))
        for file in sorted((ROOT / "envs" / "dev" / "deployer").glob(f"{phase}*.json"))
    ]


@pytest.mark.apply
def test_the_documents_allow_exactly_the_calls_of_terraform(
    tmp_path: Path,
    own: tuple[Any, dict[str, str]],
    environment: Callable[..., Any],
    dev: dict[str, Any],
    modules: Mapping[str, Any],
) -> None:
    sandbox, variables = own
    for name in synth.CALLED_FOLDERS:
        (tmp_path / name).symlink_to(ROOT / name)
    folder = tmp_path / "envs" / "dev"
    folder.mkdir(parents=True)
    called_actions: set[str] = set()
    bodies = {name: module.to_json() for name, module in modules.items()}

    def run(documents: list[DeployerPolicy], *command: str) -> None:
        """Run a Terraform command; the documents must allow each of its calls."""
        with sandbox.record_calls() as calls:
            driver.execute_command(*command)
        assert select_calls(calls), f"{command}: no call was recorded"
        assert list_refused(calls, documents) == [], command
        called_actions.update(get_action(one) for one in select_calls(calls))

    def write(**changed: Any) -> list[DeployerPolicy]:
        """Write the root module for changed settings, and return its documents."""
        body = environment(**changed).to_json()
        (folder / "main.tf.json").write_text(json.dumps(body))
        names = deployer.read_names(body, bodies, "dev", dev["name_prefix"], deletion_protection=False)
        return deployer.make_environment_documents(body, bodies, names)

    where = {"LocationConstraint": sandbox.region}
    sandbox.client("s3").create_bucket(Bucket=dev["state"]["bucket"], CreateBucketConfiguration=where)
    write()
    driver = terraform(folder, variables)
    run(read_committed("plan"), "plan")
    run(read_committed(""), "apply", "-auto-approve")
    packages = {"model_packages": {"flight_delay": register_package(sandbox)}}
    (folder / synth.PACKAGES).write_text(json.dumps(packages))
    run(read_committed(""), "apply", "-auto-approve")
    run(read_committed("plan"), "plan")

    model = dev["models"]["flight_delay"]
    realtime = {**REALTIME, "off_hours": OFF_HOURS}
    models = {"flight_delay": {**model, **READERS, "realtime_endpoint": realtime, "async_endpoint": ASYNC}}
    pipelines = {"flight_delay": {**dev["pipelines"]["flight_delay"], "schedule": SCHEDULE}}
    connection = create_connection(sandbox, "github", "Bearer token")
    delivery = {"connection_arn": connection, "github": {"repository": "acme/flights"}}
    whole = WHOLE | {"models": models, "pipelines": pipelines, "model_registry": {"delivery": delivery}}
    documents = write(**whole)
    driver.execute_command("get")
    run(documents, "apply", "-auto-approve")
    run([one for one in documents if one.name.startswith("plan-")], "plan")
    delivery["github"] = {"repository": "acme/delivery"}
    whole["table_optimizers"] = {"orphan_file_deletion": {}, "retention": {"days": 5}}
    documents = write(**whole, tags={**dev["tags"], "owner": "somebody"}, log_retention_days=30)
    run(documents, "apply", "-auto-approve")
    delete_packages(sandbox)
    run(documents, "destroy", "-auto-approve")

    allowed = {name for one in documents for statement in one.statements for name in statement["Action"]}
    groups = yaml.safe_load(UNCALLED.read_text())
    explained = {one for group in groups for one in group["actions"] if group["reason"]}
    of_another_provider = {one for group in groups if "provider" in group for one in group["actions"]}
    missing = allowed - called_actions - explained
    needless = explained - of_another_provider - (allowed - called_actions)
    assert (sorted(missing), sorted(needless)) == ([], []), f"actions without, or with a needless, reason in {UNCALLED}"
