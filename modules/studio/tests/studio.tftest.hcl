# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

mock_provider "aws" {
  source = "./mocks"
}

variables {
  name_prefix        = "shop"
  account_id         = "123456789012"
  region             = "eu-north-1"
  kms_key_arn        = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  role_arn           = "arn:aws:iam::123456789012:role/shop-studio"
  vpc_id             = "vpc-0123456789abcdef0"
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_ids = ["sg-0123456789abcdef0"]
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
      output.domain_arn,
      output.domain_id,
      output.file_system_id,
      output.tracking_server_arn,
      output.tracking_server_url,
      output.url,
      output.user_profile_arns,
    ] : value != null])
    error_message = "An output has no value."
  }
}
