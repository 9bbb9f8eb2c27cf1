# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# For OpenTofu, which cannot read mocks from a folder.
mock_provider "aws" {
  mock_resource "aws_cloudwatch_composite_alarm" {
    defaults = {
      arn = "arn:aws:cloudwatch:eu-north-1:123456789012:alarm:example"
    }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = {
      arn = "arn:aws:events:eu-north-1:123456789012:rule/example"
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:eu-north-1:123456789012:log-group:example"
    }
  }

  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = {
      arn = "arn:aws:cloudwatch:eu-north-1:123456789012:alarm:example"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/example"
    }
  }

  mock_resource "aws_sns_topic" {
    defaults = {
      arn = "arn:aws:sns:eu-north-1:123456789012:example"
    }
  }

  mock_resource "aws_sns_topic_subscription" {
    defaults = {
      arn = "arn:aws:sns:eu-north-1:123456789012:example:1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }

  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:eu-north-1:123456789012:example"
      url = "https://sqs.eu-north-1.amazonaws.com/123456789012/example"
    }
  }

  mock_resource "aws_ssm_document" {
    defaults = {
      arn = "arn:aws:ssm:eu-north-1:123456789012:document/example"
    }
  }

  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
      arn        = "arn:aws:iam::123456789012:role/example"
      id         = "123456789012"
    }
  }

  mock_data "aws_region" {
    defaults = {
      id   = "eu-north-1"
      name = "eu-north-1"
    }
  }
}

variables {
  name_prefix = "shop"
  account_id  = "123456789012"
  region      = "eu-north-1"
  kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

  endpoints = {
    churn = { name = "shop-churn", kind = "serverless", memory_mb = 2048, latency_slo_ms = 500 }
  }

  subscribers = {
    ml_team = { protocol = "email", endpoint = "ml-team@example.com" }
  }
}

run "plan" {
  command = plan

  variables {
    verify_location = true
  }
}

run "invalid_name_prefix" {
  command = plan

  variables {
    name_prefix = "Not valid"
  }

  expect_failures = [var.name_prefix]
}

run "apply" {
  module {
    source = "./examples/complete"
  }

  assert {
    condition = alltrue([for value in [
      output.alarm_names,
      output.alarm_topic_arn,
      output.dashboard_name,
      output.event_topic_arn,
      output.log_group_names,
    ] : value != null])
    error_message = "An output has no value."
  }
}
