"""Idle endpoints over several hours: endpoints in use are kept, idle ones are reported or deleted, and a recreated one
has the full idle time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT, list_changes
from tests.modules.examples import plan, terraform
from tests.modules.observability.topic_listener import TopicListener
from tests.provider import alone
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import wait_until

ROOT_MODULE = """
variable "kms_key_arn" {
  type = string
}

variable "waste_hours" {
  type    = number
  default = 2
}

variable "dry" {
  type    = string
  default = "report"
}

variable "configs" {
  type = map(string)
}

resource "aws_sagemaker_endpoint" "this" {
  for_each = var.configs

  name                 = each.key
  endpoint_config_name = each.value
}

module "observability" {
  source = "./modules/observability"

  name_prefix = "shop"
  account_id  = "123456789012"
  region      = "eu-north-1"
  kms_key_arn = var.kms_key_arn
  idle_stop   = "delete"
  waste_hours = var.waste_hours
  log_groups  = []
  events      = []

  endpoints = {
    asked = { name = "shop-asked", kind = "realtime", instance_type = "ml.c7g.large" }
    quiet = { name = "shop-quiet", kind = "realtime", instance_type = "ml.c7g.large" }
    dry = { name = "shop-dry", kind = "realtime", instance_type = "ml.c7g.large", idle_stop = var.dry }
  }
}

output "topics" {
  value = { alarms = module.observability.alarm_topic_arn }
}
"""
IN_USE, QUIET, DRY = "shop-asked", "shop-quiet", "shop-dry"
RUNBOOK, HOURS = "shop-stop-idle-endpoint", 2
#: Additional hours: with missing data, alarms evaluate two more periods.
EXTRA_HOURS = 3


class IdleSandbox(TopicListener):
    """A sandbox with three endpoints, one of which receives requests."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, ["alarms"])
        self.endpoints, self.ssm = EndpointClient.prepare(sandbox), sandbox.client("ssm")

    def scale(self, endpoint: str) -> None:
        """Register a scalable target of the endpoint whose bounds equal its instances."""
        self.sandbox.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{endpoint}/variant/main",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            MinCapacity=1,
            MaxCapacity=1,
        )

    def pass_time(self, minutes: int, step: int = 10) -> None:
        """Move the time in steps, each with a request to ASKED, and wait for runbooks that alarms start."""
        for _ in range(0, minutes, step):
            self.endpoints.invoke(IN_USE)
            self.sandbox.advance(60 * step)
            self.settle()

    def settle(self) -> None:
        """Wait until no runbook runs."""
        running = [{"Key": "ExecutionStatus", "Values": ["InProgress"]}]
        wait_until(
            lambda: not self.ssm.describe_automation_executions(Filters=running)["AutomationExecutionMetadataList"]
        )

    def exists(self, endpoint: str) -> bool:
        try:
            return bool(self.endpoints.describe(endpoint)["EndpointStatus"] != "Deleting")
        except ClientError:
            return False

    def list_messages(self, endpoint: str) -> list[str]:
        """Return the messages of the runbook about an idle endpoint."""
        start = f"No requests to the endpoint {endpoint} for"
        return [one for one in self.receive_messages("alarms") if isinstance(one, str) and start in one]

    def start_runbook(self, **arguments: str) -> dict[str, Any]:
        """Start the runbook manually and return its execution after its end."""
        parameters = {name: [value] for name, value in arguments.items()}
        response = self.ssm.start_automation_execution(DocumentName=RUNBOOK, Parameters=parameters)
        self.settle()
        name = response["AutomationExecutionId"]
        execution: dict[str, Any] = self.ssm.get_automation_execution(AutomationExecutionId=name)["AutomationExecution"]
        return execution

    def state(self, alarm: str) -> str:
        return str(self.alarm(alarm)["StateValue"])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[IdleSandbox, Any]]:
    folder = tmp_path / "root"
    folder.mkdir()
    with alone(tmp_path / "log") as (sandbox, environment):
        shop = IdleSandbox(sandbox)
        (folder / "main.tf").write_text(ROOT_MODULE)
        (folder / "modules").symlink_to(ROOT / "modules")
        configs = {
            name: shop.endpoints.create_config(shop.endpoints.create_model(name), count=1)
            for name in (IN_USE, QUIET, DRY)
        }
        variables = {"TF_VAR_kms_key_arn": shop.key(), "TF_VAR_configs": json.dumps(configs)}
        driver = terraform(folder, {**environment, **variables})
        driver.apply()
        shop.scale(QUIET)
        shop.subscribe(driver.output()["topics"])
        yield shop, driver


def steps(execution: dict[str, Any]) -> dict[str, str]:
    """Return the status of each step that started."""
    started_steps = [one for one in execution["StepExecutions"] if one["StepStatus"] != "Pending"]
    return {one["StepName"]: one["StepStatus"] for one in started_steps}


def check_new_endpoints_are_not_idle(shop: IdleSandbox, _driver: Any) -> None:
    shop.pass_time(20)
    assert shop.state(f"{QUIET}/idle") == "OK"


