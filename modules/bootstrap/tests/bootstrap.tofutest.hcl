# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# For OpenTofu, which cannot read mocks from a folder.
mock_provider "aws" {
  mock_resource "aws_iam_policy" {
    defaults = {
      arn = "arn:aws:iam::123456789012:policy/example"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/example"
    }
  }

  mock_resource "aws_kms_alias" {
    defaults = {
      arn            = "arn:aws:kms:eu-north-1:123456789012:alias/example"
      target_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }

  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      key_id = "1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }

  mock_resource "aws_s3_bucket" {
    defaults = {
      arn = "arn:aws:s3:::example"
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
