# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# For OpenTofu, which cannot read mocks from a folder.
mock_provider "aws" {
  mock_resource "aws_cloudwatch_event_api_destination" {
    defaults = {
      arn = "arn:aws:events:eu-north-1:123456789012:api-destination/example/1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = {
      arn = "arn:aws:events:eu-north-1:123456789012:rule/example"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/example"
    }
  }

  mock_resource "aws_sagemaker_model_package_group" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:model-package-group/example"
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
  name_prefix          = "shop"
  account_id           = "123456789012"
  region               = "eu-north-1"
  model_package_groups = { churn = {} }
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

# The complete example has no deletion protection, so that the test can destroy it.
run "apply" {
  module {
    source = "./examples/complete"
  }

  assert {
    condition = alltrue([for value in [
      output.approval_rules,
      output.approval_topic_arn,
      output.dead_letter_queue_names,
      output.delivery_dead_letter_queue_url,
      output.model_package_groups,
      output.role_statements,
    ] : value != null])
    error_message = "An output has no value."
  }
}
