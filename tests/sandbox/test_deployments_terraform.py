"""Behavior of the Terraform provider for a deployment that is rolled back."""

import json
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import PROVIDER, Terraform, list_changes
from tests import provider
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import WAIT_SECONDS, catch_error, wait_until

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
#: Postcondition that users can add, so that an apply reports a rollback.
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

    def __init__(self, endpoints: EndpointClient, folder: Path, name: str, root_module: str, reattach: str) -> None:
        self.endpoints, self.name = endpoints, name
        (folder / "main.tf").write_text(root_module.replace("NAME", name))
        self._terraform = Terraform(folder, endpoints.sandbox.environment | {"TF_REATTACH_PROVIDERS": reattach})
        self._plan_file = folder / "tfplan"
        self._provider: int = json.loads(reattach)[PROVIDER]["Pid"]
        self._terraform.init()

    def apply(self, model: str) -> None:
        self._terraform.apply(f"-var=model={model}")

    def plan_changes(self, model: str) -> dict[str, list[str]]:
        return list_changes(self._terraform.plan(self._plan_file, f"-var=model={model}"))

    @property
    def serving_config(self) -> str:
        """Configuration that the endpoint serves."""
        return str(self.endpoints.describe(self.name)["EndpointConfigName"])

    @property
    def list_configs(self) -> list[str]:
        """Existing configurations, newest first."""
        configs = self.endpoints.sagemaker.list_endpoint_configs(NameContains=f"{self.name}-")["EndpointConfigs"]
        return [config["EndpointConfigName"] for config in configs]

    @contextmanager
    def run_apply(self, model: str) -> Iterator[list[str]]:
        """Run an apply; yield a list of its errors once its update is active."""
        errors: list[str] = []

        def apply() -> None:
            try:
                self.apply(model)
            except UserError as error:
                errors.append(str(error))

        thread = threading.Thread(target=apply, daemon=True)
        thread.start()
        try:
            wait_until(lambda: errors or self.endpoints.describe(self.name)["EndpointStatus"] != "InService")
            yield errors
        finally:
            thread.join(WAIT_SECONDS)
        assert not thread.is_alive()

    @contextmanager
    def suspend_provider(self) -> Iterator[None]:
        """Suspend the provider, so that it misses the changes in between."""
        os.kill(self._provider, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._provider, signal.SIGCONT)

    def trigger_rollback(self, *other_answers: Iterable[str]) -> None:
        """Send requests that fail until the alarm has data and all other clients saw an error."""
        self.endpoints.sandbox.advance(1)
        with self.endpoints.generate_load(self.name, 1) as answers:
            wait_until(
                lambda: all(
                    any("ModelError" in answer for answer in list(client_answers))
                    for client_answers in (answers, *other_answers)
                )
            )
        self.endpoints.sandbox.advance(130)


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointClient]:
    """Yield a client of a sandbox whose clock belongs to these tests."""
    log = tmp_path_factory.mktemp("rolled-back") / "sandbox.log"
    with Sandbox.start(log=log) as sandbox:
        yield EndpointClient.prepare(sandbox)
    assert log.read_text() == ""


@pytest.fixture(scope="module")
def reattach(endpoints: EndpointClient) -> Iterator[str]:
    """Yield the reattach address of a provider for the sandbox."""
    with provider.serving(endpoints.sandbox.process_environment()) as address:
        yield address


def test_a_rolled_back_apply_fails_or_corrupts_the_state_depending_on_timing(
    endpoints: EndpointClient, reattach: str, tmp_path: Path
) -> None:
    good, bad = endpoints.create_model("good"), endpoints.create_model("")
    applied = AppliedModule(endpoints, tmp_path, "silent", ROOT_MODULE, reattach)
    applied.apply(good)
    assert applied.plan_changes(good) == {}
    served_config = applied.serving_config

    # The provider sees RollingBack and reports an error: nothing is lost.
    with applied.run_apply(bad) as errors:
        endpoints.sandbox.advance(0)  # the launch would take the delay, which belongs to the rollback
        endpoints.sandbox.fault("UpdateEndpoint", status_delay=600)
        applied.trigger_rollback()
        assert endpoints.describe(applied.name)["EndpointStatus"] == "RollingBack"
    assert "unexpected state 'RollingBack'" in errors[0]
    endpoints.sandbox.advance(900)
    assert endpoints.wait_until_settled(applied.name)["EndpointConfigName"] == served_config
    assert served_config in applied.list_configs

    # The provider misses it and sees InService: it deletes the serving configuration as if it was replaced.
    with applied.run_apply(bad) as errors, applied.suspend_provider():
        applied.trigger_rollback()
        endpoints.wait_until_settled(applied.name)
    assert errors == []
    assert applied.serving_config == served_config
    assert (
        "Could not find"
        in catch_error(endpoints.sagemaker.describe_endpoint_config, EndpointConfigName=served_config)[1]
    )
    assert endpoints.invoke(applied.name) == "good"
    endpoints.sandbox.advance(300)
    with applied.run_apply(good) as errors:
        pass
    assert "Could not find endpoint configuration" in errors[0]


def test_a_postcondition_fails_a_rolled_back_apply(endpoints: EndpointClient, reattach: str, tmp_path: Path) -> None:
    good, bad, better = endpoints.create_model("good"), endpoints.create_model(""), endpoints.create_model("better")
    applied = AppliedModule(endpoints, tmp_path, "guarded", ROOT_MODULE.removesuffix("}\n") + GUARD, reattach)
    applied.apply(good)
    assert applied.plan_changes(good) == {}
    served_config = applied.serving_config

    # A model that does not load gets no request; one that fails gets the share of the canary.
    for model, error_answers in ((endpoints.create_model("late", tmp_path), set()), (bad, {"ModelError"})):
        with (
            endpoints.generate_load(applied.name, 1) as answers,
            applied.run_apply(model) as errors,
            applied.suspend_provider(),
        ):
            if error_answers:
                applied.trigger_rollback(answers)
            endpoints.wait_until_settled(applied.name)
            assert endpoints.measure_share(applied.name, "good", 20) == 1.0
        assert "Resource postcondition failed" in errors[0]
        assert f"Rolled back: {applied.name} serves {served_config}." in errors[0]
        assert {answer if answer == "good" else answer.partition(":")[0] for answer in answers} == {
            "good"
        } | error_answers
        assert applied.serving_config == served_config
        assert served_config in applied.list_configs
        endpoints.sandbox.advance(300)

    with endpoints.generate_load(applied.name, 1) as answers, applied.run_apply(better):
        endpoints.sandbox.advance(660)
        wait_until(lambda: "better" in answers)
    assert answers.keys() == {"good", "better"}
    assert endpoints.invoke(applied.name) == "better"
    assert applied.list_configs == [applied.serving_config]
    assert applied.plan_changes(better) == {}
