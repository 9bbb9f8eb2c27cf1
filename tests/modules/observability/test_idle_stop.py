"""Idle endpoints, hour by hour: those that are asked stay, in a dry run people hear of the others, else these go; and
whoever makes one anew has it for as long as a new one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sustainable_mlops.terraform import ROOT, list_changes
from tests.modules.examples import plan, terraform
from tests.modules.observability.hearing import Hearing
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
ASKED, QUIET, DRY = "shop-asked", "shop-quiet", "shop-dry"
RUNBOOK, HOURS = "shop-stop-idle-endpoint", 2
#: An alarm looks at two periods more where data is missing, as of deployments mostly.
LATER = 3


class Shop(Hearing):
    """A sandbox with three endpoints, of which people ask one."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, ["alarms"])
        self.endpoints, self.ssm = EndpointClient.prepare(sandbox), sandbox.client("ssm")

    def scale(self, endpoint: str) -> None:
        """Register a scalable target of the endpoint, with bounds that move nothing."""
        self.sandbox.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{endpoint}/variant/main",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            MinCapacity=1,
            MaxCapacity=1,
        )

    def pass_time(self, minutes: int, step: int = 10) -> None:
        """So many minutes, in which the one is asked; what alarms set off has come about by then."""
        for _ in range(0, minutes, step):
            self.endpoints.invoke(ASKED)
            self.sandbox.advance(60 * step)
            self.settle()

    def settle(self) -> None:
        """Whatever was started is over."""
        running = [{"Key": "ExecutionStatus", "Values": ["InProgress"]}]
        wait_until(
            lambda: not self.ssm.describe_automation_executions(Filters=running)["AutomationExecutionMetadataList"]
        )

    def there(self, endpoint: str) -> bool:
        try:
            return bool(self.endpoints.describe(endpoint)["EndpointStatus"] != "Deleting")
        except ClientError:
            return False

    def told(self, endpoint: str) -> list[str]:
        """What the topic was told of an idle endpoint, in words."""
        return [one for one in self.heard("alarms") if isinstance(one, str) and f"the endpoint {endpoint} for" in one]

    def start(self, **given: str) -> dict[str, Any]:
        """The runbook's run by hand, once it is over."""
        parameters = {name: [value] for name, value in given.items()}
        started = self.ssm.start_automation_execution(DocumentName=RUNBOOK, Parameters=parameters)
        self.settle()
        name = started["AutomationExecutionId"]
        found: dict[str, Any] = self.ssm.get_automation_execution(AutomationExecutionId=name)["AutomationExecution"]
        return found

    def state(self, alarm: str) -> str:
        return str(self.alarm(alarm)["StateValue"])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Shop, Any]]:
    folder = tmp_path / "root"
    folder.mkdir()
    with alone(tmp_path / "log") as (sandbox, environment):
        made = Shop(sandbox)
        (folder / "main.tf").write_text(ROOT_MODULE)
        (folder / "modules").symlink_to(ROOT / "modules")
        configs = {
            name: made.endpoints.create_config(made.endpoints.create_model(name), count=1)
            for name in (ASKED, QUIET, DRY)
        }
        variables = {"TF_VAR_kms_key_arn": made.key(), "TF_VAR_configs": json.dumps(configs)}
        driver = terraform(folder, {**environment, **variables})
        driver.apply()
        made.scale(QUIET)
        made.subscribe(driver.output()["topics"])
        yield made, driver


def steps(execution: dict[str, Any]) -> dict[str, str]:
    """What became of the steps that were done."""
    done = [one for one in execution["StepExecutions"] if one["StepStatus"] != "Pending"]
    return {one["StepName"]: one["StepStatus"] for one in done}


def what_has_just_been_made_is_not_idle(made: Shop, _driver: Any) -> None:
    made.pass_time(20)
    assert made.state(f"{QUIET}/idle") == "OK"


def started_by_hand_it_leaves_what_is_not_idle(made: Shop, _driver: Any) -> None:
    found = made.start(EndpointName=ASKED, AlarmName=f"{ASKED}/idle-stop", DryRun="false")
    assert (found["AutomationExecutionStatus"], steps(found)) == (
        "Failed",
        {"stillIdle": "Failed", "tellNotDone": "Success"},
    )
    wait_until(lambda: made.told(ASKED))
    assert "It was not changed" in made.told(ASKED)[0]
    assert made.there(ASKED)


