# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

mock_provider "aws" {
  source = "./mocks"
}

variables {
  name_prefix = "shop"
  account_id  = "123456789012"
  region      = "eu-north-1"
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
      output.backends,
      output.identity_provider_arns,
      output.kms_key_arn,
      output.permissions_boundary_arns,
      output.role_arns,
      output.service_control_policy,
    ] : value != null])
    error_message = "An output has no value."
  }
}
