"""The Terraform provider's alarms: apply, an empty second plan, a change, and a destroy that leaves nothing."""

from pathlib import Path

import pytest

from sustainable_mlops.base.terraform import Terraform, list_changes
from tests.provider import alone

ROOT_MODULE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "eu-north-1"
  default_tags {
    tags = { workload = "probe" }
  }
}

variable "threshold" {
  type    = number
  default = 5
}

locals {
  slow = "ALARM(${aws_cloudwatch_metric_alarm.latency.arn})"
}

resource "aws_sns_topic" "this" {
  name = "probe"
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "probe-errors"
  alarm_description   = "Half of the requests fail"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = var.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  metric_query {
    id          = "share"
    expression  = "100 * FILL(errors, 0) / requests"
    label       = "Share of errors"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { errors = "Invocation5XXErrors", requests = "Invocations" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/SageMaker"
        metric_name = metric_query.value
        period      = 60
        stat        = "Sum"
        dimensions  = { EndpointName = "probe", VariantName = "main" }
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name                            = "probe-latency"
  namespace                             = "AWS/SageMaker"
  metric_name                           = "ModelLatency"
  dimensions                            = { EndpointName = "probe", VariantName = "main" }
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  period                                = 60
  unit                                  = "Microseconds"
  comparison_operator                   = "GreaterThanThreshold"
  evaluation_periods                    = 5
  threshold                             = 200000
}

resource "aws_cloudwatch_metric_alarm" "maintenance" {
  alarm_name          = "probe-maintenance"
  namespace           = "Probe"
  metric_name         = "Maintenance"
  statistic           = "Maximum"
  period              = 10
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 0
  actions_enabled     = false
}

resource "aws_cloudwatch_composite_alarm" "this" {
  alarm_name    = "probe"
  alarm_rule    = "ALARM(${aws_cloudwatch_metric_alarm.errors.alarm_name}) OR ${local.slow}"
  alarm_actions = [aws_sns_topic.this.arn]
  ok_actions    = [aws_sns_topic.this.arn]
  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.maintenance.alarm_name
    wait_period      = 60
    extension_period = 120
  }
}
"""


@pytest.mark.apply
def test_alarms_of_terraform(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(ROOT_MODULE)
    with alone(tmp_path / "sandbox.log") as (sandbox, environment):
        cloudwatch = sandbox.client("cloudwatch")
        terraform, plan_file = Terraform(tmp_path, environment), tmp_path / "tfplan"
        terraform.init()
        terraform.apply()
        alarms = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        assert [len(alarms["MetricAlarms"]), len(alarms["CompositeAlarms"])] == [3, 1]
        tags = cloudwatch.list_tags_for_resource(ResourceARN=alarms["CompositeAlarms"][0]["AlarmArn"])["Tags"]
        assert tags == [{"Key": "workload", "Value": "probe"}]
        sandbox.advance(120)  # what they are found to be is no change of theirs
        assert list_changes(terraform.plan(plan_file)) == {}
        change = ("-var=threshold=6",)
        assert list_changes(terraform.plan(plan_file, *change)) == {"aws_cloudwatch_metric_alarm.errors": ["update"]}
        terraform.apply(*change)
        terraform.apply("-destroy")
        assert sandbox.inventory() == {}
    assert (tmp_path / "sandbox.log").read_text() == ""
