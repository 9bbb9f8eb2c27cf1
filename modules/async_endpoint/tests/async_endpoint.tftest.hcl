# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

mock_provider "aws" {
  source = "./mocks"
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