def check_a_manual_run_keeps_endpoints_in_use(shop: IdleSandbox, _driver: Any) -> None:
    execution = shop.start_runbook(EndpointName=IN_USE, AlarmName=f"{IN_USE}/idle-stop", DryRun="false")
    assert (execution["AutomationExecutionStatus"], steps(execution)) == (
        "Failed",
        {"stillIdle": "Failed", "reportNoChange": "Success"},
    )
    wait_until(lambda: shop.list_messages(IN_USE))
    assert "It was not changed" in shop.list_messages(IN_USE)[0]
    assert shop.exists(IN_USE)


def check_only_idle_endpoints_are_deleted_or_reported(shop: IdleSandbox, _driver: Any) -> None:
    shop.pass_time(60 * HOURS - 40)
    assert shop.exists(QUIET), "the idle time is not over"

    shop.pass_time(60 * EXTRA_HOURS)
    wait_until(lambda: shop.list_messages(QUIET) and shop.list_messages(DRY))
    wait_until(lambda: not shop.exists(QUIET))
    assert [shop.exists(name) for name in (IN_USE, DRY)] == [True, True]
    [deleted], [reported] = shop.list_messages(QUIET), shop.list_messages(DRY)
    assert "It was deleted" in deleted
    assert "Nothing was done, because idle_stop is report" in reported
    assert "An hour of each of its instances is about 0.00" in reported
    assert "USD, estimated." in reported
    sagemaker = shop.endpoints.sagemaker
    assert len(sagemaker.list_models()["Models"]) == len(sagemaker.list_endpoint_configs()["EndpointConfigs"]) == 3

    rejected = shop.start_runbook(EndpointName=DRY, AlarmName=f"{DRY}/idle-stop", DryRun="false")
    assert steps(rejected)["delete"] == "Failed"
    assert "is not allowed sagemaker:DeleteEndpoint" in rejected["FailureMessage"]
    assert shop.exists(DRY)


def check_a_recreated_endpoint_has_the_full_idle_time(shop: IdleSandbox, driver: Any) -> None:
    shop.pass_time(20)
    assert list_changes(plan(driver)) == {f'aws_sagemaker_endpoint.this["{QUIET}"]': ["create"]}
    driver.apply()
    shop.pass_time(60)
    assert shop.state(f"{QUIET}/idle") == "OK", "its idle time starts again"
    assert shop.exists(QUIET)

    shop.pass_time(60 * (HOURS + EXTRA_HOURS - 1))
    wait_until(lambda: not shop.exists(QUIET))
    assert [shop.exists(name) for name in (IN_USE, DRY)] == [True, True]
    wait_until(lambda: len(shop.list_messages(QUIET)) >= 2)
    assert len(shop.list_messages(QUIET)) == 2


def check_endpoints_idle_before_the_apply_are_reported(shop: IdleSandbox, driver: Any) -> None:
    before = len(shop.list_messages(DRY))
    for dry in ("off", "report"):
        driver.apply(tf_vars={"dry": dry})
    shop.pass_time(10)
    wait_until(lambda: len(shop.list_messages(DRY)) > before)
    assert len(shop.list_messages(DRY)) == before + 1


def check_a_deployment_counts_as_use(shop: IdleSandbox, driver: Any) -> None:
    driver.apply(tf_vars={"waste_hours": HOURS + 1})
    shop.endpoints.wait_until_settled(QUIET)
    assert shop.ssm.describe_document(Name=RUNBOOK)["Document"]["DefaultVersion"] == "2", "the hours in the messages "
    "changed"
    assert shop.state(f"{DRY}/idle-stop") == "ALARM"
    shop.sandbox.fault("UpdateEndpoint", status_delay=600)
    shop.endpoints.start_update(QUIET, shop.endpoints.create_config(shop.endpoints.create_model("new"), count=1))
    during = shop.start_runbook(EndpointName=QUIET, AlarmName=f"{DRY}/idle-stop", DryRun="false")
    assert steps(during) == {"stillIdle": "Success", "isInService": "Failed", "reportNoChange": "Success"}
    assert shop.endpoints.describe(QUIET)["EndpointStatus"] == "Updating"
    shop.endpoints.start_update(DRY, shop.endpoints.create_config(shop.endpoints.create_model("new"), count=1))
    shop.endpoints.wait_until_settled(DRY)
    shop.pass_time(10)
    assert shop.state(f"{DRY}/idle-stop") == "OK"
    assert shop.exists(QUIET)
    assert shop.exists(DRY)

    shop.cloudwatch.set_alarm_state(
        AlarmName=f"{DRY}/deployed", StateValue="INSUFFICIENT_DATA", StateReason="It has just been made."
    )
    assert shop.state(f"{DRY}/idle-stop") == "OK", "the alarm needs data about deployments"


@pytest.mark.apply
def test_idle_endpoints_hour_by_hour(shop: tuple[IdleSandbox, Any]) -> None:
    """Run the checks in this order; each starts from the state after the one before."""
    for check in (
        check_new_endpoints_are_not_idle,
        check_a_manual_run_keeps_endpoints_in_use,
        check_only_idle_endpoints_are_deleted_or_reported,
        check_a_recreated_endpoint_has_the_full_idle_time,
        check_endpoints_idle_before_the_apply_are_reported,
        check_a_deployment_counts_as_use,
    ):
        print(check.__name__)
        check(*shop)
