# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# For OpenTofu, which cannot read mocks from a folder.
mock_provider "aws" {
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
  name_prefix     = "shop"
  account_id      = "123456789012"
  region          = "eu-north-1"
  vpc_id          = "vpc-0123456789abcdef0"
  subnet_ids      = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  route_table_ids = ["rtb-0123456789abcdef0"]
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
      output.endpoint_ids,
      output.endpoints_security_group_id,
      output.security_group_id,
      output.vpc_config,
    ] : value != null])
    error_message = "An output has no value."
  }
}
