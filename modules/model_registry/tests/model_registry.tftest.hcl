# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

mock_provider "aws" {
  source = "./mocks"
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
