"""What the Terraform provider makes of a deployment that is rolled back."""

import json
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import PROVIDER, Terraform, list_changes
from tests import provider
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import refusal, until

pytestmark = pytest.mark.apply

ROOT_MODULE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "eu-north-1"
}

variable "model" {
  type = string
}

resource "aws_cloudwatch_metric_alarm" "this" {
  alarm_name          = "NAME-errors"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocation5XXErrors"
  dimensions          = { EndpointName = "NAME", VariantName = "main" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "NAME-"
  production_variants {
    variant_name           = "main"
    model_name             = var.model
    instance_type          = "ml.c7g.large"
    initial_instance_count = 2
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = "NAME"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  deployment_config {
    blue_green_update_policy {
      traffic_routing_configuration {
        type                     = "CANARY"
        wait_interval_in_seconds = 300
        canary_size {
          type  = "CAPACITY_PERCENT"
          value = 50
        }
      }
      termination_wait_in_seconds          = 300
      maximum_execution_timeout_in_seconds = 1800
    }
    auto_rollback_configuration {
      alarms {
        alarm_name = aws_cloudwatch_metric_alarm.this.alarm_name
      }
    }
  }
}
"""
#: What users may add, so that an apply says what SageMaker did.
GUARD = """
  lifecycle {
    postcondition {
      condition     = self.endpoint_config_name == aws_sagemaker_endpoint_configuration.this.name
      error_message = "Rolled back: ${self.name} serves ${self.endpoint_config_name}."
    }
  }
}
"""


class AppliedModule:
    """The root module, applied to an endpoint of this name."""

    def __init__(self, own: EndpointClient, folder: Path, name: str, root_module: str, reattach: str) -> None:
        self.own, self.name = own, name
        (folder / "main.tf").write_text(root_module.replace("NAME", name))
        self._terraform = Terraform(folder, own.sandbox.environment | {"TF_REATTACH_PROVIDERS": reattach})
        self._plan_file = folder / "tfplan"
        self._provider: int = json.loads(reattach)[PROVIDER]["Pid"]
        self._terraform.init()

    def apply(self, model: str) -> None:
        self._terraform.apply(f"-var=model={model}")

    def plan_changes(self, model: str) -> dict[str, list[str]]:
        return list_changes(self._terraform.plan(self._plan_file, f"-var=model={model}"))

    @property
    def serving_config(self) -> str:
        """The configuration that the endpoint has."""
        return str(self.own.describe(self.name)["EndpointConfigName"])

    @property
    def list_configs(self) -> list[str]:
        """Those that there are, newest first."""
        listed = self.own.sagemaker.list_endpoint_configs(NameContains=f"{self.name}-")["EndpointConfigs"]
        return [one["EndpointConfigName"] for one in listed]

    @contextmanager
    def run_apply(self, model: str) -> Iterator[list[str]]:
        """An apply whose update is under way, and afterwards what it failed with."""
        failed: list[str] = []

        def apply() -> None:
            try:
                self.apply(model)
            except UserError as error:
                failed.append(str(error))

        thread = threading.Thread(target=apply, daemon=True)
        thread.start()
        try:
            until(lambda: failed or self.own.describe(self.name)["EndpointStatus"] != "InService", seconds=240)
            yield failed
        finally:
            thread.join(300)
        assert not thread.is_alive()

    @contextmanager
    def suspend_provider(self) -> Iterator[None]:
        """What happens meanwhile is over when the provider looks again."""
        os.kill(self._provider, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._provider, signal.SIGCONT)

    def trigger_rollback(self, *heard: Iterable[str]) -> None:
        """Have the new model asked, which cannot answer, until the alarm has told so and others who ask heard it."""
        self.own.sandbox.advance(1)
        with self.own.generate_load(self.name, 1) as said:
            until(lambda: all(any("ModelError" in answer for answer in list(one)) for one in (said, *heard)))
        self.own.sandbox.advance(130)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointClient]:
    """A sandbox whose time is these tests' own."""
    log = tmp_path_factory.mktemp("rolled-back") / "sandbox.log"
    with Sandbox.start(log=log) as sandbox:
        yield EndpointClient.prepare(sandbox)
    assert log.read_text() == ""


@pytest.fixture(scope="module")
def reattach(own: EndpointClient) -> Iterator[str]:
    """The way to a provider on it."""
    with provider.serving(own.sandbox.process_environment()) as address:
        yield address


def test_a_rolled_back_apply_fails_or_corrupts_by_what_the_provider_happens_to_see(
    own: EndpointClient, reattach: str, tmp_path: Path
) -> None:
    good, bad = own.create_model("good"), own.create_model("")
    applied = AppliedModule(own, tmp_path, "silent", ROOT_MODULE, reattach)
    applied.apply(good)
    assert applied.plan_changes(good) == {}
    serving = applied.serving_config

    # It looks while the endpoint is RollingBack, which it takes for an error: nothing is lost.
    with applied.run_apply(bad) as failed:
        own.sandbox.fault("UpdateEndpoint", status_delay=600)
        applied.trigger_rollback()
        assert own.describe(applied.name)["EndpointStatus"] == "RollingBack"
    assert "unexpected state 'RollingBack'" in failed[0]
    own.sandbox.advance(900)
    assert own.wait_until_settled(applied.name)["EndpointConfigName"] == serving
    assert serving in applied.list_configs

    # It does not, and finds the endpoint in service: what serves is deleted as what was replaced.
    with applied.run_apply(bad) as failed, applied.suspend_provider():
        applied.trigger_rollback()
        own.wait_until_settled(applied.name)
    assert failed == []
    assert applied.serving_config == serving
    assert "Could not find" in refusal(own.sagemaker.describe_endpoint_config, EndpointConfigName=serving)[1]
    assert own.invoke(applied.name) == "good"
    own.sandbox.advance(300)
    with applied.run_apply(good) as failed:
        pass
    assert "Could not find endpoint configuration" in failed[0]


def test_a_postcondition_makes_the_apply_fail_that_was_rolled_back(
    own: EndpointClient, reattach: str, tmp_path: Path
) -> None:
    good, bad, better = own.create_model("good"), own.create_model(""), own.create_model("better")
    applied = AppliedModule(own, tmp_path, "guarded", ROOT_MODULE.removesuffix("}\n") + GUARD, reattach)
    applied.apply(good)
    assert applied.plan_changes(good) == {}
    serving = applied.serving_config

    # A model that does not load never gets a request; one that cannot answer gets the canary's share of them.
    for model, others in ((own.create_model("late", tmp_path), set()), (bad, {"ModelError"})):
        with own.generate_load(applied.name, 1) as said, applied.run_apply(model) as failed, applied.suspend_provider():
            if others:
                applied.trigger_rollback(said)
            own.wait_until_settled(applied.name)
            assert own.measure_share(applied.name, "good", 20) == 1.0
        assert "Resource postcondition failed" in failed[0]
        assert f"Rolled back: {applied.name} serves {serving}." in failed[0]
        assert {answer if answer == "good" else answer.partition(":")[0] for answer in said} == {"good"} | others
        assert applied.serving_config == serving
        assert serving in applied.list_configs
        own.sandbox.advance(300)

    with own.generate_load(applied.name, 1) as said, applied.run_apply(better):
        own.sandbox.advance(660)
        until(lambda: "better" in said)
    assert said.keys() == {"good", "better"}
    assert own.invoke(applied.name) == "better"
    assert applied.list_configs == [applied.serving_config]
    assert applied.plan_changes(better) == {}
