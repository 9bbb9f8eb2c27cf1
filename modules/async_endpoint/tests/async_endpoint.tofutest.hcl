# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# For OpenTofu, which cannot read mocks from a folder.
mock_provider "aws" {
  mock_resource "aws_appautoscaling_policy" {
    defaults = {
      arn = "arn:aws:autoscaling:eu-north-1:123456789012:scalingPolicy:1234abcd-12ab-34cd-56ef-1234567890ab:resource/sagemaker/endpoint/example/variant/main:policyName/example"
    }
  }

  mock_resource "aws_appautoscaling_target" {
    defaults = {
      arn      = "arn:aws:application-autoscaling:eu-north-1:123456789012:scalable-target/0ab1c23456789012345678901234567890ab"
      role_arn = "arn:aws:iam::123456789012:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
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

  mock_resource "aws_sagemaker_endpoint" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:endpoint/example"
    }
  }

  mock_resource "aws_sagemaker_endpoint_configuration" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:endpoint-config/example"
    }
  }

  mock_resource "aws_sagemaker_model" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:model/example"
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
  name_prefix   = "shop-churn"
  account_id    = "123456789012"
  region        = "eu-north-1"
  alarm_actions = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]
  image_uri     = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/churn:1-arm64"
  kms_key_arn   = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  role_arn      = "arn:aws:iam::123456789012:role/shop-inference"
  s3_uri        = "s3://shop-artifacts-123456789012-eu-north-1/async-inference"
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
      output.answers_s3_uri,
      output.endpoint_arn,
      output.endpoint_name,
      output.failures_s3_uri,
      output.log_group_name,
      output.requests_s3_uri,
      output.role_statements,
      output.topic_arns,
      output.variant_name,
    ] : value != null])
    error_message = "An output has no value."
  }
}