def an_idle_endpoint_is_deleted_or_told_of_and_one_that_is_asked_stays(made: Shop, _driver: Any) -> None:
    made.pass_time(60 * HOURS - 40)
    assert made.there(QUIET), "not before it has been idle for so long"

    made.pass_time(60 * LATER)
    wait_until(lambda: made.told(QUIET) and made.told(DRY))
    wait_until(lambda: not made.there(QUIET))
    assert [made.there(name) for name in (ASKED, DRY)] == [True, True]
    [deleted], [reported] = made.told(QUIET), made.told(DRY)
    assert "It was deleted" in deleted
    assert "Nothing was done, because idle_stop is report" in reported
    assert "An hour of each of its instances is about 0.00" in reported
    assert "USD, estimated." in reported
    kept = made.endpoints.sagemaker
    assert len(kept.list_models()["Models"]) == len(kept.list_endpoint_configs()["EndpointConfigs"]) == 3

    refused = made.start(EndpointName=DRY, AlarmName=f"{DRY}/idle-stop", DryRun="false")
    assert steps(refused)["delete"] == "Failed"
    assert "is not allowed sagemaker:DeleteEndpoint" in refused["FailureMessage"]
    assert made.there(DRY)


def made_anew_by_apply_it_is_there_for_as_long_as_a_new_one(made: Shop, driver: Any) -> None:
    made.pass_time(20)
    assert list_changes(plan(driver)) == {f'aws_sagemaker_endpoint.this["{QUIET}"]': ["create"]}
    driver.apply()
    made.pass_time(60)
    assert made.state(f"{QUIET}/idle") == "OK", "it is new again"
    assert made.there(QUIET)

    made.pass_time(60 * (HOURS + LATER - 1))
    wait_until(lambda: not made.there(QUIET))
    assert [made.there(name) for name in (ASKED, DRY)] == [True, True]
    wait_until(lambda: len(made.told(QUIET)) == 2)


def what_is_idle_already_when_it_is_asked_for_is_told_of_as_well(made: Shop, driver: Any) -> None:
    before = len(made.told(DRY))
    for dry in ("off", "report"):
        driver.apply(tf_vars={"dry": dry})
    made.pass_time(10)
    wait_until(lambda: len(made.told(DRY)) == before + 1)


def a_deployment_is_not_disturbed_and_counts_as_use(made: Shop, driver: Any) -> None:
    driver.apply(tf_vars={"waste_hours": HOURS + 1})
    made.endpoints.wait_until_settled(QUIET)
    assert made.ssm.describe_document(Name=RUNBOOK)["Document"]["DefaultVersion"] == "2", "it tells of other hours now"
    assert made.state(f"{DRY}/idle-stop") == "ALARM"
    made.sandbox.fault("UpdateEndpoint", status_delay=600)
    made.endpoints.start_update(QUIET, made.endpoints.create_config(made.endpoints.create_model("new"), count=1))
    during = made.start(EndpointName=QUIET, AlarmName=f"{DRY}/idle-stop", DryRun="false")
    assert steps(during) == {"stillIdle": "Success", "atRest": "Failed", "tellNotDone": "Success"}
    assert made.endpoints.describe(QUIET)["EndpointStatus"] == "Updating"
    made.endpoints.start_update(DRY, made.endpoints.create_config(made.endpoints.create_model("new"), count=1))
    made.endpoints.wait_until_settled(DRY)
    made.pass_time(10)
    assert made.state(f"{DRY}/idle-stop") == "OK"
    assert made.there(QUIET)
    assert made.there(DRY)

    made.cloudwatch.set_alarm_state(
        AlarmName=f"{DRY}/deployed", StateValue="INSUFFICIENT_DATA", StateReason="It has just been made."
    )
    assert made.state(f"{DRY}/idle-stop") == "OK", "not before it is known that nobody has deployed to it"


@pytest.mark.apply
def test_idle_endpoints_hour_by_hour(shop: tuple[Shop, Any]) -> None:
    """One after the other: what has come of the hours before is where the next begins."""
    for happens in (
        what_has_just_been_made_is_not_idle,
        started_by_hand_it_leaves_what_is_not_idle,
        an_idle_endpoint_is_deleted_or_told_of_and_one_that_is_asked_stays,
        made_anew_by_apply_it_is_there_for_as_long_as_a_new_one,
        what_is_idle_already_when_it_is_asked_for_is_told_of_as_well,
        a_deployment_is_not_disturbed_and_counts_as_use,
    ):
        print(happens.__name__)
        happens(*shop)
