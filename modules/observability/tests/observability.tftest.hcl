# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

mock_provider "aws" {
  source = "./mocks"
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
