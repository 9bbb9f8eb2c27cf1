"""What the Terraform provider makes of a deployment that is rolled back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sustainable_mlops.errors import UserError
from sustainable_mlops.sandbox import Sandbox
from sustainable_mlops.terraform import Terraform, changes
from tests.sandbox.deploying import Endpoints
from tests.sandbox.support import refusal, until

NAME = "rolled-back"
ROOT_MODULE = f"""
terraform {{
  required_providers {{
    aws = {{ source = "hashicorp/aws" }}
  }}
}}

provider "aws" {{
  region = "eu-north-1"
}}

variable "model" {{
  type = string
}}

resource "aws_cloudwatch_metric_alarm" "this" {{
  alarm_name          = "errors"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocation5XXErrors"
  dimensions          = {{ EndpointName = "{NAME}", VariantName = "main" }}
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
}}

resource "aws_sagemaker_endpoint_configuration" "this" {{
  name_prefix = "{NAME}-"
  production_variants {{
    variant_name           = "main"
    model_name             = var.model
    instance_type          = "ml.c7g.large"
    initial_instance_count = 2
  }}
  lifecycle {{
    create_before_destroy = true
  }}
}}

resource "aws_sagemaker_endpoint" "this" {{
  name                 = "{NAME}"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  deployment_config {{
    blue_green_update_policy {{
      traffic_routing_configuration {{
        type                     = "CANARY"
        wait_interval_in_seconds = 300
        canary_size {{
          type  = "CAPACITY_PERCENT"
          value = 50
        }}
      }}
      termination_wait_in_seconds          = 300
      maximum_execution_timeout_in_seconds = 1800
    }}
    auto_rollback_configuration {{
      alarms {{
        alarm_name = aws_cloudwatch_metric_alarm.this.alarm_name
      }}
    }}
  }}
}}
"""


@contextmanager
def applying(terraform: Terraform, model: str) -> Iterator[list[str]]:
    """An apply under way, and afterwards what it failed with."""
    failed: list[str] = []

    def apply() -> None:
        try:
            terraform.apply(f"-var=model={model}")
        except UserError as error:
            failed.append(str(error))

    thread = threading.Thread(target=apply)
    thread.start()
    try:
        yield failed
    finally:
        thread.join()


@pytest.mark.apply
def test_a_rolled_back_apply_fails_or_corrupts_by_what_the_provider_happens_to_see(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(ROOT_MODULE)
    with Sandbox.start(log=tmp_path / "sandbox.log") as sandbox:
        own = Endpoints.of(sandbox)
        good, bad = own.model("good"), own.model("")
        terraform, plan_file = Terraform(tmp_path, sandbox.environment), tmp_path / "tfplan"
        terraform.init()
        terraform.apply(f"-var=model={good}")
        assert changes(terraform.plan(plan_file, f"-var=model={good}")) == {}
        serving = own.look(NAME)["EndpointConfigName"]

        # It looks while the endpoint is RollingBack, which it takes for an error: nothing is lost.
        with applying(terraform, bad) as failed:
            fail(own)
            sandbox.fault("UpdateEndpoint", status_delay=600)
            sandbox.advance(130)
            assert own.look(NAME)["EndpointStatus"] == "RollingBack"
        assert "unexpected state 'RollingBack'" in failed[0]
        sandbox.advance(900)
        assert own.look(NAME)["EndpointConfigName"] == serving
        assert own.sagemaker.describe_endpoint_config(EndpointConfigName=serving)

        # It does not, and finds the endpoint in service: what serves is deleted as what was replaced.
        with applying(terraform, bad) as failed:
            fail(own)
            sandbox.advance(130)
            until(lambda: own.look(NAME)["EndpointStatus"] == "InService")
        assert failed == []
        assert own.look(NAME)["EndpointConfigName"] == serving
        assert "Could not find" in refusal(own.sagemaker.describe_endpoint_config, EndpointConfigName=serving)[1]
        assert own.ask(NAME) == "good"
        sandbox.advance(300)
        with applying(terraform, good) as failed:
            pass
        assert "Could not find endpoint configuration" in failed[0]
    assert (tmp_path / "sandbox.log").read_text() == ""


def fail(own: Endpoints) -> None:
    """The new model is asked, and cannot answer."""
    until(lambda: own.look(NAME)["EndpointStatus"] == "Updating", seconds=60)
    own.sandbox.advance(1)
    with own.load(NAME, 1) as said:
        until(lambda: len(said) > 1)
