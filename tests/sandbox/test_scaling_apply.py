"""Terraform creates, updates and destroys all scaling resources, and plans no changes in between."""

from pathlib import Path

import pytest

from sustainable_mlops.base.terraform import Terraform, list_changes
from tests.provider import alone
from tests.sandbox.support import make_role
from tests.sandbox.test_scaling import ON_INSTANCES, make_endpoint

SCALED = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "eu-north-1"
  default_tags {
    tags = { workload = "scaled" }
  }
}

variable "most" {
  type    = number
  default = 3
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/applied/variant/main"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = 1
  max_capacity       = var.most
  suspended_state {
    dynamic_scaling_in_suspended = true
  }
}

locals {
  target = {
    service_namespace  = aws_appautoscaling_target.this.service_namespace
    resource_id        = aws_appautoscaling_target.this.resource_id
    scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  }
}

resource "aws_appautoscaling_policy" "invocations" {
  name               = "invocations"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = local.target.service_namespace
  resource_id        = local.target.resource_id
  scalable_dimension = local.target.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value       = 100 * var.most
    scale_in_cooldown  = 600
    scale_out_cooldown = 60
    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}

resource "aws_appautoscaling_policy" "math" {
  name               = "math"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = local.target.service_namespace
  resource_id        = local.target.resource_id
  scalable_dimension = local.target.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value = 4.5
    customized_metric_specification {
      metrics {
        id          = "queue"
        return_data = false
        metric_stat {
          stat = "Sum"
          metric {
            namespace   = "Mine"
            metric_name = "Queue"
          }
        }
      }
      metrics {
        id         = "half"
        expression = "queue / 2"
      }
    }
  }
}

resource "aws_appautoscaling_policy" "steps" {
  name               = "steps"
  policy_type        = "StepScaling"
  service_namespace  = local.target.service_namespace
  resource_id        = local.target.resource_id
  scalable_dimension = local.target.scalable_dimension
  step_scaling_policy_configuration {
    adjustment_type          = "PercentChangeInCapacity"
    cooldown                 = 60
    metric_aggregation_type  = "Maximum"
    min_adjustment_magnitude = 2
    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = 10
      scaling_adjustment          = 10
    }
    step_adjustment {
      metric_interval_lower_bound = 10
      scaling_adjustment          = 50
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "steps" {
  alarm_name          = "applied-steps"
  namespace           = "Mine"
  metric_name         = "Queue"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 2
  threshold           = 10
  comparison_operator = "GreaterThanOrEqualToThreshold"
  alarm_actions       = [aws_appautoscaling_policy.steps.arn]
}

resource "aws_appautoscaling_scheduled_action" "mornings" {
  name               = "mornings"
  service_namespace  = local.target.service_namespace
  resource_id        = local.target.resource_id
  scalable_dimension = local.target.scalable_dimension
  schedule           = "cron(0 8 ? * MON-FRI *)"
  timezone           = "Europe/Stockholm"
  start_time         = "2035-01-01T00:00:00Z"
  scalable_target_action {
    min_capacity = 1
    max_capacity = var.most
  }
}

resource "aws_appautoscaling_scheduled_action" "once" {
  name               = "once"
  service_namespace  = local.target.service_namespace
  resource_id        = local.target.resource_id
  scalable_dimension = local.target.scalable_dimension
  schedule           = "at(2035-01-01T00:00:00)"
  scalable_target_action {
    min_capacity = 0
  }
}
"""


@pytest.mark.apply
def test_targets_policies_and_scheduled_actions_are_created_updated_and_destroyed(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(SCALED)
    with alone(tmp_path / "sandbox.log") as (sandbox, environment):
        make_role(sandbox)
        make_endpoint(sandbox, "applied", ON_INSTANCES)
        initial_inventory = sandbox.inventory()
        terraform, plan_file = Terraform(tmp_path, environment), tmp_path / "tfplan"
        terraform.init()
        terraform.apply()
        created = sandbox.inventory()["sagemaker"]
        assert (created["scalable target"], len(created["scaling policy"])) == (["endpoint/applied/variant/main"], 3)
        assert list_changes(terraform.plan(plan_file)) == {}
        change = "-var=most=4"
        updated = ("target.this", "policy.invocations", "scheduled_action.mornings")
        assert list_changes(terraform.plan(plan_file, change)) == {
            f"aws_appautoscaling_{resource}": ["update"] for resource in updated
        }
        terraform.apply(change)
        terraform.apply("-destroy", change)
        assert sandbox.inventory() == initial_inventory
    assert (tmp_path / "sandbox.log").read_text() == ""
